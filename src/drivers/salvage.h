//  salvage.h: a guest that runs although its status file is lost. The proof is its own monitor
//  socket: whoever listens there is its process (unix(7): SO_PEERCRED of a connection names the
//  process that called listen, which is the launcher's, and the hypervisor's or supervisor's after
//  its exec).

#ifndef TROUPE_SALVAGE_H
#define TROUPE_SALVAGE_H

#include "drivers/job.h"
#include "util/text.h"

typedef struct {
    process_t process;
    strings_t *command; //  its arguments; NULL: nobody listens
} salvage_t;

//  Who listens at MONITOR. A socket that nobody listens at is what a guest left that ended while no
//  daemon looked: it is removed.
int salvage_find (job_t *job, const char *monitor, salvage_t *found, error_t *err);
void salvage_close (salvage_t *self);
//  That process is not what it should be (WHO: "the QEMU"). Returns -1.
int salvage_refuse (const salvage_t *self, const char *monitor, const char *who, error_t *err);

//  The guest's record, of what is known so far; the guest runs.
int salvage_record (job_t *job, const salvage_t *found, const char *monitor, error_t *err);
//  Was the record made so, and what else the guest can say not asked yet?
bool salvage_is_open (const guest_t *guest);
void salvage_is_over (guest_t *guest);

#endif
