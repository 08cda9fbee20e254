//  emulators.h: the actor that knows what each emulator can do.
//
//  `emulator.get` {path} is answered with {capabilities}: the text that qemu_caps_parse reads.
//  An emulator is probed once for each path, size and mtime, however many ask meanwhile; the text
//  is kept in memory and in CACHE/qemu. Errors are not kept: the next request tries again. A probe
//  that hangs is ended, and tried again at once, three times at most.

#ifndef TROUPE_EMULATORS_H
#define TROUPE_EMULATORS_H

#include "actors/runtime/actor.h"

//  Start argument: config.
extern const actor_class_t emulators_class;

//  The job that probes, at the address job/probe-HASH-N: start arguments config and path, result
//  {capabilities}. It is with the other jobs.
extern const actor_class_t probe_job_class;

#endif
