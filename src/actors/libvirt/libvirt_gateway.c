//  libvirt_gateway.c: the sockets, who connects to them, and the actor.

#include "actors/libvirt/rpc_self.h"

#include "actors/gateway/gather.h"
#include "actors/runtime/table.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SCRATCH_BYTES = 64 * 1024,
    SWEEP_MS = 1000,
    ACCEPTS = 64, //  at once: then others get their turn
    MAX_REQUESTS = 4096
};

static const struct {
    const char *name; //  of the file, where libvirt's clients look for it
    door_kind_t kind;
} doors[RPC_SOCKETS] = {
    [RPC_SOCKET_WRITE] = { "libvirt-sock", DOOR_WRITE },
    [RPC_SOCKET_READ] = { "libvirt-sock-ro", DOOR_READ },
    [RPC_SOCKET_ADMIN] = { "libvirt-admin-sock", DOOR_ADMIN },
};

rpc_server_t rpc_server_of (rpc_socket_t socket)
{
    return socket == RPC_SOCKET_ADMIN ? RPC_SERVER_ADMIN : RPC_SERVER_LIBVIRT;
}

//  Time.

static void on_sweep (actor_t *self, void *arg)
{
    (void) arg;
    rpc_gateway_t *gateway = actor_state (self);
    gateway->sweep_timer = 0;
    for (rpc_client_t *each = gateway->clients; each; each = each->next)
        if (!each->dead)
            rpc_client_look_after (self, each);
    if (gateway->clients)
        gateway->sweep_timer = actor_timer (self, SWEEP_MS, on_sweep, NULL);
}

static void on_bury (actor_t *self, void *arg)
{
    (void) arg;
    rpc_gateway_t *gateway = actor_state (self);
    gateway->bury_timer = 0;
    rpc_client_t *next;
    for (rpc_client_t *each = gateway->clients; each; each = next) {
        next = each->next;
        if (each->dead)
            rpc_client_destroy (self, &each);
    }
    rpc_watch_doors (self);
}

void rpc_bury_soon (actor_t *self)
{
    rpc_gateway_t *gateway = actor_state (self);
    if (!gateway->bury_timer)
        gateway->bury_timer = actor_timer (self, 0, on_bury, NULL);
}

//  New clients.

int rpc_count_clients (const rpc_gateway_t *gateway, rpc_server_t server)
{
    int count = 0;
    for (rpc_socket_t i = 0; i < RPC_SOCKETS; i++)
        count += rpc_server_of (i) == server ? gateway->sockets[i].clients : 0;
    return count;
}

//  Who may only read gets half of the places at most, and can't keep others out.
static bool has_room (const rpc_gateway_t *gateway, rpc_socket_t number)
{
    rpc_server_t server = rpc_server_of (number);
    int most = gateway->max_clients[server];
    return rpc_count_clients (gateway, server) < most &&
           (number != RPC_SOCKET_READ || gateway->sockets[number].clients < (most + 1) / 2);
}

static bool peer_of (int fd, peer_t *peer)
{
    struct ucred cred;
    socklen_t size = sizeof cred;
    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
        return false;
    *peer = (peer_t){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid, .most = ACCESS_ADMIN };
    return true;
}

static bool accept_one (actor_t *self, rpc_socket_t number)
{
    rpc_gateway_t *gateway = actor_state (self);
    peer_t peer;
    if (!has_room (gateway, number))
        return false;
    int fd = accept4 (gateway->sockets[number].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return false;
    if (!peer_of (fd, &peer)) {
        close (fd);
        return true;
    }
    gateway->heard_ms = actor_now (self);
    rpc_client_new (self, fd, number, &peer);
    if (!gateway->sweep_timer)
        gateway->sweep_timer = actor_timer (self, SWEEP_MS, on_sweep, NULL);
    return true;
}

static void on_connect (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) events;
    for (int i = 0; i < ACCEPTS && accept_one (self, (rpc_socket_t) (uintptr_t) arg); i++)
        ;
    rpc_watch_doors (self);
}

//  At the bound newcomers wait in the kernel's queue until somebody goes.
void rpc_watch_doors (actor_t *self)
{
    rpc_gateway_t *gateway = actor_state (self);
    for (uintptr_t i = 0; i < RPC_SOCKETS; i++) {
        bool room = has_room (gateway, (rpc_socket_t) i);
        if (room == gateway->sockets[i].watched)
            continue;
        gateway->sockets[i].watched = room;
        if (room)
            actor_watch_fd (self, gateway->sockets[i].fd, POLLIN, on_connect, (void *) i);
        else {
            actor_unwatch_fd (self, gateway->sockets[i].fd);
            actor_log (self, LEVEL_WARNING, "%s: %d clients; others wait until one goes",
                       doors[i].name, gateway->sockets[i].clients);
        }
    }
}

