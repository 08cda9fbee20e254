//  msg.c: messages. The buffer in which a message is made starts with room for the header, and
//  becomes the frame itself: nothing is copied on the way from one actor to another.

#include "msg/msg.h"

#include "msg/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef enum {
    STAGE_HEAD,
    STAGE_ARGS,
    STAGE_RESULT,
    STAGE_SEALED
} stage_t;

struct msg {
    msg_header_t head;
    stage_t stage;
    pack_t body;     //  while it is being made; starts with room for the header
    zmq_msg_t frame; //  received
    document_t *document;
};

static msg_t *msg_alloc (void)
{
    msg_t *self = calloc (1, sizeof *self);
    assert (self);
    zmq_msg_init (&self->frame);
    return self;
}

msg_t *msg_new (msg_kind_t kind)
{
    static const msg_header_t room;
    msg_t *self = msg_alloc ();
    self->head.kind = (uint8_t) kind;
    pack_init (&self->body);
    pack_packed (&self->body, &room, sizeof room);
    pack_map (&self->body);
    return self;
}

msg_t *msg_request (const char *verb)
{
    msg_t *self = msg_new (MSG_REQUEST);
    pack_key_str (&self->body, "verb", verb);
    return self;
}

msg_t *msg_event (const char *verb)
{
    msg_t *self = msg_request (verb);
    self->head.kind = MSG_EVENT;
    return self;
}

msg_t *msg_reply (void)
{
    msg_t *self = msg_new (MSG_REPLY);
    pack_key (&self->body, "result");
    self->stage = STAGE_RESULT;
    return self;
}

msg_t *msg_error (const error_t *err)
{
    msg_t *self = msg_new (MSG_ERROR);
    pack_key (&self->body, "error");
    error_pack (err, &self->body);
    return self;
}

static void msg_seal (msg_t *self)
{
    if (self->stage == STAGE_SEALED)
        return;
    if (self->stage == STAGE_RESULT && self->body.open[0].count % 2)
        pack_nil (&self->body);
    while (self->body.depth > 0)
        pack_end (&self->body);
    self->stage = STAGE_SEALED;
}

//  Turns what was made into a frame.
static void msg_close (msg_t *self)
{
    if (self->body.bytes) {
        msg_seal (self);
        size_t size;
        char *bytes = pack_take (&self->body, &size);
        frame_init (&self->frame, bytes, size);
    }
    memcpy (zmq_msg_data (&self->frame), &self->head, sizeof self->head);
}

//  What is being made is made complete.
msg_t *msg_copy (const msg_t *self)
{
    if (self->body.bytes)
        msg_seal ((msg_t *) self);
    zmq_msg_t *frame = (zmq_msg_t *) &self->frame;
    const char *bytes = self->body.bytes ? self->body.bytes : zmq_msg_data (frame);
    size_t size = msg_size (self);
    msg_t *copy = msg_alloc ();
    copy->head = self->head;
    copy->stage = STAGE_SEALED;
    pack_init (&copy->body);
    pack_packed (&copy->body, bytes, size);
    return copy;
}

void msg_destroy (msg_t **self_p)
{
    msg_t *self = take (self_p);
    if (!self)
        return;
    pack_close (&self->body);
    zmq_msg_close (&self->frame);
    document_destroy (&self->document);
    free (self);
}

void msg_set_by (msg_t *self, const void *bytes, size_t size)
{
    assert (self->stage == STAGE_HEAD);
    pack_key (&self->body, "by");
    pack_packed (&self->body, bytes, size);
}

pack_t *msg_args (msg_t *self)
{
    if (self->stage == STAGE_HEAD) {
        pack_key_map (&self->body, "args");
        self->stage = STAGE_ARGS;
    }
    assert (self->stage == STAGE_ARGS);
    return &self->body;
}

pack_t *msg_result (msg_t *self)
{
    assert (self->stage == STAGE_RESULT);
    return &self->body;
}

msg_header_t *msg_header (msg_t *self)
{
    return &self->head;
}

const msg_header_t *msg_head (const msg_t *self)
{
    return &self->head;
}

size_t msg_size (const msg_t *self)
{
    return self->body.bytes ? self->body.size : zmq_msg_size ((zmq_msg_t *) &self->frame);
}

