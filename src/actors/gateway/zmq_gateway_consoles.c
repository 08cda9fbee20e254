//  zmq_gateway_consoles.c: consoles that clients have open. A console's actor sends its output here
//  as a stream; the client gets it as events.

#include "actors/gateway/zmq_gateway_parts.h"

enum {
    ATTACH_MS = 30000, //  for a console to take or leave us
    MAX_HELD = 256     //  messages before the client knows the stream; windows are smaller
};

static open_console_t *stream_find (gateway_t *gateway, uint64_t number)
{
    return zhashx_lookup (gateway->streams, &number);
}

static open_console_t *stream_new (gateway_t *gateway, session_t *session, const char *address,
                                   const char *device)
{
    open_console_t *stream = memory_new (1, sizeof *stream);
    stream->number = ++gateway->last_stream;
    stream->session = session;
    snprintf (stream->address, sizeof stream->address, "%s", address);
    snprintf (stream->device, sizeof stream->device, "%s", device);
    stream->held = zlistx_new ();
    stream->next = session->streams;
    session->streams = stream;
    session->stream_count++;
    zhashx_insert (gateway->streams, &stream->number, stream);
    return stream;
}

static void stream_destroy (actor_t *self, open_console_t **stream_p)
{
    gateway_t *gateway = actor_state (self);
    open_console_t *stream = take (stream_p);
    open_console_t **place = &stream->session->streams;
    while (*place != stream)
        place = &(*place)->next;
    *place = stream->next;
    stream->session->stream_count--;
    zhashx_delete (gateway->streams, &stream->number);
    msg_t *msg;
    while ((msg = zlistx_detach (stream->held, NULL)))
        actor_acknowledge (self, &msg);
    zlistx_destroy (&stream->held);
    free (stream);
}

static msg_t *stream_request (const char *verb, uint64_t number)
{
    msg_t *msg = msg_request (verb);
    pack_key_u64 (msg_args (msg), "stream", number);
    return msg;
}

//  The console need not answer: nobody waits.
static void detach (actor_t *self, const open_console_t *stream)
{
    auto(msg_t) msg = stream_request ("console.detach", stream->number);
    actor_send (self, stream->address, &msg);
}

static void post_end (actor_t *self, session_t *session, uint64_t number, const char *reason)
{
    gateway_t *gateway = actor_state (self);
    event_begin (&gateway->frame, "console.end");
    pack_key_u64 (&gateway->frame, "stream", number);
    pack_key_str (&gateway->frame, "reason", reason);
    event_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

//  Removes the stream, then tells its client, if it knows of it.
static void stream_end (actor_t *self, open_console_t *stream, const char *reason)
{
    session_t *session = stream->session;
    uint64_t number = stream->number;
    bool tell = stream->open && reason;
    stream_destroy (self, &stream);
    if (tell)
        post_end (self, session, number, reason);
}

void gateway_close_streams (actor_t *self, session_t *session, const char *tell)
{
    while (session->streams) {
        detach (self, session->streams);
        stream_end (self, session->streams, tell);
    }
}

//  Output.

static void post_data (actor_t *self, session_t *session, uint64_t number, msg_t **msg_p)
{
    gateway_t *gateway = actor_state (self);
    size_t size;
    const void *bytes = value_bin (msg_arg (*msg_p, "data"), &size);
    event_begin (&gateway->frame, "console.data");
    pack_key_u64 (&gateway->frame, "stream", number);
    pack_key (&gateway->frame, "data");
    pack_bin (&gateway->frame, bytes, size);
    event_end (&gateway->frame);
    gateway_post (self, session, msg_p);
}

static open_console_t *stream_of (gateway_t *gateway, const msg_t *msg)
{
    open_console_t *stream = stream_find (gateway, msg_u64 (msg, "stream", 0));
    return stream && strcmp (stream->address, msg_head (msg)->from) == 0 ? stream : NULL;
}

void gateway_console_data (actor_t *self, msg_t **msg_p)
{
    open_console_t *stream = stream_of (actor_state (self), *msg_p);
    if (!stream)
        return; //  it was closed meanwhile
    if (stream->open)
        post_data (self, stream->session, stream->number, msg_p);
    else if (zlistx_size (stream->held) < MAX_HELD)
        zlistx_add_end (stream->held, actor_hold (self, msg_p));
}

void gateway_console_end (actor_t *self, const msg_t *msg)
{
    open_console_t *stream = stream_of (actor_state (self), msg);
    const char *reason = msg_str (msg, "reason");
    if (stream)
        stream_end (self, stream, reason ? reason : "the console ended");
}

static void on_console_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    open_console_t *stream = stream_find (actor_state (self), (uint64_t) (uintptr_t) arg);
    error_t err;
    if (stream)
        stream_end (self, stream, msg_failed (down, &err) ? err.message : "the console ended");
}

//  Opening: the domain names the console's actor, which then takes us.

