//  test_container_disk.c: what file system a device has, by its first bytes.

#include "container/container_disk.h"
#include "unit.h"

#include <string.h>

static unsigned char bytes[CONTAINER_PROBE_BYTES];

static void finds_types (void **state)
{
    (void) state;
    static const struct {
        size_t offset;
        const char *magic, *type;
    } cases[] = {
        { 0x438, "\x53\xef", "ext4" },         { 0, "XFSB", "xfs" },
        { 0x10040, "_BHRfS_M", "btrfs" },      { 0, "hsqs", "squashfs" },
        { 0x8001, "CD001", "iso9660" },        { 0x400, "\xe2\xe1\xf5\xe0", "erofs" },
        { 0x400, "\x10\x20\xf5\xf2", "f2fs" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen (cases[i].magic);
        memset (bytes, 0, sizeof bytes);
        assert_string_equal (container_disk_probe (bytes, sizeof bytes), "");
        memcpy (bytes + cases[i].offset, cases[i].magic, size);
        assert_string_equal (container_disk_probe (bytes, sizeof bytes), cases[i].type);
        //  Cut off in the midst of the mark.
        assert_string_equal (container_disk_probe (bytes, cases[i].offset + size - 1), "");
    }
}

static void refuses_two_at_once (void **state)
{
    (void) state;
    memset (bytes, 0, sizeof bytes);
    memcpy (bytes, "XFSB", 4);
    memcpy (bytes + 0x438, "\x53\xef", 2);
    assert_null (container_disk_probe (bytes, sizeof bytes));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_types),
        cmocka_unit_test (refuses_two_at_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
