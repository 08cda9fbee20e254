//  test_envelope.c: requests of clients, their answers, and events, as they are on the wire.

#include "unit.h"

#include "msg/envelope.h"

//  Writes a request with FIELD (a string), or NULL; reads it. The error's code.
static int read_with (call_t *call, const char *field, const char *text)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", UINT64_MAX);
    pack_key_str (&pack, "kind", "request");
    pack_key_str (&pack, "verb", "domain.info");
    if (field)
        pack_key_str (&pack, field, text);
    pack_end (&pack);
    int rc = call_read (call, pack.bytes, pack.size, &err);
    pack_close (&pack);
    return rc ? (int) err.code : 0;
}

static void test_request (void **state)
{
    (void) state;
    call_t call;
    assert_int_equal (read_with (&call, "trace", "t1"), 0);
    assert_true (call.has_id);
    assert_true (call.id == UINT64_MAX);
    assert_string_equal (call.verb, "domain.info");
    assert_string_equal (call.trace, "t1");
    assert_int_equal (call.deadline_ms, CALL_DEADLINE_MS);
    assert_null (call.args);
    assert_null (call.key);
    call_close (&call);
    assert_int_equal (read_with (&call, "key", "2026-07-01/web#1"), 0);
    assert_string_equal (call.key, "2026-07-01/web#1");
    call_close (&call);
}

static void test_refused (void **state)
{
    (void) state;
    char text[CALL_MAX_TRACE + 2] = { 0 };
    memset (text, 'x', CALL_MAX_TRACE + 1);
    const struct {
        const char *field, *text;
        int code;
    } cases[] = {
        { "key", "", ERR_RPC },       { "key", "a b", ERR_RPC },  { "key", text, ERR_RPC },
        { "deadline", "1", ERR_RPC }, { "trace", text, ERR_RPC }, { "trace", NULL, ERR_RPC },
        { "from", "me", ERR_RPC },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        call_t call;
        assert_int_equal (read_with (&call, cases[i].field, cases[i].text), cases[i].code);
        assert_true (call.has_id); //  so the answer can name it
        call_close (&call);
    }
}

static document_t *parse (const pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    return document;
}

static void test_answers (void **state)
{
    (void) state;
    pack_t pack;
    pack_init (&pack);
    reply_begin (&pack, 7);
    pack_str (&pack, "x");
    reply_end (&pack);
    auto(document_t) reply = parse (&pack);
    assert_string_equal (value_get_str (document_root (reply), "kind"), "reply");
    assert_string_equal (value_get_str (document_root (reply), "result"), "x");
    //  A reply that was begun and failed: the next answer starts anew.
    reply_begin (&pack, 8);
    pack_map (&pack);
    error_t err;
    error_set (&err, ERR_NO_DOMAIN, "no");
    reply_error (&pack, true, 8, &err);
    auto(document_t) error = parse (&pack);
    const value_t *map = value_get (document_root (error), "error");
    assert_int_equal (value_get_u64 (document_root (error), "id", 0), 8);
    assert_int_equal (value_get_i64 (map, "code", 0), 42);
    assert_string_equal (value_get_str (map, "name"), "VIR_ERR_NO_DOMAIN");
    assert_non_null (value_get (map, "retry"));
    reply_error (&pack, false, 8, &err);
    auto(document_t) nameless = parse (&pack);
    assert_int_equal (value_get (document_root (nameless), "id")->type, MSGPACK_OBJECT_NIL);
    pack_close (&pack);
}

static void test_event (void **state)
{
    (void) state;
    pack_t pack;
    pack_init (&pack);
    event_begin (&pack, "ping");
    event_end (&pack);
    auto(document_t) event = parse (&pack);
    assert_string_equal (value_get_str (document_root (event), "kind"), "event");
    assert_int_equal (value_count (value_get (document_root (event), "args")), 0);
    pack_close (&pack);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_request),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_answers),
        cmocka_unit_test (test_event),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
