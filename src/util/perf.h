//  perf.h: the kernel's counters of one process (perf_event_open(2)), under the names that
//  libvirt's domain XML has for them.
//
//  None of these waits. A counter is a descriptor for each thread that the process has when it is
//  opened; threads that these begin are counted with them.

#ifndef TROUPE_PERF_H
#define TROUPE_PERF_H

#include "util/process.h"
#include "util/text.h"

typedef struct perf perf_t;

//  The name of event I, NULL after the last; and whether there is one of this name.
const char *perf_event_name (size_t i);
bool perf_is_event (const char *name);

perf_t *perf_new (void);
void perf_destroy (perf_t **self_p);
DEFINE_AUTO (perf_t, perf_destroy)

//  Counts the events NAMES of PROCESS from now on, and no others; those that were counted before go
//  on. ERR_NO_SUPPORT: this host does not count one of them; it counts what it did before then.
int perf_follow (perf_t *self, const process_t *process, const strings_t *names, error_t *err);
//  How often event I happened; false if it is not counted.
bool perf_read (const perf_t *self, size_t i, uint64_t *value);

#endif
