//  rows_monitor_event.c: events of QEMU itself, as its monitor tells them, for who asks for them.
//  The owners of domains publish them under topics "qmp/UUID", to which the gateway listens only
//  while somebody does ask.

#include "actors/libvirt/rpc_self.h"

#include <jansson.h>
#include <string.h>

//  Telling.

static bool wants (const rpc_client_t *client, const rpc_callback_t *callback, const msg_t *event,
                   const char *name)
{
    return callback->object == RPC_OF_MONITOR &&
           text_equals (client->driver, msg_str (event, "driver")) &&
           (!callback->about || text_equals (callback->about, msg_str (event, "uuid"))) &&
           (!callback->pattern || rpc_pattern_fits (callback->pattern, name));
}

static void pack_message (pack_t *pack, const msg_t *event, const json_t *told, int number)
{
    const json_t *stamp = json_object_get (told, "timestamp");
    json_t *data = json_object_get (told, "data");
    autofree char *details = data ? json_dumps (data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    pack_map (pack);
    pack_key_i64 (pack, "callbackID", number);
    rpc_pack_domain (pack, "dom", msg_str (event, "name"), msg_str (event, "uuid"),
                     msg_i64 (event, "id", -1));
    pack_key_str (pack, "event", json_string_value (json_object_get (told, "event")));
    pack_key_i64 (pack, "seconds", json_integer_value (json_object_get (stamp, "seconds")));
    pack_key_i64 (pack, "micros", json_integer_value (json_object_get (stamp, "microseconds")));
    pack_key_str (pack, "details", details);
    pack_end (pack);
}

static int write_message (rpc_gateway_t *gateway, const procedure_t *procedure, const msg_t *event,
                          const json_t *told, int number, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    pack_message (&pack, event, told, number);
    auto(document_t) message = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_close (&pack);
    return message ? xdr_encode (procedure->args, document_root (message), gateway->out, err) : -1;
}

static void tell (actor_t *self, rpc_client_t *client, const msg_t *event, const json_t *told,
                  int number)
{
    rpc_gateway_t *gateway = actor_state (self);
    const procedure_t *procedure = procedure_named (PROGRAM_QEMU, "DOMAIN_MONITOR_EVENT");
    error_t err;
    rpc_event_begin (gateway, procedure);
    if (write_message (gateway, procedure, event, told, number, &err))
        actor_log (self, LEVEL_ERROR, "an event of QEMU's for libvirt's clients: domain '%s': %s",
                   msg_str (event, "name"), err.message);
    else
        rpc_event_send (self, client);
}

static bool is_asked (const rpc_gateway_t *gateway)
{
    for (const rpc_client_t *client = gateway->clients; client; client = client->next)
        for (const rpc_callback_t *each = client->callbacks; each; each = each->next)
            if (each->object == RPC_OF_MONITOR)
                return true;
    return false;
}

//  Topic "qmp/UUID".
static void on_told (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) topic, (void) arg;
    rpc_gateway_t *gateway = actor_state (self);
    const char *line = msg_str (event, "json");
    if (!is_asked (gateway)) {
        actor_unsubscribe (self, &gateway->monitor_events);
        return;
    }
    json_auto_t *told = line ? json_loads (line, 0, NULL) : NULL;
    const char *name = json_string_value (json_object_get (told, "event"));
    for (rpc_client_t *client = gateway->clients; name && client; client = client->next)
        for (const rpc_callback_t *each = client->callbacks; each && !client->dead;
             each = each->next)
            if (wants (client, each, event, name))
                tell (self, client, event, told, each->number);
}

//  Asking.

static int answer_register (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    rpc_gateway_t *gateway = call->gateway;
    const char *text = value_get_str (call->args, "event");
    uint32_t flags = (uint32_t) value_get_u64 (call->args, "flags", 0);
    int number;
    if (!text_equals (call->client->driver, "qemu"))
        return error_set (err, ERR_NO_SUPPORT,
                          "%s: not supported: only guests of QEMU have events "
                          "of its monitor",
                          call->entry->procedure->name);
    auto(rpc_pattern_t) pattern = text ? rpc_pattern_new (text, flags, err) : NULL;
    const rpc_callback_t wanted = { .object = RPC_OF_MONITOR, .pattern = pattern };
    if ((text && !pattern) || rpc_register (call, &wanted, &number, err))
        return -1;
    pattern = NULL; //  it is the callback's
    if (!gateway->monitor_events)
        gateway->monitor_events = actor_subscribe (call->actor, "qmp/", on_told, NULL);
    pack_key_i64 (ret, "callbackID", number);
    return 0;
}

static bool has_number (const rpc_callback_t *callback, int number)
{
    return callback->object == RPC_OF_MONITOR && callback->number == number;
}

static int answer_deregister (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    int number = (int) value_get_i64 (call->args, "callbackID", -1);
    if (rpc_unregister (call->client, has_number, number))
        return 0;
    return error_set (err, ERR_INVALID_ARG, "%s: no callback with the number %d is registered",
                      call->entry->procedure->name, number);
}

const rpc_row_t rpc_rows_monitor_event[] = {
    { "CONNECT_DOMAIN_MONITOR_EVENT_REGISTER",
      .flags = FLAGS ({ RPC_PATTERN_REGEX, NULL }, { RPC_PATTERN_NOCASE, NULL }),
      .answer = answer_register },
    { "CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER", .answer = answer_deregister },
    { 0 },
};
