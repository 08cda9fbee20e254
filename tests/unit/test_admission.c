//  test_admission.c: the admission table, cell by cell.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/admission.h"

typedef struct {
    async_kind_t running;
    bool changing;
    verdict_t want[CLASS_COUNT]; //  query, modify, suspend, start, job, destroy, stream
} row_t;

#define YES ADMIT_YES
#define WAIT ADMIT_WAIT
#define CANCEL ADMIT_CANCEL

static const row_t rows[] = {
    { ASYNC_NONE, false, { YES, YES, YES, YES, YES, YES, YES } },
    { ASYNC_NONE, true, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES } },
    { ASYNC_START, false, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, WAIT } },
    { ASYNC_START, true, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, WAIT } },
    { ASYNC_SAVE, false, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES } },
    { ASYNC_SAVE, true, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES } },
    { ASYNC_DUMP, false, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES } },
    { ASYNC_DUMP, true, { YES, WAIT, WAIT, WAIT, WAIT, CANCEL, YES } },
};

static void test_every_cell (void **state)
{
    (void) state;
    assert_int_equal (sizeof rows / sizeof *rows, ASYNC_COUNT * 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int class = 0; class < CLASS_COUNT; class ++)
            assert_int_equal (
                admission_verdict (rows[i].running, rows[i].changing, (verb_class_t) class),
                rows[i].want[class]);
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
