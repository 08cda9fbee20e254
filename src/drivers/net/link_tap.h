//  link_tap.h: taps (Documentation/networking/tuntap.rst), which are made through /dev/net/tun.

#ifndef TROUPE_LINK_TAP_H
#define TROUPE_LINK_TAP_H

#include "drivers/net/link.h"
#include "util/error.h"

//  Makes the tap of SPEC with this MAC address, and has it stay. The name that it was given goes to
//  NAME. It vanishes with the descriptor up to the last step, by which time it has its MAC: so
//  none is ever there that can't be told from others. 0, or the errno (EEXIST: the name exists).
int link_tap_make (const link_spec_t *spec, const uint8_t mac[6], char name[LINK_NAME_SIZE]);

#endif
