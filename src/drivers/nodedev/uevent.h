//  uevent.h: what the kernel tells of devices that come, go and change (NETLINK_KOBJECT_UEVENT, as
//  udev hears it; Documentation/core-api/kobject.rst).

#ifndef TROUPE_UEVENT_H
#define TROUPE_UEVENT_H

#include "util/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *action;    //  "add", "remove", "change", "bind", "unbind", "move"
    const char *subsystem; //  "pci", "net"
    const char *path;      //  in sysfs: "/devices/pci0000:00/0000:00:01.0"
    const char *old_path;  //  of one that was renamed: where it was
} uevent_t;

typedef void (uevent_fn) (void *arg, const uevent_t *event);

//  A socket that the caller closes, or -1.
int uevent_open (error_t *err);
//  Passes all that has come to ON_EVENT. False: some were lost, so all has to be looked at anew.
bool uevent_hear (int fd, uevent_fn *on_event, void *arg);
//  The strings of one message, each with its NUL, "ACTION@PATH" first; they belong to BYTES.
//  False if it is no such message.
bool uevent_parse (const char *bytes, size_t size, uevent_t *event);

#endif
