//  test_admission.c: the admission table, cell by cell.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/domain/admission.h"

//  Verdicts by their first letter: yes, wait, refuse, cancel.
typedef struct {
    async_kind_t running;
    bool changing;
    //  query, modify, suspend, start, job, destroy, stream, migration, hot-plug, agent, limits
    const char *want;
} row_t;

static const row_t rows[] = {
    { ASYNC_NONE, false, "YYYYYYYRYYY" },
    { ASYNC_NONE, true, "YWWWWCYRWYW" },
    { ASYNC_START, false, "YWWWWCWRWRW" },
    { ASYNC_START, true, "YWWWWCWRWRW" },
    { ASYNC_SAVE, false, "YWWWWCYRWYW" },
    { ASYNC_SAVE, true, "YWWWWCYRWYW" },
    { ASYNC_DUMP, false, "YWWWWCYRWYW" },
    { ASYNC_DUMP, true, "YWWWWCYRWYW" },
    { ASYNC_SNAPSHOT, false, "YWWWWCYRWYW" },
    { ASYNC_SNAPSHOT, true, "YWWWWCYRWYW" },
    { ASYNC_SNAPSHOT_WRITTEN, false, "YWYWWCYRWYW" },
    { ASYNC_SNAPSHOT_WRITTEN, true, "YWWWWCYRWYW" },
    { ASYNC_MIGRATE_OUT, false, "YWYWWCYYRYY" },
    { ASYNC_MIGRATE_OUT, true, "YWWWWCYWRYW" },
    { ASYNC_MIGRATE_IN, false, "YWRWWCWYRRY" },
    { ASYNC_MIGRATE_IN, true, "YWRWWCWWRRW" },
    { ASYNC_MIGRATE_HANDED, false, "YWRWWCYYRRY" },
    { ASYNC_MIGRATE_HANDED, true, "YWRWWCYWRRW" },
    { ASYNC_BACKUP, false, "YYYWWCYRYYY" },
    { ASYNC_BACKUP, true, "YWWWWCYRWYW" },
    { ASYNC_BACKUP_BEGIN, false, "YWWWWCYRWYW" },
    { ASYNC_BACKUP_BEGIN, true, "YWWWWCYRWYW" },
};

static char letter (verdict_t verdict)
{
    switch (verdict) {
    case ADMIT_YES:
        return 'Y';
    case ADMIT_WAIT:
        return 'W';
    case ADMIT_REFUSE:
        return 'R';
    case ADMIT_CANCEL:
        return 'C';
    }
    return '?';
}

static void test_every_cell (void **state)
{
    (void) state;
    assert_int_equal (sizeof rows / sizeof *rows, ASYNC_COUNT * 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char found[CLASS_COUNT + 1] = "";
        for (int class = 0; class < CLASS_COUNT; class ++)
            found[class] = letter (
                admission_verdict (rows[i].running, rows[i].changing, (verb_class_t) class));
        assert_int_equal (rows[i].running, i / 2);
        assert_string_equal (found, rows[i].want);
    }
}

static void test_queries_never_wait (void **state)
{
    (void) state;
    for (int kind = 0; kind < ASYNC_COUNT; kind++)
        for (int changing = 0; changing < 2; changing++)
            assert_int_equal (admission_verdict ((async_kind_t) kind, changing, CLASS_QUERY),
                              ADMIT_YES);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_every_cell),
        cmocka_unit_test (test_queries_never_wait),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
