//  pci_device.h: a PCI device as the kernel shows it in sysfs (its documents
//  Documentation/ABI/testing/sysfs-bus-pci and PCI/pci-iov-howto).

#ifndef TROUPE_PCI_DEVICE_H
#define TROUPE_PCI_DEVICE_H

#include "util/error.h"
#include "util/text.h"

#define PCI_ADDRESS_SIZE 16 //  "0000:01:10.2", with a larger domain too, and the NUL

typedef struct {
    char address[PCI_ADDRESS_SIZE];
    char *path;   //  in sysfs, without links
    char *parent; //  address of the bridge that it is behind; NULL: none
    char *driver; //  NULL: none
    //  The only driver that may have it, as somebody wrote to driver_override; NULL: any.
    char *override;
    unsigned vendor, product, class;
    int numa_node;            //  -1: none
    int iommu_group;          //  -1: none
    char *physical_function;  //  address; NULL: it is no virtual function
    unsigned total_functions; //  how many virtual functions it can have
    strings_t *functions;     //  addresses of those that it has, in the order of their numbers
    strings_t *nics;          //  names of its network interfaces
    strings_t *group;         //  addresses of all in its group
    char *resets;             //  "flr bus", in the order in which the kernel tries; NULL: none
} pci_device_t;

//  ERR_NO_NODE_DEVICE if there is none. The caller owns the result.
pci_device_t *pci_device_read (const char *sysfs, const char *address, error_t *err);
void pci_device_destroy (pci_device_t **self_p);
DEFINE_AUTO (pci_device_t, pci_device_destroy)

//  Is TEXT an address as sysfs has it: "0000:01:10.2"?
bool pci_address_valid (const char *text);
typedef struct {
    unsigned domain, bus, slot, function;
} pci_place_t;
//  The parts of a valid one.
pci_place_t pci_place (const char *address);
//  A host's bridge: it leads to others, and is never given to a guest. What PCI's classes call
//  another bridge (0x0680: a switch of GPUs, for example) leads to none that the kernel knows.
bool pci_device_is_bridge (const pci_device_t *self);

//  The addresses of all PCI devices, sorted. The caller owns the result.
strings_t *pci_device_list (const char *sysfs);

#endif
