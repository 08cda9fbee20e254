//  test_verbs.c: the verb table is sound, and what does not follow it is refused by name.

#include "unit.h"

#include "msg/pack.h"
#include "msg/verbs.h"

#include <string.h>

static int check (const char *verb, void (*fill) (pack_t *), error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    fill (&pack);
    pack_end (&pack);
    auto(document_t) document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_close (&pack);
    assert_non_null (document);
    return verb_check_args (verb_find (verb), document_root (document), err);
}

static void none (pack_t *pack)
{
    (void) pack;
}

static void by_name (pack_t *pack)
{
    pack_key_str (pack, "domain", "web1");
}

static void by_id (pack_t *pack)
{
    pack_key_u64 (pack, "domain", 7);
}

static void with_slash (pack_t *pack)
{
    pack_key_str (pack, "domain", "../web1");
}

static void unknown (pack_t *pack)
{
    by_name (pack);
    pack_key_bool (pack, "quickly", true);
}

static void wrong_type (pack_t *pack)
{
    by_name (pack);
    pack_key_str (pack, "graceful", "yes");
}

static void wrong_choice (pack_t *pack)
{
    by_name (pack);
    pack_key_str (pack, "mode", "acp");
}

static void all_choices (pack_t *pack)
{
    by_name (pack);
    pack_key_str (pack, "mode", "acpi|agent");
}

static void right_choice (pack_t *pack)
{
    by_name (pack);
    pack_key_str (pack, "mode", "acpi");
}

static void test_arguments (void **state)
{
    (void) state;
    error_t err;
    assert_int_equal (check ("domain.destroy", by_name, &err), 0);
    assert_int_equal (check ("domain.destroy", by_id, &err), 0);
    assert_int_equal (check ("domain.shutdown", right_choice, &err), 0);
    assert_int_equal (check ("session.ping", none, &err), 0);
}

static void assert_refused (const char *verb, void (*fill) (pack_t *), const char *named)
{
    error_t err;
    assert_int_equal (check (verb, fill, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, verb));
    assert_non_null (strstr (err.message, named));
}

static void test_refused (void **state)
{
    (void) state;
    assert_refused ("domain.destroy", none, "'domain' is missing");
    assert_refused ("domain.destroy", with_slash, "'domain'");
    assert_refused ("domain.destroy", unknown, "'quickly'");
    assert_refused ("domain.destroy", wrong_type, "'graceful'");
    assert_refused ("domain.shutdown", wrong_choice, "acpi|agent");
    assert_refused ("domain.shutdown", all_choices, "it may be one of acpi|agent");
}

//  What documentation, command line and routing build on.
static void test_the_table (void **state)
{
    (void) state;
    for (const verb_t *verb = verbs; verb->name; verb++) {
        assert_ptr_equal (verb_find (verb->name), verb);
        assert_non_null (strchr (verb->name, '.'));
        assert_true (strlen (verb->help) > 0 && strlen (verb->result) > 0);
        if (verb->command)
            assert_ptr_equal (verb_of_command (verb->command), verb);
        if (verb->owner == OWNER_DOMAIN)
            assert_string_equal (verb->args[0].name, "domain");
        for (const verb_arg_t *arg = verb->args; arg->name; arg++)
            assert_true (strlen (arg->help) > 0);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_arguments),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_the_table),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
