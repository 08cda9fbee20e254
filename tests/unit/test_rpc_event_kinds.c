//  test_rpc_event_kinds.c: every event can be written, in each way in which it is sent.

#include "unit.h"

#include "actors/libvirt/rpc_event_kinds.h"
#include "util/text.h"

#include <stdio.h>

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

//  All that our events carry, by their names in docs/protocol.md.
static document_t *args_of (const rpc_event_kind_t *kind)
{
    static const char *const texts[] = { "path", "reason", "device", "type", "uri" };
    static const char *const numbers[] = { "id",        "event",     "detail", "offset",
                                           "number",    "status",    "state",  "memory_kib",
                                           "excess",    "threshold", "type",   "iteration",
                                           "operation", "reason",    "flags",  "action_number" };
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "name", "web");
    bool block = strcmp (kind->verb, "domain.block_job") == 0;
    bool agent = strcmp (kind->verb, "domain.agent") == 0;
    bool lifecycle = strstr (kind->verb, "lifecycle");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(block && strcmp (texts[i], "type") == 0) &&
            !(agent && strcmp (texts[i], "reason") == 0))
            pack_key_str (&pack, texts[i], strcmp (texts[i], "type") == 0 ? "title" : "x");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        bool text = (strcmp (numbers[i], "type") == 0 && !block) ||
                    (strcmp (numbers[i], "reason") == 0 && !agent) ||
                    (strcmp (numbers[i], "event") == 0 && !lifecycle);
        if (!text)
            pack_key_i64 (&pack, numbers[i], 3);
    }
    if (kind->key && strcmp (kind->key, "responding") == 0)
        pack_key_bool (&pack, "responding", false);
    else if (kind->key)
        pack_key_str (&pack, kind->key, kind->word);
    pack_key_map (&pack, "params");
    pack_key_u64 (&pack, "cputune.cpu_shares", 7);
    pack_key_str (&pack, "cputune.vcpupin0", "0-1");
    pack_key_i64 (&pack, "cputune.vcpu_quota", 5000);
    pack_end (&pack);
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    if (!document)
        fail_msg ("%s: %s", kind->message, err.message);
    pack_close (&pack);
    return document;
}

static document_t *written (const rpc_event_kind_t *kind, bool legacy)
{
    auto(document_t) args = args_of (kind);
    const char *driver = kind->object == RPC_OF_DOMAIN ? "test" : NULL;
    const view_event_t event = { UUID, driver, kind->verb, document_root (args) };
    auto(text_t) out = text_new ();
    error_t err;
    pack_t pack;
    pack_init (&pack);
    assert_true (rpc_event_is (kind, &event));
    if (rpc_event_write (kind, legacy, &event, 9, out, &err) ||
        xdr_decode (rpc_event_procedure (kind, legacy)->args, out->data, out->size, &pack, &err))
        fail_msg ("%s: %s", kind->message, err.message);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    assert_non_null (document);
    return document;
}

static void test_all (void **state)
{
    (void) state;
    const rpc_event_kind_t *kind;
    size_t count = 0;
    for (size_t i = 0; (kind = rpc_event_kind_at (i)); i++, count++) {
        auto(document_t) message = written (kind, false);
        const value_t *root = document_root (message);
        const value_t *inside = value_get (root, "msg") ? value_get (root, "msg") : root;
        static const char *const objects[RPC_OBJECTS] = { "dom", "net", "dev" };
        const value_t *object = value_get (inside, objects[kind->object]);
        assert_int_equal (value_get_i64 (root, "callbackID", -1), 9);
        assert_string_equal (value_get_str (object, "name"), "web");
        if (kind->object != RPC_OF_DEVICE)
            assert_string_equal (value_get_str (object, "uuid"), UUID);
        assert_true (kind->id <= rpc_event_last (kind->object));
        if (kind->legacy) {
            auto(document_t) old = written (kind, true);
            assert_null (value_get (document_root (old), "callbackID"));
            assert_non_null (value_get (document_root (old), "dom"));
        }
    }
    assert_true (count > 20);
}

static void test_stopped (void **state)
{
    (void) state;
    static const struct {
        int event;
        int64_t id;
    } cases[] = { { 2, 7 }, { 5, -1 } };
    for (size_t i = 0; i < 2; i++) {
        pack_t pack;
        error_t err;
        pack_init (&pack);
        pack_map (&pack);
        pack_key_str (&pack, "name", "web");
        pack_key_i64 (&pack, "id", 7);
        pack_key_i64 (&pack, "event", cases[i].event);
        pack_key_i64 (&pack, "detail", 0);
        pack_end (&pack);
        auto(document_t) args = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
        const view_event_t event = { UUID, "test", "domain.lifecycle", document_root (args) };
        auto(text_t) out = text_new ();
        assert_int_equal (rpc_event_write (rpc_event_kind_at (0), true, &event, 0, out, &err), 0);
        //  name, uuid, id
        assert_int_equal ((int32_t) xdr_u32_at (out->data + 8 + 16), (int32_t) cases[i].id);
        pack_close (&pack);
    }
}

//  Each field has the type that libvirt documents, whatever its value.
static void test_tunable (void **state)
{
    (void) state;
    static const struct {
        const char *field;
        int type;
    } expected[] = { { "cputune.cpu_shares", PARAM_ULLONG },
                     { "cputune.vcpupin0", PARAM_STRING },
                     { "cputune.vcpu_quota", PARAM_LLONG } };
    const rpc_event_kind_t *kind;
    size_t i = 0;
    while ((kind = rpc_event_kind_at (i)) && strcmp (kind->verb, "domain.tunable") != 0)
        i++;
    auto(document_t) message = written (kind, false);
    const value_t *params = value_get (document_root (message), "params");
    assert_int_equal (value_count (params), 3);
    for (i = 0; i < 3; i++) {
        const value_t *param = value_at (params, i);
        assert_string_equal (value_get_str (param, "field"), expected[i].field);
        assert_int_equal (value_get_i64 (value_get (param, "value"), "type", 0), expected[i].type);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_all),
        cmocka_unit_test (test_stopped),
        cmocka_unit_test (test_tunable),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
