//  qemu_kind.c: see qemu_kind.h.

#include "drivers/qemu/probe/qemu_kind.h"

#include "drivers/qemu/probe/qemu_capabilities.h"

#include <string.h>
#include <unistd.h>

static int refuse (error_t *err, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static int refuse (error_t *err, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *why = text_format_args (format, args);
    va_end (args);
    return error_set (err, ERR_INVALID_ARG, "%s", why);
}

static int choose_emulator (qemu_kind_t *self, const guest_kind_t *kind, error_t *err)
{
    self->arch = kind->arch ? kind->arch : "x86_64";
    self->emulator = kind->emulator ? kind->emulator : qemu_emulator_for (self->arch);
    if (!self->emulator)
        return refuse (err,
                       "there is no emulator for guests of the architecture '%s'; 'troupe "
                       "capabilities' shows which there are",
                       self->arch);
    if (self->emulator[0] != '/')
        return refuse (err, "the path of the emulator '%s' is not absolute", self->emulator);
    return 0;
}

//  Of an emulator that was named its own architecture, unless one was named as well.
static int check_arch (qemu_kind_t *self, const guest_kind_t *kind, error_t *err)
{
    const char *emulates = qemu_caps_arch (self->caps);
    bool i386 = strcmp (emulates, "i386") == 0, x86_64 = strcmp (emulates, "x86_64") == 0;
    if (!kind->arch && i386)
        self->arch = "i686";
    if (i386 ? strcmp (self->arch, "i686") != 0 : !x86_64 || !qemu_emulator_for (self->arch))
        return refuse (err,
                       "the emulator '%s' runs no guests of the architecture '%s'; it is one "
                       "of '%s'",
                       self->emulator, self->arch, emulates);
    return 0;
}

static int choose_accel (qemu_kind_t *self, const guest_kind_t *kind, error_t *err)
{
    bool there = qemu_caps_kvm (self->caps) && access ("/dev/kvm", R_OK | W_OK) == 0;
    self->kvm = kind->type ? strcmp (kind->type, "kvm") == 0 : there;
    self->accel = self->kvm ? "kvm" : "tcg";
    if (self->kvm && !there)
        return refuse (err, "type 'kvm' can't be had here: %s; ask for type 'qemu'",
                       qemu_caps_kvm (self->caps) ? "/dev/kvm can't be opened"
                                                  : "the emulator was built without KVM");
    return 0;
}

static int choose_machine (qemu_kind_t *self, const guest_kind_t *kind, error_t *err)
{
    const char *name = kind->machine ? kind->machine : QEMU_DEFAULT_MACHINE;
    if (qemu_caps_machine (self->caps, name, &self->machine) && qemu_machine_runs (&self->machine))
        return 0;
    return refuse (err,
                   "the emulator '%s' has no machine '%s' of the families pc and q35; 'troupe "
                   "capabilities' shows its machines",
                   self->emulator, name);
}

int qemu_kind_choose (job_t *job, const guest_kind_t *kind, qemu_kind_t *self, qemu_caps_t **caps_p,
                      error_t *err)
{
    *self = (qemu_kind_t){ 0 };
    if (choose_emulator (self, kind, err))
        return -1;
    autofree char *text = job_emulator (job, self->emulator, err);
    self->caps = *caps_p = text ? qemu_caps_parse (text, err) : NULL;
    return !self->caps || check_arch (self, kind, err) || choose_accel (self, kind, err) ||
                   choose_machine (self, kind, err)
               ? -1
               : 0;
}
