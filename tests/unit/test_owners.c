//  test_owners.c: who owns what a call is about, and what it is sent.

#include "unit.h"

#include "actors/gateway/owners.h"
#include "util/text.h"

static const peer_t local = { .uid = 1000, .gid = 100, .pid = 77 };
static const peer_t remote = { .key = "backup", .most = ACCESS_READ };

static document_t *document_of (pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (pack);
    return document;
}

static document_t *by_of (const peer_t *peer, const char *trace)
{
    pack_t pack;
    pack_init (&pack);
    by_pack (peer, ACCESS_WRITE, 3, trace, &pack);
    return document_of (&pack);
}

static void test_by (void **state)
{
    (void) state;
    auto(document_t) by = by_of (&local, "t7");
    assert_int_equal (value_get_u64 (document_root (by), "uid", 0), 1000);
    assert_int_equal (value_get_u64 (document_root (by), "client", 0), 3);
    assert_string_equal (value_get_str (document_root (by), "role"), "write");
    assert_string_equal (value_get_str (document_root (by), "trace"), "t7");
    auto(document_t) other = by_of (&remote, NULL);
    assert_string_equal (value_get_str (document_root (other), "key"), "backup");
    assert_null (value_get (document_root (other), "uid"));
    assert_null (value_get (document_root (other), "trace"));
}

static void test_role (void **state)
{
    (void) state;
    const peer_t root = { .uid = 0 };
    assert_int_equal (peer_role (&root, ACCESS_ADMIN), ACCESS_ADMIN);
    assert_int_equal (peer_role (&root, ACCESS_READ), ACCESS_READ);
    assert_int_equal (peer_role (&remote, ACCESS_ADMIN), ACCESS_READ);
    if (geteuid () != local.uid)
        assert_int_equal (peer_role (&local, ACCESS_ADMIN), ACCESS_WRITE);
}

static document_t *args_of (const char *name, const char *value)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, name, value);
    pack_key_bool (&pack, "paused", true);
    pack_end (&pack);
    return document_of (&pack);
}

static void test_request (void **state)
{
    (void) state;
    pack_t by;
    pack_init (&by);
    by_pack (&local, ACCESS_WRITE, 3, NULL, &by);
    auto(document_t) args = args_of ("domain", "web");
    autofree char *named = owner_named (document_root (args));
    assert_string_equal (named, "web");
    const verb_t *verb = verb_find ("domain.create");
    msg_t *msg = owner_request (verb, document_root (args), &by);
    pack_t *pack = msg_args (msg);
    assert_non_null (pack);
    msg_destroy (&msg);
    pack_close (&by);
    assert_false (owner_is_urgent (verb));
    assert_true (owner_is_urgent (verb_find ("domain.destroy")));
    assert_true (owner_is_urgent (verb_find ("domain.job_abort")));
}

static void test_find (void **state)
{
    (void) state;
    view_t view = { snapshots_new (), networks_new (), NULL };
    char address[MSG_ADDRESS_MAX];
    error_t err;
    auto(document_t) args = args_of ("domain", "web");
    assert_int_equal (
        owner_find (&view, verb_find ("host.info"), document_root (args), address, &err), 0);
    assert_string_equal (address, "host");
    assert_int_equal (
        owner_find (&view, verb_find ("domain.create"), document_root (args), address, &err), -1);
    assert_int_equal (err.code, ERR_NO_DOMAIN);
    auto(document_t) network = args_of ("network", "lan");
    assert_int_equal (
        owner_find (&view, verb_find ("network.create"), document_root (network), address, &err),
        -1);
    assert_int_equal (err.code, ERR_NO_NETWORK);
    view_close (&view);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_by),
        cmocka_unit_test (test_role),
        cmocka_unit_test (test_request),
        cmocka_unit_test (test_find),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
