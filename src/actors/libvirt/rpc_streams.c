//  rpc_streams.c: streams: a console's bytes in both directions, and data that is sent to a client.
//
//  A stream is known by the call that opened it; its packets carry that call's numbers. Either side
//  may end it: we by an empty packet (all was said) or an error, after which an empty packet
//  confirms what the client says last.

#include "actors/libvirt/rpc_self.h"

#include "actors/runtime/table.h"

#include <czmq.h>

enum {
    ATTACH_MS = 30000,       //  for a console to take or leave us
    INPUT_MS = 24 * 3600000, //  for a guest to read what was typed
    PACKET_BYTES = 262120,   //  as much as clients put into one
    INPUT_BYTES = 64 * 1024, //  as much as a console takes at once
    MAX_STREAMS = 64,        //  of a client
    MAX_HELD = 256           //  messages before the client knows of the stream
};

struct rpc_stream {
    rpc_stream_t *next;
    uint64_t number;
    rpc_client_t *client;
    rpc_header_t header;
    bool open;  //  the client knows of it
    bool ended; //  we have nothing more to say: the client's word is awaited
    //  A console.
    char address[MSG_ADDRESS_MAX];
    zlistx_t *held; //  msg_t: output that came before
    text_t *typed;  //  what the guest has not taken
    bool typing;    //  some is on its way to it
    bool finishing; //  to be confirmed when all is there
    //  Data.
    char *data;
    size_t size, sent;
};

static rpc_stream_t *find (rpc_gateway_t *gateway, uint64_t number)
{
    return zhashx_lookup (gateway->streams, &number);
}

static rpc_stream_t *stream_new (rpc_call_t *call, error_t *err)
{
    rpc_client_t *client = call->client;
    if (client->stream_count >= MAX_STREAMS) {
        error_set (err, ERR_RESOURCE_BUSY, "%s: this connection has %d streams open",
                   call->entry->procedure->name, client->stream_count);
        return NULL;
    }
    rpc_stream_t *stream = memory_new (1, sizeof *stream);
    stream->number = ++call->gateway->last_stream;
    stream->client = client;
    stream->header = call->header;
    stream->header.type = RPC_STREAM;
    stream->held = zlistx_new ();
    stream->typed = text_new ();
    stream->next = client->streams;
    client->streams = stream;
    client->stream_count++;
    zhashx_insert (call->gateway->streams, &stream->number, stream);
    return stream;
}

static void detach (actor_t *self, const rpc_stream_t *stream)
{
    if (!stream->address[0] || stream->ended)
        return;
    //  The console need not answer: nobody waits.
    auto(msg_t) msg = msg_request ("console.detach");
    pack_key_u64 (msg_args (msg), "stream", stream->number);
    actor_send (self, stream->address, &msg);
}

static void stream_destroy (actor_t *self, rpc_stream_t **stream_p)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_stream_t *stream = take (stream_p);
    rpc_stream_t **place = &stream->client->streams;
    while (*place != stream)
        place = &(*place)->next;
    *place = stream->next;
    stream->client->stream_count--;
    zhashx_delete (gateway->streams, &stream->number);
    msg_t *msg;
    while ((msg = zlistx_detach (stream->held, NULL)))
        actor_acknowledge (self, &msg);
    zlistx_destroy (&stream->held);
    stream->client->typed -= stream->typed->size;
    text_destroy (&stream->typed);
    free (stream->data);
    free (stream);
}

void rpc_streams_close (actor_t *self, rpc_client_t *client)
{
    while (client->streams) {
        rpc_stream_t *first = client->streams;
        detach (self, first);
        stream_destroy (self, &first);
    }
}

//  Packets.

static void send_packet (actor_t *self, const rpc_stream_t *stream, uint32_t status,
                         const void *bytes, size_t size, msg_t **held_p)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_header_t header = stream->header;
    header.status = status;
    rpc_out_begin (gateway, &header);
    if (size > 0)
        text_add_bytes (gateway->out, bytes, size);
    rpc_out_end (gateway);
    rpc_client_send_held (self, stream->client, held_p);
}

//  Nothing more comes, and nothing more is taken: a client then says that it has finished.
static void end_of_file (actor_t *self, rpc_stream_t *stream)
{
    stream->ended = true;
    send_packet (self, stream, RPC_CONTINUE, NULL, 0, NULL);
}

