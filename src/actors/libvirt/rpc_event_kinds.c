//  rpc_event_kinds.c: what our events are called and carry in libvirt's protocol. Pure.

#include "actors/libvirt/rpc_event_kinds.h"

#include "actors/libvirt/rpc_params.h"
#include "actors/libvirt/rpc_rows.h"
#include "drivers/state.h"

#include <string.h>

//  What a mapping of names can't say.

static void pack_graphics (pack_t *pack, const value_t *args)
{
    (void) args;
    static const char *const ends[] = { "local", "remote" };
    enum {
        UNIX_SOCKET = 2 //  virDomainEventGraphicsAddressType
    };
    //  Which addresses they are is not kept.
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        pack_key_map (pack, ends[i]);
        pack_key_i64 (pack, "family", UNIX_SOCKET);
        pack_key_str (pack, "node", "");
        pack_key_str (pack, "service", "");
        pack_end (pack);
    }
    pack_key_str (pack, "authScheme", "");
    pack_key_array (pack, "subject");
    pack_end (pack);
}

//  Quotas can be negative, so they are of another type than the rest even if they are not.
static void pack_tunable (pack_t *pack, const value_t *args)
{
    const value_t *params = value_get (args, "params");
    int64_t quota;
    pack_key_array (pack, "params");
    for (size_t i = 0; i < value_count (params); i++) {
        const char *field = value_key_at (params, i);
        const value_t *value = value_val_at (params, i);
        if (text_ends (field, "_quota") && value_i64 (value, &quota))
            rpc_param_llong (pack, field, quota);
        else
            rpc_param_value (pack, field, value);
    }
    pack_end (pack);
}

static void pack_metadata (pack_t *pack, const value_t *args)
{
    static const char *const types[] = { "description", "title",
                                         "element" }; //  virDomainMetadataType
    for (int i = 0; i < 3; i++)
        if (text_equals (types[i], value_get_str (args, "type")))
            pack_key_i64 (pack, "type", i);
    pack_key_value (pack, "nsuri", value_get (args, "uri"));
}

static void pack_job (pack_t *pack, const value_t *args)
{
    static const char *const data[][2] = { { "data_total", "total" },
                                           { "data_processed", "done" },
                                           { "data_remaining", "remaining" } };
    const char *error = value_get_str (args, "error");
    int64_t took_us = value_get_i64 (args, "ended_us", 0) - value_get_i64 (args, "since_us", 0);
    pack_key_array (pack, "params");
    rpc_param_int (pack, "operation", value_get_i64 (args, "operation", 0));
    rpc_param_ullong (pack, "time_elapsed", took_us > 0 ? (uint64_t) took_us / 1000 : 0);
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        if (value_get (args, data[i][1]))
            rpc_param_ullong (pack, data[i][0], value_get_u64 (args, data[i][1], 0));
    rpc_param_bool (pack, "success", text_equals (value_get_str (args, "outcome"), "completed"));
    if (error)
        rpc_param_str (pack, "errmsg", error);
    pack_end (pack);
}

#define BOTH(name) "DOMAIN_EVENT_CALLBACK_" name, "DOMAIN_EVENT_" name
#define NEW(name) "DOMAIN_EVENT_CALLBACK_" name, NULL
#define PLAIN(name) "DOMAIN_EVENT_" name, NULL
#define ALWAYS NULL, NULL
#define DOMAIN RPC_OF_DOMAIN

