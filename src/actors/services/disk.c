//  disk.c: durable writes for everybody. What waits in the mailbox is collected into a group, which
//  is run when a timer without delay fires: when the mailbox is empty, or now and then if it never
//  is.

#include "actors/services/disk.h"

#include "actors/config.h"
#include "actors/services/disk_group.h"

typedef struct {
    const char *run_folder;
    disk_group_t *group;             //  NULL: nothing was asked for
    msg_t *requests[DISK_GROUP_MAX]; //  by the number of their order
    uint64_t timer;
} disk_t;

static void disk_flush (actor_t *self)
{
    disk_t *disk = actor_state (self);
    auto(disk_group_t) group = take (&disk->group);
    actor_timer_cancel (self, &disk->timer);
    if (!group)
        return;
    disk_group_run (group);
    for (size_t i = 0; i < disk_group_orders (group); i++) {
        error_t err;
        if (disk_group_result (group, i, &err))
            actor_reply_error (self, &disk->requests[i], &err);
        else {
            auto(msg_t) done = msg_reply ();
            actor_reply (self, &disk->requests[i], &done);
        }
    }
}

static void disk_on_time (actor_t *self, void *arg)
{
    (void) arg;
    disk_flush (self);
}

static void disk_write (actor_t *self, msg_t **msg_p)
{
    disk_t *disk = actor_state (self);
    const value_t *files = msg_arg (*msg_p, "files");
    error_t err;
    if (disk_group_check (files, &err)) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    if (disk->group && !disk_group_fits (disk->group, files))
        disk_flush (self);
    if (!disk->group) {
        disk->group = disk_group_new (disk->run_folder);
        disk->timer = actor_timer (self, 0, disk_on_time, NULL);
    }
    const size_t order = disk_group_add (disk->group, files);
    disk->requests[order] = take (msg_p);
}

static void disk_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "disk.write"))
        disk_write (self, msg_p);
}

static int disk_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) err;
    disk_t *disk = actor_state (self);
    const config_t *config = config_of (args);
    disk->run_folder = config ? config->paths->run : NULL;
    return 0;
}

//  What was asked for before the end is still done.
static void disk_stop (actor_t *self)
{
    disk_flush (self);
}

const actor_class_t disk_class = { .kind = "disk",
                                   .state_size = sizeof (disk_t),
                                   .max_requests = 4096,
                                   .stop_rank = 2,
                                   .start = disk_start,
                                   .handle = disk_handle,
                                   .stop = disk_stop };
