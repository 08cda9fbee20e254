//  qemu_command_memory.c: the guest's memory: in one piece or in NUMA cells, and devices of more,
//  or of memory that it shares.

#include "drivers/cpuset.h"
#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/command/qemu_memory.h"

#include <inttypes.h>
#include <string.h>

#define KIB 1024u
#define MIB_KIB 1024u

//  The object.

static void set_pages (json_t *object, const qemu_backing_t *backing)
{
    if (!backing->huge)
        return;
    json_object_set_new (object, "hugetlb", json_true ());
    if (backing->page_kib)
        json_object_set_new (object, "hugetlbsize",
                             json_integer ((json_int_t) (backing->page_kib * KIB)));
}

//  Its name in a saved state is that of memory without a descriptor, with old machine types, too:
//  so the guest may come back with another one.
static void set_descriptor (json_t *object, const qemu_backing_t *backing)
{
    if (strcmp (backing->object, "memory-backend-ram") == 0)
        return;
    json_object_set_new (object, "share", json_boolean (backing->shared));
    json_object_set_new (object, "x-use-canonical-path-for-ramblock-id", json_false ());
}

static void set_threads (json_t *object, const qemu_backing_t *backing)
{
    json_object_set_new (object, "prealloc", json_true ());
    if (backing->threads)
        json_object_set_new (object, "prealloc-threads", json_integer (backing->threads));
}

static bool is_virtio_mem (const xml_node_t *piece)
{
    return xml_is (piece, "memory") && xml_equals (piece, "@model", "virtio-mem");
}

//  The host need not have for a virtio-mem device what the guest was not given.
static json_t *ram_object (command_t *self, const xml_node_t *piece, const char *id, error_t *err)
{
    const qemu_backing_t backing = qemu_backing_of (self->domain, piece);
    const xml_node_t *record = self->record ? xml_root (self->record) : NULL;
    char name[128];
    qemu_backing_name (piece, name);
    //  QEMU would take another folder, or none.
    if (backing.file && record && !xml_string (record, "ram/@path")) {
        error_set (err, ERR_INTERNAL_ERROR,
                   "%s is to be in a file, and the guest's record names no folder for it", name);
        return NULL;
    }
    json_t *object = json_pack ("{s:s, s:s, s:I}", "qom-type", backing.object, "id", id, "size",
                                (json_int_t) (qemu_backing_kib (self->domain, piece) * KIB));
    set_pages (object, &backing);
    set_descriptor (object, &backing);
    if (backing.file && record)
        command_string (object, "mem-path", record, "ram/@path");
    if (backing.discard)
        json_object_set_new (object, "discard-data", json_true ());
    if (is_virtio_mem (piece))
        json_object_set_new (object, "reserve", json_false ());
    else if (backing.immediate)
        set_threads (object, &backing);
    return object;
}

//  Cells.

static void add_distances (command_t *self, const xml_node_t *cell)
{
    xml_foreach (sibling, xml_find (cell, "distances"), "sibling")
        command_add (self, "-numa", "dist,src=%s,dst=%s,val=%s", xml_string (cell, "@id"),
                     xml_string (sibling, "@id"), xml_string (sibling, "@value"));
}

//  "cpus" takes one range, and can be there several times.
static void add_cpus (text_t *text, const char *cpus)
{
    for (const char *at = cpus; at && *at;) {
        size_t size = strcspn (at, ",");
        text_addf (text, ",cpus=%.*s", (int) size, at);
        at += size + (at[size] == ',');
    }
}

static int add_cell (command_t *self, const xml_node_t *cell, error_t *err)
{
    const char *cpus = xml_string (cell, "@cpus"), *id = xml_string (cell, "@id");
    cpu_set_t set;
    if (cpus && cpuset_parse (cpus, &set, err))
        return -1;
    autofree char *ram = text_format ("ram-node%s", id);
    json_t *object = ram_object (self, cell, ram, err);
    if (!object)
        return -1;
    command_json (self, "-object", object);
    autofree char *list = cpus ? cpuset_text (&set) : NULL;
    auto(text_t) text = text_new ();
    text_addf (text, "node,nodeid=%s", id);
    add_cpus (text, list);
    text_addf (text, ",memdev=%s", ram);
    command_add (self, "-numa", "%s", text->data);
    return 0;
}

static int add_cells (command_t *self, error_t *err)
{
    const xml_node_t *numa = xml_find (self->domain, "cpu/numa");
    xml_foreach (cell, numa, "cell")
        if (add_cell (self, cell, err))
            return -1;
    xml_foreach (cell, numa, "cell")
        add_distances (self, cell);
    return 0;
}

//  All of it is in one piece.
static int add_one (command_t *self, error_t *err)
{
    if (!self->machine.ram_id[0])
        return 0;
    json_t *object = ram_object (self, self->domain, self->machine.ram_id, err);
    if (object)
        command_json (self, "-object", object);
    return object ? 0 : -1;
}

