//  devices_self.h: the state of `devices`, for its own files:
//
//      devices.c          its life
//      devices_list.c     which devices there are: sysfs, and what the kernel tells of changes
//      devices_queries.c  what is asked of them; devices_reader.c: for what may wait
//      devices_owners.c   the owners of PCI devices and IOMMU groups: started, and passed requests
//      devices_holds.c    who has devices that are no PCI devices

#ifndef TROUPE_DEVICES_SELF_H
#define TROUPE_DEVICES_SELF_H

#include "actors/config.h"
#include "actors/domain/owner_events.h"
#include "actors/pci/devices.h"
#include "drivers/nodedev/node.h"
#include "drivers/nodedev/udev_facts.h"

#include <czmq.h>

typedef struct {
    actor_t *actor;
    const config_t *config;
    char *sysfs;
    zhashx_t *nodes;       //  node_t by name
    zhashx_t *paths;       //  the same by where they are, but the computer
    zhashx_t *owners;      //  of PCI devices, by address
    zhashx_t *groups;      //  the same of IOMMU groups, by their own address
    strings_t *running;    //  domains, while it is found out which devices were not given back
    uint64_t subscription; //  to that
    zlistx_t *holds;       //  hold_t
    char *holds_path, *boot_id;
    owner_events_t events;
    int fd;            //  of the kernel's events; -1: none
    udev_news_t *news; //  of disks; NULL: none
} devices_t;

//  devices_list.c
//  Reads what there is, and hears of changes from now on.
void devices_open_list (devices_t *self);
void devices_close_list (devices_t *self);
//  The device that MSG names; NULL and ERR.
const node_t *devices_find (devices_t *self, const msg_t *msg, error_t *err);
//  As it is now: not everything of a device that changes is told. NULL: it is gone, or has another
//  name now, and KNOWN is not there any more. The caller owns the result.
node_t *devices_look_again (devices_t *self, const node_t *known);

//  devices_queries.c: nodedev.list, nodedev.info, nodedev.xml.
void devices_show_list (devices_t *self, msg_t **msg_p);
void devices_show_info (devices_t *self, msg_t **msg_p);
void devices_show_xml (devices_t *self, msg_t **msg_p);

//  devices_owners.c
//  Starts those of devices that are not the host's now, or were in between.
int devices_open_owners (devices_t *self, error_t *err);
void devices_close_owners (devices_t *self);
//  What the owner of a PCI device published last; NULL: the host has it.
const value_t *devices_state_of (devices_t *self, const node_t *node);
//  What its owner has on file is over: the device is gone.
void devices_tell_gone (devices_t *self, const char *address);
//  For the owner of the device, or its group, in whose address its name is.
void devices_pass_on (devices_t *self, msg_t **msg_p);
//  After a restart: what is of guests that ended with the daemon away is given back.
void devices_begin_to_compare (devices_t *self, msg_t **msg_p);
void devices_compare (devices_t *self, msg_t **msg_p);

//  devices_holds.c
int devices_open_holds (devices_t *self, error_t *err);
void devices_close_holds (devices_t *self);
//  device.hold, device.leave, device.release.
void devices_hold (devices_t *self, msg_t **msg_p);
void devices_leave (devices_t *self, msg_t **msg_p);
void devices_release (devices_t *self, msg_t **msg_p);
bool devices_have_holds (devices_t *self);
//  Gives back what domains have that are not self->running.
void devices_compare_holds (devices_t *self, msg_t **msg_p);

#endif
