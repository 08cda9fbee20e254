//  rpc_wishes.c: see rpc_migrate.h: how a migration is to be done, from libvirt's flags and
//  parameters. What is not supported is refused by its name.

#include "actors/libvirt/rpc_migrate.h"

#include <string.h>

#define MIB (1024u * 1024u)
#define STREAMS 2 //  if nobody says how many

typedef enum {
    PLAIN,
    IN_MIB,
    DISKS, //  may be given again and again
    REFUSED
} kind_t;

typedef struct {
    const char *field;
    int type;
    kind_t kind;
    const char *arg;   //  REFUSED: why
    unsigned phases;   //  in which it is an argument
    uint64_t with;     //  goes with one of these flags
    const char *other; //  in procedures without parameters: the names of their fields
} wish_t;

#define SENDER (WISH_BEGIN | WISH_DIRECT)
#define COPIES (MIGRATE_NON_SHARED_DISK | MIGRATE_NON_SHARED_INC)

static const wish_t wishes[] = {
    { "migrate_uri", PARAM_STRING, PLAIN, "uri", WISH_PREPARE | WISH_PERFORM | WISH_DIRECT, 0,
      "uri_in uri" },
    { "destination_name", PARAM_STRING, PLAIN, "name", SENDER | WISH_OFFLINE, 0, "dname" },
    { "destination_xml", PARAM_STRING, PLAIN, "xml", SENDER | WISH_PREPARE, 0, "xmlin dom_xml" },
    { "persistent_xml", PARAM_STRING, PLAIN, "persistent_xml", SENDER, 0, "" },
    { "bandwidth", PARAM_ULLONG, IN_MIB, "bandwidth", SENDER | WISH_PERFORM, 0, "resource" },
    { "bandwidth.postcopy", PARAM_ULLONG, IN_MIB, "postcopy_bandwidth", SENDER, 0, "" },
    { "listen_address", PARAM_STRING, PLAIN, "listen_address", SENDER, 0, "" },
    { "migrate_disks", PARAM_STRING, DISKS, "disks", SENDER, COPIES, "" },
    { "disks_port", PARAM_INT, PLAIN, "disks_port", SENDER, COPIES, "" },
    { "compression", PARAM_STRING, PLAIN, "compression", SENDER, 0, "" },
    { "compression.mt.level", PARAM_INT, PLAIN, "compression_level", SENDER, 0, "" },
    { "compression.zlib.level", PARAM_INT, PLAIN, "compression_level", SENDER, 0, "" },
    { "compression.zstd.level", PARAM_INT, PLAIN, "compression_level", SENDER, 0, "" },
    { "compression.xbzrle.cache", PARAM_ULLONG, PLAIN, "compression_cache", SENDER, 0, "" },
    { "auto_converge.initial", PARAM_INT, PLAIN, "auto_converge_initial", SENDER,
      MIGRATE_AUTO_CONVERGE, "" },
    { "auto_converge.increment", PARAM_INT, PLAIN, "auto_converge_increment", SENDER,
      MIGRATE_AUTO_CONVERGE, "" },
    { "parallel.connections", PARAM_INT, PLAIN, "parallel", SENDER, MIGRATE_PARALLEL, "" },
    { "disks_uri", PARAM_STRING, REFUSED, "say disks_port and listen_address instead", 0, 0, "" },
    { "graphics_uri", PARAM_STRING, REFUSED, "clients of the display connect again", 0, 0, "" },
    { "tls.destination", PARAM_STRING, REFUSED, "the stream is not encrypted", 0, 0, "" },
    { "compression.mt.threads", PARAM_INT, REFUSED, "QEMU's default is used", 0, 0, "" },
    { "compression.mt.dthreads", PARAM_INT, REFUSED, "QEMU's default is used", 0, 0, "" },
};

#define EACH_WISH(wish)                                                                            \
    (const wish_t *wish = wishes; wish < wishes + sizeof wishes / sizeof *wishes; wish++)