//  QEMU's memory is in MiB; libvirt rounds up.
int qemu_command_memory (command_t *self, error_t *err)
{
    const uint64_t kib = qemu_memory_kib (self->domain, "memory");
    const uint64_t boot = kib - qemu_memory_of_devices (self->domain);
    const uint64_t mib = boot / MIB_KIB + (boot % MIB_KIB ? 1 : 0);
    const uint64_t most = qemu_memory_kib (self->domain, "maxMemory");
    const bool cells = qemu_memory_cells (self->domain) > 0;
    if (mib > INT64_MAX / MIB_KIB / KIB)
        return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: a memory of %" PRIu64 " MiB",
                          mib);
    auto(text_t) text = text_new ();
    text_addf (text, "size=%" PRIu64 "k", mib * MIB_KIB);
    //  Where there is no more to come, QEMU takes none.
    if (most > mib * MIB_KIB)
        text_addf (text, ",slots=%s,maxmem=%" PRIu64 "k",
                   xml_string (self->domain, "maxMemory/@slots"), most);
    command_add (self, "-m", "%s", text->data);
    if (cells && add_cells (self, err))
        return -1;
    if (!cells && add_one (self, err))
        return -1;
    command_add (self, "-overcommit", "mem-lock=%s",
                 xml_find (self->domain, "memoryBacking/locked") ? "on" : "off");
    return 0;
}

//  Devices.

static int add_nodes (json_t *object, const xml_node_t *device, error_t *err)
{
    const char *text = xml_string (device, "source/nodemask");
    cpu_set_t nodes;
    if (!text)
        return 0;
    if (cpuset_parse (text, &nodes, err))
        return error_prefix (err, "the nodemask of a memory device");
    json_t *list = json_array ();
    for (size_t node = 0; node < CPU_SETSIZE; node++)
        if (CPU_ISSET (node, &nodes))
            json_array_append_new (list, json_integer ((json_int_t) node));
    json_object_set_new (object, "host-nodes", list);
    json_object_set_new (object, "policy", json_string ("bind"));
    return 0;
}

static void set_bytes (json_t *json, const char *key, const xml_node_t *device, const char *path)
{
    json_object_set_new (json, key,
                         json_integer ((json_int_t) (qemu_memory_kib (device, path) * KIB)));
}

static json_t *dimm (const xml_node_t *device)
{
    json_t *json = command_device ("pc-dimm", device);
    command_number (json, "slot", device, "address/@slot");
    command_number (json, "addr", device, "address/@base");
    return json;
}

static json_t *virtio_mem (command_t *self, const xml_node_t *device, error_t *err)
{
    json_t *json = command_model (self, device, err);
    if (!json)
        return NULL;
    set_bytes (json, "block-size", device, "target/block");
    set_bytes (json, "requested-size", device, "target/requested");
    if (qemu_backing_of (self->domain, device).immediate)
        json_object_set_new (json, "prealloc", json_true ());
    command_number (json, "memaddr", device, "target/address/@base");
    return json;
}

int qemu_command_memory_device (command_t *self, const xml_node_t *device, error_t *err)
{
    const bool is_dimm = xml_equals (device, "@model", "dimm");
    autofree char *id = text_format ("obj%s", qemu_alias (device));
    json_auto_t *object = ram_object (self, device, id, err);
    if (!object || add_nodes (object, device, err))
        return -1;
    json_t *json = is_dimm ? dimm (device) : virtio_mem (self, device, err);
    if (!json)
        return -1;
    command_json (self, "-object", json_incref (object));
    command_number (json, "node", device, "target/node");
    json_object_set_new (json, "memdev", json_string (id));
    command_json (self, "-device", json);
    return 0;
}

//  Shared with other guests of the host, and named by them all.
int qemu_command_shmem (command_t *self, const xml_node_t *shmem, error_t *err)
{
    json_t *json = command_model (self, shmem, err);
    if (!json)
        return -1;
    autofree char *id = text_format ("obj%s", qemu_alias (shmem));
    autofree char *path = text_format ("/dev/shm/%s", xml_string (shmem, "@name"));
    const char *role = xml_string (shmem, "@role");
    command_json (self, "-object",
                  json_pack ("{s:s, s:s, s:s, s:I, s:b}", "qom-type", "memory-backend-file", "id",
                             id, "mem-path", path, "size",
                             (json_int_t) (qemu_memory_kib (shmem, "size") * KIB), "share", 1));
    json_object_set_new (json, "memdev", json_string (id));
    if (role)
        json_object_set_new (json, "master", json_boolean (strcmp (role, "master") == 0));
    command_json (self, "-device", json);
    return 0;
}
