//  qemu_kind.h: which emulator, accelerator and machine a question about a kind of guest is about.

#ifndef TROUPE_QEMU_KIND_H
#define TROUPE_QEMU_KIND_H

#include "drivers/driver.h"
#include "drivers/qemu/probe/qemu_caps.h"

//  Strings belong to the guest_kind_t that it was made from, or are static.
typedef struct {
    const char *emulator, *arch, *accel; //  "tcg" or "kvm"
    bool kvm;
    const qemu_caps_t *caps;
    qemu_machine_t machine;
} qemu_kind_t;

//  What KIND does not say is chosen: KVM if this host has it, the emulator of the distribution for
//  x86_64, the machine pc. ERR_INVALID_ARG: it names what there is not, or what does not go
//  together. The caller owns *CAPS_P, which may be there after an error, too.
int qemu_kind_choose (job_t *job, const guest_kind_t *kind, qemu_kind_t *self, qemu_caps_t **caps_p,
                      error_t *err);

#endif