static const struct {
    uint32_t flag;
    const char *arg, *text; //  TEXT: the argument's value, else it is true
    unsigned phases;
} asked[] = {
    { MIGRATE_LIVE, "live", NULL, SENDER },
    { MIGRATE_PERSIST_DEST, "persistent", NULL, SENDER },
    { MIGRATE_UNDEFINE_SOURCE, "undefine_source", NULL, SENDER | WISH_OFFLINE },
    { MIGRATE_PAUSED, "suspend", NULL, SENDER },
    { MIGRATE_NON_SHARED_DISK, "copy", "all", SENDER },
    { MIGRATE_NON_SHARED_INC, "copy", "top", SENDER },
    { MIGRATE_UNSAFE, "unsafe", NULL, SENDER },
    { MIGRATE_ABORT_ON_ERROR, "abort_on_error", NULL, SENDER },
    { MIGRATE_AUTO_CONVERGE, "auto_converge", NULL, SENDER },
    { MIGRATE_POSTCOPY, "postcopy", NULL, SENDER },
};

//  What can't be done, and why; and what asks for nothing more than is done anyway.
static const struct {
    uint32_t flag;
    const char *name, *why;
} others[] = {
    { MIGRATE_PEER2PEER, NULL, NULL },
    { MIGRATE_CHANGE_PROTECTION, NULL, NULL },
    { MIGRATE_OFFLINE, NULL, NULL },
    { MIGRATE_COMPRESSED, NULL, NULL },
    { MIGRATE_PARALLEL, NULL, NULL },
    { MIGRATE_TUNNELLED, "tunnelled", "the hypervisors are connected directly" },
    { MIGRATE_RDMA_PIN_ALL, "rdma-pin-all", "there is no RDMA" },
    { MIGRATE_TLS, "tls", "the hypervisors' connection is not encrypted" },
    { MIGRATE_SYNCHRONOUS_WRITES, "copy-storage-synchronous-writes",
      "disks are copied in the background" },
    { MIGRATE_POSTCOPY_RESUME, "postcopy-resume",
      "resume it with 'troupe migrate --postcopy-resume'" },
    { MIGRATE_ZEROCOPY, "zerocopy", "memory is sent in the usual way" },
};

uint64_t rpc_migrate_flags (const rpc_call_t *call)
{
    return value_get_u64 (call->args, "flags", 0);
}

static const char *name_of (const rpc_call_t *call)
{
    return call->entry->procedure->name;
}

//  Reading one of them.

static const wish_t *find_wish (const char *field)
{
    for
        EACH_WISH (wish)
    if (text_equals (wish->field, field))
        return wish;
    return NULL;
}

static const value_t *param (const rpc_call_t *call, const wish_t *wish)
{
    const value_t *list = value_get (call->args, "params");
    for (size_t i = 0; i < value_count (list); i++)
        if (text_equals (value_get_str (value_at (list, i), "field"), wish->field))
            return value_get (value_get (value_at (list, i), "value"), "value");
    return NULL;
}

static const value_t *field (const rpc_call_t *call, const wish_t *wish)
{
    rpc_word_t word;
    for (const char *at = wish->other; rpc_next_word (&at, &word);) {
        const value_t *value = value_get (call->args, word.name);
        if (value && value->type != MSGPACK_OBJECT_NIL)
            return value;
    }
    return NULL;
}

//  Numbers of 0 in procedures without parameters are none.
static const value_t *given (const rpc_call_t *call, const wish_t *wish)
{
    uint64_t number;
    if (value_get (call->args, "params"))
        return param (call, wish);
    const value_t *value = field (call, wish);
    return value_u64 (value, &number) && number == 0 ? NULL : value;
}

const char *rpc_migrate_wish (const rpc_call_t *call, const char *arg)
{
    const value_t *value = NULL;
    for
        EACH_WISH (wish)
    if (!value && wish->kind == PLAIN && text_equals (wish->arg, arg))
        value = given (call, wish);
    return value_str (value);
}

//  Checks.

static int check_flags (const rpc_call_t *call, error_t *err)
{
    uint64_t flags = rpc_migrate_flags (call), left = flags;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        left &= ~(uint64_t) asked[i].flag;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].name && (flags & others[i].flag))
            return error_set (err, ERR_ARGUMENT_UNSUPPORTED, "migrate: %s: not supported: %s",
                              others[i].name, others[i].why);
        left &= ~(uint64_t) others[i].flag;
    }
    if (left)
        return error_set (err, ERR_INVALID_ARG, "%s: unsupported flags (0x%llx)", name_of (call),
                          (unsigned long long) left);
    return (flags & COPIES) == COPIES
               ? error_set (err, ERR_INVALID_ARG,
                            "migrate: copy-storage-all and copy-storage-inc exclude each other")
               : 0;
}

