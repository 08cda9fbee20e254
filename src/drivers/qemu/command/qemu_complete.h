//  qemu_complete.h: checks a definition and completes it the way libvirt documents it: what the
//  user left out is filled in, so that the guest sees the same hardware at each start.
//
//  The steps, in this order (each in the file of its name):
//
//      qemu_schema          what we don't build is refused
//      qemu_complete        what belongs to a running guest only is dropped; identity, memory,
//                           vcpus, machine, cpu, clock
//      qemu_complete_devices   disks, interfaces, consoles, inputs, graphics, video, balloon
//      qemu_address         the types of addresses
//      qemu_complete_controllers   the controllers that devices need; addresses that are no PCI
//      qemu_pci             PCI addresses
//      qemu_check           contradictions
//      qemu_check_numbers   numbers that QEMU does not take
//      qemu_uses            what would have no effect where it is
//
//  Completing a completed definition changes nothing.

#ifndef TROUPE_QEMU_COMPLETE_H
#define TROUPE_QEMU_COMPLETE_H

#include "drivers/qemu/probe/qemu_caps.h"

//  Those of guests: 0 to 2 are the hypervisor's, the loopback's and the host's, and the last one is
//  any (vsock(7)).
#define QEMU_VSOCK_CID_MIN 3u
#define QEMU_VSOCK_CID_MAX 0xfffffffeu
//  Of a virtio-serial controller: two queues each, and two for itself, of QEMU's 1024.
#define QEMU_VIRTIO_PORTS_MAX 511

typedef struct {
    job_t *job;
    xml_node_t *domain, *devices;
    const qemu_caps_t *caps;
    qemu_machine_t machine;
    bool q35; //  PCI Express; else i440fx
} completion_t;

//  driver_t's complete.
int qemu_complete (job_t *job, xml_t *document, error_t *err);

//  Its parts.
int qemu_complete_machine (completion_t *self, error_t *err);
int qemu_complete_devices (completion_t *self, error_t *err);
int qemu_complete_controllers (completion_t *self, error_t *err);
int qemu_complete_pci (completion_t *self, error_t *err);
void qemu_mirror_console (completion_t *self);
int qemu_check (completion_t *self, error_t *err);
int qemu_check_numbers (const completion_t *self, error_t *err);
//  Of an interface of type 'hostdev': what is said of it that only other types have.
int qemu_check_host_interface (const xml_node_t *interface, error_t *err);

//  A new child of PARENT (the domain or its devices), put where libvirt's documents have it.
xml_node_t *qemu_insert (xml_node_t *parent, const char *name);
//  Sets PATH unless it is there.
void qemu_default (xml_node_t *node, const char *path, const char *value);
//  The number in a disk's target: 2 of "sdc", 26 of "vdaa"; -1 if the name is of no such form.
int qemu_target_index (const char *dev);
//  "disk 'vda'", "interface '52:54:..'", "controller 'usb' 0": what errors call a device.
void qemu_device_name (const xml_node_t *device, char name[128]);

#endif
