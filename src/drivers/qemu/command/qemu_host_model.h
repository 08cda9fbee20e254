//  qemu_host_model.h: cpu mode 'host-model': the named model and the features that are together
//  what the accelerator can give a guest (KVM: most of the host's processor; TCG: what QEMU
//  emulates). QEMU itself tells both (query-cpu-model-expansion in QEMU's QMP reference); when a
//  guest starts, its live document gets them, so that it stays the same wherever it migrates.

#ifndef TROUPE_QEMU_HOST_MODEL_H
#define TROUPE_QEMU_HOST_MODEL_H

#include "drivers/qemu/probe/qemu_caps.h"
#include "util/text.h"
#include "util/xml.h"

//  Asks the emulator whose monitor is open, which was started with ACCEL ("tcg", "kvm"), and adds a
//  fact to TEXT: host-model ACCEL MODEL +FEATURE -FEATURE ..., or why there is none:
//  no-host-model ACCEL REASON. -1 and ERR only if the job was aborted.
int qemu_host_model_ask (job_t *job, const char *accel, text_t *text, error_t *err);
//  The same fact, for an emulator that could not be asked.
void qemu_host_model_none (const char *accel, const error_t *why, text_t *text);

//  The cpu of a live document, if its mode is 'host-model', becomes a model with features.
int qemu_host_model_apply (xml_t *live, const qemu_caps_t *caps, error_t *err);

#endif
