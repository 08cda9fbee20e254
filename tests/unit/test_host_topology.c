//  test_host_topology.c: the topology of machines that are not this one.

#include "actors/host/host_topology.h"

#include "tree.h"

#include <unistd.h>

#define NODE "/sys/devices/system/node/node"
#define CPU "/sys/devices/system/cpu"

static void put_cpu (const char *root, unsigned number, const char *package, const char *siblings)
{
    const char *const files[][2] = { { "topology/physical_package_id", package },
                                     { "topology/die_id", "0" },
                                     { "topology/core_id", "0" },
                                     { "topology/thread_siblings_list", siblings },
                                     { "cache/index0/level", "1" },
                                     { "cache/index0/size", "32K" },
                                     { "cache/index0/type", "Data" },
                                     { "cache/index0/shared_cpu_list", siblings },
                                     { "cache/index3/level", "3" },
                                     { "cache/index3/size", "36608K" },
                                     { "cache/index3/type", "Unified" },
                                     { "cache/index3/id", package },
                                     { "cache/index3/shared_cpu_list", siblings } };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        autofree char *path = text_format (CPU "/cpu%u/%s", number, files[i][0]);
        autofree char *line = text_format ("%s\n", files[i][1]);
        tree_put (root, path, line);
    }
}

//  As canonical text, which the caller frees.
static char *topology_of (const char *root)
{
    error_t err;
    auto(xml_t) doc = xml_parse ("<host/>", strlen ("<host/>"), "host", &err);
    assert_non_null (doc);
    if (host_topology_add (root, xml_root (doc), &err))
        fail_msg ("%s", err.message);
    return xml_text (doc);
}

static void two_cells (void **state)
{
    const char *root = *state;
    tree_put (root, CPU "/online", "0-3\n");
    tree_put (root, "/sys/kernel/iommu_groups/0/type", "DMA\n");
    for (unsigned i = 0; i < 4; i++)
        put_cpu (root, i, i < 2 ? "0" : "1", i < 2 ? "0-1" : "2-3");
    tree_put (root, NODE "0/meminfo", "Node 0 MemTotal: 8000 kB\nNode 0 MemFree: 1000 kB\n");
    tree_put (root, NODE "1/meminfo", "Node 1 MemTotal: 4000 kB\nNode 1 MemFree: 3000 kB\n");
    tree_put (root, NODE "0/hugepages/hugepages-2048kB/nr_hugepages", "7\n");
    tree_put (root, NODE "1/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
    tree_put (root, NODE "0/distance", "10 21\n");
    tree_put (root, NODE "1/distance", "21 10\n");
    tree_put (root, NODE "0/cpulist", "0-1\n");
    tree_put (root, NODE "1/cpulist", "2-3\n");
    autofree char *text = topology_of (root);
    assert_string_equal (
        text, "<host>\n"
              "  <iommu support='yes'/>\n"
              "  <cpu>\n"
              "    <pages unit='KiB' size='4'/>\n"
              "    <pages unit='KiB' size='2048'/>\n"
              "  </cpu>\n"
              "  <topology>\n"
              "    <cells num='2'>\n"
              "      <cell id='0'>\n"
              "        <memory unit='KiB'>8000</memory>\n"
              "        <pages unit='KiB' size='4'>2000</pages>\n"
              "        <pages unit='KiB' size='2048'>7</pages>\n"
              "        <distances>\n"
              "          <sibling id='0' value='10'/>\n"
              "          <sibling id='1' value='21'/>\n"
              "        </distances>\n"
              "        <cpus num='2'>\n"
              "          <cpu id='0' socket_id='0' die_id='0' core_id='0' siblings='0-1'/>\n"
              "          <cpu id='1' socket_id='0' die_id='0' core_id='0' siblings='0-1'/>\n"
              "        </cpus>\n"
              "      </cell>\n"
              "      <cell id='1'>\n"
              "        <memory unit='KiB'>4000</memory>\n"
              "        <pages unit='KiB' size='4'>1000</pages>\n"
              "        <pages unit='KiB' size='2048'>0</pages>\n"
              "        <distances>\n"
              "          <sibling id='0' value='21'/>\n"
              "          <sibling id='1' value='10'/>\n"
              "        </distances>\n"
              "        <cpus num='2'>\n"
              "          <cpu id='2' socket_id='1' die_id='0' core_id='0' siblings='2-3'/>\n"
              "          <cpu id='3' socket_id='1' die_id='0' core_id='0' siblings='2-3'/>\n"
              "        </cpus>\n"
              "      </cell>\n"
              "    </cells>\n"
              "  </topology>\n"
              "  <cache>\n"
              "    <bank id='0' level='3' type='both' size='36608' unit='KiB' cpus='0-1'/>\n"
              "    <bank id='1' level='3' type='both' size='36608' unit='KiB' cpus='2-3'/>\n"
              "  </cache>\n"
              "</host>\n");
}

//  As in small virtual machines: no cells, and not all is known of the processors.
static void little_is_known (void **state)
{
    const char *root = *state;
    tree_put (root, CPU "/online", "0,2\n");
    tree_put (root, "/proc/meminfo", "MemTotal: 16000 kB\nMemFree: 4000 kB\n");
    tree_put (root, CPU "/cpu2/topology/core_id", "5\n");
    tree_put (root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "5\n");
    tree_put (root, "/sys/devices/system/node/possible", "0\n");
    autofree char *text = topology_of (root);
    assert_non_null (strstr (text, "<iommu support='no'/>"));
    assert_non_null (strstr (text, "      <cell id='0'>\n"
                                   "        <memory unit='KiB'>16000</memory>\n"
                                   "        <pages unit='KiB' size='4'>4000</pages>\n"
                                   "        <pages unit='KiB' size='2048'>5</pages>\n"
                                   "        <cpus num='2'>\n"
                                   "          <cpu id='0'/>\n"
                                   "          <cpu id='2' core_id='5'/>\n"
                                   "        </cpus>\n"
                                   "      </cell>\n"));
    assert_null (strstr (text, "<cache"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (two_cells),
        unit_test_in_folder (little_is_known),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
