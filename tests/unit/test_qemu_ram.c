//  test_qemu_ram.c: what a guest's memory needs of the host: huge pages that it has or has not.

#include "drivers/qemu/qemu_ram.h"

#include "qemu_fixture.h"
#include "tree.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define PAGES(attributes)                                                                          \
    "<memoryBacking><hugepages><page " attributes "/></hugepages></memoryBacking>"
#define CELLS                                                                                      \
    "<maxMemory slots='2' unit='GiB'>2</maxMemory><features><acpi/></features>"                    \
    "<cpu><numa><cell memory='64' unit='MiB'/></numa></cpu>"

//  Of 2 MiB 40 are free, of which 8 are promised, and 2 could be made: 34.
static void put_host (const char *root)
{
    tree_put (root, "/proc/meminfo", "MemTotal: 24684084 kB\nHugepagesize:       2048 kB\n");
    tree_put (root, POOL "nr_hugepages", "50\n");
    tree_put (root, POOL "free_hugepages", "40\n");
    tree_put (root, POOL "resv_hugepages", "8\n");
    tree_put (root, POOL "nr_overcommit_hugepages", "3\n");
    tree_put (root, POOL "surplus_hugepages", "1\n");
}

static const struct {
    const char *rest; //  of a definition with 512 MiB
    const char *says; //  NULL: the host has them
} cases[] = {
    { "", NULL },
    { PAGES ("size='4'"), NULL },
    { PAGES ("size='2' unit='M'"), "needs 256 huge pages of 2048 KiB, and the host has 34 free; " },
    { "<memoryBacking><hugepages/></memoryBacking>", "needs 256 huge pages of 2048 KiB" },
    { PAGES ("size='4' unit='M'"),
      "the host has no huge pages of 4096 KiB (it has: hugepages-2048kB)" },
    { PAGES ("size='2048'") CELLS, NULL },
    //  A device takes what is requested of it.
    { PAGES ("size='2048'") CELLS "<devices><memory model='virtio-mem'><target><size unit='MiB'>64"
                                  "</size><requested unit='MiB'>4</requested></target></memory>"
                                  "</devices>",
      NULL },
    { PAGES ("size='2048'") CELLS "<devices><memory model='dimm'><target><size unit='MiB'>6</size>"
                                  "</target></memory></devices>",
      "needs 35 huge pages" },
};

static void what_the_host_has_is_enough (void **state)
{
    put_host (*state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) document = qemu_completed ("pc", cases[i].rest);
        int failed = qemu_ram_check_pages (*state, xml_root (document), NULL, &err);
        assert_int_equal (failed, cases[i].says ? -1 : 0);
        if (failed)
            assert_has (err.message, cases[i].says);
    }
}

//  What the guest has is taken already.
static void a_device_that_comes_is_counted_alone (void **state)
{
    error_t err = { 0 };
    put_host (*state);
    auto(xml_t) document = qemu_completed ("pc", cases[7].rest);
    const xml_node_t *domain = xml_root (document), *device = xml_find (domain, "devices/memory");
    assert_int_equal (qemu_ram_check_pages (*state, domain, device, &err), 0);
    tree_put (*state, POOL "resv_hugepages", "40\n");
    assert_int_equal (qemu_ram_check_pages (*state, domain, device, &err), -1);
    assert_has (err.message, "needs 3 huge pages of 2048 KiB, and the host has 2 free");
}

static void a_kernel_without_any (void **state)
{
    error_t err = { 0 };
    auto(xml_t) document = qemu_completed ("pc", cases[3].rest);
    assert_int_equal (qemu_ram_check_pages (*state, xml_root (document), NULL, &err), -1);
    assert_has (err.message, "no huge pages");
}

static const struct {
    const char *rest; //  of a definition with 512 MiB
    int ms;           //  more than the 10 s that it takes anyway
} limits[] = {
    { "", 0 },
    { "<memoryBacking><allocation mode='immediate'/></memoryBacking>", 500 },
    { "<memoryBacking><locked/></memoryBacking>", 500 },
    { PAGES ("size='2' unit='M'"), 500 },
    { PAGES ("size='2' unit='M'") CELLS "<devices><memory model='virtio-mem'><target><size "
                                        "unit='GiB'>1</size></target></memory></devices>",
      62 },
    { "<devices><hostdev type='pci'><source><address bus='1' slot='16'/></source></hostdev>"
      "</devices>",
      500 },
    { "<memoryBacking><locked/></memoryBacking><maxMemory slots='1' unit='TiB'>9</maxMemory>"
      "<cpu><numa><cell memory='8' unit='TiB'/></numa></cpu>",
      1800000 },
};

//  QEMU says nothing while it takes all of it.
static void the_more_memory_at_once_the_longer (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        auto(xml_t) document = qemu_completed ("pc", limits[i].rest);
        assert_int_equal (qemu_ram_ms (document, 10000), 10000 + limits[i].ms);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (what_the_host_has_is_enough),
        unit_test_in_folder (a_device_that_comes_is_counted_alone),
        unit_test_in_folder (a_kernel_without_any),
        cmocka_unit_test (the_more_memory_at_once_the_longer),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
