//  test_host_tune.c: changes of the memory of machines that are not this one.

#include "actors/host/host_tune.h"

#include "tree.h"
#include "util/file.h"

#include <unistd.h>

#define KSM "/sys/kernel/mm/ksm/"
#define POOLS "/sys/kernel/mm/hugepages/hugepages-"
#define NODE "/sys/devices/system/node/node"

static void check_file (const char *root, const char *path, const char *expected)
{
    error_t err;
    autofree char *full = text_format ("%s%s", root, path);
    autofree char *text = file_read (full, 100, NULL, &err);
    assert_non_null (text);
    assert_string_equal (text, expected);
}

//  The pool at PATH is one whose kernel does not keep all that it is given, as files of this one
//  do.
static void put_odd (const char *root, const char *path, const char *file)
{
    tree_put (root, path, "");
    autofree char *full = text_format ("%s%s", root, path);
    assert_int_equal (unlink (full), 0);
    assert_int_equal (symlink (file, full), 0);
}

static void merging (void **state)
{
    error_t err;
    const host_shared_t values[] = { { "sleep_millisecs", 50 }, { "pages_to_scan", 7 } };
    assert_int_equal (host_shared_set (*state, values, 2, &err), -1);
    assert_int_equal (err.code, ERR_NO_SUPPORT);
    tree_put (*state, KSM "sleep_millisecs", "20");
    //  All, or nothing.
    assert_int_equal (host_shared_set (*state, values, 2, &err), -1);
    assert_non_null (strstr (err.message, "not supported: pages_to_scan of equal pages"));
    check_file (*state, KSM "sleep_millisecs", "20");
    tree_put (*state, KSM "pages_to_scan", "100\n");
    assert_int_equal (host_shared_set (*state, values, 2, &err), 0);
    check_file (*state, KSM "sleep_millisecs", "50");
    check_file (*state, KSM "pages_to_scan", "700\n"); //  a file that is no kernel's keeps the rest
}

static void put_machine (const char *root)
{
    tree_put (root, "/proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 4000000 kB\n");
    tree_put (root, POOLS "2048kB/nr_hugepages", "8");
    tree_put (root, NODE "0/meminfo", "Node 0 MemTotal: 8000000 kB\nNode 0 MemFree: 1000000 kB\n");
    tree_put (root, NODE "1/meminfo", "Node 1 MemTotal: 8000000 kB\nNode 1 MemFree: 1000000 kB\n");
    tree_put (root, NODE "0/hugepages/hugepages-2048kB/nr_hugepages", "5");
    tree_put (root, NODE "1/hugepages/hugepages-2048kB/nr_hugepages", "3");
}

static void pools (void **state)
{
    error_t err;
    put_machine (*state);
    const host_pool_t anywhere = { HOST_ALL_CELLS, 2048, 9, false };
    assert_int_equal (host_pools_set (*state, &anywhere, 1, &err), 0);
    check_file (*state, POOLS "2048kB/nr_hugepages", "9");
    const host_pool_t cells[] = { { 0, 2048, 2, true }, { 1, 2048, 2, true } };
    assert_int_equal (host_pools_set (*state, cells, 2, &err), 0);
    check_file (*state, NODE "0/hugepages/hugepages-2048kB/nr_hugepages", "7");
    check_file (*state, NODE "1/hugepages/hugepages-2048kB/nr_hugepages", "5");
}

static void what_there_is_not (void **state)
{
    error_t err;
    put_machine (*state);
    const host_pool_t cells[] = { { 0, 2048, 1, false }, { 2, 2048, 1, false } };
    assert_int_equal (host_pools_set (*state, cells, 2, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "no NUMA cell 2"));
    const host_pool_t sizes[] = { { 0, 2048, 1, false }, { 0, 4, 1, false } };
    assert_int_equal (host_pools_set (*state, sizes, 2, &err), -1);
    assert_non_null (strstr (err.message, "no pages of 4 KiB in a pool"));
    check_file (*state, NODE "0/hugepages/hugepages-2048kB/nr_hugepages", "5");
}

static void what_the_kernel_does_not_do (void **state)
{
    error_t err;
    put_machine (*state);
    //  It keeps 15 characters.
    put_odd (*state, POOLS "1048576kB/nr_hugepages", "/proc/self/comm");
    const host_pool_t many[] = { { HOST_ALL_CELLS, 2048, 4, false },
                                 { HOST_ALL_CELLS, 1048576, 1234567890123456789, false } };
    assert_int_equal (host_pools_set (*state, many, 2, &err), -1);
    assert_int_equal (err.code, ERR_NO_MEMORY);
    assert_non_null (
        strstr (err.message, "has room for 123456789012345 of the 1234567890123456789"));
    check_file (*state, POOLS "2048kB/nr_hugepages", "8");
    check_file (*state, POOLS "1048576kB/nr_hugepages", "0\n");
    //  It takes 0 for the usual.
    put_odd (*state, POOLS "64kB/nr_hugepages", "/proc/self/timerslack_ns");
    const host_pool_t none = { HOST_ALL_CELLS, 64, 0, false };
    assert_int_equal (host_pools_set (*state, &none, 1, &err), -1);
    assert_int_equal (err.code, ERR_RESOURCE_BUSY);
    const host_pool_t too_many = { HOST_ALL_CELLS, 2048, UINT64_MAX, true };
    assert_int_equal (host_pools_set (*state, &too_many, 1, &err), -1);
    assert_int_equal (err.code, ERR_OVERFLOW);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (merging),
        unit_test_in_folder (pools),
        unit_test_in_folder (what_there_is_not),
        unit_test_in_folder (what_the_kernel_does_not_do),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
