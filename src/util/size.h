//  size.h: sizes with units, as libvirt's documents and virsh's options have them.

#ifndef TROUPE_SIZE_H
#define TROUPE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

//  Bytes of a unit in any case, "KiB" or "k"; 0: there is none of this name. The units of
//  https://libvirt.org/formatdomain.html#memory-allocation and
//  https://libvirt.org/formatstorage.html.
uint64_t size_unit (const char *name);

//  True with *BYTES filled if all of TEXT is a whole number and a unit ("10GiB"), or a number
//  alone, which counts SCALE bytes each. False too if 64 bits can't hold it.
bool size_from_text (const char *text, uint64_t scale, uint64_t *bytes);

#endif
