//  test_owner_events.c: events wait for the next snapshot, and are in it once.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/domain/owner_events.h"
#include "msg/value.h"

static size_t take_count (owner_events_t *events)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_map (&pack);
    owner_events_take (events, &pack);
    pack_end (&pack);
    auto(document_t) doc = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (doc);
    const value_t *list = value_get (document_root (doc), "events");
    assert_non_null (list);
    pack_close (&pack);
    return value_count (list);
}

static void test_once (void **state)
{
    (void) state;
    owner_events_t events = { .any = false };
    assert_int_equal (take_count (&events), 0);
    for (int i = 0; i < 2; i++) {
        pack_t *pack = owner_events_add (&events);
        pack_map (pack);
        pack_key_str (pack, "verb", "network.lifecycle");
        pack_end (pack);
    }
    assert_int_equal (take_count (&events), 2);
    assert_int_equal (take_count (&events), 0);
    owner_events_add (&events);
    owner_events_close (&events);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
