//  peer.c: see peer.h.

#include "actors/services/peer.h"

#include "client/message.h"
#include "client/wire.h"
#include "util/text.h"

#include <czmq.h>
#include <poll.h>

typedef struct {
    uint64_t id;
    msg_t *request;
} question_t;

typedef struct {
    wire_t *wire;
    zlistx_t *questions; //  question_t: sent, and not answered yet
    uint64_t last_id;
} peer_t;

static void question_destroy (question_t **self_p)
{
    question_t *self = take (self_p);
    msg_destroy (&self->request);
    free (self);
}

static void answer (actor_t *actor, question_t *question, const troupe_message_t *message)
{
    if (message->kind == TROUPE_FAILURE) {
        actor_reply_error (actor, &question->request, &message->error);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    if (message->value)
        pack_value (msg_result (reply), message->value);
    actor_reply (actor, &question->request, &reply);
}

static void lose (actor_t *actor, const error_t *why)
{
    peer_t *self = actor_state (actor);
    question_t *question;
    wire_drop (self->wire);
    while ((question = zlistx_detach (self->questions, NULL))) {
        actor_reply_error (actor, &question->request, why);
        question_destroy (&question);
    }
}

static question_t *take_question (peer_t *self, uint64_t id)
{
    for (question_t *each = zlistx_first (self->questions); each;
         each = zlistx_next (self->questions))
        if (each->id == id)
            return zlistx_detach (self->questions, zlistx_cursor (self->questions));
    return NULL;
}

static void take_message (actor_t *actor, const troupe_message_t *message)
{
    peer_t *self = actor_state (actor);
    bool is_answer = message->kind == TROUPE_REPLY || message->kind == TROUPE_FAILURE;
    question_t *question = is_answer ? take_question (self, message->id) : NULL;
    if (!question)
        return;
    answer (actor, question, message);
    question_destroy (&question);
}

//  False if there was nothing to read.
static bool read_frame (actor_t *actor)
{
    peer_t *self = actor_state (actor);
    zmq_msg_t frame;
    if (!wire_recv (self->wire, &frame))
        return false;
    error_t err = { 0 };
    auto(troupe_message_t) message =
        message_parse (zmq_msg_data (&frame), zmq_msg_size (&frame), &err);
    zmq_msg_close (&frame);
    if (message)
        take_message (actor, message);
    else if (err.code != ERR_OK)
        lose (actor, &err);
    return true;
}

static void on_ready (actor_t *actor, int fd, short events, void *arg)
{
    (void) fd;
    (void) events;
    (void) arg;
    peer_t *self = actor_state (actor);
    error_t err;
    while (read_frame (actor))
        continue;
    if (wire_check (self->wire, &err))
        lose (actor, &err);
}

static char *pack_call (uint64_t id, const msg_t *msg, size_t *size)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", id);
    pack_key_str (&pack, "kind", "request");
    pack_key_str (&pack, "verb", msg_str (msg, "verb"));
    pack_key_u64 (&pack, "deadline", msg_u64 (msg, "deadline_ms", 0));
    pack_key (&pack, "args");
    pack_value (&pack, msg_arg (msg, "args"));
    pack_end (&pack);
    return pack_take (&pack, size);
}

static void call (actor_t *actor, msg_t **msg_p)
{
    peer_t *self = actor_state (actor);
    error_t err;
    size_t size;
    question_t *question = memory_new (1, sizeof *question);
    question->id = ++self->last_id;
    char *bytes = pack_call (question->id, *msg_p, &size);
    question->request = take (msg_p);
    zlistx_add_end (self->questions, question);
    if (wire_state (self->wire) == WIRE_DOWN && wire_connect (self->wire, &err)) {
        free (bytes);
        lose (actor, &err);
    } else if (wire_send (self->wire, bytes, size, &err))
        lose (actor, &err);
    //  What came while it was sent makes no descriptor ready.
    on_ready (actor, 0, 0, NULL);
}

static void peer_handle (actor_t *actor, msg_t **msg_p)
{
    if (msg_is (*msg_p, "peer.call"))
        call (actor, msg_p);
}

static void owner_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    (void) down;
    (void) arg;
    actor_end (actor);
}

static int peer_start (actor_t *actor, const msg_t *args, error_t *err)
{
    peer_t *self = actor_state (actor);
    self->questions = zlistx_new ();
    self->wire = wire_new (msg_str (args, "endpoint"), msg_str (args, "keys"), err);
    if (!self->wire || wire_connect (self->wire, err))
        return -1;
    actor_watch (actor, msg_str (args, "owner"), owner_down, NULL);
    actor_watch_fd (actor, wire_fd (self->wire), POLLIN, on_ready, NULL);
    return 0;
}

static void peer_stop (actor_t *actor)
{
    peer_t *self = actor_state (actor);
    question_t *question;
    while (self->questions && (question = zlistx_detach (self->questions, NULL)))
        question_destroy (&question);
    zlistx_destroy (&self->questions);
    if (self->wire)
        actor_unwatch_fd (actor, wire_fd (self->wire));
    wire_destroy (&self->wire);
}

const actor_class_t peer_class = { .kind = "peer",
                                   .state_size = sizeof (peer_t),
                                   .start = peer_start,
                                   .handle = peer_handle,
                                   .stop = peer_stop };