static void break_off (actor_t *self, rpc_stream_t **stream_p, const error_t *err)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_client_t *client = (*stream_p)->client;
    rpc_header_t header = (*stream_p)->header;
    header.status = RPC_ERROR;
    detach (self, *stream_p);
    stream_destroy (self, stream_p);
    rpc_out_begin (gateway, &header);
    rpc_add_error (gateway, err, rpc_error_domain (client, err));
    rpc_out_end (gateway);
    rpc_client_send (self, client);
}

static void confirm (actor_t *self, rpc_stream_t **stream_p)
{
    rpc_stream_t *stream = *stream_p;
    detach (self, stream);
    send_packet (self, stream, RPC_OK, NULL, 0, NULL);
    stream_destroy (self, stream_p);
}

//  Data for a client.

int rpc_stream_data (rpc_call_t *call, const void *bytes, size_t size, error_t *err)
{
    rpc_stream_t *stream = stream_new (call, err);
    if (!stream)
        return -1;
    stream->data = text_copy_bytes (bytes, size);
    stream->size = size;
    stream->open = true;
    return 0;
}

static void pump (actor_t *self, rpc_stream_t *stream)
{
    while (stream->sent < stream->size && stream->client->outbox.bytes < RPC_MAX_WAITING) {
        size_t left = stream->size - stream->sent;
        size_t size = left < PACKET_BYTES ? left : PACKET_BYTES;
        send_packet (self, stream, RPC_CONTINUE, stream->data + stream->sent, size, NULL);
        stream->sent += size;
    }
    if (stream->sent == stream->size)
        end_of_file (self, stream);
}

void rpc_streams_go_on (actor_t *self, rpc_client_t *client)
{
    for (rpc_stream_t *each = client->streams; each && !client->dead; each = each->next)
        if (each->data && !each->ended)
            pump (self, each);
}

//  A console's output.

static void post_data (actor_t *self, const rpc_stream_t *stream, msg_t **msg_p)
{
    size_t size;
    const void *bytes = value_bin (msg_arg (*msg_p, "data"), &size);
    send_packet (self, stream, RPC_CONTINUE, bytes, size, msg_p);
}

static rpc_stream_t *stream_of (rpc_gateway_t *gateway, const msg_t *msg)
{
    rpc_stream_t *stream = find (gateway, msg_u64 (msg, "stream", 0));
    return stream && strcmp (stream->address, msg_head (msg)->from) == 0 ? stream : NULL;
}

void rpc_console_data (actor_t *self, msg_t **msg_p)
{
    rpc_stream_t *stream = stream_of (actor_state (self), *msg_p);
    if (!stream || stream->ended)
        return; //  it was closed meanwhile
    if (stream->open)
        post_data (self, stream, msg_p);
    else if (zlistx_size (stream->held) < MAX_HELD)
        zlistx_add_end (stream->held, actor_hold (self, msg_p));
}

void rpc_console_end (actor_t *self, const msg_t *msg)
{
    rpc_stream_t *stream = stream_of (actor_state (self), msg);
    const char *reason = msg_str (msg, "reason");
    error_t err;
    if (!stream || stream->ended)
        return;
    if (!stream->open)
        stream->ended = true; //  told when it is known that the client has it
    else if (msg_flag (msg, "closed"))
        end_of_file (self, stream);
    else {
        error_set (&err, ERR_OPERATION_FAILED, "console: %s", reason ? reason : "it was lost");
        stream->ended = true; //  there is nothing to detach from
        break_off (self, &stream, &err);
    }
}

static void on_console_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) address, (void) down;
    rpc_stream_t *stream = find (actor_state (self), (uint64_t) (uintptr_t) arg);
    if (stream && !stream->ended && stream->open)
        end_of_file (self, stream);
    else if (stream)
        stream->ended = true;
}

//  Opening a console: the domain named its actor, which then takes us.

typedef struct {
    rpc_call_t *call;
    uint64_t number;
} opening_t;

static void release_held (actor_t *self, rpc_stream_t *stream)
{
    msg_t *msg;
    bool ended = stream->ended;
    while ((msg = zlistx_detach (stream->held, NULL))) {
        post_data (self, stream, &msg);
        actor_acknowledge (self, &msg);
    }
    if (ended)
        end_of_file (self, stream);
}

//  The call is answered before any of its packets.
static void opened (actor_t *self, rpc_call_t *call, rpc_stream_t *stream)
{
    rpc_client_t *client = call->client;
    const bool before = client->in_handler;
    client->in_handler = true; //  whatever else it sent comes behind this
    stream->open = true;
    rpc_reply (&call, NULL);
    release_held (self, stream);
    client->in_handler = before;
    rpc_client_go_on (self, client);
}

