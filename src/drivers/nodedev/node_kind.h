//  node_kind.h: a kind of node devices: where sysfs has them, how they are named and described. The
//  table of all is in node_kinds.c, the functions are in the file that is named after each kind.

#ifndef TROUPE_NODE_KIND_H
#define TROUPE_NODE_KIND_H

#include "drivers/nodedev/node.h"

struct node_kind {
    const char *capability;
    const char *subsystem; //  of the kernel; NULL: the computer
    const char *folder;    //  below sysfs, with a link to each
    //  Is the device of this subsystem, that is called CALLED there, of this kind? NULL: each is.
    bool (*matches) (const char *path, const char *called);
    //  What is behind CALLED in its name, NULL: nothing; the caller frees it.
    char *(*suffix) (const char *path);
    //  What else a list shows.
    void (*read) (const char *sysfs, node_t *self);
    //  Into its capability; may wait.
    void (*describe) (const char *sysfs, const node_t *self, xml_node_t *capability);
};

//  NULL behind the last.
const node_kind_t *node_kind_at (size_t index);
//  The last part of PATH.
const char *node_called (const char *path);

//  Attributes as they are: those that exist become elements.
typedef struct {
    const char *element, *attribute;
    int base; //  in which the kernel writes the number that it is; 0: it is a text
} node_attribute_t;
void node_describe_attributes (const char *folder, const node_attribute_t *attributes, size_t count,
                               xml_node_t *node);
//  Element NAME, with an id in hexadecimal and, where one is known, the words for it.
void node_describe_id (xml_node_t *node, const char *name, unsigned id, const char *words);
//  <address domain= bus= slot= function=>
void node_describe_address (xml_node_t *node, const char *address);
//  <iommuGroup number=> of PATH, if it has one.
void node_describe_group (const char *path, xml_node_t *node);

//  node_pci.c
bool node_is_pci (const char *path, const char *called);
void node_read_pci (const char *sysfs, node_t *self);
void node_describe_pci (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_usb.c
bool node_is_usb_device (const char *path, const char *called);
void node_read_usb_device (const char *sysfs, node_t *self);
void node_describe_usb_device (const char *sysfs, const node_t *self, xml_node_t *capability);
bool node_is_usb_interface (const char *path, const char *called);
void node_describe_usb_interface (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_net.c
bool node_is_net (const char *path, const char *called);
char *node_net_suffix (const char *path);
void node_read_net (const char *sysfs, node_t *self);
void node_describe_net (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_scsi.c
bool node_is_scsi_host (const char *path, const char *called);
void node_read_scsi_host (const char *sysfs, node_t *self);
void node_describe_scsi_host (const char *sysfs, const node_t *self, xml_node_t *capability);
bool node_is_scsi_target (const char *path, const char *called);
void node_describe_scsi_target (const char *sysfs, const node_t *self, xml_node_t *capability);
bool node_is_scsi (const char *path, const char *called);
void node_describe_scsi (const char *sysfs, const node_t *self, xml_node_t *capability);
void node_read_scsi_generic (const char *sysfs, node_t *self);
void node_describe_scsi_generic (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_storage.c
bool node_is_storage (const char *path, const char *called);
char *node_storage_suffix (const char *path);
void node_read_storage (const char *sysfs, node_t *self);
void node_describe_storage (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_drm.c
bool node_is_drm (const char *path, const char *called);
void node_read_drm (const char *sysfs, node_t *self);
void node_describe_drm (const char *sysfs, const node_t *self, xml_node_t *capability);
//  node_mdev.c
char *node_mdev_suffix (const char *path);
void node_describe_mdev (const char *sysfs, const node_t *self, xml_node_t *capability);
//  What a PCI device can be divided into.
bool node_has_mdev_types (const char *path);
void node_describe_mdev_types (const char *path, xml_node_t *capability);

#endif
