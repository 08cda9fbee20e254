//  zmq_gateway_parts.h: what the files of the native gateway share. All of it is the gateway's own
//  state, touched by its thread only.

#ifndef TROUPE_ZMQ_GATEWAY_PARTS_H
#define TROUPE_ZMQ_GATEWAY_PARTS_H

#include "actors/config.h"
#include "actors/gateway/history.h"
#include "actors/gateway/owners.h"
#include "actors/gateway/queries.h"
#include "actors/gateway/sessions.h"
#include "actors/runtime/table.h"
#include "actors/gateway/zmq_gateway.h"
#include "msg/envelope.h"
#include "actors/gateway/door.h"

enum {
    SOCKET_WRITE, //  troupe.sock
    SOCKET_READ,  //  troupe-ro.sock
    SOCKET_TCP,   //  other hosts'; only if we are told to listen
    SOCKETS
};

enum {
    MAX_OPEN_SESSION = 1000, //  requests without an answer
    MAX_OPEN = 10000
};

typedef struct {
    void *socket;
    listener_t *listener;
} door_t;

//  An open console. The session holds it.
typedef struct open_console {
    uint64_t number;
    session_t *session;
    char address[MSG_ADDRESS_MAX], device[64];
    bool open;      //  its client knows the number
    zlistx_t *held; //  msg_t: output that came before
    struct open_console *next;
} open_console_t;

//  A client's request that somebody else answers.
typedef struct open_request {
    struct open_request *next, *previous;
    uint64_t session, id;
    const verb_t *verb;
    char *domain; //  or network, as the client named it; NULL: none
    int64_t deadline;
    uint64_t stream; //  of a console that is being opened
    bool force;
} open_request_t;

typedef struct {
    const config_t *config;
    door_t doors[SOCKETS];
    view_t view;
    sessions_t *sessions;
    zhashx_t *revoked; //  User-Ids of keys that may not do anything any more
    history_t *history;
    char epoch[17];    //  of the history's numbers
    zlistx_t *gathers; //  of gather.h: calls under way
    zlistx_t *askers;  //  of zmq_gateway_stats.c: whose they are
    zhashx_t *streams; //  open_console_t by number
    uint64_t last_stream;
    pack_t frame; //  what is being written to a client
    open_request_t *requests;
    int open_requests;
    int tracing;    //  sessions that follow the trace
    uint64_t trace; //  our subscription to it, while there is one
    uint64_t sweep_timer, flush_timer;
    int64_t heard_ms; //  when a client last sent something
} gateway_t;

//  zmq_gateway_send.c

//  Sends the gateway's FRAME to SESSION, or puts it into its outbox. If HELD_P is not NULL and the
//  frame has to wait, *HELD_P (a stream's message) is taken over and acknowledged when it left.
void gateway_post (actor_t *self, session_t *session, msg_t **held_p);
//  The same with other bytes, for what goes to several sessions: posting may use FRAME.
void gateway_post_copy (actor_t *self, session_t *session, const char *bytes, size_t size);
void gateway_drop (actor_t *self, session_t **session_p);
//  Starts the timer that pings, drops and forgets, when there is a first session.
void gateway_sweep_soon (actor_t *self);

//  zmq_gateway_calls.c

//  Handles one frame of a client, which gets one answer.
void gateway_call (actor_t *self, session_t *session, const void *bytes, size_t size);
void gateway_error (actor_t *self, session_t *session, bool has_id, uint64_t id,
                    const error_t *err);
//  NULL and ERR_RESOURCE_BUSY if too many are open.
open_request_t *gateway_open_request (actor_t *self, session_t *session, const call_t *call,
                                      const verb_t *verb, error_t *err);
//  Sends *MSG_P for REQUEST. ON_REPLY gets REQUEST as its ARG, and forwards or finishes it.
void gateway_forward (actor_t *self, open_request_t *request, const char *to, msg_t **msg_p,
                      actor_reply_fn *on_reply);
//  The session that waits for REQUEST's answer; NULL if it is gone.
session_t *gateway_waiting (actor_t *self, const open_request_t *request);
//  The same, and REQUEST is destroyed: it has been answered, or is answered next.
session_t *gateway_finish (actor_t *self, open_request_t **request_p);
//  At the end: nobody will answer any more.
void gateway_forget_requests (actor_t *self);
//  The ordinary ON_REPLY: passes reply or error on to the client.
void gateway_on_answer (actor_t *self, const msg_t *reply, void *arg);

//  zmq_gateway_events.c

//  Sends one event of a domain or network to all that want it, and keeps it for those who were not
//  there (a view_event_fn).
void gateway_emit (actor_t *self, const view_event_t *event);
//  Sends SESSION the events after number SINCE that INTEREST is about.
void gateway_replay (actor_t *self, session_t *session, const interest_t *interest, uint64_t since);
//  Does SESSION follow the trace from now on?
void gateway_trace (actor_t *self, session_t *session, bool enable);

//  zmq_gateway_stats.c

int gateway_stats (actor_t *self, session_t *session, const call_t *call, error_t *err);
void gateway_open_stats (actor_t *self);
//  At the end: nobody will answer any more.
void gateway_forget_stats (actor_t *self);

//  zmq_gateway_consoles.c

void gateway_on_console (actor_t *self, const msg_t *reply, void *arg); //  of console.open
int gateway_console_write (actor_t *self, session_t *session, const call_t *call, error_t *err);
int gateway_console_close (actor_t *self, session_t *session, const call_t *call, error_t *err);
void gateway_console_data (actor_t *self, msg_t **msg_p);
void gateway_console_end (actor_t *self, const msg_t *msg);
//  All of SESSION's: detached, and if TELL the client gets the REASON.
void gateway_close_streams (actor_t *self, session_t *session, const char *tell);

#endif
