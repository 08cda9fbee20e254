//  node.h: node devices: what a host has, under libvirt's names ("computer", "pci_0000_01_10_2",
//  "usb_1_1", "net_eth0_52_54_00_12_34_56"; https://libvirt.org/formatnode.html).
//
//  What is here of a device is read without waiting, so that an owner may do it. Its document also
//  has what the kernel asks drivers or devices for: node_xml may wait.

#ifndef TROUPE_NODE_H
#define TROUPE_NODE_H

#include "drivers/pci/pci_device.h"
#include "util/xml.h"

typedef struct node_kind node_kind_t;

typedef struct {
    const node_kind_t *kind;
    char *name;
    char *parent;            //  name of another; NULL: none (the computer)
    char *path;              //  in sysfs, without links; NULL: none (the computer)
    char *file;              //  below /dev, "bus/usb/001/002"; NULL: none
    char *driver;            //  NULL: none
    strings_t *capabilities; //  "scsi_host", and what is within it: "fc_host"
    pci_device_t *pci;       //  NULL: it is none
    char *interface;         //  of a net; NULL: it is none
    char *mac;               //  of a net
    char *wwnn, *wwpn;       //  of a host of Fibre Channel; NULL: it is none
} node_t;

void node_destroy (node_t **self_p);
DEFINE_AUTO (node_t, node_destroy)

node_t *node_computer (void);
//  The device at PATH, without links; NULL: there is none of a kind that is known. The caller owns
//  the result.
node_t *node_at (const char *sysfs, const char *path);
//  Where all are but the computer, each once. The caller owns the result.
strings_t *node_paths (const char *sysfs);
//  Read anew; NULL: it is gone, or has another name now.
node_t *node_again (const char *sysfs, const node_t *self);

//  Words parted by '|': what a device can be.
const char *node_capabilities (void);
//  Is a kind of device of this subsystem of the kernel?
bool node_subsystem_known (const char *subsystem);

//  "pci_0000_01_10_2" of an address; the caller frees it.
char *node_pci_name (const char *address);
//  The address in such a name, or in an address itself; NULL: it is neither. The caller frees it.
char *node_pci_address (const char *name);

//  The node device's document; may wait. The caller owns the result.
xml_t *node_xml (const char *sysfs, const node_t *self, error_t *err);

#endif
