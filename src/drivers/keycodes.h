//  keycodes.h: keys, as each of libvirt's codesets numbers them (virKeycodeSet). Sources: the
//  kernel's uapi/linux/input-event-codes.h; the scan codes of PC keyboards, sets 1 to 3; USB's HID
//  Usage Tables, page 7; Windows' virtual-key codes. QEMU's own numbers ("qnum" in libvirt's words,
//  "number" in QMP's) are those of set 1, with 0x80 added for the prefix e0.

#ifndef TROUPE_KEYCODES_H
#define TROUPE_KEYCODES_H

#include "util/error.h"

enum {
    KEYS_AT_ONCE = 16 //  VIR_DOMAIN_SEND_KEY_MAX_KEYS
};

//  The qnum of KEY: a number of CODESET ("linux", "xt", "atset1", "atset2", "atset3", "usb",
//  "win32", "qnum"; decimal, or hexadecimal after 0x), or with "linux" a name such as KEY_A. Of
//  what is no part of the table (media keys of a few keyboards, say) ERR_INVALID_ARG.
int keycode_qnum (const char *codeset, const char *key, unsigned *qnum, error_t *err);

#endif
