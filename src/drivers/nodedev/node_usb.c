//  node_usb.c: USB devices, and their interfaces.

#include "drivers/nodedev/node_kind.h"
#include "drivers/nodedev/udev_facts.h"

#include "drivers/pci/sysfs.h"

#include <string.h>

//  "1-2.4" (or "usb1") is a device, "1-2.4:1.0" one of its interfaces.
bool node_is_usb_device (const char *path, const char *called)
{
    (void) path;
    return !strchr (called, ':');
}

bool node_is_usb_interface (const char *path, const char *called)
{
    return !node_is_usb_device (path, called);
}

void node_read_usb_device (const char *sysfs, node_t *self)
{
    (void) sysfs;
    long bus = sysfs_number (self->path, "busnum", 0);
    long device = sysfs_number (self->path, "devnum", 0);
    if (bus > 0 && device > 0)
        self->file = text_format ("bus/usb/%03ld/%03ld", bus, device);
}

static unsigned id_of (const char *path, const char *name)
{
    autofree char *text = sysfs_text ("%s/%s", path, name);
    return text ? (unsigned) strtoul (text, NULL, 16) : 0;
}

//  What is known of its ids, or else what the device calls itself. Takes both over; the caller
//  frees the result.
static char *words_of (char *known, char *own)
{
    if (known || !own || !*own)
        free (take (&own));
    return known ? known : own;
}

void node_describe_usb_device (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    static const node_attribute_t attributes[] = {
        { "bus", "busnum", 10 },
        { "device", "devnum", 10 },
    };
    unsigned vendor = id_of (self->path, "idVendor"), product = id_of (self->path, "idProduct");
    autofree char *product_words =
        words_of (udev_product ("usb", vendor, product), sysfs_text ("%s/product", self->path));
    autofree char *vendor_words =
        words_of (udev_vendor ("usb", vendor), sysfs_text ("%s/manufacturer", self->path));
    node_describe_attributes (self->path, attributes, sizeof attributes / sizeof *attributes,
                              capability);
    node_describe_id (capability, "product", product, product_words);
    node_describe_id (capability, "vendor", vendor, vendor_words);
}

void node_describe_usb_interface (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    static const node_attribute_t attributes[] = {
        { "number", "bInterfaceNumber", 16 },     { "class", "bInterfaceClass", 16 },
        { "subclass", "bInterfaceSubClass", 16 }, { "protocol", "bInterfaceProtocol", 16 },
        { "description", "interface", 0 },
    };
    node_describe_attributes (self->path, attributes, sizeof attributes / sizeof *attributes,
                              capability);
}
