//  sessions.h: who is connected to the native API: identity, role, what each wants to be told.
//  Pure: no sockets, no messages.

#ifndef TROUPE_SESSIONS_H
#define TROUPE_SESSIONS_H

#include "actors/gateway/outbox.h"
#include "actors/gateway/zap.h"
#include "msg/verbs.h"
#include "util/text.h"
#include "util/uuid.h"

#define SESSIONS_MAX 10000
#define SESSION_MAX_INTERESTS 64
#define SESSION_MAX_STREAMS 64

//  Which events a session wants: one event.subscribe.
typedef struct interest {
    struct interest *next;
    char uuid[UUID_TEXT_SIZE]; //  "": of all domains
    strings_t *verbs;          //  NULL: all
} interest_t;

//  One connection. The gateway changes the fields; those of the first block stay as they are.
typedef struct session {
    uint64_t key;    //  which connection: of which socket, and ZeroMQ's number for it
    uint64_t number; //  never used again
    char user_id[USER_ID_SIZE];
    peer_t peer;
    access_t role;

    interest_t *interests;
    int interest_count;
    bool tracing;
    struct open_console *streams; //  open consoles: zmq_gateway_parts.h
    int stream_count;
    int open_requests;
    int64_t heard_ms; //  when it last sent something
    outbox_t outbox;
    int64_t moved_ms; //  when the outbox last was empty, or a frame left it
    bool overrun;     //  it was told that it reads too slowly, and has not read that yet
    bool dead;        //  to be dropped as soon as nobody holds a pointer to it
    struct session *next, *previous;
} session_t;

typedef struct sessions sessions_t;

sessions_t *sessions_new (void);
//  All sessions have to be removed before.
void sessions_destroy (sessions_t **self_p);

//  A new session; NULL if there are SESSIONS_MAX.
session_t *sessions_add (sessions_t *self, uint64_t key, const char *user_id, const peer_t *peer,
                         access_t role);
void sessions_remove (sessions_t *self, session_t **session_p);
session_t *sessions_find (const sessions_t *self, uint64_t key);
session_t *sessions_by_number (const sessions_t *self, uint64_t number);
//  In the order in which they came: ->next.
session_t *sessions_first (const sessions_t *self);
size_t sessions_count (const sessions_t *self);

//  From now on the events NAMES (an array of strings; NULL: all) of domain UUID ("": all).
//  The session owns the result; NULL if it has too many, or a name is no event's.
const interest_t *session_subscribe (session_t *self, const char *uuid, const value_t *names,
                                     error_t *err);
bool interest_has (const interest_t *self, const char *uuid, const char *verb);
void session_unsubscribe (session_t *self);
bool session_wants (const session_t *self, const char *uuid, const char *verb);
//  Does it get anything unasked? Then we want to know when it is gone.
bool session_listens (const session_t *self);

#endif