static void release_held (actor_t *self, open_console_t *stream)
{
    gateway_t *gateway = actor_state (self);
    session_t *session = stream->session;
    uint64_t number = stream->number;
    msg_t *msg;
    //  Posting may end the stream, if its client reads too slowly.
    while ((stream = stream_find (gateway, number)) && (msg = zlistx_detach (stream->held, NULL))) {
        post_data (self, session, number, &msg);
        actor_acknowledge (self, &msg);
    }
}

static void answer_open (actor_t *self, open_console_t *stream, uint64_t id)
{
    gateway_t *gateway = actor_state (self);
    pack_t *pack = &gateway->frame;
    session_t *session = stream->session;
    stream->open = true;
    reply_begin (pack, id);
    pack_map (pack);
    pack_key_u64 (pack, "stream", stream->number);
    pack_key_str (pack, "device", stream->device);
    pack_end (pack);
    reply_end (pack);
    gateway_post (self, session, NULL);
}

static void on_attached (actor_t *self, const msg_t *reply, void *arg)
{
    gateway_t *gateway = actor_state (self);
    open_request_t *request = arg;
    uint64_t number = request->stream, id = request->id;
    session_t *session = gateway_finish (self, &request);
    open_console_t *stream = stream_find (gateway, number);
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (!failed && !stream)
        failed = error_set (&err, ERR_OPERATION_ABORTED, "console.open: the console ended at once");
    if (!failed) {
        answer_open (self, stream, id);
        if ((stream = stream_find (gateway, number)))
            release_held (self, stream);
        return;
    }
    if (stream) {
        detach (self, stream); //  its answer may only have been late
        stream_destroy (self, &stream);
    }
    if (session)
        gateway_error (self, session, true, id, &err);
}

static void attach (actor_t *self, open_request_t *request, const open_console_t *stream)
{
    request->stream = stream->number;
    auto(msg_t) msg = stream_request ("console.attach", stream->number);
    pack_key_str (msg_args (msg), "gateway", actor_address (self));
    pack_key_bool (msg_args (msg), "force", request->force);
    actor_watch (self, stream->address, on_console_down, (void *) (uintptr_t) stream->number);
    request->deadline = actor_now (self) + ATTACH_MS;
    gateway_forward (self, request, stream->address, &msg, on_attached);
}

void gateway_on_console (actor_t *self, const msg_t *reply, void *arg)
{
    gateway_t *gateway = actor_state (self);
    open_request_t *request = arg;
    session_t *session = gateway_waiting (self, request);
    const char *address = value_get_str (msg_value (reply), "address");
    const char *device = value_get_str (msg_value (reply), "device");
    error_t err;
    if (!session || msg_failed (reply, &err)) {
        gateway_on_answer (self, reply, arg);
        return;
    }
    if (session->stream_count < SESSION_MAX_STREAMS && address && device &&
        strlen (address) < MSG_ADDRESS_MAX) {
        attach (self, request, stream_new (gateway, session, address, device));
        return;
    }
    if (address && device)
        error_set (&err, ERR_RESOURCE_BUSY, "console.open: this session has %d consoles open",
                   session->stream_count);
    else
        error_set (&err, ERR_INTERNAL_ERROR, "console.open: the domain named no console");
    uint64_t id = request->id;
    gateway_finish (self, &request);
    gateway_error (self, session, true, id, &err);
}

//  Input and the end.

static open_console_t *stream_named (gateway_t *gateway, const session_t *session,
                                     const call_t *call, error_t *err)
{
    uint64_t number = value_get_u64 (call->args, "stream", 0);
    open_console_t *stream = stream_find (gateway, number);
    if (stream && stream->open && stream->session == session)
        return stream;
    error_set (err, ERR_INVALID_STREAM,
               "%s: stream %llu is not open in this session; console.open "
               "opens one",
               call->verb, (unsigned long long) number);
    return NULL;
}

//  The stream that the call names, and its request; NULL and ERR if either can't be.
static open_request_t *open_stream_request (actor_t *self, session_t *session, const call_t *call,
                                            open_console_t **stream_p, error_t *err)
{
    *stream_p = stream_named (actor_state (self), session, call, err);
    return *stream_p ? gateway_open_request (self, session, call, verb_find (call->verb), err)
                     : NULL;
}

int gateway_console_write (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    open_console_t *stream;
    open_request_t *request = open_stream_request (self, session, call, &stream, err);
    if (!request)
        return -1;
    auto(msg_t) msg = stream_request ("console.input", stream->number);
    pack_key (msg_args (msg), "data");
    pack_value (msg_args (msg), value_get (call->args, "data"));
    gateway_forward (self, request, stream->address, &msg, gateway_on_answer);
    return 0;
}

int gateway_console_close (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    open_console_t *stream;
    open_request_t *request = open_stream_request (self, session, call, &stream, err);
    if (!request)
        return -1;
    auto(msg_t) msg = stream_request ("console.detach", stream->number);
    gateway_forward (self, request, stream->address, &msg, gateway_on_answer);
    stream_destroy (self, &stream);
    return 0;
}