msg_kind_t msg_kind (const msg_t *self)
{
    return (msg_kind_t) self->head.kind;
}

//  Parses on first use. The daemon's own actors made these bytes: that they parse is asserted.
const value_t *msg_root (const msg_t *self)
{
    msg_t *cache = (msg_t *) self;
    if (!cache->document) {
        if (cache->body.bytes)
            msg_close (cache);
        const char *bytes = zmq_msg_data (&cache->frame);
        error_t err;
        cache->document = document_parse (bytes + sizeof self->head,
                                          zmq_msg_size (&cache->frame) - sizeof self->head,
                                          VALUE_MAX_BYTES_INSIDE, &err);
        assert (cache->document);
    }
    return document_root (cache->document);
}

const char *msg_verb (const msg_t *self)
{
    const char *verb = value_get_str (msg_root (self), "verb");
    return verb ? verb : "";
}

bool msg_is (const msg_t *self, const char *verb)
{
    return strcmp (msg_verb (self), verb) == 0;
}

const value_t *msg_arg (const msg_t *self, const char *name)
{
    return value_get (value_get (msg_root (self), "args"), name);
}

const char *msg_str (const msg_t *self, const char *name)
{
    return value_str (msg_arg (self, name));
}

uint64_t msg_u64 (const msg_t *self, const char *name, uint64_t otherwise)
{
    uint64_t number = otherwise;
    value_u64 (msg_arg (self, name), &number);
    return number;
}

int64_t msg_i64 (const msg_t *self, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    value_i64 (msg_arg (self, name), &number);
    return number;
}

bool msg_flag (const msg_t *self, const char *name)
{
    return value_bool (msg_arg (self, name), false);
}

const value_t *msg_value (const msg_t *self)
{
    return value_get (msg_root (self), "result");
}

bool msg_failed (const msg_t *self, error_t *err)
{
    if (self->head.kind == MSG_REPLY)
        return false;
    const value_t *error = value_get (msg_root (self), "error");
    if (error)
        error_unpack (error, err);
    return error != NULL;
}

bool msg_is_late (const msg_t *self)
{
    return self->head.kind == MSG_ERROR && (self->head.flags & MSG_LATE);
}

bool msg_is_expired (const msg_t *self)
{
    return self->head.kind == MSG_ERROR && (self->head.flags & MSG_EXPIRED);
}

bool msg_is_unbegun (const msg_t *self)
{
    return self->head.kind == MSG_ERROR && (self->head.flags & MSG_UNBEGUN);
}

int msg_send (void *socket, uint64_t to_peer, msg_t **self_p)
{
    auto(msg_t) self = take (self_p);
    msg_close (self);
    FRAME_GIVEN (zmq_msg_data (&self->frame));
    if (to_peer && zmq_send (socket, &to_peer, sizeof to_peer, ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1)
        return -1;
    return zmq_msg_send (&self->frame, socket, ZMQ_DONTWAIT) == -1 ? -1 : 0;
}

msg_t *msg_recv (void *socket, uint64_t *from_peer)
{
    if (from_peer && zmq_recv (socket, from_peer, sizeof *from_peer, ZMQ_DONTWAIT) == -1)
        return NULL;
    auto(msg_t) self = msg_alloc ();
    if (zmq_msg_recv (&self->frame, socket, ZMQ_DONTWAIT) == -1)
        return NULL;
    assert (zmq_msg_size (&self->frame) >= sizeof self->head);
    FRAME_TAKEN (zmq_msg_data (&self->frame));
    memcpy (&self->head, zmq_msg_data (&self->frame), sizeof self->head);
    self->stage = STAGE_SEALED;
    return take (&self);
}

void error_pack (const error_t *err, pack_t *pack)
{
    pack_map (pack);
    pack_key_i64 (pack, "code", err->code);
    pack_key_str (pack, "name", error_code_name (err->code));
    pack_key_str (pack, "message", err->message);
    pack_key_bool (pack, "retry", err->retry);
    pack_end (pack);
}

void error_unpack (const value_t *value, error_t *err)
{
    const char *message = value_get_str (value, "message");
    int code = (int) value_get_i64 (value, "code", ERR_INTERNAL_ERROR);
    error_set (err, (error_code_t) code, "%s", message ? message : error_code_text (code));
    err->retry = value_get_bool (value, "retry", false);
}