static const rpc_event_kind_t kinds[] = {
    { DOMAIN, 0, "domain.lifecycle", ALWAYS, BOTH ("LIFECYCLE"), "event detail", NULL },
    { DOMAIN, 1, "domain.reboot", ALWAYS, BOTH ("REBOOT"), NULL, NULL },
    { DOMAIN, 2, "domain.rtc_change", ALWAYS, BOTH ("RTC_CHANGE"), "offset", NULL },
    { DOMAIN, 3, "domain.watchdog", ALWAYS, BOTH ("WATCHDOG"), "action=number", NULL },
    { DOMAIN, 4, "domain.io_error", ALWAYS, BOTH ("IO_ERROR"),
      "srcPath=path devAlias=device action=number", NULL },
    { DOMAIN, 5, "domain.graphics", ALWAYS, BOTH ("GRAPHICS"), "phase=number", pack_graphics },
    { DOMAIN, 6, "domain.io_error", ALWAYS, BOTH ("IO_ERROR_REASON"),
      "srcPath=path devAlias=device action=number reason", NULL },
    { DOMAIN, 7, "domain.monitor", "responding", "false", BOTH ("CONTROL_ERROR"), NULL, NULL },
    { DOMAIN, 8, "domain.block_job", ALWAYS, BOTH ("BLOCK_JOB"), "path type status", NULL },
    { DOMAIN, 9, "domain.disk_change", ALWAYS, BOTH ("DISK_CHANGE"),
      "oldSrcPath=path devAlias=device reason=number", NULL },
    { DOMAIN, 10, "domain.tray", ALWAYS, BOTH ("TRAY_CHANGE"), "devAlias=device reason=number",
      NULL },
    { DOMAIN, 11, "domain.pm", "event", "wakeup", BOTH ("PMWAKEUP"), NULL, NULL },
    { DOMAIN, 12, "domain.pm", "event", "suspend", BOTH ("PMSUSPEND"), NULL, NULL },
    { DOMAIN, 13, "domain.balloon", ALWAYS, BOTH ("BALLOON_CHANGE"), "actual=memory_kib", NULL },
    { DOMAIN, 14, "domain.pm", "event", "suspend-disk", BOTH ("PMSUSPEND_DISK"), NULL, NULL },
    { DOMAIN, 15, "domain.device", "event", "removed", BOTH ("DEVICE_REMOVED"), "devAlias=device",
      NULL },
    { DOMAIN, 16, "domain.block_job", ALWAYS, PLAIN ("BLOCK_JOB_2"), "dst=device type status",
      NULL },
    { DOMAIN, 17, "domain.tunable", ALWAYS, NEW ("TUNABLE"), NULL, pack_tunable },
    { DOMAIN, 18, "domain.agent", ALWAYS, NEW ("AGENT_LIFECYCLE"), "state reason", NULL },
    { DOMAIN, 19, "domain.device", "event", "added", NEW ("DEVICE_ADDED"), "devAlias=device",
      NULL },
    { DOMAIN, 20, "domain.migration_iteration", ALWAYS, NEW ("MIGRATION_ITERATION"), "iteration",
      NULL },
    { DOMAIN, 21, "domain.job_completed", ALWAYS, NEW ("JOB_COMPLETED"), NULL, pack_job },
    { DOMAIN, 22, "domain.device", "event", "removal-failed", NEW ("DEVICE_REMOVAL_FAILED"),
      "devAlias=device", NULL },
    { DOMAIN, 23, "domain.metadata", ALWAYS, NEW ("METADATA_CHANGE"), NULL, pack_metadata },
    { DOMAIN, 24, "domain.block_threshold", ALWAYS, PLAIN ("BLOCK_THRESHOLD"),
      "dev=device path threshold excess", NULL },
    { DOMAIN, 25, "domain.memory_failure", ALWAYS, PLAIN ("MEMORY_FAILURE"),
      "recipient=number action=action_number flags", NULL },
    { DOMAIN, 26, "domain.memory_device_size", ALWAYS, PLAIN ("MEMORY_DEVICE_SIZE_CHANGE"),
      "alias=device size=memory_kib", NULL },
    { RPC_OF_NETWORK, 0, "network.lifecycle", ALWAYS, "NETWORK_EVENT_LIFECYCLE", NULL,
      "event detail", NULL },
    { RPC_OF_DEVICE, 0, "nodedev.lifecycle", ALWAYS, "NODE_DEVICE_EVENT_LIFECYCLE", NULL,
      "event detail", NULL },
    { RPC_OF_DEVICE, 1, "nodedev.update", ALWAYS, "NODE_DEVICE_EVENT_UPDATE", NULL, NULL, NULL },
};

const rpc_event_kind_t *rpc_event_kind_at (size_t index)
{
    size_t count = sizeof kinds / sizeof *kinds;
    return index < count ? &kinds[index] : NULL;
}

