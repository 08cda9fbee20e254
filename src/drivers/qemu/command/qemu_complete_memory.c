//  qemu_complete_memory.c: NUMA cells, memory devices, and how much memory that is: <memory> is all
//  that the guest has, of its cells, with which it boots, and of its devices (libvirt's "Domain XML
//  format" page: "Memory Allocation", "Guest NUMA topology", "Memory devices").

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/cpuset.h"
#include "drivers/definition.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_memory.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define KIB 1024u
//  QEMU's memory is in MiB, and QEMU aligns a device's to 2 MiB.
#define CELL_KIB 1024u
#define DEVICE_KIB 2048u
#define CELLS_MAX 128 //  QEMU's

static uint64_t round_up (uint64_t kib, uint64_t step)
{
    return kib / step * step + (kib % step ? step : 0);
}

//  Cells.

static xml_node_t *numa_of (const completion_t *self)
{
    return xml_find (self->domain, "cpu/numa");
}

static int complete_cell_size (xml_node_t *cell, int id, error_t *err)
{
    //  The unit is the cell's.
    auto(xml_t) size =
        xml_parse ("<cell><memory/></cell>", strlen ("<cell><memory/></cell>"), "cell", err);
    const char *memory = xml_string (cell, "@memory"), *unit = xml_string (cell, "@unit");
    uint64_t kib = 0;
    if (!size)
        return -1;
    if (!memory)
        return error_set (err, ERR_XML_ERROR, "domain XML: the NUMA cell %d has no memory", id);
    xml_set (xml_root (size), "memory", memory);
    if (unit)
        xml_set (xml_root (size), "memory/@unit", unit);
    if (definition_complete_size (xml_root (size), "memory", &kib, err))
        return error_prefix (err, "the NUMA cell %d", id);
    if (kib == 0 || kib > INT64_MAX / KIB / CELLS_MAX)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a NUMA cell (%d) of %" PRIu64 " KiB", id, kib);
    xml_set_u64 (cell, "@memory", round_up (kib, CELL_KIB));
    xml_set (cell, "@unit", "KiB");
    return 0;
}

//  Its vcpus go into SEEN.
static int check_cell_cpus (const completion_t *self, const xml_node_t *cell, int id,
                            cpu_set_t *seen, error_t *err)
{
    cpu_set_t cpus;
    const char *text = xml_string (cell, "@cpus");
    if (!text)
        return 0;
    if (cpuset_parse (text, &cpus, err))
        return error_prefix (err, "the NUMA cell %d", id);
    const size_t most = (size_t) vcpus_most (self->domain);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET (cpu, &cpus))
            continue;
        if (cpu >= most)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "domain XML: the NUMA cell %d has the vcpu %zu, but <vcpu> says %zu",
                              id, cpu, most);
        if (CPU_ISSET (cpu, seen))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "domain XML: the vcpu %zu is in two NUMA cells", cpu);
        CPU_SET (cpu, seen);
    }
    return 0;
}

//  Those that no cell names are of the first one.
static int give_other_cpus (const completion_t *self, cpu_set_t *seen, error_t *err)
{
    const size_t most = (size_t) vcpus_most (self->domain);
    xml_node_t *first = xml_first (numa_of (self), "cell");
    cpu_set_t cpus;
    bool any = false;
    CPU_ZERO (&cpus);
    if (xml_string (first, "@cpus") && cpuset_parse (xml_string (first, "@cpus"), &cpus, err))
        return -1;
    for (size_t cpu = 0; cpu < most && cpu < CPU_SETSIZE; cpu++)
        if (!CPU_ISSET (cpu, seen)) {
            CPU_SET (cpu, &cpus);
            any = true;
        }
    autofree char *text = any ? cpuset_text (&cpus) : NULL;
    if (text)
        xml_set (first, "@cpus", text);
    return 0;
}

static int check_distances (const xml_node_t *cell, int cells, error_t *err)
{
    const xml_node_t *distances = xml_find (cell, "distances");
    xml_foreach (sibling, distances, "sibling") {
        int id = -1, value = 0;
        if (xml_int (sibling, "@id", 0, cells - 1, &id, err) ||
            xml_int (sibling, "@value", 10, 255, &value, err))
            return -1;
        if (id < 0 || !value)
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: a sibling of a NUMA cell needs an id and a value");
    }
    return 0;
}

