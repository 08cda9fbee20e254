//  rpc_params.c: see rpc_params.h.

#include "actors/libvirt/rpc_params.h"

#include "util/text.h"

#include <string.h>

//  Up to the value itself, which follows; then end.
static void begin (pack_t *pack, const char *field, int type)
{
    pack_map (pack);
    pack_key_str (pack, "field", field);
    pack_key_map (pack, "value");
    pack_key_i64 (pack, "type", type);
    pack_key (pack, "value");
}

static void end (pack_t *pack)
{
    pack_end (pack);
    pack_end (pack);
}

void rpc_param_int (pack_t *pack, const char *field, int64_t value)
{
    begin (pack, field, PARAM_INT);
    pack_i64 (pack, value);
    end (pack);
}

void rpc_param_uint (pack_t *pack, const char *field, uint64_t value)
{
    begin (pack, field, PARAM_UINT);
    pack_u64 (pack, value);
    end (pack);
}

void rpc_param_llong (pack_t *pack, const char *field, int64_t value)
{
    begin (pack, field, PARAM_LLONG);
    pack_i64 (pack, value);
    end (pack);
}

void rpc_param_ullong (pack_t *pack, const char *field, uint64_t value)
{
    begin (pack, field, PARAM_ULLONG);
    pack_u64 (pack, value);
    end (pack);
}

void rpc_param_double (pack_t *pack, const char *field, double value)
{
    begin (pack, field, PARAM_DOUBLE);
    pack_double (pack, value);
    end (pack);
}

void rpc_param_bool (pack_t *pack, const char *field, bool value)
{
    begin (pack, field, PARAM_BOOLEAN);
    pack_i64 (pack, value);
    end (pack);
}

void rpc_param_str (pack_t *pack, const char *field, const char *value)
{
    begin (pack, field, PARAM_STRING);
    pack_str (pack, value);
    end (pack);
}

void rpc_param_value (pack_t *pack, const char *field, const value_t *value)
{
    int64_t number;
    uint64_t large;
    if (value_str (value))
        rpc_param_str (pack, field, value_str (value));
    else if (value->type == MSGPACK_OBJECT_BOOLEAN)
        rpc_param_bool (pack, field, value->via.boolean);
    else if (value->type == MSGPACK_OBJECT_FLOAT64 || value->type == MSGPACK_OBJECT_FLOAT32)
        rpc_param_double (pack, field, value->via.f64);
    else if (value_u64 (value, &large))
        rpc_param_ullong (pack, field, large);
    else if (value_i64 (value, &number))
        rpc_param_llong (pack, field, number);
}

static const char *arg_of (const rpc_param_t *param)
{
    return param->arg ? param->arg : param->field;
}

static const rpc_param_t *find (const rpc_param_t *table, const char *field)
{
    for (; table->field; table++)
        if (strcmp (table->field, field) == 0)
            return table;
    return NULL;
}

static bool is_earlier (const value_t *list, size_t index, const char *field)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp (value_get_str (value_at (list, i), "field"), field) == 0)
            return true;
    return false;
}

int rpc_params_read (const value_t *list, const rpc_param_t *table, const char *what, pack_t *args,
                     error_t *err)
{
    for (size_t i = 0; i < value_count (list); i++) {
        const char *field = value_get_str (value_at (list, i), "field");
        const value_t *value = value_get (value_at (list, i), "value");
        const rpc_param_t *param = find (table, field);
        if (!param)
            return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' not supported", what,
                              field);
        if (value_get_i64 (value, "type", 0) != param->type)
            return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' has the wrong type", what,
                              field);
        if (is_earlier (list, i, field))
            return error_set (err, ERR_INVALID_ARG, "%s: parameter '%s' is given twice", what,
                              field);
        pack_key (args, arg_of (param));
        if (param->type == PARAM_BOOLEAN)
            pack_bool (args, value_get_i64 (value, "value", 0) != 0);
        else
            pack_value (args, value_get (value, "value"));
    }
    return 0;
}

//  Getters.

enum {
    STRING_OKAY = 4 //  VIR_TYPED_PARAM_STRING_OKAY, of the older procedures' flags
};

//  What a caller of before there were texts can't read is not for it.
static bool may_be_sent (const rpc_param_t *param, const value_t *args)
{
    bool older = value_get (args, "nparams") != NULL;
    return param->type != PARAM_STRING || !older ||
           (value_get_u64 (args, "flags", 0) & STRING_OKAY) != 0;
}

void rpc_param_typed (pack_t *pack, const char *field, int type, const value_t *value)
{
    begin (pack, field, type);
    if (type == PARAM_BOOLEAN)
        pack_i64 (pack, value_bool (value, false));
    else
        pack_value (pack, value);
    end (pack);
}

void rpc_params_write (const rpc_param_t *table, const value_t *args, const value_t *values,
                       pack_t *pack)
{
    uint64_t count = 0, most = value_get_u64 (args, "nparams", UINT64_MAX);
    pack_key_array (pack, "params");
    for (const rpc_param_t *param = table; param->field; param++) {
        const value_t *value = value_get (values, arg_of (param));
        if (value && value->type != MSGPACK_OBJECT_NIL && may_be_sent (param, args) &&
            count++ < most)
            rpc_param_typed (pack, param->field, param->type, value);
    }
    pack_end (pack);
    pack_key_u64 (pack, "nparams", most == 0 || count < most ? count : most);
}