int rpc_event_last (rpc_object_t object)
{
    static const int last[RPC_OBJECTS] = { 26, 0, 1, 0 };
    return last[object];
}

const char *rpc_event_about (const rpc_event_kind_t *kind, const view_event_t *event)
{
    return kind->object == RPC_OF_DEVICE ? value_get_str (event->args, "name") : event->uuid;
}

bool rpc_event_is (const rpc_event_kind_t *kind, const view_event_t *event)
{
    const value_t *args = event->args;
    if (strcmp (kind->verb, event->verb) != 0)
        return false;
    const value_t *value = kind->key ? value_get (args, kind->key) : NULL;
    if (!kind->key || !value)
        return !kind->key;
    if (value->type == MSGPACK_OBJECT_BOOLEAN)
        return text_equals (kind->word, value->via.boolean ? "true" : "false");
    return text_equals (kind->word, value_str (value));
}

static void pack_network (pack_t *pack, const view_event_t *event)
{
    pack_key_map (pack, "net");
    pack_key_str (pack, "name", value_get_str (event->args, "name"));
    pack_key_str (pack, "uuid", event->uuid);
    pack_end (pack);
}

static void pack_device (pack_t *pack, const view_event_t *event)
{
    pack_key_map (pack, "dev");
    pack_key_str (pack, "name", value_get_str (event->args, "name"));
    pack_end (pack);
}

//  Of a domain that stopped, none.
static int64_t id_in (const view_event_t *event)
{
    bool stopped = strcmp (event->verb, "domain.lifecycle") == 0 &&
                   value_get_i64 (event->args, "event", -1) == EVENT_STOPPED;
    return stopped ? -1 : value_get_i64 (event->args, "id", -1);
}

static void pack_domain (pack_t *pack, const view_event_t *event)
{
    rpc_pack_domain (pack, "dom", value_get_str (event->args, "name"), event->uuid, id_in (event));
}

//  What the event is about, and what it says: an open map's fields.
static void pack_fields (pack_t *pack, const rpc_event_kind_t *kind, const view_event_t *event)
{
    static void (*const objects[RPC_OBJECTS]) (
        pack_t *, const view_event_t *) = { pack_domain, pack_network, pack_device, NULL };
    const value_t *args = event->args;
    rpc_word_t word;
    objects[kind->object](pack, event);
    for (const char *at = kind->fields; rpc_next_word (&at, &word);)
        pack_key_value (pack, word.name, value_get (args, word.source));
    if (kind->pack)
        kind->pack (pack, args);
}

static bool has_struct (const procedure_t *procedure)
{
    for (const xdr_field_t *field = procedure->args; field->kind != XDR_END; field++)
        if (strcmp (field->name, "msg") == 0)
            return true;
    return false;
}

//  Some messages carry the fields as they are, others in a struct of their own.
static document_t *message_of (const procedure_t *procedure, const rpc_event_kind_t *kind,
                               const view_event_t *event, int number, error_t *err)
{
    pack_t pack;
    bool inside = has_struct (procedure);
    pack_init (&pack);
    pack_map (&pack);
    pack_key_i64 (&pack, "callbackID", number);
    if (inside) {
        pack_key_i64 (&pack, "reason", 0); //  of going to sleep: there is but one
        pack_key_map (&pack, "msg");
    }
    pack_fields (&pack, kind, event);
    if (inside)
        pack_end (&pack);
    pack_end (&pack);
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_close (&pack);
    return document;
}

int rpc_event_write (const rpc_event_kind_t *kind, bool legacy, const view_event_t *event,
                     int number, text_t *out, error_t *err)
{
    const procedure_t *procedure = rpc_event_procedure (kind, legacy);
    auto(document_t) message = message_of (procedure, kind, event, number, err);
    return message ? xdr_encode (procedure->args, document_root (message), out, err) : -1;
}

const procedure_t *rpc_event_procedure (const rpc_event_kind_t *kind, bool legacy)
{
    return procedure_named (PROGRAM_REMOTE, legacy ? kind->legacy : kind->message);
}
