//  host_device.h: which device of the host a <hostdev> of type 'usb', 'scsi' or 'mdev' means, by
//  what sysfs says. ROOT is where that is mounted (sysfs.h). Nothing here waits.
//
//  Once it is known, it has a name, which is in guests' records, and under which `devices` has on
//  file who has it: "usb:001:004" (bus, device), "scsi:1:0:2:0" (host, bus, target, unit),
//  "mdev:UUID". An address of the host's vsock, "vsock:3" (CID), is one's in the same way.

#ifndef TROUPE_HOST_DEVICE_H
#define TROUPE_HOST_DEVICE_H

#include "util/error.h"
#include "util/xml.h"

//  Is NAME of that form? Else it is a PCI device's address.
bool host_device_is (const char *name);
//  Of a completed hostdev of these types; NULL: of one that is said by vendor and product it is not
//  known yet. The caller frees it.
char *host_device_name (const xml_node_t *hostdev);

//  Looks for it. Of a USB device that is said by vendor and product, the address is put into its
//  <source>. ERR_NO_NODE_DEVICE: there is none; other errors: several are like that, or it can't go
//  to a guest.
int host_device_find (const char *root, xml_node_t *hostdev, error_t *err);

//  Which device that is: numbers come again when one is unplugged and another plugged in, the inode
//  of its folder in sysfs does not (as long as the kernel runs). The caller frees it; NULL: there
//  is none, or it is none of sysfs.
char *host_device_identity (const char *root, const char *name);

//  The file by which programs use it: /dev/bus/usb/001/004, /dev/sg1, /dev/vfio/7. The caller frees
//  it; NULL and ERR: it is gone.
char *host_device_file (const char *root, const char *name, error_t *err);

#endif
