//  actor.h: the runtime that every actor stands on.
//
//  An actor is a thread, a mailbox and a handler. It owns its state; all it knows of the world
//  comes through this header: messages, time, random numbers, descriptors that became ready. A
//  handler takes one message, changes its state, sends messages and returns. It never waits; what
//  has to wait is a job (job.h), an actor whose start function runs straight-line and calls
//  actor_step.
//
//  Every request gets exactly one answer: the reply, an error, or an error from the switchboard
//  when the owner died or the deadline passed. Late and second replies are dropped there.

#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include "msg/msg.h"

typedef struct actor actor_t;

typedef struct {
    const char *kind;  //  "domain": the first part of its addresses
    size_t state_size; //  of actor_state (), zeroed at start
    int max_requests;  //  open at one address; 0: ACTOR_MAX_REQUESTS
    int stop_rank;     //  at shut-down those with a lower rank end first
    size_t stack_size; //  0: ACTOR_STACK_SIZE
    //  ARGS is the start message. -1 and ERR: it ends, and who spawned it gets the error.
    int (*start) (actor_t *self, const msg_t *args, error_t *err);
    //  Requests and sends. It may take *MSG (leave NULL), to reply later.
    void (*handle) (actor_t *self, msg_t **msg);
    //  Release the state; no messages to others may be expected to be answered any more.
    void (*stop) (actor_t *self);
} actor_class_t;

#define ACTOR_MAX_REQUESTS 64
#define ACTOR_URGENT_RESERVE 8
#define ACTOR_MAX_PARKED 128
#define ACTOR_STACK_SIZE (256 * 1024)

typedef enum {
    END_NORMAL,
    END_FAILED,
    END_PANIC,
    END_SLEEP
} end_reason_t;

//  Called in the actor that asked, exactly once: MSG_REPLY or MSG_ERROR.
typedef void (actor_reply_fn) (actor_t *self, const msg_t *reply, void *arg);
typedef void (actor_timer_fn) (actor_t *self, void *arg);
typedef void (actor_fd_fn) (actor_t *self, int fd, short events, void *arg);
//  An actor at ADDRESS ended; DOWN says why (msg_failed).
typedef void (actor_down_fn) (actor_t *self, const char *address, const msg_t *down, void *arg);
//  A publication, or a snapshot that was retained when we subscribed.
typedef void (actor_event_fn) (actor_t *self, const char *topic, const msg_t *event, void *arg);

const char *actor_address (const actor_t *self);
void *actor_state (actor_t *self);

//  Time. Both are stamps of the message being handled.
int64_t actor_now (const actor_t *self);        //  ms, monotonic
int64_t actor_wall_clock (const actor_t *self); //  us since 1970
void actor_random (actor_t *self, void *bytes, size_t size);

//  Messages. Each gives *MSG_P up. TO is an address.
void actor_send (actor_t *self, const char *to, msg_t **msg_p);
void actor_request (actor_t *self, const char *to, msg_t **msg_p, int deadline_ms,
                    actor_reply_fn *on_reply, void *arg);
//  Answers REQUEST, which was taken in the handler, and destroys it.
void actor_reply (actor_t *self, msg_t **request_p, msg_t **reply_p);
void actor_reply_error (actor_t *self, msg_t **request_p, const error_t *err);
//  The request was admitted: from now on its answer is due in LIMIT_MS, whatever its deadline was.
void actor_admit (actor_t *self, const msg_t *request, int limit_ms);
//  Passes a request on: who is at TO answers it. MSG, if not NULL, is the request in new words.
void actor_forward (actor_t *self, msg_t **request_p, const char *to, msg_t **msg_p);

//  Publishes EVENT under TOPIC. The newest is retained for those who subscribe later, until
//  actor_publish_last. actor_publish_once retains nothing.
void actor_publish (actor_t *self, const char *topic, msg_t **event_p);
void actor_publish_last (actor_t *self, const char *topic, msg_t **event_p);
void actor_publish_once (actor_t *self, const char *topic, msg_t **event_p);
//  All topics that begin with PREFIX; first what is retained, in the order of the topics.
//  The result names the subscription.
uint64_t actor_subscribe (actor_t *self, const char *prefix, actor_event_fn *on_event, void *arg);
//  Ends a subscription: ON_EVENT is not called any more. *ID_P may be 0.
void actor_unsubscribe (actor_t *self, uint64_t *id_p);

