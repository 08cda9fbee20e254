//  qemu_native.h: the command line of a guest, for who wants to see it.

#ifndef TROUPE_QEMU_NATIVE_H
#define TROUPE_QEMU_NATIVE_H

#include "drivers/job.h"
#include "util/text.h"

//  Adds to TEXT, as a shell would take it, the environment and the command that the guest of a
//  completed DEFINITION would be started with. Nothing is started or made; so what only a start
//  can know (descriptors of links) is 0. Fails as a start of it would.
int qemu_native (job_t *job, const xml_t *definition, text_t *text, error_t *err);

#endif