static int complete_cells (completion_t *self, error_t *err)
{
    const xml_node_t *numa = numa_of (self);
    const int cells = qemu_memory_cells (self->domain);
    cpu_set_t seen;
    CPU_ZERO (&seen);
    int expected = 0;
    if (numa && !cells)
        return error_set (err, ERR_XML_ERROR, "domain XML: <cpu><numa> has no <cell>");
    if (cells > CELLS_MAX)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: %d NUMA cells; QEMU has at most %d", cells, CELLS_MAX);
    xml_foreach (cell, numa, "cell") {
        int id = expected;
        if (xml_int (cell, "@id", 0, CELLS_MAX - 1, &id, err))
            return -1;
        if (id != expected)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: a NUMA cell with the id %d where %d is next; number "
                              "them from 0, in their order",
                              id, expected);
        xml_set_u64 (cell, "@id", (uint64_t) id);
        if (complete_cell_size (cell, id, err) || check_cell_cpus (self, cell, id, &seen, err) ||
            check_distances (cell, cells, err))
            return -1;
        expected++;
    }
    return cells ? give_other_cpus (self, &seen, err) : 0;
}

//  Devices.

static int complete_sizes (xml_node_t *device, error_t *err)
{
    static const char *const paths[] = { "target/size", "target/block", "target/requested" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        uint64_t kib = 0;
        if (definition_complete_size (device, paths[i], &kib, err))
            return -1;
        if (i == 0 && (kib == 0 || kib > INT64_MAX / KIB / CELLS_MAX))
            return error_set (
                err, ERR_XML_ERROR,
                "domain XML: a memory device has no <target><size>, or one that can't "
                "be");
        if (i == 0 && kib % DEVICE_KIB)
            xml_set_u64 (device, paths[i], round_up (kib, DEVICE_KIB));
    }
    return 0;
}

//  QEMU gives the guest no part of a page.
static int complete_block (const completion_t *self, xml_node_t *device, error_t *err)
{
    const uint64_t page = qemu_backing_of (self->domain, device).page_kib;
    autofree char *usual = text_format ("%" PRIu64, page > DEVICE_KIB ? page : DEVICE_KIB);
    qemu_default (device, "target/block", usual);
    qemu_default (device, "target/block/@unit", "KiB");
    const uint64_t block = qemu_memory_kib (device, "target/block");
    if (block >= page)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: a virtio-mem device with blocks of %" PRIu64
                      " KiB in pages of %" PRIu64 " KiB; say the size of a page in its <block>, or "
                      "more",
                      block, page);
}

static int complete_virtio_mem (const completion_t *self, xml_node_t *device, error_t *err)
{
    const uint64_t size = qemu_memory_kib (device, "target/size");
    qemu_default (device, "target/requested", "0");
    qemu_default (device, "target/requested/@unit", "KiB");
    if (complete_block (self, device, err))
        return -1;
    const uint64_t block = qemu_memory_kib (device, "target/block");
    const uint64_t requested = qemu_memory_kib (device, "target/requested");
    if (block < DEVICE_KIB || (block & (block - 1)))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a virtio-mem device with blocks of %" PRIu64
                          " KiB; they are a power of two, and of 2048 KiB or more",
                          block);
    if (size % block || requested % block || requested > size)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a virtio-mem device of %" PRIu64 " KiB of which %" PRIu64
                          " KiB are requested; both are multiples of its block (%" PRIu64
                          " KiB), and no more is requested than there is",
                          size, requested, block);
    return 0;
}

