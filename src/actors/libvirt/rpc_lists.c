//  rpc_lists.c: answers that are lists: things, or their names, or only how many there are.

#include "actors/libvirt/rpc_self.h"

static bool is_list (const xdr_field_t *field)
{
    return field->how == XDR_MANY;
}

//  Names only as many as the caller has room for, things only if it needs them.
static size_t wanted_of (const rpc_call_t *call, size_t count)
{
    int64_t most = value_get_i64 (call->args, "maxnames", -1);
    if (value_get (call->args, "maxnames"))
        return most < 0 ? 0 : (uint64_t) most < count ? (size_t) most : count;
    return value_get_i64 (call->args, "need_results", 1) ? count : 0;
}

//  A thing of a domain's names the domain that the call is about.
static void pack_owner (const rpc_call_t *call, const xdr_field_t *field, pack_t *pack)
{
    error_t gone;
    const snapshot_t *domain = rpc_domain (call, &gone);
    if (domain)
        rpc_pack_domain (pack, field->name, domain->name, domain->uuid, domain->id);
}

static void pack_thing (const rpc_call_t *call, const xdr_field_t *field, const value_t *item,
                        pack_t *pack)
{
    pack_map (pack);
    for (; field->kind != XDR_END; field++)
        if (field->of == xdr_domain)
            pack_owner (call, field, pack);
        else
            pack_key_value (pack, field->name, value_get (item, field->name));
    pack_end (pack);
}

int rpc_answer_list (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    size_t count = value_count (result), wanted = wanted_of (call, count);
    for (const xdr_field_t *field = call->entry->procedure->ret; field->kind != XDR_END; field++) {
        if (!is_list (field)) {
            pack_key_u64 (ret, field->name, count);
            continue;
        }
        pack_key_array (ret, field->name);
        for (size_t i = 0; i < wanted; i++)
            if (field->kind == XDR_STRUCT)
                pack_thing (call, field->of, value_at (result, i), ret);
            else
                pack_str (ret, value_get_str (value_at (result, i), "name"));
        pack_end (ret);
    }
    return 0;
}

int rpc_answer_some (rpc_call_t *call, const value_t *result,
                     bool (*is_wanted) (const rpc_call_t *call, const value_t *item), pack_t *ret,
                     error_t *err)
{
    pack_t wanted;
    pack_init (&wanted);
    pack_array (&wanted);
    for (size_t i = 0; i < value_count (result); i++)
        if (is_wanted (call, value_at (result, i)))
            pack_value (&wanted, value_at (result, i));
    pack_end (&wanted);
    auto(document_t) list = document_parse (wanted.bytes, wanted.size, VALUE_MAX_BYTES_INSIDE, err);
    pack_close (&wanted);
    return list ? rpc_answer_list (call, document_root (list), ret, err) : -1;
}
