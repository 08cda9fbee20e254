//  rpc_rows.c: the table of all procedures with what serves them, and carrying out what a row says.

#include "actors/libvirt/rpc_rows.h"

#include "util/text.h"

#include <string.h>

static const rpc_rows_t all[] = {
#define ROWS(program, name) { PROGRAM_##program, rpc_rows_##name },
#include "actors/libvirt/rpc_rows.def"
#undef ROWS
};

enum {
    DIRECT = 512 //  numbers of the main program, which are looked up by each call
};

struct rpc_table {
    rpc_entry_t *entries;
    size_t count;
    const rpc_entry_t *direct[DIRECT];
};

static const rpc_row_t *row_of (const procedure_t *procedure)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const rpc_row_t *row = all[i].rows;
             all[i].program == procedure->program && row->procedure; row++)
            if (strcmp (row->procedure, procedure->name) == 0)
                return row;
    return NULL;
}

size_t rpc_row_count (void)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const rpc_row_t *row = all[i].rows; row->procedure; row++)
            count++;
    return count;
}

rpc_table_t *rpc_table_new (void)
{
    rpc_table_t *self = memory_new (1, sizeof *self);
    while (procedure_at (self->count))
        self->count++;
    self->entries = memory_new (self->count, sizeof *self->entries);
    for (size_t i = 0; i < self->count; i++) {
        rpc_entry_t *entry = &self->entries[i];
        entry->procedure = procedure_at (i);
        entry->row = row_of (entry->procedure);
        if (entry->row && entry->row->verb)
            entry->verb = verb_find (entry->row->verb);
        if (entry->procedure->program == PROGRAM_REMOTE && entry->procedure->number < DIRECT)
            self->direct[entry->procedure->number] = entry;
    }
    return self;
}

void rpc_table_destroy (rpc_table_t **self_p)
{
    rpc_table_t *self = take (self_p);
    if (!self)
        return;
    free (self->entries);
    free (self);
}

const rpc_entry_t *rpc_table_find (const rpc_table_t *self, uint32_t program, uint32_t number)
{
    if (program == PROGRAM_REMOTE && number < DIRECT)
        return self->direct[number];
    for (size_t i = 0; i < self->count; i++)
        if (self->entries[i].procedure->program == program &&
            self->entries[i].procedure->number == number)
            return &self->entries[i];
    return NULL;
}

const rpc_entry_t *rpc_table_at (const rpc_table_t *self, size_t index)
{
    return index < self->count ? &self->entries[index] : NULL;
}

//  Words.

static void copy_word (char to[RPC_WORD_MAX], const char *from, size_t size)
{
    snprintf (to, RPC_WORD_MAX, "%.*s", (int) size, from);
}

bool rpc_next_word (const char **at, rpc_word_t *word)
{
    const char *from = *at ? *at + strspn (*at, " ") : "";
    size_t size = strcspn (from, " ");
    if (size == 0)
        return false;
    const char *equals = memchr (from, '=', size);
    const char *source = equals ? equals + 1 : from;
    word->inverted = equals && *source == '!';
    source += word->inverted;
    copy_word (word->name, from, equals ? (size_t) (equals - from) : size);
    copy_word (word->source, source, (size_t) (from + size - source));
    *at = from + size;
    return true;
}

const value_t *rpc_field (const value_t *args, const char *path)
{
    const char *dot = strchr (path, '.');
    if (!dot)
        return value_get (args, path);
    char first[RPC_WORD_MAX];
    copy_word (first, path, (size_t) (dot - path));
    const value_t *inside = value_get (args, first);
    return inside ? rpc_field (inside, dot + 1) : NULL;
}

static const char *first_field (const value_t *args, const char *const *paths)
{
    const char *found = NULL;
    while (*paths && !found)
        found = value_str (rpc_field (args, *paths++));
    return found;
}

const char *rpc_domain_of (const value_t *args)
{
    static const char *const paths[] = { "dom.uuid", "snap.dom.uuid", "snapshot.dom.uuid",
                                         "checkpoint.dom.uuid", NULL };
    return first_field (args, paths);
}

const char *rpc_network_of (const value_t *args)
{
    static const char *const paths[] = { "net.uuid", "network.uuid", "port.net.uuid", NULL };
    return first_field (args, paths);
}

//  Arguments.

static const verb_arg_t *find_arg (const verb_t *verb, const char *name)
{
    for (const verb_arg_t *arg = verb->args; arg->name; arg++)
        if (strcmp (arg->name, name) == 0)
            return arg;
    return NULL;
}

static void pack_flag_or_number (pack_t *pack, const rpc_word_t *word, const verb_arg_t *arg,
                                 const value_t *value)
{
    int64_t number = 0;
    uint64_t large = 0;
    bool any = value_i64 (value, &number) ? number != 0 : value_u64 (value, &large);
    pack_key (pack, word->name);
    if (arg->type == TYPE_BOOL)
        pack_bool (pack, any != word->inverted);
    else
        pack_value (pack, value);
}

