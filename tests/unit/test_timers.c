//  test_timers.c: what is due first comes first; equal times in the order in which they were set.

#include "unit.h"

#include "actors/runtime/timers.h"

#include <stdlib.h>

enum {
    COUNT = 500
};

static void test_order (void **state)
{
    (void) state;
    timers_t timers = { 0 };
    timer_node_t nodes[COUNT] = { 0 };
    uint32_t seed = 7;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        timers_set (&timers, &nodes[i], seed >> 28);
    }
    int64_t last_due = -1;
    uint64_t last_sequence = 0;
    for (int i = 0; i < COUNT; i++) {
        timer_node_t *node = timers_pop (&timers, INT64_MAX);
        assert_non_null (node);
        assert_true (node->due > last_due ||
                     (node->due == last_due && node->sequence > last_sequence));
        last_due = node->due;
        last_sequence = node->sequence;
    }
    assert_null (timers_first (&timers));
    timers_close (&timers);
}

static void test_not_before_its_time (void **state)
{
    (void) state;
    timers_t timers = { 0 };
    timer_node_t node = { 0 };
    timers_set (&timers, &node, 100);
    assert_null (timers_pop (&timers, 99));
    assert_ptr_equal (timers_pop (&timers, 100), &node);
    assert_null (timers_pop (&timers, 100));
    timers_close (&timers);
}

static void test_moved_and_removed (void **state)
{
    (void) state;
    timers_t timers = { 0 };
    timer_node_t nodes[COUNT] = { 0 };
    for (int i = 0; i < COUNT; i++)
        timers_set (&timers, &nodes[i], i);
    for (int i = 0; i < COUNT; i += 2)
        timers_remove (&timers, &nodes[i]);
    timers_remove (&timers, &nodes[0]); //  twice does no harm
    timers_set (&timers, &nodes[1], COUNT);
    assert_ptr_equal (timers_first (&timers), &nodes[3]);
    int left = 0;
    while (timers_pop (&timers, COUNT))
        left++;
    assert_int_equal (left, COUNT / 2);
    timers_close (&timers);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_not_before_its_time),
        cmocka_unit_test (test_moved_and_removed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
