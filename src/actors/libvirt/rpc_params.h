//  rpc_params.h: libvirt's typed parameters: lists of names with values of different types. Getters
//  write them here; setters read them as arguments of a verb.

#ifndef TROUPE_RPC_PARAMS_H
#define TROUPE_RPC_PARAMS_H

#include "msg/verbs.h"
#include "msg/xdr/xdr.h"

//  One element of a list of typed_param: {field, value: {type, value}}.
void rpc_param_int (pack_t *pack, const char *field, int64_t value);
void rpc_param_uint (pack_t *pack, const char *field, uint64_t value);
void rpc_param_llong (pack_t *pack, const char *field, int64_t value);
void rpc_param_ullong (pack_t *pack, const char *field, uint64_t value);
void rpc_param_double (pack_t *pack, const char *field, double value);
void rpc_param_bool (pack_t *pack, const char *field, bool value);
void rpc_param_str (pack_t *pack, const char *field, const char *value);
//  A value of a type that only it knows: bool, text, double; else ullong, or llong if it is
//  negative.
void rpc_param_value (pack_t *pack, const char *field, const value_t *value);
//  A value of this type.
void rpc_param_typed (pack_t *pack, const char *field, int type, const value_t *value);

//  A parameter: how it is called among a verb's arguments, or in its result.
typedef struct {
    const char *field; //  libvirt's name; NULL behind the last
    int type;          //  PARAM_ULLONG, ...
    const char *arg;   //  the verb's; NULL: the same
} rpc_param_t;

#define PARAMS(...)                                                                                \
    (const rpc_param_t[])                                                                          \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

//  Adds LIST (an array of typed_param) to ARGS, an open map, by TABLE. -1 and ERR_INVALID_ARG,
//  beginning with WHAT: a parameter is not known, is of another type, or is given twice.
int rpc_params_read (const value_t *list, const rpc_param_t *table, const char *what, pack_t *args,
                     error_t *err);
//  Those of TABLE that VALUES has, to PACK, an open map, as `params` and `nparams`: only how many
//  there are, if that is all that the call's ARGS ask for. Texts only if ARGS allow them.
void rpc_params_write (const rpc_param_t *table, const value_t *args, const value_t *values,
                       pack_t *pack);

#endif
