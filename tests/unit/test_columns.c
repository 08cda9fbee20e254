//  test_columns.c: tables in virsh's layout.

#include "cli/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_layout (void **state)
{
    (void) state;
    const char *const titles[] = { "Id", "Name", "State", NULL };
    auto(columns_t) table = columns_new (titles);
    columns_addf (table, "%d", 1);
    columns_add (table, "database-längste");
    columns_add (table, "running");
    columns_add (table, "-");
    columns_add (table, "web1");
    columns_add (table, NULL);
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream (&text, &size);
    columns_print (table, file);
    fclose (file);
    assert_string_equal (text, " Id   Name               State\n"
                               "----------------------------------\n"
                               " 1    database-längste   running\n"
                               " -    web1               \n"
                               "\n");
    free (text);
}

//  Characters are counted, and never cut in two.
static void test_short (void **state)
{
    (void) state;
    static const struct {
        const char *cell, *shown;
        size_t widest;
    } cases[] = { { "längste", "längste", 7 },
                  { "längster", "läng...", 7 },
                  { "ääääää", "ää...", 5 },
                  { "längste", "längste", 0 } };
    const char *const titles[] = { "Cell", NULL };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(columns_t) table = columns_new (titles);
        columns_add_short (table, cases[i].cell, cases[i].widest);
        assert_string_equal (table->cells->items[1], cases[i].shown);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_layout),
                                        cmocka_unit_test (test_short) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
