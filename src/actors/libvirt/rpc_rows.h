//  rpc_rows.h: what serves a procedure of libvirt's RPC. A row maps it to a verb:
//
//      { "DOMAIN_RENAME", .verb = "domain.rename", .args = "name=new_name", .answer = answer_zero
//      },
//
//  `args`: words ARGUMENT=FIELD (or only the name, where both have the same): the verb's arguments
//  and the fields of the procedure's that they are taken from. A field inside of a struct is
//  STRUCT.FIELD; ARGUMENT=!FIELD is a bool that is true if the field is 0. What is nil is left out.
//  The arguments `domain` and `network` are given by themselves: what the procedure is about.
//
//  `flags`: which bits of the field `flags` there are, and the verb's (bool) argument that each
//  becomes; NULL for one that asks for nothing more than is done anyway. All others are refused.
//
//  `ret`: words FIELD=KEY: the fields of the result, and where they stand in the verb's. A field
//  that is a domain or network is made from uuid, name and id of the verb's result, or else is the
//  one that was asked about. One that is a snapshot or checkpoint has the name at KEY.
//
//  `params`: the typed parameters that the field `params` can have, in a call or in a result.
//
//  What does not fit is said by a function: `prepare` adds arguments, `answer` adds to the result.
//  A row without a verb is served by its `answer` alone, which may ask one (rpc_ask). Which
//  procedures have rows is in rpc_rows.def; a file rows_X.c has those about X.

#ifndef TROUPE_RPC_ROWS_H
#define TROUPE_RPC_ROWS_H

#include "actors/gateway/snapshots.h"
#include "actors/libvirt/rpc_params.h"
#include "msg/verbs.h"
#include "msg/xdr/procedures.h"

typedef struct rpc_call rpc_call_t;

typedef struct {
    uint32_t bit;
    const char *arg;
} rpc_flag_t;

enum {
    RPC_LATER = 1 //  it is answered by rpc_reply or rpc_fail, or what rpc_ask was told
};

//  Adds to the procedure's result, an open map; RESULT is the verb's, and NULL if none was asked.
//  0, RPC_LATER, or -1 and ERR.
typedef int (rpc_answer_fn) (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err);

typedef struct {
    const char *procedure;
    const char *verb; //  NULL: ANSWER says all
    const char *args, *ret;
    const rpc_flag_t *flags;   //  bit 0 behind the last
    const rpc_param_t *params; //  field NULL behind the last
    //  Adds to the verb's arguments, an open map.
    int (*prepare) (rpc_call_t *call, pack_t *args, error_t *err);
    rpc_answer_fn *answer;
    //  Hears of the verb's result even if the client is gone by then (call->client is NULL).
    void (*heard) (rpc_call_t *call, const value_t *result);
} rpc_row_t;

#define FLAGS(...)                                                                                 \
    (const rpc_flag_t[])                                                                           \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

//  The rows of one program in one file; PROCEDURE is NULL behind the last.
typedef struct {
    uint32_t program;
    const rpc_row_t *rows;
} rpc_rows_t;

//  One procedure, and what serves it; ROW NULL: nothing does.
typedef struct {
    const procedure_t *procedure;
    const rpc_row_t *row;
    const verb_t *verb; //  NULL if the row has none
} rpc_entry_t;

typedef struct rpc_table rpc_table_t;

//  Of all files; each has a procedure of its own.
size_t rpc_row_count (void);

rpc_table_t *rpc_table_new (void);
void rpc_table_destroy (rpc_table_t **self_p);
const rpc_entry_t *rpc_table_find (const rpc_table_t *self, uint32_t program, uint32_t number);
//  Index from 0; NULL behind the last.
const rpc_entry_t *rpc_table_at (const rpc_table_t *self, size_t index);

//  ARGS as the row says, into PACK as a map: what is passed to the verb.
int rpc_map_args (const rpc_entry_t *entry, rpc_call_t *call, const value_t *args, pack_t *pack,
                  error_t *err);
//  What the row's `ret` and `params` say of RESULT, into PACK, an open map. ARGS: the procedure's.
//  DOMAIN: that it is about; may be NULL.
void rpc_map_ret (const rpc_entry_t *entry, const value_t *args, const value_t *result,
                  const snapshot_t *domain, pack_t *pack);

//  The uuid of the domain, or of the network, that a call with ARGS is about; NULL: of none.
const char *rpc_domain_of (const value_t *args);
const char *rpc_network_of (const value_t *args);

//  The field at PATH ("snap.dom.uuid"); NULL if there is none.
const value_t *rpc_field (const value_t *args, const char *path);
//  A word of `args` or `ret` at *AT, which goes on behind it: NAME=SOURCE; false at the end.
enum {
    RPC_WORD_MAX = 64
};
typedef struct {
    char name[RPC_WORD_MAX], source[RPC_WORD_MAX];
    bool inverted;
} rpc_word_t;
bool rpc_next_word (const char **at, rpc_word_t *word);

//  A domain in a result: KEY becomes {name, uuid, id}.
void rpc_pack_domain (pack_t *pack, const char *key, const char *name, const char *uuid,
                      int64_t id);

//  rpc_lists.c: answers of lists, for rows whose verb's result is an array of maps.

//  By the fields of the procedure's result: the array's things, or their names, and how many there
//  are; none if the arguments do not need them.
rpc_answer_fn rpc_answer_list;
//  The same of those things only that IS_WANTED.
int rpc_answer_some (rpc_call_t *call, const value_t *result,
                     bool (*is_wanted) (const rpc_call_t *call, const value_t *item), pack_t *ret,
                     error_t *err);

//  rows_pin.c: how many CPUs TEXT names ("0-3,7"); NULL and "": none.
int64_t rpc_cpus_count (const char *text);

#define ROWS(program, name) extern const rpc_row_t rpc_rows_##name[];
#include "actors/libvirt/rpc_rows.def"
#undef ROWS

#endif
