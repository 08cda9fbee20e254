//  qemu_capabilities.h: what the emulators of this host can run, in the format of libvirt's
//  capabilities XML (formatcaps.html in its documentation).

#ifndef TROUPE_QEMU_CAPABILITIES_H
#define TROUPE_QEMU_CAPABILITIES_H

#include "drivers/job.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "util/text.h"

//  Adds a <guest> for each emulator that is installed. One that can't be probed is logged and left
//  out.
int qemu_capabilities (job_t *job, xml_node_t *capabilities, error_t *err);

//  Adds to CPU, the host's <cpu>, the model that KVM can give of it, with the features that it has
//  besides (host-model, qemu_caps.h); nothing if KVM gives none, or if it lacks a part of the
//  model, which this document can't say.
void qemu_capabilities_cpu (const qemu_caps_t *caps, xml_node_t *cpu);

//  The emulator that distributions install for guests of ARCH, as libvirt names it; NULL: this
//  driver runs none of them.
const char *qemu_emulator_for (const char *arch);

//  The models of processors that guests of ARCH may have, by the names that users know.
//  ERR_NO_SUPPORT if there is no emulator for them. The caller owns the list; NULL and ERR.
strings_t *qemu_cpu_models (job_t *job, const char *arch, error_t *err);

//  How many vcpus a guest of the usual machine may have.
int qemu_max_vcpus (job_t *job, int *max, error_t *err);
//  Of the emulator that guests have who name none; as qemu_caps_version.
int qemu_version (job_t *job, uint64_t *version, error_t *err);

#endif