static bool is_twice (const value_t *list, size_t index, const wish_t *wish)
{
    for (size_t i = 0; i < index && wish->kind != DISKS; i++)
        if (text_equals (value_get_str (value_at (list, i), "field"), wish->field))
            return true;
    return false;
}

static int check_param (const rpc_call_t *call, const value_t *list, size_t index, error_t *err)
{
    const char *name = value_get_str (value_at (list, index), "field");
    const wish_t *wish = find_wish (name);
    if (!wish)
        return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' not supported", name_of (call),
                          name);
    if (wish->kind == REFUSED)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED, "migrate: %s: not supported: %s", name,
                          wish->arg);
    if (value_get_i64 (value_get (value_at (list, index), "value"), "type", 0) != wish->type)
        return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' has the wrong type",
                          name_of (call), name);
    if (is_twice (list, index, wish))
        return error_set (err, ERR_INVALID_ARG, "migrate: %s is given twice: choose one", name);
    if (wish->with && !(rpc_migrate_flags (call) & wish->with))
        return error_set (err, ERR_INVALID_ARG,
                          "migrate: %s goes with what it is about (copy-storage-all or -inc, "
                          "auto-converge, parallel)",
                          name);
    return 0;
}

static int check (const rpc_call_t *call, error_t *err)
{
    const value_t *list = value_get (call->args, "params");
    if (check_flags (call, err))
        return -1;
    for (size_t i = 0; i < value_count (list); i++)
        if (check_param (call, list, i, err))
            return -1;
    return 0;
}

//  Packing.

static void pack_disks (const rpc_call_t *call, const wish_t *wish, pack_t *args)
{
    const value_t *list = value_get (call->args, "params");
    pack_key_array (args, wish->arg);
    for (size_t i = 0; i < value_count (list); i++)
        if (text_equals (value_get_str (value_at (list, i), "field"), wish->field))
            pack_value (args, value_get (value_get (value_at (list, i), "value"), "value"));
    pack_end (args);
}

static int pack_wish (const rpc_call_t *call, const wish_t *wish, const value_t *value,
                      pack_t *args, error_t *err)
{
    uint64_t number = 0;
    if (wish->kind == DISKS)
        pack_disks (call, wish, args);
    if (wish->kind == PLAIN)
        pack_key_value (args, wish->arg, value);
    if (wish->kind != IN_MIB)
        return 0;
    if (!value_u64 (value, &number) || number > UINT64_MAX / MIB)
        return error_set (err, ERR_OVERFLOW, "migrate: %s: %llu MiB/s are too many", wish->field,
                          (unsigned long long) number);
    pack_key_u64 (args, wish->arg, number * MIB);
    return 0;
}

//  Flags that mean a number, or a method, that nobody named.
static void pack_defaults (const rpc_call_t *call, pack_t *args)
{
    uint64_t flags = rpc_migrate_flags (call);
    if ((flags & MIGRATE_PARALLEL) && !given (call, find_wish ("parallel.connections")))
        pack_key_u64 (args, "parallel", STREAMS);
    if ((flags & MIGRATE_COMPRESSED) && !given (call, find_wish ("compression")))
        pack_key_str (args, "compression", "xbzrle");
}

int rpc_migrate_wishes (const rpc_call_t *call, unsigned phase, pack_t *args, error_t *err)
{
    uint64_t flags = rpc_migrate_flags (call);
    if (check (call, err))
        return -1;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if ((flags & asked[i].flag) && (asked[i].phases & phase) && asked[i].text)
            pack_key_str (args, asked[i].arg, asked[i].text);
        else if ((flags & asked[i].flag) && (asked[i].phases & phase))
            pack_key_bool (args, asked[i].arg, true);
    if (phase & SENDER)
        pack_defaults (call, args);
    for
        EACH_WISH (wish)
        {
            const value_t *value = wish->phases & phase ? given (call, wish) : NULL;
            if (value && pack_wish (call, wish, value, args, err))
                return -1;
        }
    return 0;
}
