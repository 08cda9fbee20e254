//  rpc_client.c: the bytes of one client: what comes in becomes messages; what it does not read yet
//  waits for it, up to a bound.

#include "actors/libvirt/rpc_self.h"

#include "util/descriptors.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
    READ_BYTES = 64 * 1024, //  at once: then others get their turn
    KEEP_BYTES = 64 * 1024, //  of memory for input, while there is none
    STUCK_MS = 60000,       //  without reading anything that waits for it
    OPEN_MS = 60000,        //  until it has opened a connection
    PING_MS = 5000,         //  of silence
    MAX_PINGS = 5
};

#define CARRIER "\1" //  the byte that a descriptor goes with

static void on_ready (actor_t *self, int fd, short events, void *arg);

//  What it is watched for.

static bool is_held_back (const rpc_client_t *client)
{
    return client->open_calls >= RPC_MAX_CALLS || client->outbox.bytes > RPC_MAX_WAITING ||
           client->typed > RPC_MAX_WAITING || client->closing;
}

static void watch (actor_t *self, rpc_client_t *client)
{
    short events =
        (short) ((is_held_back (client) ? 0 : POLLIN) | (client->outbox.first ? POLLOUT : 0));
    if (client->dead || events == client->watched)
        return;
    client->watched = events;
    actor_watch_fd (self, client->fd, events, on_ready, client);
}

//  Life.

rpc_client_t *rpc_client_new (actor_t *self, int fd, rpc_socket_t socket, const peer_t *peer)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_client_t *client = memory_new (1, sizeof *client);
    client->number = ++gateway->last_client;
    client->fd = fd;
    client->socket = socket;
    client->peer = *peer;
    client->role = peer_role (peer, socket == RPC_SOCKET_READ ? ACCESS_READ : ACCESS_ADMIN);
    client->read_only = socket == RPC_SOCKET_READ;
    client->known = socket == RPC_SOCKET_ADMIN;
    client->since_us = actor_wall_clock (self);
    client->in = text_new ();
    client->since_ms = client->heard_ms = client->moved_ms = actor_now (self);
    client->next = gateway->clients;
    if (client->next)
        client->next->previous = client;
    gateway->clients = client;
    gateway->sockets[socket].clients++;
    watch (self, client);
    return client;
}

static void drop_item (actor_t *self, outbox_item_t **item_p)
{
    actor_acknowledge (self, &(*item_p)->held);
    outbox_item_destroy (item_p);
}

static void disconnect (actor_t *self, rpc_client_t *client)
{
    if (client->fd < 0)
        return;
    actor_unwatch_fd (self, client->fd);
    close (client->fd);
    client->fd = -1;
}

void rpc_client_destroy (actor_t *self, rpc_client_t **client_p)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_client_t *client = take (client_p);
    outbox_item_t *item;
    disconnect (self, client);
    rpc_forget_client (gateway, client);
    rpc_unregister_all (client);
    rpc_streams_close (self, client);
    rpc_fds_drop (gateway, client);
    rpc_migrations_close (self, client);
    rpc_autodestroy_close (self, client);
    while ((item = outbox_take (&client->outbox)))
        drop_item (self, &item);
    if (client->previous)
        client->previous->next = client->next;
    else
        gateway->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    gateway->sockets[client->socket].clients--;
    text_destroy (&client->in);
    free (client->definition);
    free (client);
}

void rpc_client_end (actor_t *self, rpc_client_t *client, const char *reason)
{
    if (client->dead)
        return;
    if (reason)
        actor_log (self, LEVEL_WARNING, "libvirt client %llu (uid %u, pid %d) is disconnected: %s",
                   (unsigned long long) client->number, client->peer.uid, client->peer.pid, reason);
    client->dead = true;
    disconnect (self, client);
    rpc_bury_soon (self);
}

//  What goes out.

