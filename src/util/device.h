//  device.h: the character devices behind a guest's network: a queue of a tap or macvtap link, or
//  the kernel's vhost. The launcher opens them for the program that it starts, the monitor for a
//  QEMU that runs already. A link is known by its ifindex; that its name still belongs to it is
//  checked once the device is open.

#ifndef TROUPE_DEVICE_H
#define TROUPE_DEVICE_H

#include "util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    DEVICE_FILE,      //  NAME is the path of a character device
    DEVICE_TAP,       //  a tap with one queue
    DEVICE_TAP_QUEUE, //  one of the queues of a tap that may have several
    DEVICE_MACVTAP
} device_kind_t;

typedef struct {
    device_kind_t kind;
    uint32_t ifindex; //  of a link
    const char *name; //  of a link; or a path. Whoever fills this owns it
} device_t;

//  "KIND:IFINDEX:NAME", as it goes through messages. The caller frees it.
char *device_text (const device_t *device);
//  Its NAME points into TEXT. False if it is none.
bool device_read (const char *text, device_t *device);

//  "tap" and the like; DEVICE_FILE if it is none.
device_kind_t device_kind_by_name (const char *name);

//  A descriptor for reading and writing, not blocking, close-on-exec; or -1.
int device_open (const device_t *device, error_t *err);

#endif
