//  udev_facts.c: see udev_facts.h.

#include "drivers/nodedev/udev_facts.h"

#include <inttypes.h>
#include <libudev.h>
#include <string.h>
#include <unistd.h>

static void close_udev (struct udev **self_p)
{
    udev_unref (*self_p);
}

static void close_device (struct udev_device **self_p)
{
    udev_device_unref (*self_p);
}

static void close_hwdb (struct udev_hwdb **self_p)
{
    udev_hwdb_unref (*self_p);
}

#define AUTO_UDEV __attribute__ ((cleanup (close_udev))) struct udev
#define AUTO_DEVICE __attribute__ ((cleanup (close_device))) struct udev_device
#define AUTO_HWDB __attribute__ ((cleanup (close_hwdb))) struct udev_hwdb

char *udev_fact (const char *path, const char *name)
{
    AUTO_UDEV *udev = udev_new ();
    AUTO_DEVICE *device = udev ? udev_device_new_from_syspath (udev, path) : NULL;
    return device ? text_copy (udev_device_get_property_value (device, name)) : NULL;
}

strings_t *udev_links (const char *path)
{
    strings_t *links = strings_new ();
    AUTO_UDEV *udev = udev_new ();
    AUTO_DEVICE *device = udev ? udev_device_new_from_syspath (udev, path) : NULL;
    struct udev_list_entry *entry = device ? udev_device_get_devlinks_list_entry (device) : NULL;
    for (; entry; entry = udev_list_entry_get_next (entry))
        strings_add (links, udev_list_entry_get_name (entry));
    strings_sort (links);
    return links;
}

//  What the database says under KEY of the ids MATCH, in the form of a modalias.
static char *words_for (const char *match, const char *key)
{
    AUTO_UDEV *udev = udev_new ();
    AUTO_HWDB *hwdb = udev ? udev_hwdb_new (udev) : NULL;
    struct udev_list_entry *entry =
        hwdb ? udev_hwdb_get_properties_list_entry (hwdb, match, 0) : NULL;
    for (; entry; entry = udev_list_entry_get_next (entry))
        if (text_equals (udev_list_entry_get_name (entry), key))
            return text_copy (udev_list_entry_get_value (entry));
    return NULL;
}

//  Modaliases have eight digits for PCI, and four for USB.
char *udev_vendor (const char *bus, unsigned vendor)
{
    int digits = text_equals (bus, "pci") ? 8 : 4;
    autofree char *match = text_format ("%s:v%0*X", bus, digits, vendor);
    return words_for (match, "ID_VENDOR_FROM_DATABASE");
}

char *udev_product (const char *bus, unsigned vendor, unsigned product)
{
    bool pci = text_equals (bus, "pci");
    int digits = pci ? 8 : 4;
    autofree char *match =
        text_format ("%s:v%0*X%c%0*X", bus, digits, vendor, pci ? 'd' : 'p', digits, product);
    return words_for (match, "ID_MODEL_FROM_DATABASE");
}

bool udev_runs (void)
{
    return access ("/run/udev/control", F_OK) == 0;
}

struct udev_news {
    struct udev *udev;
    struct udev_monitor *monitor;
};

void udev_news_close (udev_news_t **self_p)
{
    udev_news_t *self = take (self_p);
    if (!self)
        return;
    udev_monitor_unref (self->monitor);
    udev_unref (self->udev);
    free (self);
}

udev_news_t *udev_news_open (void)
{
    udev_news_t *self = memory_new (1, sizeof *self);
    self->udev = udev_new ();
    self->monitor = self->udev ? udev_monitor_new_from_netlink (self->udev, "udev") : NULL;
    if (!self->monitor ||
        udev_monitor_filter_add_match_subsystem_devtype (self->monitor, "block", "disk") < 0 ||
        udev_monitor_enable_receiving (self->monitor) < 0)
        udev_news_close (&self);
    return self;
}

int udev_news_fd (const udev_news_t *self)
{
    return udev_monitor_get_fd (self->monitor);
}

char *udev_news_next (udev_news_t *self)
{
    AUTO_DEVICE *device = udev_monitor_receive_device (self->monitor);
    return device ? text_copy (udev_device_get_syspath (device)) : NULL;
}