static void map_words (const rpc_entry_t *entry, const value_t *args, pack_t *pack)
{
    rpc_word_t word;
    for (const char *at = entry->row->args; rpc_next_word (&at, &word);) {
        const value_t *value = rpc_field (args, word.source);
        if (value && value->type != MSGPACK_OBJECT_NIL)
            pack_flag_or_number (pack, &word, find_arg (entry->verb, word.name), value);
    }
}

static int map_flags (const rpc_entry_t *entry, const value_t *args, pack_t *pack, error_t *err)
{
    uint64_t given = value_get_u64 (args, "flags", 0);
    for (const rpc_flag_t *flag = entry->row->flags; flag && flag->bit; flag++) {
        if (flag->arg && pack && (given & flag->bit))
            pack_key_bool (pack, flag->arg, true);
        given &= ~(uint64_t) flag->bit;
    }
    return given ? error_set (err, ERR_INVALID_ARG, "%s: unsupported flags (0x%llx)",
                              entry->procedure->name, (unsigned long long) given)
                 : 0;
}

static int map_params (const rpc_entry_t *entry, const value_t *args, pack_t *pack, error_t *err)
{
    const value_t *list = value_get (args, "params");
    if (!entry->row->params || !list)
        return 0;
    return rpc_params_read (list, entry->row->params, entry->procedure->name, pack, err);
}

static void map_object (const rpc_entry_t *entry, const char *name, const char *uuid, pack_t *pack)
{
    if (uuid && find_arg (entry->verb, name))
        pack_key_str (pack, name, uuid);
}

int rpc_map_args (const rpc_entry_t *entry, rpc_call_t *call, const value_t *args, pack_t *pack,
                  error_t *err)
{
    if (!entry->verb)
        return map_flags (entry, args, NULL, err);
    pack_map (pack);
    map_object (entry, "domain", rpc_domain_of (args), pack);
    map_object (entry, "network", rpc_network_of (args), pack);
    map_words (entry, args, pack);
    if (map_flags (entry, args, pack, err) || map_params (entry, args, pack, err) ||
        (entry->row->prepare && entry->row->prepare (call, pack, err)))
        return -1;
    pack_end (pack);
    return 0;
}

//  Results.

void rpc_pack_domain (pack_t *pack, const char *key, const char *name, const char *uuid, int64_t id)
{
    if (key)
        pack_key (pack, key);
    pack_map (pack);
    pack_key_str (pack, "name", name);
    pack_key_str (pack, "uuid", uuid);
    pack_key_i64 (pack, "id", id > 0 ? id : -1);
    pack_end (pack);
}

static const xdr_field_t *find_field (const xdr_field_t *fields, const char *name)
{
    for (; fields && fields->kind != XDR_END; fields++)
        if (strcmp (fields->name, name) == 0)
            return fields;
    return NULL;
}

static void map_domain (pack_t *pack, const char *key, const value_t *result,
                        const snapshot_t *domain)
{
    const char *name = value_get_str (result, "name"), *uuid = value_get_str (result, "uuid");
    if (name && uuid)
        rpc_pack_domain (pack, key, name, uuid, value_get_i64 (result, "id", -1));
    else if (domain)
        rpc_pack_domain (pack, key, domain->name, domain->uuid, domain->id);
}

static void map_network (pack_t *pack, const char *key, const value_t *result)
{
    pack_key_map (pack, key);
    pack_key_str (pack, "name", value_get_str (result, "name"));
    pack_key_str (pack, "uuid", value_get_str (result, "uuid"));
    pack_end (pack);
}

static void map_part (pack_t *pack, const rpc_word_t *word, const value_t *result,
                      const snapshot_t *domain)
{
    pack_key_map (pack, word->name);
    pack_key_str (pack, "name", value_get_str (result, word->source));
    if (domain)
        rpc_pack_domain (pack, "dom", domain->name, domain->uuid, domain->id);
    pack_end (pack);
}

void rpc_map_ret (const rpc_entry_t *entry, const value_t *args, const value_t *result,
                  const snapshot_t *domain, pack_t *pack)
{
    rpc_word_t word;
    for (const char *at = entry->row->ret; rpc_next_word (&at, &word);) {
        const xdr_field_t *field = find_field (entry->procedure->ret, word.name);
        const xdr_field_t *type = field ? field->of : NULL;
        if (type == xdr_domain)
            map_domain (pack, word.name, result, domain);
        else if (type == xdr_network)
            map_network (pack, word.name, result);
        else if (type == xdr_domain_snapshot || type == xdr_domain_checkpoint)
            map_part (pack, &word, result, domain);
        else
            pack_key_value (pack, word.name, value_get (result, word.source));
    }
    if (entry->row->params && find_field (entry->procedure->ret, "params"))
        rpc_params_write (entry->row->params, args, result, pack);
}
