//  domain_reload.c: an owner that was started again after a panic waits for what the one before had
//  begun: its jobs, which unwind since it ended, and its writes. Only then do the files say how
//  things are, and only then may anything else touch the guest.

#include "actors/services/disk_request.h"
#include "actors/domain/domain_files.h"
#include "actors/domain/domain_self.h"
#include "actors/jobs/left_behind.h"
#include "actors/runtime/switchboard.h"
#include "util/text.h"

enum {
    ASK_MS = 10000,
    DISK_MS = 60000
};

//  Disk actors do things in order: once this was answered, all that was sent before is done.
static void on_written (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) reply;
    (void) arg;
    domain_t *self = actor_state (actor);
    domain_run (self, &self->sync, &domain_loading, NULL);
}

static void wait_for_disk (domain_t *self)
{
    autofree char *status =
        domain_path (self->config->paths, self->driver, self->uuid, FILE_STATUS);
    autofree char *nothing = text_format ("%s.none", status);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, nothing, NULL);
    actor_request (self->actor, self->disk, &request, DISK_MS, on_written, NULL);
}

static void on_job_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    (void) down;
    (void) arg;
    domain_t *self = actor_state (actor);
    if (--self->left_behind == 0)
        wait_for_disk (self);
}

static void on_actors (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->left_behind = left_behind_watch (actor, self->uuid, reply, &self->job_count, on_job_down);
    if (self->left_behind == 0)
        wait_for_disk (self);
}

void domain_reload (domain_t *self)
{
    auto(msg_t) request = msg_request ("ps");
    actor_request (self->actor, SWITCHBOARD_ADDRESS, &request, ASK_MS, on_actors, NULL);
}
