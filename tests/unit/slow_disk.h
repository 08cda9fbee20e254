//  slow_disk.h: a disk that takes its time, for tests of what happens until something is on file:
//  it keeps all back until it is told.

#ifndef TROUPE_SLOW_DISK_H
#define TROUPE_SLOW_DISK_H

#include "actors/services/disk.h"
#include "scene.h"

#include <czmq.h>

typedef struct {
    zlistx_t *kept; //  msg_t
    bool passing;
} slow_t;

static inline int slow_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args, (void) err;
    slow_t *slow = actor_state (self);
    slow->kept = zlistx_new ();
    return 0;
}

static inline void pass_on (actor_t *self, msg_t **msg_p)
{
    slow_t *slow = actor_state (self);
    msg_t *each;
    slow->passing = true;
    while ((each = zlistx_detach (slow->kept, NULL)))
        actor_forward (self, &each, "disk/9", NULL);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static inline void slow_handle (actor_t *self, msg_t **msg_p)
{
    slow_t *slow = actor_state (self);
    if (msg_is (*msg_p, "test.pass"))
        pass_on (self, msg_p);
    else if (slow->passing)
        actor_forward (self, msg_p, "disk/9", NULL);
    else
        zlistx_add_end (slow->kept, take (msg_p));
}

static inline void slow_stop (actor_t *self)
{
    slow_t *slow = actor_state (self);
    zlistx_destroy (&slow->kept);
}

static const actor_class_t slow_disk_class = { .kind = "disk",
                                               .state_size = sizeof (slow_t),
                                               .start = slow_start,
                                               .handle = slow_handle,
                                               .stop = slow_stop };

//  Instead of the disks; one of them is there, behind it.
static inline void slow_disk_open (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &slow_disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &slow_disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/9", &disk_class, false), 0);
}

static inline void slow_disk_pass (actor_t *self)
{
    auto(msg_t) first = scene_ask (self, "disk/0", "test.pass", PATIENCE_MS);
    auto(msg_t) second = scene_ask (self, "disk/1", "test.pass", PATIENCE_MS);
}

#endif