static void on_attached (actor_t *self, const msg_t *reply, void *arg)
{
    opening_t *opening = arg;
    rpc_call_t *call = opening->call;
    rpc_stream_t *stream = find (actor_state (self), opening->number);
    error_t err;
    free (opening);
    bool failed = msg_failed (reply, &err);
    if (!failed && stream && call->client)
        opened (self, call, stream);
    else {
        //  Its answer may only have been late.
        if (stream)
            detach (self, stream);
        if (stream)
            stream_destroy (self, &stream);
        if (!failed)
            error_set (&err, ERR_OPERATION_ABORTED, "%s: the console ended at once",
                       call->entry->procedure->name);
        rpc_fail (&call, &err);
    }
}

int rpc_stream_console (rpc_call_t *call, const char *address, bool force, error_t *err)
{
    rpc_stream_t *stream = stream_new (call, err);
    if (!stream)
        return -1;
    snprintf (stream->address, sizeof stream->address, "%s", address);
    opening_t *opening = memory_new (1, sizeof *opening);
    *opening = (opening_t){ call, stream->number };
    auto(msg_t) msg = msg_request ("console.attach");
    pack_key_u64 (msg_args (msg), "stream", stream->number);
    pack_key_str (msg_args (msg), "gateway", actor_address (call->actor));
    pack_key_bool (msg_args (msg), "force", force);
    actor_watch (call->actor, address, on_console_down, (void *) (uintptr_t) stream->number);
    actor_request (call->actor, address, &msg, ATTACH_MS, on_attached, opening);
    return RPC_LATER;
}

//  What the client says.

static void type (actor_t *self, rpc_stream_t *stream);

static void on_typed (actor_t *self, const msg_t *reply, void *arg)
{
    rpc_stream_t *stream = find (actor_state (self), (uint64_t) (uintptr_t) arg);
    error_t err;
    if (!stream)
        return;
    rpc_client_t *client = stream->client;
    stream->typing = false;
    if (msg_failed (reply, &err) && !stream->ended)
        break_off (self, &stream, &err);
    else if (stream->typed->size > 0 && !stream->ended)
        type (self, stream);
    else if (stream->finishing)
        confirm (self, &stream);
    rpc_client_go_on (self, client);
}

//  Once a guest took it comes the next: consoles are asked by others, too.
static void type (actor_t *self, rpc_stream_t *stream)
{
    size_t size = stream->typed->size < INPUT_BYTES ? stream->typed->size : INPUT_BYTES;
    auto(msg_t) msg = msg_request ("console.input");
    pack_key_u64 (msg_args (msg), "stream", stream->number);
    pack_key (msg_args (msg), "data");
    pack_bin (msg_args (msg), stream->typed->data, size);
    text_cut_front (stream->typed, size);
    stream->client->typed -= size;
    stream->typing = true;
    actor_request (self, stream->address, &msg, INPUT_MS, on_typed,
                   (void *) (uintptr_t) stream->number);
}

static void take_data (actor_t *self, rpc_stream_t *stream, const char *bytes, size_t size)
{
    error_t err;
    if (stream->ended || stream->finishing)
        return;
    if (size <= PACKET_BYTES && stream->address[0]) {
        text_add_bytes (stream->typed, bytes, size);
        stream->client->typed += size;
        if (!stream->typing && size > 0)
            type (self, stream);
        return;
    }
    if (stream->address[0])
        error_set (&err, ERR_RPC, "a stream's packet has %zu bytes, and may have %d", size,
                   PACKET_BYTES);
    else
        error_set (&err, ERR_OPERATION_INVALID, "this stream is for reading only");
    break_off (self, &stream, &err);
}

static rpc_stream_t *stream_named (const rpc_client_t *client, const rpc_header_t *header)
{
    for (rpc_stream_t *each = client->streams; each; each = each->next)
        if (each->header.serial == header->serial && each->header.program == header->program &&
            each->header.procedure == header->procedure && each->open)
            return each;
    return NULL;
}

void rpc_take_packet (actor_t *self, rpc_client_t *client, const rpc_header_t *header,
                      const char *bytes, size_t size)
{
    rpc_stream_t *stream = stream_named (client, header);
    if (!stream)
        return; //  it has ended meanwhile
    if (header->status == RPC_CONTINUE)
        take_data (self, stream, bytes, size);
    else if (header->status == RPC_OK && stream->typing)
        stream->finishing = true;
    else
        confirm (self, &stream);
}
