//  rpc_params.c: typed parameters: lists of names with values, by the table of a row.

#include "actors/libvirt/rpc_self.h"

#include <string.h>

enum {
    STRING_OKAY = 4 //  VIR_TYPED_PARAM_STRING_OKAY, of the older procedures' flags
};

static const char *key_of (const rpc_param_t *param)
{
    return param->key ? param->key : param->field;
}

//  Reading.

static const rpc_param_t *find_param (const rpc_param_t *params, const char *field)
{
    for (; params->field; params++)
        if (text_equals (params->field, field))
            return params;
    return NULL;
}

static bool is_repeated (const value_t *list, size_t index)
{
    const char *field = value_get_str (value_at (list, index), "field");
    for (size_t i = 0; i < index; i++)
        if (text_equals (value_get_str (value_at (list, i), "field"), field))
            return true;
    return false;
}

static int check_param (const rpc_entry_t *entry, const rpc_param_t *param, const value_t *list,
                        size_t index, error_t *err)
{
    const value_t *item = value_at (list, index);
    const char *field = value_get_str (item, "field"), *procedure = entry->procedure->name;
    int64_t type = value_get_i64 (value_get (item, "value"), "type", 0);
    if (!param)
        return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' is not supported", procedure,
                          field);
    if (type != param->type)
        return error_set (err, ERR_INVALID_ARG,
                          "%s: parameter '%s' has type %d in virTypedParameterType, not %d",
                          procedure, field, param->type, (int) type);
    if (is_repeated (list, index))
        return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' is there more than once",
                          procedure, field);
    return 0;
}

static bool takes_params (const rpc_entry_t *entry, const value_t *args)
{
    const value_t *list = value_get (args, "params");
    return entry->row->params && list && list->type == MSGPACK_OBJECT_ARRAY;
}

int rpc_params_read (const rpc_entry_t *entry, const value_t *args, pack_t *pack, error_t *err)
{
    const value_t *list = value_get (args, "params");
    for (size_t i = 0; takes_params (entry, args) && i < value_count (list); i++) {
        const value_t *item = value_at (list, i), *value = value_get (item, "value");
        const rpc_param_t *param = find_param (entry->row->params, value_get_str (item, "field"));
        if (check_param (entry, param, list, i, err))
            return -1;
        if (param->type == PARAM_BOOLEAN)
            pack_key_bool (pack, key_of (param), value_get_i64 (value, "value", 0) != 0);
        else
            pack_key_value (pack, key_of (param), value_get (value, "value"));
    }
    return 0;
}

//  Writing.

static void begin_param (pack_t *pack, const char *field, int type)
{
    pack_map (pack);
    pack_key_str (pack, "field", field);
    pack_key_map (pack, "value");
    pack_key_i64 (pack, "type", type);
    pack_key (pack, "value");
}

static void end_param (pack_t *pack)
{
    pack_end (pack);
    pack_end (pack);
}

void rpc_param_u64 (pack_t *pack, const char *field, int type, uint64_t value)
{
    begin_param (pack, field, type);
    pack_u64 (pack, value);
    end_param (pack);
}

void rpc_param_str (pack_t *pack, const char *field, const char *value)
{
    begin_param (pack, field, PARAM_STRING);
    pack_str (pack, value);
    end_param (pack);
}

static void write_param (pack_t *pack, const rpc_param_t *param, const value_t *value)
{
    begin_param (pack, param->field, param->type);
    if (param->type == PARAM_BOOLEAN)
        pack_i64 (pack, value_bool (value, false));
    else
        pack_value (pack, value);
    end_param (pack);
}

//  What a caller of before there were texts can't read is not for it.
static bool may_be_sent (const rpc_param_t *param, const value_t *args)
{
    bool older = value_get (args, "nparams") != NULL;
    return param->type != PARAM_STRING || !older ||
           (value_get_u64 (args, "flags", 0) & STRING_OKAY) != 0;
}

void rpc_params_write (const rpc_param_t *params, const value_t *args, const value_t *values,
                       pack_t *pack)
{
    uint64_t count = 0, most = value_get_u64 (args, "nparams", UINT64_MAX);
    pack_key_array (pack, "params");
    for (const rpc_param_t *param = params; param->field; param++) {
        const value_t *value = value_get (values, key_of (param));
        if (!value || value->type == MSGPACK_OBJECT_NIL || !may_be_sent (param, args))
            continue;
        if (count++ < most)
            write_param (pack, param, value);
    }
    pack_end (pack);
    pack_key_u64 (pack, "nparams", most == 0 || count < most ? count : most);
}
