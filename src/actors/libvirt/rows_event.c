//  rows_event.c: asking for events, in the way of today (each registration has a number) and in the
//  old one (each kind of event is registered once).

#include "actors/libvirt/rpc_self.h"

static int answer_register (rpc_call_t *call, pack_t *ret, rpc_object_t object, error_t *err)
{
    const rpc_callback_t wanted = { .event = (int) value_get_i64 (call->args, "eventID", -1),
                                    .object = object };
    int number;
    if (rpc_register (call, &wanted, &number, err))
        return -1;
    pack_key_i64 (ret, "callbackID", number);
    return 0;
}

static int answer_domain (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    return answer_register (call, ret, RPC_OF_DOMAIN, err);
}

static int answer_network (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    return answer_register (call, ret, RPC_OF_NETWORK, err);
}

static int answer_device (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    return answer_register (call, ret, RPC_OF_DEVICE, err);
}

static bool has_number (const rpc_callback_t *callback, int number)
{
    return callback->number == number && !callback->legacy;
}

static bool has_event (const rpc_callback_t *callback, int event)
{
    return callback->event == event && callback->legacy;
}

static int unknown (const rpc_call_t *call, const char *what, int which, error_t *err)
{
    return error_set (err, ERR_INVALID_ARG, "%s: no callback with %s %d is registered",
                      call->entry->procedure->name, what, which);
}

static int answer_deregister (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    int number = (int) value_get_i64 (call->args, "callbackID", -1);
    return rpc_unregister (call->client, has_number, number)
               ? 0
               : unknown (call, "the number", number, err);
}

//  The old way.

static int register_old (rpc_call_t *call, int event, error_t *err)
{
    const rpc_callback_t wanted = { .event = event, .legacy = true };
    int number;
    return rpc_register (call, &wanted, &number, err);
}

static int answer_old_any (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return register_old (call, (int) value_get_i64 (call->args, "eventID", -1), err);
}

static int answer_old_any_end (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    int event = (int) value_get_i64 (call->args, "eventID", -1);
    return rpc_unregister (call->client, has_event, event) ? 0
                                                           : unknown (call, "event", event, err);
}

static bool has_lifecycle (const rpc_client_t *client)
{
    for (const rpc_callback_t *each = client->callbacks; each; each = each->next)
        if (has_event (each, 0))
            return true;
    return false;
}

static int answer_old (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    if (register_old (call, 0, err))
        return -1;
    pack_key_bool (ret, "cb_registered", true);
    return 0;
}

static int answer_old_end (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    if (!rpc_unregister (call->client, has_event, 0))
        return unknown (call, "event", 0, err);
    pack_key_bool (ret, "cb_registered", has_lifecycle (call->client));
    return 0;
}

//  Whether a connection to a hypervisor broke: here no client has one of its own, so there is never
//  anything to tell.

static int set_close_callback (rpc_call_t *call, bool wanted, error_t *err)
{
    if (call->client->close_callback == wanted)
        return error_set (err, ERR_OPERATION_INVALID, "%s: a close callback is %s",
                          call->entry->procedure->name,
                          wanted ? "already registered" : "not registered");
    call->client->close_callback = wanted;
    return 0;
}

static int answer_close (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return set_close_callback (call, true, err);
}

static int answer_close_end (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return set_close_callback (call, false, err);
}

const rpc_row_t rpc_rows_event[] = {
    { "CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY", .answer = answer_domain },
    { "CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY", .answer = answer_deregister },
    { "CONNECT_NETWORK_EVENT_REGISTER_ANY", .answer = answer_network },
    { "CONNECT_NETWORK_EVENT_DEREGISTER_ANY", .answer = answer_deregister },
    { "CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY", .answer = answer_device },
    { "CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY", .answer = answer_deregister },
    { "CONNECT_DOMAIN_EVENT_REGISTER", .answer = answer_old },
    { "CONNECT_DOMAIN_EVENT_DEREGISTER", .answer = answer_old_end },
    { "CONNECT_DOMAIN_EVENT_REGISTER_ANY", .answer = answer_old_any },
    { "CONNECT_DOMAIN_EVENT_DEREGISTER_ANY", .answer = answer_old_any_end },
    { "CONNECT_REGISTER_CLOSE_CALLBACK", .answer = answer_close },
    { "CONNECT_UNREGISTER_CLOSE_CALLBACK", .answer = answer_close_end },
    { 0 },
};