static int complete_dimm (const completion_t *self, xml_node_t *device, error_t *err)
{
    static const char *const others[] = { "target/block", "target/requested" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (xml_find (device, others[i]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s of a memory device of model 'dimm'; virtio-mem "
                              "has it",
                              others[i]);
    if (!xml_find (self->domain, "features/acpi"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a memory device of model 'dimm' in a guest without "
                          "ACPI; add <features><acpi/></features>");
    qemu_default (device, "address/@type", "dimm");
    return 0;
}

static int check_node (const completion_t *self, xml_node_t *device, error_t *err)
{
    const int cells = qemu_memory_cells (self->domain);
    int node = 0;
    if (!cells || !xml_find (self->domain, "maxMemory"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "a memory device needs %s in the guest's definition (from its start on)",
                          cells ? "<maxMemory slots='16' unit='GiB'>4</maxMemory>, or more,"
                                : "a NUMA node: <cpu><numa><cell id='0' cpus='0' memory='1' "
                                  "unit='GiB'/></numa></cpu>");
    if (xml_int (device, "target/node", 0, cells - 1, &node, err))
        return -1;
    qemu_default (device, "target/node", "0");
    return 0;
}

static int complete_device (const completion_t *self, xml_node_t *device, error_t *err)
{
    if (!xml_string (device, "@model"))
        return error_set (err, ERR_XML_ERROR, "domain XML: a memory device has no model");
    const bool dimm = xml_equals (device, "@model", "dimm");
    xml_remove_path (device, "target/current"); //  of a running guest
    if (check_node (self, device, err) || complete_sizes (device, err) ||
        qemu_check_address (device, err))
        return -1;
    return dimm ? complete_dimm (self, device, err) : complete_virtio_mem (self, device, err);
}

//  Slots: those of virtio-mem are PCI's.

static bool slot_is_taken (const completion_t *self, const xml_node_t *device, int slot)
{
    xml_foreach (other, self->devices, "memory") {
        int own = -1;
        error_t ignored;
        if (other != device && xml_equals (other, "address/@type", "dimm") &&
            xml_int (other, "address/@slot", 0, 255, &own, &ignored) == 0 && own == slot)
            return true;
    }
    return false;
}

static int complete_slot (const completion_t *self, xml_node_t *device, int slots, error_t *err)
{
    int slot = -1;
    if (!xml_equals (device, "@model", "dimm"))
        return 0;
    if (xml_int (device, "address/@slot", 0, slots - 1, &slot, err))
        return -1;
    if (slot >= 0 && slot_is_taken (self, device, slot))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "domain XML: two memory devices have the slot %d", slot);
    if (slot >= 0)
        return 0;
    for (slot = 0; slot < slots && slot_is_taken (self, device, slot);)
        slot++;
    if (slot == slots)
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "all %d slots for memory are taken; <maxMemory slots='...'> says how many "
            "there are",
            slots);
    xml_setf (device, "address/@slot", "%d", slot);
    return 0;
}

//  How much it is.

static int complete_max (completion_t *self, uint64_t total, error_t *err)
{
    uint64_t kib = 0;
    int slots = 0;
    if (!xml_find (self->domain, "maxMemory"))
        return 0;
    if (definition_complete_size (self->domain, "maxMemory", &kib, err) ||
        xml_int (self->domain, "maxMemory/@slots", 1, 255, &slots, err))
        return -1;
    if (!slots || !kib)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <maxMemory> needs a size, and slots, 1 to 255");
    if (!qemu_memory_cells (self->domain))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <maxMemory> of a guest without a NUMA node; add "
                          "<cpu><numa><cell id='0' cpus='0' memory='1' unit='GiB'/></numa></cpu>");
    if (kib % CELL_KIB)
        xml_set_u64 (self->domain, "maxMemory", round_up (kib, CELL_KIB));
    if (total > kib)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "the guest's memory with its devices is %" PRIu64
                          " KiB, and <maxMemory> %" PRIu64 " KiB",
                          total, kib);
    xml_foreach (device, self->devices, "memory")
        if (complete_slot (self, device, slots, err))
            return -1;
    return 0;
}

//  Of a guest that has all of its memory, also what comes is its own.
static void set_total (completion_t *self, uint64_t total)
{
    uint64_t before = 0, current = 0;
    error_t ignored; //  checked next
    xml_size (self->domain, "memory", "KiB", &before, &ignored);
    xml_size (self->domain, "currentMemory", "KiB", &current, &ignored);
    if (!xml_find (self->domain, "memory"))
        qemu_insert (self->domain, "memory");
    xml_set_u64 (self->domain, "memory", total);
    xml_set (self->domain, "memory/@unit", "KiB");
    if (current && current == before) {
        xml_set_u64 (self->domain, "currentMemory", total);
        xml_set (self->domain, "currentMemory/@unit", "KiB");
    }
}

int qemu_complete_memory (completion_t *self, error_t *err)
{
    if (complete_cells (self, err) || qemu_complete_pages (self, err))
        return -1;
    xml_foreach (device, self->devices, "memory")
        if (complete_device (self, device, err))
            return -1;
    const uint64_t total = qemu_memory_total (self->domain);
    if (complete_max (self, total, err))
        return -1;
    if (total)
        set_total (self, total);
    return definition_complete_memory (self->domain, err) || qemu_check_backing (self, err) ? -1
                                                                                            : 0;
}
