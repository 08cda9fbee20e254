//  rpc_fds.c: descriptors that clients pass with their calls, and get with answers.
//
//  Each has one owner at any time, who closes it: first the client, in whose order they came; then
//  the call that announced them, until it is answered; or a message that waits to be sent. Others
//  are lent them (util/lent.h).

#include "actors/libvirt/rpc_self.h"

#include "util/descriptors.h"
#include "util/lent.h"

#include <unistd.h>

static void close_all (rpc_gateway_t *gateway, int *fds, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        close (fds[i]);
    gateway->fd_count -= *count;
    *count = 0;
}

ssize_t rpc_fds_receive (rpc_gateway_t *gateway, rpc_client_t *client, char *bytes, size_t size)
{
    int fds[RPC_MAX_CALL_FDS];
    size_t count, room = RPC_MAX_CALL_FDS - client->fd_count;
    if (room > RPC_MAX_FDS - gateway->fd_count)
        room = RPC_MAX_FDS - gateway->fd_count;
    ssize_t got = descriptors_receive (client->fd, bytes, size, fds, room, &count, MSG_DONTWAIT);
    for (size_t i = 0; i < count; i++)
        client->fds[client->fd_count++] = fds[i];
    gateway->fd_count += count;
    return got;
}

void rpc_fds_drop (rpc_gateway_t *gateway, rpc_client_t *client)
{
    close_all (gateway, client->fds, &client->fd_count);
}

int rpc_fds_take (rpc_call_t *call, size_t announced, error_t *err)
{
    rpc_client_t *client = call->client;
    size_t count = announced < client->fd_count ? announced : client->fd_count;
    memcpy (call->fds, client->fds, count * sizeof *call->fds);
    call->fd_count = count;
    client->fd_count -= count;
    memmove (client->fds, client->fds + count, client->fd_count * sizeof *client->fds);
    if (count == announced)
        return 0;
    return error_set (err, ERR_RPC, "%zu descriptors were announced, and %zu came", announced,
                      count);
}

void rpc_fds_close (rpc_call_t *call)
{
    close_all (call->gateway, call->fds, &call->fd_count);
    close_all (call->gateway, call->given, &call->given_count);
}

int rpc_fds_pair (rpc_call_t *call, error_t *err)
{
    int ends[2];
    if (call->gateway->fd_count + 2 > RPC_MAX_FDS || call->fd_count == RPC_MAX_CALL_FDS)
        return error_set (err, ERR_RESOURCE_BUSY, "%s: clients have %zu descriptors with us",
                          call->entry->procedure->name, call->gateway->fd_count);
    if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a pair of sockets");
    call->gateway->fd_count += 2;
    call->fds[call->fd_count++] = ends[0];
    call->given[call->given_count++] = ends[1];
    return 0;
}

void rpc_fds_pack (const rpc_call_t *call, pack_t *by)
{
    if (call->fd_count == 0)
        return;
    pack_key_array (by, "lent");
    for (size_t i = 0; i < call->fd_count; i++) {
        autofree char *text = lent_text (call->fds[i]);
        pack_str (by, text ? text : "");
    }
    pack_end (by);
}
