//  test_migration_record.c: what a guest's record says of its migration.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/domain/migration_record.h"
#include "util/text.h"

#include <string.h>

static xml_t *record_of (const char *text)
{
    error_t err;
    xml_t *record = xml_parse_own (text, strlen (text), "record", &err);
    assert_non_null (record);
    return record;
}

static void test_written_and_read (void **state)
{
    (void) state;
    auto(xml_t) record = record_of ("<record><other/></record>");
    const migration_record_t written = { .handed = true,
                                         .run = true,
                                         .undefine = true,
                                         .token = "0123456789abcdef0123456789abcdef",
                                         .peer = "ipc:///run/there/troupe.sock",
                                         .trouble = "no answer",
                                         .since_us = 1234567 };
    migration_record_write (&written, record);
    migration_record_write (&written, record);
    autofree char *text = xml_text (record);
    auto(migration_record_t) read = migration_record_parse (text);
    assert_non_null (read);
    assert_true (read->handed && read->run && read->undefine);
    assert_false (read->incoming || read->persistent || read->copy);
    assert_string_equal (read->token, written.token);
    assert_string_equal (read->peer, written.peer);
    assert_string_equal (read->trouble, "no answer");
    assert_int_equal (read->since_us, 1234567);
    migration_record_remove (record);
    assert_null (migration_record_read (record));
    assert_non_null (xml_find (xml_root (record), "other"));
}

//  What an earlier migration wanted is not what the next one wants.
static void test_written_again (void **state)
{
    (void) state;
    auto(xml_t) record = record_of ("<record/>");
    migration_record_t written = { .incoming = true,
                                   .run = true,
                                   .persistent = true,
                                   .undefine = true,
                                   .copy = true,
                                   .token = "0",
                                   .peer = "tcp://host2:1",
                                   .trouble = "no answer" };
    migration_record_write (&written, record);
    written.trouble = NULL;
    written.run = written.persistent = written.undefine = written.copy = false;
    migration_record_write (&written, record);
    auto(migration_record_t) read = migration_record_read (record);
    assert_true (read->incoming);
    assert_false (read->run || read->persistent || read->undefine || read->copy);
    assert_null (read->trouble);
}

static void test_none (void **state)
{
    (void) state;
    assert_null (migration_record_parse (NULL));
    assert_null (migration_record_parse (""));
    assert_null (migration_record_parse ("<record/>"));
    assert_null (migration_record_parse ("<record><migration role='out'/></record>"));
    assert_null (migration_record_parse ("<migration"));
    assert_null (migration_record_read (NULL));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_written_and_read),
        cmocka_unit_test (test_written_again),
        cmocka_unit_test (test_none),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
