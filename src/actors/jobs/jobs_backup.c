//  jobs_backup.c: backups: their beginning, and what follows them while the hypervisor works.

#include "actors/jobs/jobs.h"
#include "util/text.h"

enum {
    RETRY_MS = 2000,
    ATTEMPTS_MAX = 30 //  at what is left of the backup of a guest that is over
};

//  The backup goes on without us: in the next daemon, or with the domain's next owner.
static bool is_left_alone (const job_actor_t *self)
{
    return actor_stopping (self->actor) || self->abandoned;
}

//  As long as its QEMU is there, the backup is, and stays on record: what we forgot of it would go
//  on with nobody to end it. Whoever destroys the guest ends it with the guest.
static bool may_try_again (const job_actor_t *self, int attempts)
{
    return !self->doomed && !is_left_alone (self) && (!self->ended || attempts < ATTEMPTS_MAX);
}

static void tell_why (job_actor_t *self, const error_t *err, error_t *told)
{
    if (text_equals (err->message, told->message))
        return;
    actor_log (self->actor, LEVEL_WARNING, "domain '%s': end its backup, which is tried again: %s",
               self->base.guest->name, err->message);
    *told = *err;
}

static int end_backup (job_actor_t *self, error_t *err)
{
    int attempts = 0;
    error_t told = { 0 }, ignored = { 0 };
    self->unwinding = true;
    int rc = self->driver->backup_end (&self->base, err);
    while (rc && may_try_again (self, attempts)) {
        attempts += self->ended;
        tell_why (self, err, &told);
        job_progress (&self->base, &(job_progress_t){ .step = "ending" });
        job_wait (&self->base, RETRY_MS, &ignored);
        rc = self->driver->backup_end (&self->base, err);
    }
    self->unwinding = false;
    return rc;
}

//  A pull is over when the one who asked for it says so.
static bool is_pulled (const job_actor_t *self)
{
    const xml_t *backup = self->base.guest->backup;
    return self->cancelled && !self->doomed && !self->ended && !is_left_alone (self) &&
           xml_equals (xml_root (backup), "domainbackup/@mode", "pull");
}

static int follow (job_actor_t *self, error_t *err)
{
    error_t end = { 0 };
    int rc = self->driver->backup_follow (&self->base, err);
    if (rc && is_pulled (self) && err->code == ERR_OPERATION_ABORTED)
        rc = 0;
    if (rc && (is_left_alone (self) || self->doomed))
        return -1;
    if (end_backup (self, &end)) {
        *err = rc ? *err : end;
        return -1;
    }
    self->parts = PART_BACKUP;
    return rc;
}

static int begin (job_actor_t *self, error_t *err)
{
    backup_options_t options = { .xml = value_str (job_arg (self, "xml")),
                                 .checkpoint = value_str (job_arg (self, "checkpoint_xml")),
                                 .reuse = value_bool (job_arg (self, "reuse_external"), false),
                                 .now_s = actor_wall_clock (self->actor) / 1000000 };
    value_u64 (job_arg (self, "bandwidth"), &options.bandwidth);
    self->parts = PART_BACKUP | PART_CHECKPOINTS;
    return self->driver->backup_begin (&self->base, &options, err);
}

int job_run_backup (job_actor_t *self, error_t *err)
{
    if (!self->driver->backup_begin)
        return job_unsupported (self, "back up", err);
    return self->base.guest->backup ? follow (self, err) : begin (self, err);
}
