//  test_snapshots.c: a gateway's view of the domains.

#include "unit.h"

#include "actors/gateway/snapshots.h"
#include "msg/pack.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-000000000001"
#define UUID_B "bbbbbbbb-0000-4000-8000-000000000002"
#define UUID_C "cccccccc-0000-4000-8000-000000000003"

static int apply_packed (snapshots_t *self, const char *uuid, pack_t *pack)
{
    error_t err;
    auto(document_t) document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    pack_close (pack);
    return snapshots_apply (self, uuid, document_root (document), &err) ? (int) err.code : 0;
}

static int apply (snapshots_t *self, const char *uuid, const char *name, int64_t id)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    if (name)
        pack_key_str (&pack, "name", name);
    pack_key_i64 (&pack, "state", id > 0 ? 1 : 5);
    pack_key_i64 (&pack, "id", id);
    pack_key_u64 (&pack, "max_vcpus", 4);
    pack_key_str (&pack, "xml", "<domain/>");
    pack_end (&pack);
    return apply_packed (self, uuid, &pack);
}

static const char *resolve (const snapshots_t *self, const char *text, uint64_t number)
{
    value_t value = { .type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = number };
    if (text) {
        value.type = MSGPACK_OBJECT_STR;
        value.via.str.ptr = text;
        value.via.str.size = (uint32_t) strlen (text);
    }
    error_t err;
    const snapshot_t *found = snapshots_resolve (self, "domain.info", &value, &err);
    if (found)
        return found->uuid;
    assert_int_equal (err.code, ERR_NO_DOMAIN);
    assert_non_null (strstr (err.message, "domain.info: no domain"));
    return "";
}

static void test_order_is_that_of_names (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    apply (self, UUID_A, "web2", -1);
    apply (self, UUID_B, "db", 3);
    apply (self, UUID_C, "web1", -1);
    assert_int_equal (snapshots_count (self), 3);
    assert_string_equal (snapshots_at (self, 0)->name, "db");
    assert_string_equal (snapshots_at (self, 1)->name, "web1");
    assert_string_equal (snapshots_at (self, 2)->name, "web2");
    assert_null (snapshots_at (self, 3));
    apply (self, UUID_A, "alpha", -1); //  renamed
    assert_string_equal (snapshots_at (self, 0)->uuid, UUID_A);
    assert_int_equal (snapshots_count (self), 3);
    assert_null (snapshots_by_name (self, "web2"));
}

static void test_newest_replaces (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    apply (self, UUID_A, "web", 7);
    assert_string_equal (snapshots_by_id (self, 7)->name, "web");
    assert_int_equal (snapshots_by_uuid (self, UUID_A)->state, 1);
    apply (self, UUID_A, "web", -1);
    assert_null (snapshots_by_id (self, 7));
    assert_null (snapshots_by_id (self, -1));
    assert_int_equal (snapshots_by_name (self, "web")->state, 5);
    snapshots_forget (self, UUID_A);
    snapshots_forget (self, UUID_A);
    assert_int_equal (snapshots_count (self), 0);
    assert_null (snapshots_by_uuid (self, UUID_A));
}

//  Two owners' publications come in any order: for a moment two domains have one name, or one id.
static void test_one_name_twice (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    apply (self, UUID_A, "web", 7);
    apply (self, UUID_B, "web", 7);
    snapshots_forget (self, UUID_A);
    assert_string_equal (snapshots_by_name (self, "web")->uuid, UUID_B);
    assert_string_equal (snapshots_by_id (self, 7)->uuid, UUID_B);
}

static void test_resolve (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    apply (self, UUID_A, "web", 7);
    apply (self, UUID_B, "7", -1);
    apply (self, UUID_C, "42", -1);
    assert_string_equal (resolve (self, "web", 0), UUID_A);
    assert_string_equal (resolve (self, UUID_A, 0), UUID_A);
    assert_string_equal (resolve (self, "AAAAAAAA000040008000000000000001", 0), UUID_A);
    assert_string_equal (resolve (self, "7", 0), UUID_A);  //  an id before a name
    assert_string_equal (resolve (self, "42", 0), UUID_C); //  no such id
    assert_string_equal (resolve (self, NULL, 7), UUID_A);
    assert_string_equal (resolve (self, NULL, 42), ""); //  a number is an id only
    assert_string_equal (resolve (self, NULL, UINT64_MAX), "");
    assert_string_equal (resolve (self, "we", 0), "");
    assert_string_equal (resolve (self, "dddddddd-0000-4000-8000-000000000001", 0), "");
    assert_string_equal (resolve (self, "0x7", 0), "");
    assert_string_equal (resolve (self, "99999999999999999999999999", 0), "");
}

static void test_nonsense_changes_nothing (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    apply (self, UUID_A, "web", 7);
    assert_int_equal (apply (self, UUID_A, NULL, 7), ERR_INTERNAL_ERROR);
    assert_string_equal (snapshots_by_uuid (self, UUID_A)->name, "web");
}

static void test_many (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    char uuid[UUID_TEXT_SIZE], name[32];
    for (unsigned i = 0; i < 1000; i++) {
        unsigned mixed = i * 617 % 1000;
        snprintf (uuid, sizeof uuid, "aaaaaaaa-0000-4000-8000-%012u", mixed);
        snprintf (name, sizeof name, "guest-%03u", mixed);
        assert_int_equal (apply (self, uuid, name, mixed + 1), 0);
    }
    for (unsigned i = 0; i < 1000; i++) {
        snprintf (name, sizeof name, "guest-%03u", i);
        assert_string_equal (snapshots_at (self, i)->name, name);
        assert_ptr_equal (snapshots_at (self, i), snapshots_by_name (self, name));
        assert_ptr_equal (snapshots_at (self, i), snapshots_by_id (self, i + 1));
    }
}

//  Who waited in vain reads what for.
static void test_late (void **state)
{
    (void) state;
    auto(snapshots_t) self = snapshots_new ();
    error_t err;
    apply (self, UUID_A, "web", 7);
    assert_int_equal (snapshots_late (self, "domain.suspend", "7", 0, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_TIMEOUT);
    assert_string_equal (err.message, "domain.suspend: domain '7': not done within the deadline");
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "name", "web");
    pack_key_i64 (&pack, "state", 1);
    pack_key_i64 (&pack, "silent_since_us", 1000000);
    pack_key (&pack, "job");
    pack_map (&pack);
    pack_key_str (&pack, "kind", "save");
    pack_key_i64 (&pack, "since_us", 3000000);
    pack_end (&pack);
    pack_end (&pack);
    assert_int_equal (apply_packed (self, UUID_A, &pack), 0);
    snapshots_late (self, "domain.suspend", "web", 9500000, &err);
    assert_non_null (strstr (err.message, "deadline; its hypervisor has not responded for 8 s; its "
                                          "job 'save' has been active for 6 s"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_order_is_that_of_names),
        cmocka_unit_test (test_newest_replaces),
        cmocka_unit_test (test_one_name_twice),
        cmocka_unit_test (test_resolve),
        cmocka_unit_test (test_nonsense_changes_nothing),
        cmocka_unit_test (test_many),
        cmocka_unit_test (test_late),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
