//  qemu_kinds.h: the table of devices that can come and go while a guest runs, and of what QEMU has
//  behind each. Pure.

#ifndef TROUPE_QEMU_KINDS_H
#define TROUPE_QEMU_KINDS_H

#include "util/xml.h"

//  What is behind a device, under a name made of its alias (of disks: of their target).
enum {
    BACKEND_NETDEV = 1,
    BACKEND_CHARDEV = 2,
    BACKEND_OBJECT = 4,
    BACKEND_NODES = 8, //  block nodes
    BACKEND_NODE = 16, //  one, of a device of the host
    BACKEND_VSOCK = 32 //  the kernel's descriptor
};

typedef struct {
    const char *element;
    const char *path, *value; //  of this kind only if so; NULL: always
    unsigned backends;
    const char *refused; //  why it can't, and what to do instead; NULL: it can
} qemu_kind_t;

//  The row of DEVICE, which is completed. It always has one.
const qemu_kind_t *qemu_kind_of (const xml_node_t *device);

//  ERR_OPERATION_UNSUPPORTED if no device of this name can come or go, whatever it is.
int qemu_kind_check_name (const char *element, error_t *err);
//  The same of one device.
int qemu_kind_check (const xml_node_t *device, error_t *err);

#endif
