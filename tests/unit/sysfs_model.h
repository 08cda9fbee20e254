//  sysfs_model.h: a folder that models sysfs: a card with two virtual functions, two cards behind a
//  bridge in one IOMMU group, a device without any, and a network interface without a device.

#ifndef TROUPE_SYSFS_MODEL_H
#define TROUPE_SYSFS_MODEL_H

#include "folder.h"
#include "util/file.h"

#include <stdio.h>
#include <string.h>

#define MODEL_CARD "0000:01:00.0"
#define MODEL_PORT_PATH "devices/pci0000:00/0000:00:01.0"
#define MODEL_CARD_PATH MODEL_PORT_PATH "/" MODEL_CARD
#define MODEL_FUNCTION "0000:01:10.0"
#define MODEL_BRIDGE "0000:02:00.0"
#define MODEL_TWIN "0000:03:01.0"

//  FORMAT is a path below ROOT; TEXT NULL: it is removed.
static inline void model_write (const char *root, const char *path, const char *text)
{
    error_t err;
    autofree char *whole = text_format ("%s/%s", root, path);
    autofree char *folder = file_folder (whole);
    if (file_make_folders (folder, 0755, &err))
        abort ();
    FILE *file = text ? fopen (whole, "w") : NULL;
    if (file && (fprintf (file, "%s\n", text) < 0 || fclose (file)))
        abort ();
    if (!text)
        unlink (whole);
}

static inline void model_link (const char *root, const char *path, const char *target)
{
    error_t err;
    autofree char *whole = text_format ("%s/%s", root, path);
    autofree char *folder = file_folder (whole);
    if (file_make_folders (folder, 0755, &err))
        abort ();
    unlink (whole);
    if (symlink (target, whole))
        abort ();
}

typedef struct {
    const char *address, *above, *vendor, *product, *class, *group, *driver;
} model_device_t;

//  The subsystem of the device in FOLDER, and its link in LINKS.
static inline void model_subsystem (const char *root, const char *folder, const char *subsystem,
                                    const char *links)
{
    autofree char *link = text_format ("%s/subsystem", folder);
    autofree char *target = text_format ("/sys/bus/%s", subsystem);
    autofree char *real = text_format ("%s/%s", root, folder);
    autofree char *bus = text_format ("%s/%s", links, strrchr (folder, '/') + 1);
    model_link (root, link, target);
    model_link (root, bus, real);
}

static inline void model_driver (const char *root, const model_device_t *device, const char *driver)
{
    autofree char *link = text_format ("devices/%s%s/driver", device->above, device->address);
    autofree char *target = text_format ("../../bus/pci/drivers/%s", driver ? driver : "");
    model_link (root, link, target);
    autofree char *whole = text_format ("%s/%s", root, link);
    if (!driver)
        unlink (whole);
}

static inline void model_add (const char *root, const model_device_t *device)
{
    const struct {
        const char *name, *text;
    } attributes[] = { { "vendor", device->vendor },
                       { "device", device->product },
                       { "class", device->class },
                       { "numa_node", "-1" },
                       { "reset_method", "flr bus" } };
    autofree char *folder = text_format ("devices/%s%s", device->above, device->address);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        autofree char *path = text_format ("%s/%s", folder, attributes[i].name);
        model_write (root, path, attributes[i].text);
    }
    autofree char *real = text_format ("%s/%s", root, folder);
    model_subsystem (root, folder, "pci", "bus/pci/devices");
    model_driver (root, device, device->driver);
    if (!device->group)
        return;
    autofree char *group = text_format ("%s/kernel/iommu_groups/%s", root, device->group);
    autofree char *group_link = text_format ("%s/iommu_group", folder);
    model_link (root, group_link, group);
    autofree char *member =
        text_format ("kernel/iommu_groups/%s/devices/%s", device->group, device->address);
    model_link (root, member, real);
}

static const model_device_t model_devices[] = {
    { "0000:00:00.0", "pci0000:00/", "0x8086", "0x29c0", "0x060000", NULL, NULL },
    { "0000:00:01.0", "pci0000:00/", "0x1b36", "0x000c", "0x060400", "1", "pcieport" },
    { MODEL_CARD, "pci0000:00/0000:00:01.0/", "0x8086", "0x10c9", "0x020000", "6", "igb" },
    { MODEL_FUNCTION, "pci0000:00/0000:00:01.0/", "0x8086", "0x10ca", "0x020000", "8", "igbvf" },
    { "0000:01:10.2", "pci0000:00/0000:00:01.0/", "0x8086", "0x10ca", "0x020000", "9", NULL },
    { MODEL_BRIDGE, "pci0000:00/", "0x1b36", "0x000e", "0x060400", "7", NULL },
    { MODEL_TWIN, "pci0000:00/" MODEL_BRIDGE "/", "0x8086", "0x100e", "0x020000", "7", "e1000" },
    { "0000:03:02.0", "pci0000:00/" MODEL_BRIDGE "/", "0x8086", "0x100e", "0x020000", "7",
      "e1000" },
};

//  ROOT is an empty folder.
static inline void model_make (const char *root)
{
    for (size_t i = 0; i < sizeof model_devices / sizeof *model_devices; i++)
        model_add (root, &model_devices[i]);
    model_write (root, MODEL_CARD_PATH "/sriov_totalvfs", "7");
    model_link (root, MODEL_CARD_PATH "/virtfn0", "../" MODEL_FUNCTION);
    model_link (root, MODEL_CARD_PATH "/virtfn1", "../0000:01:10.2");
    model_link (root, MODEL_PORT_PATH "/" MODEL_FUNCTION "/physfn", "../" MODEL_CARD);
    model_write (root, MODEL_CARD_PATH "/net/eth0/address", "52:54:00:12:34:56");
    model_write (root, MODEL_CARD_PATH "/net/eth0/operstate", "up");
    model_subsystem (root, MODEL_CARD_PATH "/net/eth0", "net", "class/net");
    model_write (root, "devices/virtual/net/lo/address", "00:00:00:00:00:00");
    model_subsystem (root, "devices/virtual/net/lo", "net", "class/net");
    model_write (root, "class/dmi/id/product_name", "A machine");
    model_write (root, "class/dmi/id/sys_vendor", "Its maker & sons");
    model_write (root, "class/dmi/id/product_uuid", "C0FFEE00-1111-4222-8333-444455556666");
}

//  A new one; remove it with model_remove, which frees its name.
static inline char *model_new (void)
{
    char folder[UNIT_PATH_SIZE];
    unit_new_folder (folder);
    model_make (folder);
    return text_copy (folder);
}

static inline void model_remove (char **root_p)
{
    autofree char *root = take (root_p);
    autofree char *command = text_format ("rm -r '%s'", root);
    if (system (command))
        abort ();
}

//  For each test of a group: the root is its state.
static inline int model_setup (void **state)
{
    *state = model_new ();
    return 0;
}

static inline int model_teardown (void **state)
{
    model_remove ((char **) state);
    return 0;
}

#endif
