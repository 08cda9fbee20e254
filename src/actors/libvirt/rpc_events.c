//  rpc_events.c: which client wants which events, and sending them.

#include "actors/libvirt/rpc_self.h"

#include <string.h>

enum {
    MAX_CALLBACKS = 1024,          //  of a client
    MAX_WAITING = 8 * 1024 * 1024, //  bytes for it to read: then it reads events too slowly
    LAST_LEGACY = 15               //  virDomainEventID: later ones have no old message
};

//  Who wants what.

//  NULL: of all.
static const char *object_of (const rpc_call_t *call, rpc_object_t object)
{
    if (object == RPC_OF_NETWORK)
        return rpc_network_of (call->args);
    //  The rest is about domains.
    return object == RPC_OF_DEVICE ? value_str (rpc_field (call->args, "dev.name"))
                                   : rpc_domain_of (call->args);
}

static void callback_destroy (rpc_callback_t **callback_p)
{
    rpc_callback_t *callback = take (callback_p);
    rpc_pattern_destroy (&callback->pattern);
    free (callback->about);
    free (callback);
}

int rpc_register (rpc_call_t *call, const rpc_callback_t *wanted, int *number, error_t *err)
{
    rpc_client_t *client = call->client;
    if (wanted->event < 0 || wanted->event > rpc_event_last (wanted->object) ||
        (wanted->legacy && wanted->event > LAST_LEGACY))
        return error_set (err, ERR_INVALID_ARG, "%s: there is no event %d",
                          call->entry->procedure->name, wanted->event);
    if (client->callback_count >= MAX_CALLBACKS)
        return error_set (err, ERR_RESOURCE_BUSY, "%s: this connection has %d callbacks already",
                          call->entry->procedure->name, client->callback_count);
    rpc_callback_t *callback = memory_new (1, sizeof *callback);
    *callback = *wanted;
    callback->number = client->last_callback++;
    const char *about = object_of (call, wanted->object);
    callback->about = about ? text_copy (about) : NULL;
    callback->next = client->callbacks;
    client->callbacks = callback;
    client->callback_count++;
    *number = callback->number;
    return 0;
}

bool rpc_unregister (rpc_client_t *client, bool (*is_it) (const rpc_callback_t *, int), int which)
{
    for (rpc_callback_t **place = &client->callbacks; *place; place = &(*place)->next)
        if (is_it (*place, which)) {
            rpc_callback_t *gone = *place;
            *place = gone->next;
            client->callback_count--;
            callback_destroy (&gone);
            return true;
        }
    return false;
}

void rpc_unregister_all (rpc_client_t *client)
{
    rpc_callback_t *callback;
    while ((callback = client->callbacks)) {
        client->callbacks = callback->next;
        callback_destroy (&callback);
    }
    client->callback_count = 0;
}

//  Sending.

void rpc_event_begin (rpc_gateway_t *gateway, const procedure_t *procedure)
{
    const rpc_header_t header = {
        procedure->program, PROGRAM_VERSION, procedure->number, RPC_MESSAGE, 1, RPC_OK
    };
    rpc_out_begin (gateway, &header);
}

void rpc_event_send (actor_t *self, rpc_client_t *client)
{
    rpc_out_end (actor_state (self));
    rpc_client_send (self, client);
    if (client->outbox.bytes > MAX_WAITING)
        rpc_client_end (self, client, "it reads events too slowly: 8 MiB waited for it");
}

static void send_event (actor_t *self, rpc_client_t *client, const rpc_callback_t *callback,
                        const rpc_event_kind_t *kind, const view_event_t *event)
{
    rpc_gateway_t *gateway = actor_state (self);
    error_t err;
    rpc_event_begin (gateway, rpc_event_procedure (kind, callback->legacy));
    if (rpc_event_write (kind, callback->legacy, event, callback->number, gateway->out, &err))
        actor_log (self, LEVEL_ERROR, "event %s for libvirt's clients: %s", event->verb,
                   err.message);
    else
        rpc_event_send (self, client);
}

static bool wants (const rpc_client_t *client, const rpc_callback_t *callback,
                   const rpc_event_kind_t *kind, const view_event_t *event)
{
    bool ours = kind->object != RPC_OF_DOMAIN || text_equals (client->driver, event->driver);
    return ours && callback->object == kind->object && callback->event == kind->id &&
           (!callback->about || text_equals (callback->about, rpc_event_about (kind, event))) &&
           (!callback->legacy || kind->legacy);
}

void rpc_emit (actor_t *self, const view_event_t *event)
{
    rpc_gateway_t *gateway = actor_state (self);
    const rpc_event_kind_t *kind;
    for (size_t i = 0; (kind = rpc_event_kind_at (i)); i++) {
        if (!rpc_event_is (kind, event))
            continue;
        for (rpc_client_t *client = gateway->clients; client; client = client->next)
            for (const rpc_callback_t *each = client->callbacks; each && !client->dead;
                 each = each->next)
                if (wants (client, each, kind, event))
                    send_event (self, client, each, kind, event);
    }
}
