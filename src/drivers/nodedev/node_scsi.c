//  node_scsi.c: SCSI hosts, targets and devices, and the generic files of these.

#include "drivers/nodedev/node_kind.h"

#include "drivers/pci/sysfs.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOST "host"
#define TARGET "target"

bool node_is_scsi_host (const char *path, const char *called)
{
    (void) path;
    return text_starts (called, HOST);
}

bool node_is_scsi_target (const char *path, const char *called)
{
    (void) path;
    return text_starts (called, TARGET);
}

bool node_is_scsi (const char *path, const char *called)
{
    (void) path;
    return isdigit ((unsigned char) *called);
}

//  The folder of a host in one of its classes.
static char *class_of (const char *path, const char *class)
{
    return text_format ("%s/%s/%s", path, class, node_called (path));
}

//  Of a host bus adapter of Fibre Channel; it may have virtual ones.
#define FIBRE "fc_host"
#define MOST_PORTS "max_npiv_vports"

static bool has_ports (const char *path)
{
    autofree char *folder = class_of (path, FIBRE);
    autofree char *file = text_format ("%s/" MOST_PORTS, folder);
    return access (file, F_OK) == 0;
}

//  A world wide name as libvirt has it, without 0x. The caller frees it.
static char *name_in (const char *folder, const char *attribute)
{
    autofree char *text = sysfs_text ("%s/%s", folder, attribute);
    return text && text_starts (text, "0x") ? text_copy (text + 2) : NULL;
}

void node_read_scsi_host (const char *sysfs, node_t *self)
{
    (void) sysfs;
    autofree char *folder = class_of (self->path, FIBRE);
    self->wwnn = name_in (folder, "node_name");
    self->wwpn = name_in (folder, "port_name");
    if (self->wwpn)
        strings_add (self->capabilities, "fc_host");
    if (has_ports (self->path))
        strings_add (self->capabilities, "vports");
}

static void add_name (xml_node_t *node, const char *element, const char *folder,
                      const char *attribute)
{
    autofree char *name = name_in (folder, attribute);
    if (name)
        xml_set (node, element, name);
}

static void add_fibre (const node_t *self, xml_node_t *capability)
{
    static const node_attribute_t ports[] = {
        { "max_vports", MOST_PORTS, 10 },
        { "vports", "npiv_vports_inuse", 10 },
    };
    autofree char *folder = class_of (self->path, FIBRE);
    if (has_ports (self->path)) {
        xml_node_t *operations = xml_add (capability, "capability");
        xml_set (operations, "@type", "vport_ops");
        node_describe_attributes (folder, ports, sizeof ports / sizeof *ports, operations);
    }
    if (!self->wwpn)
        return;
    xml_node_t *fibre = xml_add (capability, "capability");
    xml_set (fibre, "@type", "fc_host");
    add_name (fibre, "wwnn", folder, "node_name");
    add_name (fibre, "wwpn", folder, "port_name");
    add_name (fibre, "fabric_wwn", folder, "fabric_name");
}

void node_describe_scsi_host (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    static const node_attribute_t attributes[] = { { "unique_id", "unique_id", 10 } };
    autofree char *folder = class_of (self->path, "scsi_host");
    xml_set (capability, "host", node_called (self->path) + strlen (HOST));
    node_describe_attributes (folder, attributes, 1, capability);
    add_fibre (self, capability);
}

//  One behind Fibre Channel is below its remote port.
void node_describe_scsi_target (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    xml_set (capability, "target", node_called (self->path));
    autofree char *above =
        text_copy_bytes (self->path, (size_t) (node_called (self->path) - self->path - 1));
    const char *port = node_called (above);
    if (!text_starts (port, "rport-"))
        return;
    xml_node_t *remote = xml_add (capability, "capability");
    xml_set (remote, "@type", "fc_remote_port");
    xml_set (remote, "rport", port);
    autofree char *folder = class_of (above, "fc_remote_ports");
    add_name (remote, "wwpn", folder, "port_name");
}

//  By the number that a device says of itself (SCSI Primary Commands, "peripheral device type").
static const char *type_of (long number)
{
    static const char *const types[] = { "disk",  "tape",    "printer", "processor", "worm",
                                         "cdrom", "scanner", "mod",     "changer",   "comm" };
    switch (number) {
    case 0x0c:
        return "raid";
    case 0x0d:
        return "enclosure";
    case 0x0e:
        return "rbc";
    default:
        return number >= 0 && number < (long) (sizeof types / sizeof *types) ? types[number] : NULL;
    }
}

void node_describe_scsi (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    unsigned host, bus, target;
    uint64_t lun;
    if (sscanf (node_called (self->path), "%u:%u:%u:%" SCNu64, &host, &bus, &target, &lun) != 4)
        return;
    const char *type = type_of (sysfs_number (self->path, "type", -1));
    xml_set_u64 (capability, "host", host);
    xml_set_u64 (capability, "bus", bus);
    xml_set_u64 (capability, "target", target);
    xml_set_u64 (capability, "lun", lun);
    if (type)
        xml_set (capability, "type", type);
}

void node_read_scsi_generic (const char *sysfs, node_t *self)
{
    (void) sysfs;
    self->file = text_copy (node_called (self->path));
}

void node_describe_scsi_generic (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    xml_setf (capability, "char", "/dev/%s", self->file);
}
