//  test_history.c: what clients may have missed, and what nobody can tell them any more.

#include "unit.h"

#include "actors/gateway/history.h"
#include "util/text.h"

#include <string.h>

static void test_empty (void **state)
{
    (void) state;
    auto(history_t) self = history_new ();
    assert_int_equal (history_last (self), 0);
    assert_true (history_has_since (self, 0));
    assert_false (history_has_since (self, 1)); //  of another daemon
    assert_null (history_at (self, 0));
    assert_null (history_at (self, 1));
}

static void test_in_order (void **state)
{
    (void) state;
    auto(history_t) self = history_new ();
    history_add (self, "a", "domain.lifecycle", "one", 3);
    history_add (self, "b", "domain.reboot", "three", 5);
    assert_int_equal (history_last (self), 2);
    const history_event_t *event = history_at (self, 2);
    assert_int_equal (event->seq, 2);
    assert_string_equal (event->uuid, "b");
    assert_string_equal (event->verb, "domain.reboot");
    assert_int_equal (event->size, 5);
    assert_memory_equal (event->bytes, "three", 5);
    assert_true (history_has_since (self, 0));
    assert_true (history_has_since (self, 2));
    assert_false (history_has_since (self, 3));
}

static void test_bounded_by_count (void **state)
{
    (void) state;
    auto(history_t) self = history_new ();
    for (int i = 0; i < HISTORY_MAX_EVENTS + 10; i++)
        history_add (self, "a", "domain.reboot", "x", 1);
    assert_int_equal (history_last (self), HISTORY_MAX_EVENTS + 10);
    assert_null (history_at (self, 10));
    assert_int_equal (history_at (self, 11)->seq, 11);
    assert_false (history_has_since (self, 9));
    assert_true (history_has_since (self, 10));
}

static void test_bounded_by_size (void **state)
{
    (void) state;
    size_t size = HISTORY_MAX_BYTES / 4 + 1;
    autofree char *bytes = memory_new (size, 1);
    auto(history_t) self = history_new ();
    for (int i = 0; i < 5; i++)
        history_add (self, "a", "domain.reboot", bytes, size);
    assert_null (history_at (self, 2));
    assert_non_null (history_at (self, 3));
    //  One that is larger than all of it is kept alone.
    autofree char *huge = memory_new (2, HISTORY_MAX_BYTES);
    history_add (self, "a", "domain.reboot", huge, 2 * (size_t) HISTORY_MAX_BYTES);
    assert_non_null (history_at (self, 6));
    assert_null (history_at (self, 5));
    history_add (self, "a", "domain.reboot", "x", 1);
    assert_null (history_at (self, 6));
    assert_non_null (history_at (self, 7));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_empty),
        cmocka_unit_test (test_in_order),
        cmocka_unit_test (test_bounded_by_count),
        cmocka_unit_test (test_bounded_by_size),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
