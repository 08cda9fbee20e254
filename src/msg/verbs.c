//  verbs.c: the verb table and the check of arguments against it.

#include "msg/verbs.h"

#include <string.h>

#define ARGS_NONE ((const verb_arg_t[]){ { NULL, TYPE_STR, 0, NULL, NULL } })
#define ARGS(...) ((const verb_arg_t[]){ __VA_ARGS__, { NULL, TYPE_STR, 0, NULL, NULL } })
#define ARG(name, type, flags, choices, help)                                                      \
    {                                                                                              \
        name, type, flags, choices, help                                                           \
    }
#define VERB(name, owner, access, class, command, args, result, help)                              \
    { name, owner, access, class, command, args, result, help },

const verb_t verbs[] = {
#include "msg/verbs.def"
    { NULL, OWNER_GATEWAY, ACCESS_READ, CLASS_QUERY, NULL, NULL, NULL, NULL }
};

enum {
    MAX_NAME_BYTES = 255,
    MAX_XML_BYTES = 4 * 1024 * 1024,
    MAX_STR_BYTES = 1024 * 1024
};

const verb_t *verb_find (const char *name)
{
    for (const verb_t *verb = verbs; verb->name; verb++)
        if (strcmp (verb->name, name) == 0)
            return verb;
    return NULL;
}

const verb_t *verb_of_command (const char *command)
{
    for (const verb_t *verb = verbs; verb->name; verb++)
        if (verb->command && strcmp (verb->command, command) == 0)
            return verb;
    return NULL;
}

static const char *const type_names[] = {
    [TYPE_STR] = "string",      [TYPE_NAME] = "name",        [TYPE_XML] = "XML text",
    [TYPE_DOMAIN] = "domain",   [TYPE_U64] = "whole number", [TYPE_I64] = "integer",
    [TYPE_BOOL] = "boolean",    [TYPE_BIN] = "bytes",        [TYPE_STRS] = "array of strings",
    [TYPE_NETWORK] = "network",
};

const char *arg_type_name (arg_type_t type)
{
    return type_names[type];
}

const char *access_name (access_t access)
{
    static const char *const names[] = { "read", "write", "admin" };
    return names[access];
}

bool verb_is_name (const char *text)
{
    size_t size = strlen (text);
    for (const char *c = text; *c; c++)
        if ((unsigned char) *c < ' ' || *c == '/' || *c == 0x7f)
            return false;
    return size > 0 && size <= MAX_NAME_BYTES && strcmp (text, ".") != 0 &&
           strcmp (text, "..") != 0;
}

static bool is_strings (const value_t *value)
{
    if (value->type != MSGPACK_OBJECT_ARRAY)
        return false;
    for (size_t i = 0; i < value_count (value); i++)
        if (!value_str (value_at (value, i)))
            return false;
    return true;
}

static bool type_matches (arg_type_t type, const value_t *value)
{
    uint64_t u64;
    int64_t i64;
    size_t size;
    const char *text = value_str (value);
    switch (type) {
    case TYPE_STR:
        return text && value->via.str.size <= MAX_STR_BYTES;
    case TYPE_NAME:
    case TYPE_NETWORK:
        return text && verb_is_name (text);
    case TYPE_XML:
        return text && value->via.str.size <= MAX_XML_BYTES;
    case TYPE_DOMAIN:
        return (text && verb_is_name (text)) || value_u64 (value, &u64);
    case TYPE_U64:
        return value_u64 (value, &u64);
    case TYPE_I64:
        return value_i64 (value, &i64);
    case TYPE_BOOL:
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case TYPE_BIN:
        return value_bin (value, &size) && size <= 64 * 1024;
    case TYPE_STRS:
        return is_strings (value);
    }
    return false;
}

static const verb_arg_t *find_arg (const verb_t *self, const char *name)
{
    for (const verb_arg_t *arg = self->args; arg->name; arg++)
        if (name && strcmp (arg->name, name) == 0)
            return arg;
    return NULL;
}

bool verb_is_choice (const char *choices, const char *text)
{
    for (const char *at = choices; at; at = strchr (at, '|')) {
        at += *at == '|';
        size_t size = strcspn (at, "|");
        if (size > 0 && strlen (text) == size && strncmp (at, text, size) == 0)
            return true;
    }
    return false;
}

//  To look, or to type into a console, twice does no harm, or is what is meant.
bool verb_takes_key (const verb_t *self)
{
    bool looks =
        self->access == ACCESS_READ || (self->class == CLASS_QUERY && self->owner != OWNER_DOMAIN);
    return !looks && self->owner != OWNER_GATEWAY && self->class != CLASS_STREAM;
}

bool verb_is_event (const char *name)
{
    static const char *const events[] = {
        "domain.lifecycle",
        "domain.reboot",
        "domain.rtc_change",
        "domain.balloon",
        "domain.watchdog",
        "domain.io_error",
        "domain.device",
        "domain.memory_device_size",
        "domain.graphics",
        "domain.metadata",
        "domain.monitor",
        "domain.pm",
        "domain.tray",
        "domain.block_threshold",
        "domain.migration_iteration",
        "domain.job_completed",
        "domain.agent",
        "domain.block_job",
        "domain.tunable",
        "domain.disk_change",
        "domain.memory_failure",
        "network.lifecycle",
        "nodedev.lifecycle",
        "nodedev.update",
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp (events[i], name) == 0)
            return true;
    return false;
}

static int check_arg (const verb_t *self, const verb_arg_t *arg, const value_t *value, error_t *err)
{
    if (arg->type == TYPE_XML && value_str (value) && value->via.str.size > MAX_XML_BYTES)
        return error_set (err, ERR_INVALID_ARG,
                          "%s: argument '%s' has %u bytes; a document may have 4 MiB at most",
                          self->name, arg->name, value->via.str.size);
    if (!type_matches (arg->type, value) && arg->type == TYPE_NAME)
        return error_set (err, ERR_INVALID_ARG,
                          "%s: argument '%s' has to be a name (%s): 1 to %d bytes, without '/' and "
                          "control characters",
                          self->name, arg->name, arg->help, MAX_NAME_BYTES);
    if (!type_matches (arg->type, value))
        return error_set (err, ERR_INVALID_ARG, "%s: argument '%s' has to be a %s (%s)", self->name,
                          arg->name, arg_type_name (arg->type), arg->help);
    if (arg->choices && !verb_is_choice (arg->choices, value_str (value)))
        return error_set (err, ERR_INVALID_ARG, "%s: argument '%s' is '%s'; it may be one of %s",
                          self->name, arg->name, value_str (value), arg->choices);
    return 0;
}

int verb_check_args (const verb_t *self, const value_t *args, error_t *err)
{
    if (args && args->type != MSGPACK_OBJECT_MAP)
        return error_set (err, ERR_INVALID_ARG, "%s: args has to be a map", self->name);
    for (size_t i = 0; i < value_count (args); i++) {
        const char *name = value_key_at (args, i);
        const verb_arg_t *arg = find_arg (self, name);
        if (!arg)
            return error_set (err, ERR_INVALID_ARG,
                              "%s: it takes no argument '%s'; docs/protocol.md lists them",
                              self->name, name);
        if (check_arg (self, arg, value_val_at (args, i), err))
            return -1;
    }
    for (const verb_arg_t *arg = self->args; arg->name; arg++)
        if ((arg->flags & ARG_REQUIRED) && !value_get (args, arg->name))
            return error_set (err, ERR_INVALID_ARG, "%s: argument '%s' is missing (%s)", self->name,
                              arg->name, arg->help);
    return 0;
}
