//  owners.c: see owners.h.

#include "actors/gateway/owners.h"

#include "actors/pci/devices.h"
#include "actors/runtime/switchboard.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

void by_open (const peer_t *peer, access_t role, uint64_t client, const char *trace, pack_t *pack)
{
    pack_map (pack);
    if (peer->key[0])
        pack_key_str (pack, "key", peer->key);
    else {
        pack_key_u64 (pack, "uid", peer->uid);
        pack_key_u64 (pack, "gid", peer->gid);
        pack_key_i64 (pack, "pid", peer->pid);
    }
    pack_key_str (pack, "role", access_name (role));
    pack_key_u64 (pack, "client", client);
    if (trace)
        pack_key_str (pack, "trace", trace);
}

void by_pack (const peer_t *peer, access_t role, uint64_t client, const char *trace, pack_t *pack)
{
    by_open (peer, role, client, trace, pack);
    pack_end (pack);
}

access_t peer_role (const peer_t *peer, access_t most)
{
    bool admin = peer->uid == 0 || peer->uid == geteuid ();
    access_t role = peer->key[0] ? peer->most : admin ? ACCESS_ADMIN : ACCESS_WRITE;
    return role < most ? role : most;
}

char *owner_named (const value_t *args)
{
    const value_t *network = value_get (args, "network");
    const value_t *named = network ? network : value_get (args, "domain");
    uint64_t id;
    if (value_u64 (named, &id))
        return text_format ("%" PRIu64, id);
    return text_copy (value_str (named));
}

bool owner_is_urgent (const verb_t *verb)
{
    return verb->class == CLASS_DESTROY || strcmp (verb->name, "domain.job_abort") == 0;
}

//  The runtime knows addresses only.
void owner_reword (const view_t *view, const verb_t *verb, const char *named, const msg_t *reply,
                   int64_t now_us, error_t *err)
{
    bool late = msg_is_expired (reply);
    bool network = verb->owner == OWNER_NETWORK;
    if (err->code == ERR_NO_NETWORK && named && network)
        error_set (err, ERR_NO_NETWORK, "%s: there is no network '%s' any more", verb->name, named);
    else if (late && named && network)
        error_set (err, ERR_OPERATION_TIMEOUT, "%s: network '%s': not done within the deadline",
                   verb->name, named);
    else if (err->code == ERR_NO_DOMAIN && named)
        snapshots_unknown (verb->name, named, err);
    else if (late && named)
        snapshots_late (view->snapshots, verb->name, named, now_us, err);
    else if (late)
        error_set (err, ERR_OPERATION_TIMEOUT, "%s: not done within the deadline", verb->name);
    if (late)
        err->retry = true;
}

//  ARGS in a request to VERB's owner; a domain's owner is itself what `domain` names.
static void pack_args (pack_t *pack, const verb_t *verb, const value_t *args)
{
    for (size_t i = 0; i < value_count (args); i++) {
        const char *name = value_key_at (args, i);
        if ((verb->owner == OWNER_DOMAIN && strcmp (name, "domain") == 0) ||
            (verb->owner == OWNER_NETWORK && strcmp (name, "network") == 0))
            continue;
        pack_key (pack, name);
        pack_value (pack, value_val_at (args, i));
    }
}

msg_t *owner_request (const verb_t *verb, const value_t *args, const pack_t *by)
{
    msg_t *msg = msg_request (verb->name);
    msg_set_by (msg, by->bytes, by->size);
    pack_args (msg_args (msg), verb, args);
    return msg;
}

static int find_network (const view_t *view, const verb_t *verb, const value_t *args,
                         char address[MSG_ADDRESS_MAX], error_t *err)
{
    const network_view_t *network =
        networks_resolve (view->networks, verb->name, value_get_str (args, "network"), err);
    if (!network)
        return -1;
    snprintf (address, MSG_ADDRESS_MAX, "network/%s", network->uuid);
    return 0;
}

int owner_find (const view_t *view, const verb_t *verb, const value_t *args,
                char address[MSG_ADDRESS_MAX], error_t *err)
{
    if (verb->owner == OWNER_NETWORK)
        return find_network (view, verb, args, address, err);
    if (verb->owner != OWNER_DOMAIN) {
        const char *owner = verb->owner == OWNER_SWITCHBOARD ? SWITCHBOARD_ADDRESS
                            : verb->owner == OWNER_LINKS     ? "links"
                            : verb->owner == OWNER_DEVICES   ? DEVICES_ADDRESS
                                                             : "host";
        snprintf (address, MSG_ADDRESS_MAX, "%s", owner);
        return 0;
    }
    const snapshot_t *domain =
        snapshots_resolve (view->snapshots, verb->name, value_get (args, "domain"), err);
    if (!domain)
        return -1;
    snprintf (address, MSG_ADDRESS_MAX, "domain/%s", domain->uuid);
    return 0;
}

//  Whether it was made before has to be known before whether its domain is there, which the first
//  call may have ended, undefined or renamed.
msg_t *owner_request_once (const view_t *view, const verb_t *verb, const value_t *args,
                           const char *key, const pack_t *by)
{
    char address[MSG_ADDRESS_MAX];
    error_t missing;
    bool found = owner_find (view, verb, args, address, &missing) == 0;
    bool network = verb->owner == OWNER_NETWORK;
    const value_t *named = value_get (args, network ? "network" : "domain");
    msg_t *msg = msg_request ("keyed.call");
    msg_set_by (msg, by->bytes, by->size);
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "key", key);
    pack_key_str (pack, "verb", verb->name);
    if (named) {
        pack_key (pack, "domain");
        pack_value (pack, named);
    }
    if (found)
        pack_key_str (pack, "to", address);
    else {
        pack_key (pack, "error");
        error_pack (&missing, pack);
    }
    pack_key_map (pack, "args");
    pack_args (pack, verb, args);
    pack_end (pack);
    return msg;
}
