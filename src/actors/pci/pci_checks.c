//  pci_checks.c: what the host would lose if a device of its own were taken away, or reset.

#include "actors/pci/pci_self.h"

#include "drivers/pci/sysfs.h"

enum {
    CLASS_NETWORK = 0x02
};

static int check_bridge (const pci_device_t *device, const char *what, error_t *err)
{
    if (!pci_device_is_bridge (device))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "%s PCI device '%s': it is a bridge, which others are behind", what,
                      device->address);
}

//  They go with its driver, and with a reset, whoever has them.
static int check_functions (const pci_device_t *device, const char *what, error_t *err)
{
    size_t count = device->functions->count;
    if (count == 0)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "%s PCI device '%s': its %zu virtual functions ('%s'%s) would be gone; end "
                      "that they are used, and them (echo 0 > %s/sriov_numvfs), before",
                      what, device->address, count, device->functions->items[0],
                      count > 1 ? ", ..." : "", device->path);
}

//  Its folder of interfaces stays with the driver, but shows none of other namespaces.
static int check_namespace (const pci_t *self, const pci_device_t *device, const char *what,
                            error_t *err)
{
    autofree char *folder = text_format ("%s/bus/pci/devices/%s/net", self->sysfs, device->address);
    if (device->class >> 16 != CLASS_NETWORK || device->nics->count > 0 || access (folder, F_OK))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "%s PCI device '%s': its network interface is in another network namespace: "
                      "a container's, maybe; have that give it back before",
                      what, device->address);
}

int pci_check_host (const pci_t *self, const pci_device_t *device, const char *what, error_t *err)
{
    return check_bridge (device, what, err) || check_functions (device, what, err) ||
                   check_namespace (self, device, what, err)
               ? -1
               : 0;
}
