//  node_net.c: network interfaces.

#include "drivers/nodedev/ethtool.h"
#include "drivers/nodedev/node_kind.h"

#include "drivers/pci/sysfs.h"

#include <unistd.h>

//  One that has no address, not even of zeros, has no name here.
bool node_is_net (const char *path, const char *called)
{
    (void) called;
    autofree char *address = text_format ("%s/address", path);
    return access (address, F_OK) == 0;
}

char *node_net_suffix (const char *path)
{
    return sysfs_text ("%s/address", path);
}

void node_read_net (const char *sysfs, node_t *self)
{
    (void) sysfs;
    self->interface = text_copy (node_called (self->path));
    self->mac = sysfs_text ("%s/address", self->path);
}

//  A speed is what its driver says while there is a carrier; else it is none, or -1.
static void add_link (const node_t *self, xml_node_t *capability)
{
    autofree char *state = sysfs_text ("%s/operstate", self->path);
    long speed = sysfs_number (self->path, "speed", -1);
    if (state && *state && speed > 0)
        xml_setf (capability, "link/@speed", "%ld", speed);
    if (state && *state)
        xml_set (capability, "link/@state", state);
}

void node_describe_net (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    autofree char *wireless = text_format ("%s/wireless", self->path);
    auto(strings_t) features = ethtool_features (self->interface);
    xml_set (capability, "interface", self->interface);
    if (self->mac)
        xml_set (capability, "address", self->mac);
    add_link (self, capability);
    for (size_t i = 0; i < features->count; i++)
        xml_set (xml_add (capability, "feature"), "@name", features->items[i]);
    xml_set (capability, "capability/@type", access (wireless, F_OK) == 0 ? "80211" : "80203");
}
