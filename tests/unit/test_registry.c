//  test_registry.c: who gets a name and a uuid.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/host/registry.h"

#include <string.h>

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "99999999-2222-4333-8444-555555555555"
#define UUID_C "77777777-2222-4333-8444-555555555555"

static entry_t *reserve (registry_t *registry, const char *uuid, const char *name, bool *is_new,
                         error_t *err)
{
    return registry_reserve (registry, uuid, name, "test", is_new, err);
}

static void test_new_then_same (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "domain");
    entry_t *first = reserve (&registry, UUID_A, "web", &is_new, &err);
    assert_non_null (first);
    assert_true (is_new);
    entry_t *again = reserve (&registry, UUID_A, "web", &is_new, &err);
    assert_ptr_equal (again, first);
    assert_false (is_new);
    assert_int_equal (again->grants, 2);
    registry_close (&registry);
}

static void test_taken_name_or_uuid (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "domain");
    assert_non_null (reserve (&registry, UUID_A, "web", &is_new, &err));
    assert_null (reserve (&registry, UUID_B, "web", &is_new, &err));
    assert_non_null (strstr (err.message, UUID_A));
    assert_null (reserve (&registry, UUID_A, "mail", &is_new, &err));
    assert_non_null (strstr (err.message, "'web'"));
    //  Nothing of the refused ones is left.
    assert_null (registry_find (&registry, UUID_B));
    assert_null (registry_find_name (&registry, "mail"));
    registry_close (&registry);
}

static void test_bridges (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "network");
    entry_t *blue = reserve (&registry, UUID_A, "blue", &is_new, &err);
    assert_int_equal (registry_check_bridge (&registry, UUID_A, "br5", &err), 0);
    registry_set_bridge (blue, BRIDGE_WANTED, "br5");
    assert_int_equal (registry_check_bridge (&registry, UUID_A, "br5", &err), 0);
    assert_int_equal (registry_check_bridge (&registry, UUID_B, "br5", &err), -1);
    assert_non_null (strstr (err.message, "'br5' is already in use by network 'blue'"));
    assert_int_equal (registry_check_bridge (&registry, UUID_B, "br6", &err), 0);
    assert_int_equal (registry_check_bridge (&registry, UUID_B, NULL, &err), 0);
    //  Nothing came of it.
    registry_end_grant (blue);
    assert_int_equal (registry_check_bridge (&registry, UUID_B, "br5", &err), 0);
    registry_set_bridge (blue, BRIDGE_CONFIG, "br5");
    assert_int_equal (registry_check_bridge (&registry, UUID_B, "br5", &err), -1);
    registry_leave (&registry, blue);
    assert_int_equal (registry_check_bridge (&registry, UUID_B, "br5", &err), 0);
    registry_close (&registry);
}

static void test_rename (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "domain");
    entry_t *web = reserve (&registry, UUID_A, "web", &is_new, &err);
    assert_non_null (reserve (&registry, UUID_B, "mail", &is_new, &err));
    assert_int_equal (registry_claim (&registry, web, "mail", &err), -1);
    assert_int_equal (registry_claim (&registry, web, "web2", &err), 0);
    //  Both are its own until it is decided.
    assert_null (reserve (&registry, UUID_C, "web", &is_new, &err));
    assert_null (reserve (&registry, UUID_C, "web2", &is_new, &err));
    assert_int_equal (registry_name (&registry, web, "web2", &err), 0);
    assert_null (registry_find_name (&registry, "web"));
    assert_ptr_equal (registry_find_name (&registry, "web2"), web);
    registry_remove (&registry, &web);
    assert_null (registry_find_name (&registry, "web2"));
    registry_close (&registry);
}

static void test_renaming_that_fails (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "domain");
    entry_t *web = reserve (&registry, UUID_A, "web", &is_new, &err);
    assert_int_equal (registry_claim (&registry, web, "web2", &err), 0);
    assert_int_equal (registry_name (&registry, web, "web", &err), 0);
    assert_null (registry_find_name (&registry, "web2"));
    assert_ptr_equal (registry_find_name (&registry, "web"), web);
    assert_int_equal (registry_claim (&registry, web, "web2", &err), 0);
    registry_remove (&registry, &web);
    assert_null (registry_find_name (&registry, "web"));
    assert_null (registry_find_name (&registry, "web2"));
    registry_close (&registry);
}

static void test_leaving (void **state)
{
    (void) state;
    registry_t registry;
    error_t err;
    bool is_new;
    registry_open (&registry, "domain");
    entry_t *web = reserve (&registry, UUID_A, "web", &is_new, &err);
    web->grants = 0;
    registry_leave (&registry, web);
    assert_non_null (reserve (&registry, UUID_B, "web", &is_new, &err));
    assert_ptr_equal (reserve (&registry, UUID_A, "mail", &is_new, &err), web);
    assert_true (is_new);
    registry_close (&registry);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_new_then_same),
        cmocka_unit_test (test_taken_name_or_uuid),
        cmocka_unit_test (test_bridges),
        cmocka_unit_test (test_rename),
        cmocka_unit_test (test_renaming_that_fails),
        cmocka_unit_test (test_leaving),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
