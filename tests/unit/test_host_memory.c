//  test_host_memory.c: the memory of machines that are not this one.

#include "actors/host/host_memory.h"

#include "tree.h"

#include <unistd.h>

#define NODE "/sys/devices/system/node/node"

static const char meminfo[] = "MemTotal:       16000000 kB\nMemFree:         4000000 kB\n"
                              "MemAvailable:    9000000 kB\nBuffers:          100000 kB\n"
                              "Cached:          5000000 kB\nSwapCached:            7 kB\n";

static void put_cells (const char *root)
{
    tree_put (root, "/proc/meminfo", meminfo);
    tree_put (root, NODE "0/meminfo",
              "Node 0 MemTotal:  8000000 kB\nNode 0 MemFree:  1000000 kB\n");
    tree_put (root, NODE "10/meminfo",
              "Node 10 MemTotal:  8000000 kB\nNode 10 MemFree:  3000000 kB\n");
    tree_put (root, NODE "2/meminfo", "Node 2 MemTotal:  4000 kB\nNode 2 MemFree:  400 kB\n");
    tree_put (root, "/sys/devices/system/node/online", "0,2,10\n");
}

static void of_the_machine_and_of_a_cell (void **state)
{
    error_t err;
    host_memory_t memory;
    put_cells (*state);
    assert_int_equal (host_memory_read (*state, HOST_ALL_CELLS, &memory, &err), 0);
    assert_int_equal (memory.total_kib, 16000000);
    assert_int_equal (memory.free_kib, 4000000);
    assert_int_equal (memory.buffers_kib, 100000);
    assert_int_equal (memory.cached_kib, 5000000);
    assert_int_equal (host_memory_read (*state, 10, &memory, &err), 0);
    assert_int_equal (memory.free_kib, 3000000);
    assert_int_equal (memory.cached_kib, 0);
    assert_int_equal (host_memory_read (*state, 1, &memory, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "no NUMA cell 1;"));
}

static void cells_are_in_order (void **state)
{
    error_t err;
    size_t count;
    put_cells (*state);
    autofree unsigned *cells = host_cells (*state, &count, &err);
    assert_non_null (cells);
    assert_int_equal (count, 3);
    assert_int_equal (cells[0], 0);
    assert_int_equal (cells[1], 2);
    assert_int_equal (cells[2], 10);
}

static void a_machine_without_cells_has_one (void **state)
{
    error_t err;
    size_t count;
    host_memory_t memory;
    tree_put (*state, "/proc/meminfo", meminfo);
    tree_put (*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "5\n");
    tree_put (*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3\n");
    autofree unsigned *cells = host_cells (*state, &count, &err);
    assert_non_null (cells);
    assert_int_equal (count, 1);
    assert_int_equal (cells[0], 0);
    assert_int_equal (host_memory_read (*state, 0, &memory, &err), 0);
    assert_int_equal (memory.free_kib, 4000000);
    autofree host_pages_t *pages = host_pages_read (*state, 0, &count, &err);
    assert_non_null (pages);
    assert_int_equal (count, 2);
    assert_int_equal (pages[1].free, 3);
}

static void pages_of_all_sizes (void **state)
{
    error_t err;
    size_t count;
    put_cells (*state);
    tree_put (*state, NODE "2/hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
    tree_put (*state, NODE "2/hugepages/hugepages-1048576kB/free_hugepages", "0\n");
    tree_put (*state, NODE "2/hugepages/hugepages-2048kB/nr_hugepages", "64\n");
    tree_put (*state, NODE "2/hugepages/hugepages-2048kB/free_hugepages", "48\n");
    autofree host_pages_t *pages = host_pages_read (*state, 2, &count, &err);
    assert_non_null (pages);
    assert_int_equal (count, 3);
    uint64_t page_kib = (uint64_t) sysconf (_SC_PAGESIZE) / 1024;
    assert_int_equal (pages[0].size_kib, page_kib);
    assert_int_equal (pages[0].free, 400 / page_kib);
    assert_int_equal (pages[0].total, 4000 / page_kib);
    assert_int_equal (pages[1].size_kib, 2048);
    assert_int_equal (pages[1].free, 48);
    assert_int_equal (pages[1].total, 64);
    assert_int_equal (pages[2].size_kib, 1048576);
    assert_null (host_pages_read (*state, 5, &count, &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
}

static void what_the_kernel_tells_of_merging (void **state)
{
    error_t err;
    size_t count;
    host_shared_t values[HOST_SHARED_MAX];
    assert_int_equal (host_shared_read (*state, values, &count, &err), -1);
    assert_int_equal (err.code, ERR_NO_SUPPORT);
    tree_put (*state, "/sys/kernel/mm/ksm/pages_shared", "12\n");
    tree_put (*state, "/sys/kernel/mm/ksm/full_scans", "3\n");
    assert_int_equal (host_shared_read (*state, values, &count, &err), 0);
    assert_int_equal (count, 2);
    assert_string_equal (values[0].name, "pages_shared");
    assert_int_equal (values[0].value, 12);
    assert_string_equal (values[1].name, "full_scans");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (of_the_machine_and_of_a_cell),
        unit_test_in_folder (cells_are_in_order),
        unit_test_in_folder (a_machine_without_cells_has_one),
        unit_test_in_folder (pages_of_all_sizes),
        unit_test_in_folder (what_the_kernel_tells_of_merging),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
