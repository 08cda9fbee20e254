//  msg.h: one message between actors: a fixed routing header, which is all that the switchboard
//  reads, and one msgpack map. A message has one holder; sending it gives it up and leaves NULL.
//
//      msg_t *request = msg_request ("domain.start");
//      pack_key_bool (msg_args (request), "paused", true);
//      actor_request (self, "domain/...", &request, 5000, on_started, NULL);
//
//  The map: a request or event is {verb, args, by}, a reply {result}, an error {error}.

#ifndef TROUPE_MSG_H
#define TROUPE_MSG_H

#include "msg/pack.h"
#include "msg/value.h"

#define MSG_ADDRESS_MAX 96 //  with the NUL: "monitor/UUID" and longer

typedef enum {
    //  Between actors.
    MSG_REQUEST = 1, //  wants exactly one reply or error
    MSG_REPLY,
    MSG_ERROR,
    MSG_SEND,   //  wants none
    MSG_EVENT,  //  a publication; `to` is its topic
    MSG_STREAM, //  a request that the receiver's runtime acknowledges
    MSG_DOWN,   //  the end of a watched actor
    //  Between an actor and the switchboard only.
    MSG_HELLO,
    MSG_BYE,  //  the last frame of an actor
    MSG_DOZE, //  may I sleep?
    MSG_START,
    MSG_STOP,
    MSG_SPAWN,
    MSG_WATCH,
    MSG_SUBSCRIBE,
    MSG_UNSUBSCRIBE,
    MSG_ADMIT,
    MSG_FORWARD,
    MSG_REPORT
} msg_kind_t;

//  MSG_EVENT: kept for those who subscribe later; the last one of its topic; passed on only.
typedef enum {
    MSG_RETAIN,
    MSG_FORGET,
    MSG_PASS
} msg_retain_t;

enum {
    MSG_URGENT = 1,      //  may use the reserve when an address is busy: abort, destroy
    MSG_NESTED = 2,      //  of a job, which asks one thing at a time: never refused as busy
    MSG_IF_ADMITTED = 4, //  MSG_SPAWN: only if the request that was admitted just before is open
    MSG_LATE = 8,        //  MSG_ERROR: it was not
    MSG_EXPIRED = 16,    //  MSG_ERROR: the deadline passed before there was an answer
    MSG_UNBEGUN = 32     //  with MSG_EXPIRED: nobody had admitted it either
};

typedef struct {
    uint8_t kind, flags;
    uint16_t reason;     //  MSG_BYE, MSG_DOWN, MSG_STOP: end_reason_t; MSG_EVENT: msg_retain_t;
                         //  MSG_SPAWN: 1 if supervised
    uint32_t longest_us; //  the sender's longest handling of one message so far
    uint64_t handled;    //  frames that the sender has handled so far
    uint64_t id;         //  of the request, unique for its requester
    uint64_t peer;       //  incarnation: of the requester
    int64_t deadline;    //  ms, monotonic, absolute; 0 where none applies
    const void *data;    //  MSG_SPAWN: the actor's class (constant, in this process)
    char to[MSG_ADDRESS_MAX], from[MSG_ADDRESS_MAX];
} msg_header_t;

typedef struct msg msg_t;

//  Making. The caller owns the result.
msg_t *msg_new (msg_kind_t kind);      //  control: an empty body
msg_t *msg_request (const char *verb); //  also for MSG_SEND and MSG_STREAM; see the senders
msg_t *msg_event (const char *verb);
msg_t *msg_reply (void);
msg_t *msg_error (const error_t *err);
msg_t *msg_copy (const msg_t *self);
void msg_destroy (msg_t **self_p);
DEFINE_AUTO (msg_t, msg_destroy)

//  Who asks (`by`): one packed value, copied; before msg_args.
void msg_set_by (msg_t *self, const void *bytes, size_t size);
//  The arguments, an open map; and a reply's result, of which exactly one value is written.
pack_t *msg_args (msg_t *self);
pack_t *msg_result (msg_t *self);

//  Reading a received message (one that is being made has no content to read yet).
msg_header_t *msg_header (msg_t *self);
const msg_header_t *msg_head (const msg_t *self);
msg_kind_t msg_kind (const msg_t *self);
const char *msg_verb (const msg_t *self); //  "" if it has none
bool msg_is (const msg_t *self, const char *verb);
const value_t *msg_root (const msg_t *self);
const value_t *msg_arg (const msg_t *self, const char *name);
const char *msg_str (const msg_t *self, const char *name); //  NULL if absent
uint64_t msg_u64 (const msg_t *self, const char *name, uint64_t otherwise);
int64_t msg_i64 (const msg_t *self, const char *name, int64_t otherwise);
bool msg_flag (const msg_t *self, const char *name);
const value_t *msg_value (const msg_t *self); //  a reply's result
size_t msg_size (const msg_t *self);          //  bytes, header included
//  True and ERR filled if it carries an error (MSG_ERROR; MSG_DOWN and MSG_BYE: why the actor
//  ended).
bool msg_failed (const msg_t *self, error_t *err);

//  Sends to the peer with routing id TO_PEER (0: the socket has one peer). Never blocks; 0 or -1
//  with errno; the message is given up in both cases.
int msg_send (void *socket, uint64_t to_peer, msg_t **self_p);
//  The next message waiting, or NULL. *FROM_PEER (may be NULL) is its routing id on a ROUTER.
msg_t *msg_recv (void *socket, uint64_t *from_peer);

//  The request that was to be admitted is not open any more.
bool msg_is_late (const msg_t *self);
//  It is the switchboard's word that a deadline passed; and nobody had admitted the request.
bool msg_is_expired (const msg_t *self);
bool msg_is_unbegun (const msg_t *self);

void error_pack (const error_t *err, pack_t *pack); //  {code, domain, message, retry, name}
void error_unpack (const value_t *value, error_t *err);

#endif
