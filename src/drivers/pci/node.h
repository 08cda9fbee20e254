//  node.h: node devices: what a host has, under libvirt's names ("computer", "pci_0000_01_10_2",
//  "net_eth0_52_54_00_12_34_56"; https://libvirt.org/formatnode.html).

#ifndef TROUPE_NODE_H
#define TROUPE_NODE_H

#include "drivers/pci/pci_device.h"
#include "util/xml.h"

typedef struct {
    const char *capability; //  "system", "pci", "net": a constant
    char *name;
    char *parent;      //  name of another; NULL: none (the computer)
    char *path;        //  in sysfs; NULL: none (the computer)
    char *driver;      //  NULL: none
    pci_device_t *pci; //  NULL: it is none
    char *interface;   //  of a net; NULL: it is none
    char *mac;         //  of a net that has one
} node_t;

void node_destroy (node_t **self_p);
DEFINE_AUTO (node_t, node_destroy)

//  Each NULL if there is no such device (any more). The caller owns the result.
node_t *node_computer (void);
node_t *node_pci (const char *sysfs, const char *address);
node_t *node_net (const char *sysfs, const char *interface);
//  Read anew; NULL: it is gone, or has another name now.
node_t *node_again (const char *sysfs, const node_t *self);

//  "pci_0000_01_10_2" of an address; the caller frees it.
char *node_pci_name (const char *address);
//  The address in such a name, or in an address itself; NULL: it is neither. The caller frees it.
char *node_pci_address (const char *name);

//  The node device's document. The caller owns the result.
xml_t *node_xml (const char *sysfs, const node_t *self, error_t *err);

#endif
