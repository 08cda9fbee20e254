//  node_mdev.c: mediated devices, and the types of them that a device can have
//  (Documentation/driver-api/vfio-mediated-device).

#include "drivers/nodedev/node_kind.h"

#include "drivers/pci/sysfs.h"

#include <string.h>
#include <unistd.h>

#define TYPES "mdev_supported_types"

//  What it is a part of.
static char *parent_of (const char *path)
{
    autofree char *above = text_copy_bytes (path, (size_t) (node_called (path) - path - 1));
    return text_copy (node_called (above));
}

char *node_mdev_suffix (const char *path)
{
    return parent_of (path);
}

void node_describe_mdev (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    autofree char *type = sysfs_link (self->path, "mdev_type");
    autofree char *parent = parent_of (self->path);
    if (type)
        xml_set (capability, "type/@id", type);
    xml_set (capability, "uuid", node_called (self->path));
    xml_set (capability, "parent_addr", parent);
    node_describe_group (self->path, capability);
}

bool node_has_mdev_types (const char *path)
{
    autofree char *folder = text_format ("%s/" TYPES, path);
    return access (folder, F_OK) == 0;
}

void node_describe_mdev_types (const char *path, xml_node_t *capability)
{
    static const node_attribute_t attributes[] = {
        { "name", "name", 0 },
        { "deviceAPI", "device_api", 0 },
        { "availableInstances", "available_instances", 10 },
    };
    autofree char *folder = text_format ("%s/" TYPES, path);
    auto(strings_t) types = sysfs_names (folder);
    if (types->count == 0)
        return;
    xml_node_t *list = xml_add (capability, "capability");
    xml_set (list, "@type", "mdev_types");
    for (size_t i = 0; i < types->count; i++) {
        autofree char *each = text_format ("%s/%s", folder, types->items[i]);
        xml_node_t *type = xml_add (list, "type");
        xml_set (type, "@id", types->items[i]);
        node_describe_attributes (each, attributes, sizeof attributes / sizeof *attributes, type);
    }
}
