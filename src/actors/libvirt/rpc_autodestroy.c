//  rpc_autodestroy.c: domains that are to live no longer than the client that started them.
//
//  Only as long as this daemon: if it ends before the client does, its guests go on, as all do.

#include "actors/libvirt/rpc_self.h"

enum {
    AUTODESTROY = 2, //  virDomainCreateFlags
    DESTROY_MS = 120000
};

static void on_destroyed (actor_t *self, const msg_t *reply, void *arg)
{
    error_t err;
    (void) arg;
    //  Somebody else may have been faster.
    if (msg_failed (reply, &err) && err.code != ERR_NO_DOMAIN && err.code != ERR_OPERATION_INVALID)
        actor_log (self, LEVEL_WARNING, "a domain whose client is gone was not destroyed: %s",
                   err.message);
}

static void destroy (actor_t *self, const char *uuid)
{
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, "domain/%s", uuid);
    auto(msg_t) msg = msg_request ("domain.destroy");
    actor_request (self, address, &msg, DESTROY_MS, on_destroyed, NULL);
}

void rpc_autodestroy_started (rpc_call_t *call, const value_t *result)
{
    const char *uuid = value_get_str (result, "uuid");
    if (!uuid || !(value_get_u64 (call->args, "flags", 0) & AUTODESTROY))
        return;
    if (!call->client) {
        destroy (call->actor, uuid);
        return;
    }
    if (!call->client->mortals)
        call->client->mortals = strings_new ();
    strings_addf (call->client->mortals, "%s %lld", uuid,
                  (long long) value_get_i64 (result, "id", -1));
}

//  One that was started anew by somebody, or restored, has another id, and is not meant.
static bool still_runs (const rpc_gateway_t *gateway, const char *uuid, long long id)
{
    const snapshot_t *domain = snapshots_by_uuid (gateway->view.snapshots, uuid);
    return domain && domain->id == id;
}

void rpc_autodestroy_close (actor_t *self, rpc_client_t *client)
{
    const strings_t *list = client->mortals;
    for (size_t i = 0; list && i < list->count; i++) {
        char uuid[UUID_TEXT_SIZE];
        long long id;
        if (sscanf (list->items[i], "%36s %lld", uuid, &id) == 2 &&
            still_runs (actor_state (self), uuid, id))
            destroy (self, uuid);
    }
    strings_destroy (&client->mortals);
}
