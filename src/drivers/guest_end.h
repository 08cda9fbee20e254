//  guest_end.h: what every driver with processes does at the end of a guest: that it is to end is
//  on record before anything is done, and what is left of it is removed.

#ifndef TROUPE_GUEST_END_H
#define TROUPE_GUEST_END_H

#include "drivers/job.h"

//  Into the record, which the caller makes durable: the guest is to end, with its status if that
//  says it is over (else as destroyed). Whoever adopts it ends it, and knows why.
void guest_end_note (guest_t *guest);
//  The same, durable.
int guest_end_record (job_t *job, error_t *err);
//  It goes on after all: durable at once. A failure is logged.
void guest_end_forget (job_t *job);
//  Was it noted? *STATUS: what the guest is then.
bool guest_end_noted (const guest_t *guest, guest_status_t *status);

//  Undoes one thing (undo.h); NULL: there is none. What fails is logged: the guest is over, and
//  nothing of it is dangerous.
void guest_end_clean (job_t *job, const char *kind, const char *argument);
//  The same with its cgroups, from which all processes are gone.
void guest_end_ungroup (job_t *job);
//  The same with its interfaces.
void guest_end_unplug (job_t *job);

//  What a guest is whose PROCESS, which does not end by itself, is not there: it was killed, or the
//  host went down with it.
guest_status_t guest_end_vanished (const process_t *process);

#endif