//  The bytes that the socket took; -1: the client is gone.
static ssize_t push (actor_t *self, rpc_client_t *client, const char *bytes, size_t size)
{
    ssize_t sent = send (client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    rpc_client_end (self, client, NULL);
    return -1;
}

static void end_if_done (actor_t *self, rpc_client_t *client)
{
    if (client->closing && !client->outbox.first)
        rpc_client_end (self, client, NULL);
}

//  The same of one byte, with FD, which stays the caller's.
static ssize_t push_fd (actor_t *self, rpc_client_t *client, int fd)
{
    if (descriptors_send (client->fd, CARRIER, &fd, 1) == 0)
        return 1;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    rpc_client_end (self, client, NULL);
    return -1;
}

static ssize_t push_item (actor_t *self, rpc_client_t *client, const outbox_item_t *item)
{
    return item->fd >= 0
               ? push_fd (self, client, item->fd)
               : push (self, client, item->bytes + client->sent, item->size - client->sent);
}

static void flush (actor_t *self, rpc_client_t *client)
{
    outbox_item_t *item;
    while (!client->dead && (item = client->outbox.first)) {
        ssize_t sent = push_item (self, client, item);
        if (sent <= 0)
            break;
        client->moved_ms = actor_now (self);
        client->sent += (size_t) sent;
        if (client->sent < item->size)
            break;
        client->sent = 0;
        outbox_take (&client->outbox);
        drop_item (self, &item);
    }
    end_if_done (self, client);
}

static void queue (actor_t *self, rpc_client_t *client, const char *bytes, size_t size,
                   msg_t **held_p)
{
    if (!client->outbox.first)
        client->moved_ms = actor_now (self);
    outbox_add (&client->outbox, text_copy_bytes (bytes, size), size, NULL);
    if (held_p)
        client->outbox.last->held = actor_hold (self, held_p);
    if (client->outbox.bytes > RPC_MAX_OUTBOX)
        rpc_client_end (self, client, "it reads too slowly: 48 MiB waited for it");
}

void rpc_client_send (actor_t *self, rpc_client_t *client)
{
    rpc_client_send_held (self, client, NULL);
}

void rpc_client_send_held (actor_t *self, rpc_client_t *client, msg_t **held_p)
{
    const text_t *out = ((rpc_gateway_t *) actor_state (self))->out;
    if (client->dead)
        return;
    ssize_t sent = client->outbox.first ? 0 : push (self, client, out->data, out->size);
    if (sent >= 0 && (size_t) sent < out->size)
        queue (self, client, out->data + sent, out->size - (size_t) sent, held_p);
    end_if_done (self, client);
    watch (self, client);
}

void rpc_client_send_fd (actor_t *self, rpc_client_t *client, int fd)
{
    ssize_t sent = client->dead ? -1 : client->outbox.first ? 0 : push_fd (self, client, fd);
    if (sent == 0) {
        queue (self, client, CARRIER, sizeof CARRIER - 1, NULL);
        client->outbox.last->fd = fd;
    } else
        close (fd);
    watch (self, client);
}

void rpc_out_begin (rpc_gateway_t *gateway, const rpc_header_t *header)
{
    const uint32_t words[] = {
        0,
        header->program,
        header->version,
        header->procedure,
        header->type,
        header->serial,
        header->status,
    };
    text_destroy (&gateway->out);
    gateway->out = text_new ();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        xdr_add_u32 (gateway->out, words[i]);
}

void rpc_out_end (rpc_gateway_t *gateway)
{
    uint32_t size = (uint32_t) gateway->out->size;
    for (int i = 0; i < 4; i++)
        gateway->out->data[i] = (char) (size >> (24 - 8 * i));
}

//  What comes in.

static size_t max_message (const rpc_client_t *client)
{
    return client->socket == RPC_SOCKET_WRITE ? RPC_MAX_MESSAGE : RPC_MAX_READ_MESSAGE;
}

//  The size of the message at the start of BYTES, and of the bytes behind it that carry its
//  descriptors; 0: it is not all there yet; -1: it is none.
static ssize_t message_size (actor_t *self, rpc_client_t *client, const char *bytes, size_t size)
{
    if (size < 4)
        return 0;
    uint32_t length = xdr_u32_at (bytes);
    if (length < RPC_HEADER || length > max_message (client)) {
        rpc_client_end (self, client,
                        "it does not speak libvirt's protocol: a message's length is "
                        "out of bounds");
        return -1;
    }
    uint32_t carriers = length <= size ? rpc_announced (bytes, length) : 0;
    if (carriers > RPC_MAX_CALL_FDS) {
        rpc_client_end (self, client, "it does not speak libvirt's protocol: too many descriptors");
        return -1;
    }
    return length + carriers <= size ? (ssize_t) (length + carriers) : 0;
}

//  Takes the messages out of what came in, as long as it may have more calls. A gateway that was
//  told to end leaves them as it leaves what it has not read.
static void take_messages (actor_t *self, rpc_client_t *client)
{
    size_t at = 0;
    client->in_handler = true;
    while (!client->dead && !is_held_back (client) && !actor_stopping (self)) {
        ssize_t size = message_size (self, client, client->in->data + at, client->in->size - at);
        if (size <= 0)
            break;
        rpc_take_message (self, client, client->in->data + at, xdr_u32_at (client->in->data + at));
        at += (size_t) size;
    }
    client->in_handler = false;
    text_cut_front (client->in, at);
    if (client->in->size == 0)
        rpc_fds_drop (actor_state (self), client);
    if (client->in->size == 0 && client->in->room > KEEP_BYTES) {
        text_destroy (&client->in);
        client->in = text_new ();
    }
}

void rpc_client_go_on (actor_t *self, rpc_client_t *client)
{
    if (client->dead || client->in_handler)
        return;
    rpc_streams_go_on (self, client);
    if (client->in->size > 0 && !is_held_back (client))
        take_messages (self, client);
    watch (self, client);
}

static void receive (actor_t *self, rpc_client_t *client)
{
    rpc_gateway_t *gateway = actor_state (self);
    //  What comes over the other socket with descriptors loses them there: the kernel closes them.
    ssize_t size = client->socket == RPC_SOCKET_READ
                       ? recv (client->fd, gateway->scratch, READ_BYTES, MSG_DONTWAIT)
                       : rpc_fds_receive (gateway, client, gateway->scratch, READ_BYTES);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (size <= 0) {
        rpc_client_end (self, client, NULL);
        return;
    }
    gateway->heard_ms = client->heard_ms = actor_now (self);
    client->pings = 0;
    text_add_bytes (client->in, gateway->scratch, (size_t) size);
    client->in_handler = true;
    actor_catch_up (self);
    client->in_handler = false;
    take_messages (self, client);
}

static void on_ready (actor_t *self, int fd, short events, void *arg)
{
    (void) fd;
    rpc_client_t *client = arg;
    if (events & POLLOUT)
        flush (self, client);
    if (!client->dead && (events & POLLIN))
        receive (self, client);
    else if (!client->dead && (events & (POLLHUP | POLLERR)))
        rpc_client_end (self, client, NULL);
    if (!client->dead)
        rpc_client_go_on (self, client);
}

//  Time.

static void ping (actor_t *self, rpc_client_t *client)
{
    const rpc_header_t header = { PROGRAM_KEEPALIVE, PROGRAM_VERSION, 1, RPC_MESSAGE, 0, RPC_OK };
    client->pings++;
    rpc_out_begin (actor_state (self), &header);
    rpc_out_end (actor_state (self));
    rpc_client_send (self, client);
}

void rpc_client_look_after (actor_t *self, rpc_client_t *client)
{
    int64_t now = actor_now (self);
    if (client->outbox.first && now - client->moved_ms > STUCK_MS)
        rpc_client_end (self, client, "it did not read for a minute");
    else if (!client->driver && !client->open_calls && now - client->since_ms > OPEN_MS)
        rpc_client_end (self, client, "it opened no connection within a minute");
    else if (client->keepalive && now - client->heard_ms > PING_MS * (client->pings + 1)) {
        if (client->pings < MAX_PINGS)
            ping (self, client);
        else if (!is_held_back (client))
            rpc_client_end (self, client, "it answers no pings");
    }
}