//  One-way streams: the receiver's runtime acknowledges each message when its handler returned; the
//  source lets only so many be on their way.
void actor_stream (actor_t *self, const char *to, msg_t **msg_p, int deadline_ms,
                   actor_reply_fn *on_ack, void *arg);
//  In the handler of a stream's message: takes it over, so that it is acknowledged only by a later
//  actor_reply. So the pressure of a slow reader behind us reaches the source.
msg_t *actor_hold (actor_t *self, msg_t **msg_p);
//  Acknowledges what was held, and destroys it; *MSG_P may be NULL.
void actor_acknowledge (actor_t *self, msg_t **msg_p);

//  Other actors. ARGS is a request of any verb, whose args the new actor's start sees. ON_REPLY: a
//  reply once start has returned 0 (what it left with actor_set_result, or nil), or its error, or
//  when LIMIT_MS passed. So the reply to the spawn of a job is the job's result.
//  A supervised actor that panics leaves its address behind: what is sent there is parked until it
//  is spawned again or released by actor_stop.
void actor_spawn (actor_t *self, const char *address, const actor_class_t *class, msg_t **args_p,
                  bool supervised, int limit_ms, actor_reply_fn *on_reply, void *arg);
//  The same for REQUEST (may be NULL), which is admitted by that: its answer is due once the new
//  actor had its time, whatever its deadline was. If nobody waits for the answer any more, because
//  that deadline has passed or the requester ended, no actor is started, and ON_REPLY gets an error
//  that msg_is_late.
void actor_spawn_for (actor_t *self, const msg_t *request, const char *address,
                      const actor_class_t *class, msg_t **args_p, int limit_ms,
                      actor_reply_fn *on_reply, void *arg);
void actor_set_result (actor_t *self, msg_t **reply_p);
//  Asks the actor at ADDRESS to end: after the messages before this one; a job is cancelled.
void actor_stop (actor_t *self, const char *address);
void actor_watch (actor_t *self, const char *address, actor_down_fn *on_down, void *arg);

//  Timers and descriptors. The id of a timer is > 0.
uint64_t actor_timer (actor_t *self, int ms, actor_timer_fn *on_time, void *arg);
void actor_timer_cancel (actor_t *self, uint64_t *id_p);
void actor_watch_fd (actor_t *self, int fd, short events, actor_fd_fn *on_ready, void *arg);
//  A ZeroMQ socket (level-triggered: called again while there is something to read).
void actor_watch_socket (actor_t *self, void *socket, actor_fd_fn *on_ready, void *arg);
void actor_unwatch_fd (actor_t *self, int fd);
void *actor_context (const actor_t *self); //  for sockets to the outside
//  For a gateway, between reading a question and answering it: handles what is in the mailbox, so
//  that the answer knows of all that was published before the question was asked.
void actor_catch_up (actor_t *self);

//  The end of this actor, after the present message.
void actor_end (actor_t *self);
//  Asks for sleep: the actor ends if nothing is on its way to it; the next message to its address
//  starts it again, with ARGS.
void actor_sleep (actor_t *self, msg_t **args_p);
//  Ends this thread only, now; everybody who waits for it gets an error.
void actor_panic (actor_t *self, const char *format, ...)
    __attribute__ ((noreturn, format (printf, 2, 3)));
#define actor_check(self, condition)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            actor_panic (self, "%s:%d: check failed: %s", __FILE__, __LINE__, #condition);         \
    } while (0)

typedef enum {
    LEVEL_ERROR,
    LEVEL_WARNING,
    LEVEL_INFO,
    LEVEL_DEBUG
} log_level_t;
//  One line to the log actor.
void actor_log (actor_t *self, log_level_t level, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  Jobs only: waits until one message, timer or descriptor was handled, or until UNTIL (ms,
//  monotonic). True unless the actor was asked to stop.
bool actor_step (actor_t *self, int64_t until);
bool actor_stopping (const actor_t *self);

#endif
