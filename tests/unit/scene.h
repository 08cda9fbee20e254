//  scene.h: for tests of actors: runs a function as the root actor of a fresh switchboard, with
//  calls that wait, so that a test reads from top to bottom.

#ifndef TROUPE_SCENE_H
#define TROUPE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "actors/runtime/switchboard.h"

//  cmocka's own assertions know only the thread that runs the test: a scene uses these, which end
//  the process with a line that says what and where.
void scene_fail (const char *file, int line, const char *what, int64_t got, int64_t want)
    __attribute__ ((noreturn));
#define check(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            scene_fail (__FILE__, __LINE__, #condition, 0, 1);                                     \
    } while (0)
#define check_equal(got, want)                                                                     \
    do {                                                                                           \
        int64_t got_ = (int64_t) (got), want_ = (int64_t) (want);                                  \
        if (got_ != want_)                                                                         \
            scene_fail (__FILE__, __LINE__, #got, got_, want_);                                    \
    } while (0)
#define check_text(got, want) check (strcmp (got, want) == 0)

enum {
    PATIENCE_MS = 30000 //  for what has to come, however busy the machine is
};

typedef void (scene_fn) (actor_t *self);

//  Runs SCENE as the actor "root"; returns when it and all that it spawned have ended.
void scene_run (scene_fn *scene);
void scene_run_limited (scene_fn *scene, int max_actors);
//  A test that runs scene_NAME.
#define SCENE_TEST(name)                                                                           \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        (void) state;                                                                              \
        scene_run (scene_##name);                                                                  \
    }

//  Waits for the answer to a request, which it takes over; the caller destroys the answer.
msg_t *scene_call (actor_t *self, const char *to, msg_t **request_p, int deadline_ms);
//  The same with no arguments.
msg_t *scene_ask (actor_t *self, const char *to, const char *verb, int deadline_ms);
//  Spawns and waits until it started (or failed): 0, or the error's code.
int scene_spawn (actor_t *self, const char *address, const actor_class_t *class, bool supervised);
//  For answers that are awaited later: scene_keep is the on_reply of any number of requests;
//  scene_await returns the last of them (the caller destroys it) when COUNT have come since
//  scene_reset.
void scene_reset (void);
void scene_keep (actor_t *self, const msg_t *reply, void *arg);
int scene_count (void);
msg_t *scene_await (actor_t *self, int count);
//  Waits for the end of an actor, which may be over.
void scene_await_end (actor_t *self, const char *address);
//  Stops an actor and waits for its end.
void scene_end_actor (actor_t *self, const char *address);
//  Lets the runtime go on for MS.
void scene_pass (actor_t *self, int ms);
//  Until CONDITION, of something that other threads do.
#define scene_until(self, condition)                                                               \
    do {                                                                                           \
        for (int wait_ = 0; wait_ < PATIENCE_MS / 10 && !(condition); wait_++)                     \
            scene_pass (self, 10);                                                                 \
        check (condition);                                                                         \
    } while (0)
//  The code of an answer: 0 for a reply.
int scene_code (const msg_t *answer);

#endif