//  The actor.

//  That an option names is the read-write socket's; the others' are beside it. The caller frees it.
static char *path_of (const config_t *config, rpc_socket_t number)
{
    const char *named = config->libvirt_socket;
    if (!named)
        return text_format ("%s/%s", config->paths->run, doors[number].name);
    if (number != RPC_SOCKET_ADMIN)
        return text_format ("%s%s", named, doors[number].name + strlen ("libvirt-sock"));
    //  "libvirt-admin-sock" is beside "libvirt-sock".
    const char *slash = strrchr (named, '/');
    if (slash && strcmp (slash, "/libvirt-sock") == 0)
        return text_format ("%.*s/%s", (int) (slash - named), named, doors[number].name);
    return text_format ("%s-admin", named);
}

static int open_socket (rpc_gateway_t *gateway, rpc_socket_t number, error_t *err)
{
    const config_t *config = gateway->config;
    autofree char *path = path_of (config, number);
    gateway->sockets[number].listener = door_open (config, path, doors[number].kind, err);
    if (!gateway->sockets[number].listener)
        return error_prefix (err, "serve libvirt's clients");
    gateway->sockets[number].fd = listener_take (gateway->sockets[number].listener);
    return 0;
}

static int gateway_start (actor_t *self, const msg_t *args, error_t *err)
{
    rpc_gateway_t *gateway = actor_state (self);
    gateway->config = config_of (args);
    gateway->table = rpc_table_new ();
    gateway->streams = table_by_u64 ();
    gateway->gathers = zlistx_new ();
    gateway->scratch = memory_new (1, SCRATCH_BYTES);
    gateway->out = text_new ();
    gateway->heard_ms = actor_now (self);
    gateway->max_clients[RPC_SERVER_LIBVIRT] = RPC_MAX_CLIENTS;
    gateway->max_clients[RPC_SERVER_ADMIN] = RPC_MAX_ADMINS;
    for (rpc_socket_t i = 0; i < RPC_SOCKETS; i++)
        gateway->sockets[i].fd = -1;
    for (rpc_socket_t i = 0; i < RPC_SOCKETS; i++)
        if (open_socket (gateway, i, err))
            return -1;
    view_open (&gateway->view, self, rpc_emit);
    //  Comes back behind the snapshots that are there already: then we know what to answer.
    auto(msg_t) msg = msg_request ("gateway.listen");
    actor_send (self, actor_address (self), &msg);
    return 0;
}

static void answer_idle (actor_t *self, msg_t **msg_p)
{
    rpc_gateway_t *gateway = actor_state (self);
    uint64_t busy = 0;
    for (rpc_client_t *each = gateway->clients; each; each = each->next)
        busy += !each->dead;
    auto(msg_t) reply = view_idle (&gateway->view, actor_now (self) - gateway->heard_ms, busy);
    actor_reply (self, msg_p, &reply);
}

static void gateway_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "gateway.idle"))
        answer_idle (self, msg_p);
    else if (msg_is (*msg_p, "console.data"))
        rpc_console_data (self, msg_p);
    else if (msg_is (*msg_p, "console.end"))
        rpc_console_end (self, *msg_p);
    else if (msg_is (*msg_p, "gateway.listen") && msg_kind (*msg_p) == MSG_SEND)
        rpc_watch_doors (self);
}

static void gateway_stop (actor_t *self)
{
    rpc_gateway_t *gateway = actor_state (self);
    while (gateway->clients) {
        rpc_client_t *first = gateway->clients;
        strings_destroy (&first->mortals); //  guests go on without a daemon
        rpc_client_destroy (self, &first);
    }
    while (gateway->calls) {
        rpc_call_t *first = gateway->calls;
        rpc_call_destroy (&first);
    }
    for (rpc_socket_t i = 0; i < RPC_SOCKETS; i++) {
        listener_destroy (&gateway->sockets[i].listener);
        if (gateway->sockets[i].fd >= 0)
            close (gateway->sockets[i].fd);
    }
    view_close (&gateway->view);
    gather_forget (&gateway->gathers);
    rpc_table_destroy (&gateway->table);
    zhashx_destroy (&gateway->streams);
    text_destroy (&gateway->out);
    free (gateway->scratch);
}

const actor_class_t libvirt_gateway_class = { .kind = LIBVIRT_GATEWAY_ADDRESS,
                                              .state_size = sizeof (rpc_gateway_t),
                                              .max_requests = MAX_REQUESTS,
                                              .stop_rank = 0,
                                              .start = gateway_start,
                                              .handle = gateway_handle,
                                              .stop = gateway_stop };
