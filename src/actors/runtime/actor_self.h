//  actor_self.h: an actor from inside, for the files of the runtime:
//
//      actor.c          what an actor says: messages, publications, watches
//      actor_wait.c     what it waits for: mailbox, timers, descriptors
//      actor_thread.c   its life: thread, handling, end

#ifndef TROUPE_ACTOR_SELF_H
#define TROUPE_ACTOR_SELF_H

#include "actors/runtime/actor_thread.h"
#include "actors/runtime/table.h"
#include "actors/runtime/timers.h"

#include <pthread.h>

//  What an answer, event or end of another actor leads to.
typedef struct {
    uint64_t id;
    bool lasting; //  a subscription
    actor_reply_fn *on_reply;
    actor_event_fn *on_event;
    actor_down_fn *on_down;
    void *arg;
} pending_t;

typedef struct {
    timer_node_t node; //  first: the heap's nodes are our timers
    uint64_t id;
    actor_timer_fn *on_time;
    void *arg;
} alarm_t;

typedef struct {
    void *socket;
    int fd;
    short events;
    actor_fd_fn *on_ready;
    void *arg;
} watched_t;

struct actor {
    const actor_class_t *class;
    char address[MSG_ADDRESS_MAX];
    uint64_t incarnation;
    void *context, *socket, *state;
    pthread_t thread;
    bool launched;
    uint64_t last_id;
    zhashx_t *pending; //  pending_t by id
    timers_t timers;   //  of alarm_t
    zhashx_t *timers_by_id;
    watched_t *watched;
    zmq_pollitem_t *items; //  the mailbox and the watched, as zmq_poll wants them
    size_t watched_count, watched_room;
    int64_t now;
    uint64_t handled, reported;
    uint32_t longest_us;
    unsigned since_poll;
    int64_t logging_ms; //  when the present second of logging began
    unsigned logged;    //  lines since then
    uint64_t unlogged;  //  lines that were too many
    bool stopping, dozing, asleep;
    bool held;     //  the stream's message that is being handled is acknowledged later
    msg_t *result; //  of start
    error_t end;   //  why it ends, when it fails or panics
    end_reason_t reason;
};

//  actor.c
//  To the switchboard; every frame tells it how far we are.
void actor_post (actor_t *self, msg_kind_t kind, const char *to, uint64_t id, msg_t **msg_p);
void actor_set_address (char *field, const char *address);
//  A reply or error to the request with this header; what was only sent wants none.
void actor_answer (actor_t *self, const msg_header_t *request, msg_t **reply_p);
void actor_report (actor_t *self);

//  actor_wait.c
//  The next message, or NULL when UNTIL passed or something else was run first.
msg_t *mailbox_recv (actor_t *self, int64_t until);

#endif
