//  test_ring.c: bytes come out as they went in, whatever the sizes.

#include "actors/runtime/ring.h"
#include "unit.h"

static void takes_what_fits (void **state)
{
    (void) state;
    ring_t ring;
    size_t size;
    ring_open (&ring, 4);
    assert_int_equal (ring_write (&ring, "abcdef", 6), 4);
    assert_int_equal (ring_space (&ring), 0);
    assert_int_equal (ring_write (&ring, "x", 1), 0);
    assert_memory_equal (ring_peek (&ring, 3, &size), "abc", 3);
    assert_int_equal (size, 3);
    ring_drop (&ring, 3);
    assert_int_equal (ring_write (&ring, "ghi", 3), 3);
    assert_memory_equal (ring_peek (&ring, 100, &size), "d", 1);
    assert_int_equal (size, 1);
    ring_drop (&ring, 1);
    assert_memory_equal (ring_peek (&ring, 100, &size), "ghi", 3);
    ring_drop (&ring, 3);
    ring_peek (&ring, 100, &size);
    assert_int_equal (size, 0);
    ring_close (&ring);
}

static void any_sizes (void **state)
{
    (void) state;
    unsigned seed = 5;
    for (size_t room = 1; room < 40; room++) {
        ring_t ring;
        unsigned char in = 0, out = 0;
        ring_open (&ring, room);
        for (int i = 0; i < 500; i++) {
            unsigned char bytes[64];
            size_t size = (size_t) rand_r (&seed) % sizeof bytes;
            for (size_t j = 0; j < size; j++)
                bytes[j] = (unsigned char) (in + j);
            in = (unsigned char) (in + ring_write (&ring, bytes, size));
            assert_int_equal (ring_count (&ring) + ring_space (&ring), room);
            const unsigned char *first = ring_peek (&ring, (size_t) rand_r (&seed) % 50, &size);
            for (size_t j = 0; j < size; j++)
                assert_int_equal (first[j], out++);
            ring_drop (&ring, size);
        }
        ring_close (&ring);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (takes_what_fits),
                                        cmocka_unit_test (any_sizes) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
