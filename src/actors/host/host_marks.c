//  host_marks.c: now and then, a look for marks of migrations that nobody asks for any more.

#include "actors/host/host_self.h"
#include "actors/jobs/job.h"

enum {
    FIRST_LOOK_MS = 10000,
    LOOK_MS = 600000,
    LONGEST_LOOK_MS = 86400000, //  a sender that can't be asked may be so for long
    LIMIT_MS = 1800000
};

static void look (actor_t *actor, void *arg);

static void on_look_done (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    host_t *self = actor_state (actor);
    error_t err;
    if (!msg_failed (reply, &err))
        self->marks_ms = LOOK_MS;
    else {
        actor_log (actor, LEVEL_WARNING, "%s", err.message);
        self->marks_ms =
            self->marks_ms < LONGEST_LOOK_MS / 2 ? self->marks_ms * 2 : LONGEST_LOOK_MS;
    }
    actor_timer (actor, self->marks_ms, look, NULL);
}

static void look (actor_t *actor, void *arg)
{
    (void) arg;
    host_t *self = actor_state (actor);
    char address[MSG_ADDRESS_MAX];
    auto(msg_t) args = msg_request ("run");
    config_pack (self->config, msg_args (args));
    pack_key_str (msg_args (args), "kind", "migrate_look");
    pack_key_str (msg_args (args), "owner", actor_address (actor));
    snprintf (address, sizeof address, "job/%llu", (unsigned long long) ++self->job_count);
    actor_spawn (actor, address, &job_class, &args, false, LIMIT_MS, on_look_done, NULL);
}

void host_watch_marks (host_t *self)
{
    self->marks_ms = LOOK_MS;
    actor_timer (self->actor, FIRST_LOOK_MS, look, NULL);
}
