//  rows_migrate.c: migrations that libvirt's clients drive: begin and confirm, and perform between
//  them, at the source; prepare and finish at the destination.

#include "actors/libvirt/rpc_migrate.h"
#include "drivers/driver.h"

#include "util/xml.h"

#include <string.h>

static bool is_offline (const rpc_call_t *call)
{
    return rpc_migrate_flags (call) & MIGRATE_OFFLINE;
}

static bool is_cancelled (const rpc_call_t *call)
{
    return value_get_i64 (call->args, "cancelled", 0) != 0;
}

//  What a client has begun: who goes away is said to the owners (rpc_migrations_close).

static void make_token (const rpc_call_t *call, char token[33])
{
    unsigned char bytes[16];
    actor_random (call->actor, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf (token + 2 * i, 3, "%02x", bytes[i]);
}

static strings_t *without (const strings_t *list, const char *uuid)
{
    strings_t *left = strings_new ();
    for (size_t i = 0; list && i < list->count; i++)
        if (!text_starts (list->items[i], uuid))
            strings_add (left, list->items[i]);
    return left;
}

static void forget (rpc_call_t *call)
{
    strings_t *left = without (call->client->migrations, call->uuid);
    strings_destroy (&call->client->migrations);
    call->client->migrations = left;
}

static void remember (rpc_call_t *call, const char *token)
{
    forget (call);
    strings_addf (call->client->migrations, "%s %s", call->uuid, token);
}

static const char *remembered (const rpc_call_t *call)
{
    const strings_t *list = call->client->migrations;
    for (size_t i = 0; list && i < list->count; i++)
        if (text_starts (list->items[i], call->uuid))
            return list->items[i] + strlen (call->uuid) + 1;
    return NULL;
}

void rpc_migrations_close (actor_t *self, rpc_client_t *client)
{
    const strings_t *list = client->migrations;
    for (size_t i = 0; list && i < list->count; i++) {
        char address[MSG_ADDRESS_MAX];
        auto(msg_t) msg = msg_request ("migration.forsaken");
        const char *space = strchr (list->items[i], ' ');
        snprintf (address, sizeof address, "domain/%.*s", (int) (space - list->items[i]),
                  list->items[i]);
        pack_key_str (msg_args (msg), "token", space + 1);
        actor_send (self, address, &msg);
    }
    strings_destroy (&client->migrations);
}

//  Begin.

static int answer_begin_offline (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    pack_t cookie;
    if (rpc_cookie_begin (call, &cookie, err))
        return -1;
    rpc_cookie_end (&cookie, ret);
    pack_key_value (ret, "xml", value_get (result, "xml"));
    return 0;
}

//  A definition is all that goes along.
static int prepare_begin_offline (rpc_call_t *call, pack_t *args, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    uint64_t flags = rpc_migrate_flags (call);
    const char *given = rpc_migrate_wish (call, "persistent_xml");
    if (!domain || rpc_migrate_wishes (call, WISH_OFFLINE, args, err))
        return -1;
    if (domain->id > 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "migrate domain '%s' offline: it is running; leave out --offline",
                          domain->name);
    if (!(flags & MIGRATE_PERSIST_DEST) ||
        (flags & (MIGRATE_NON_SHARED_DISK | MIGRATE_NON_SHARED_INC)))
        return error_set (err, ERR_INVALID_ARG,
                          "migrate domain '%s' offline: only its definition goes there: say "
                          "--persistent, and copy its disks by other means",
                          domain->name);
    call->verb = verb_find ("migration.definition");
    call->answer = answer_begin_offline;
    if (given)
        pack_key_str (args, "xml", given);
    return 0;
}

static int prepare_begin (rpc_call_t *call, pack_t *args, error_t *err)
{
    char token[33];
    if (is_offline (call))
        return prepare_begin_offline (call, args, err);
    if (rpc_migrate_wishes (call, WISH_BEGIN, args, err))
        return -1;
    make_token (call, token);
    remember (call, token);
    pack_key_str (args, "token", token);
    return 0;
}

static int answer_begin (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    pack_t cookie;
    if (rpc_cookie_begin (call, &cookie, err))
        return -1;
    pack_key_map (&cookie, "prepare");
    for (size_t i = 0; i < value_count (result); i++)
        if (!text_equals (value_key_at (result, i), "xml"))
            pack_key_value (&cookie, value_key_at (result, i), value_val_at (result, i));
    pack_end (&cookie);
    rpc_cookie_end (&cookie, ret);
    pack_key_value (ret, "xml", value_get (result, "xml"));
    return 0;
}

//  Prepare.

//  Nothing is done yet: it is defined when the source is told that it will be.
static int answer_prepare_offline (rpc_call_t *call, const value_t *result, pack_t *ret,
                                   error_t *err)
{
    (void) result;
    (void) err;
    free (call->client->definition);
    call->client->definition = text_copy (rpc_migrate_wish (call, "xml"));
    rpc_cookie_none (ret);
    pack_key_str (ret, "uri_out", "unix:"); //  clients insist on one; nothing is sent
    return 0;
}

//  What runs here is not to be replaced by what does not run there.
static int check_inactive (const rpc_call_t *call, const char *xml, error_t *err)
{
    auto(xml_t) doc = xml ? xml_parse_own (xml, strlen (xml), "domain XML", err) : NULL;
    const char *uuid = doc ? xml_string (xml_root (doc), "uuid") : NULL;
    const snapshot_t *domain =
        uuid ? snapshots_by_uuid (call->gateway->view.snapshots, uuid) : NULL;
    if (xml && !doc)
        return -1;
    return domain && domain->id > 0
               ? error_set (err, ERR_OPERATION_INVALID,
                            "migrate domain '%s' offline: it runs here already", domain->name)
               : 0;
}

static int prepare_offline (rpc_call_t *call, const value_t *cookie, error_t *err)
{
    bool local;
    if (check_inactive (call, rpc_migrate_wish (call, "xml"), err))
        return -1;
    autofree char *source = rpc_cookie_endpoint (call, cookie, &local, err);
    call->verb = verb_find ("host.version");
    call->answer = answer_prepare_offline;
    return source ? 0 : -1;
}

static bool is_said (const rpc_call_t *call, const char *arg)
{
    return text_equals (arg, "origin") || text_equals (arg, "uri") || text_equals (arg, "xml") ||
           (text_equals (arg, "listen_address") && !rpc_migrate_wish (call, arg));
}

//  Unless its client says where.
static int pack_where (const rpc_call_t *call, bool local, pack_t *args, error_t *err)
{
    autofree char *uri = NULL, *listen = NULL;
    if (rpc_migrate_wish (call, "uri"))
        return 0;
    if (!local && rpc_receive_at (call, &uri, &listen, err))
        return -1;
    pack_key_str (args, "uri", local ? "unix:" : uri);
    if (listen && !rpc_migrate_wish (call, "listen_address"))
        pack_key_str (args, "listen_address", listen);
    return 0;
}

static int prepare_prepare (rpc_call_t *call, pack_t *args, error_t *err)
{
    bool local;
    const driver_t *driver = driver_by_name (call->client->driver);
    if (!driver || !driver->migrate_in)
        return error_set (err, ERR_NO_SUPPORT,
                          "%s: not supported: nothing migrates to this connection's domains",
                          call->entry->procedure->name);
    auto(document_t) cookie = rpc_cookie_read (call, err);
    if (!cookie)
        return -1;
    if (is_offline (call))
        return prepare_offline (call, document_root (cookie), err);
    autofree char *origin = rpc_cookie_endpoint (call, document_root (cookie), &local, err);
    if (!origin || rpc_migrate_wishes (call, WISH_PREPARE, args, err) ||
        pack_where (call, local, args, err))
        return -1;
    const value_t *offer = value_get (document_root (cookie), "prepare");
    for (size_t i = 0; i < value_count (offer); i++)
        if (!is_said (call, value_key_at (offer, i)))
            pack_key_value (args, value_key_at (offer, i), value_val_at (offer, i));
    pack_key_str (args, "origin", origin);
    return 0;
}

static int answer_prepare (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    pack_t cookie;
    auto(document_t) in = rpc_cookie_read (call, err);
    if (!in || rpc_cookie_begin (call, &cookie, err))
        return -1;
    pack_key_value (&cookie, "token",
                    value_get (value_get (document_root (in), "prepare"), "token"));
    pack_key_value (&cookie, "uri", value_get (result, "uri"));
    pack_key_value (&cookie, "storage", value_get (result, "storage"));
    rpc_cookie_end (&cookie, ret);
    pack_key_value (ret, "uri_out", value_get (result, "uri"));
    return 0;
}

//  Perform.

static int answer_peer (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    rpc_cookie_none (ret);
    return 0;
}

//  The source goes to the destination by itself.
static int prepare_peer (rpc_call_t *call, const char *uri, pack_t *args, error_t *err)
{
    unsigned phase = is_offline (call) ? WISH_OFFLINE : WISH_DIRECT;
    autofree char *endpoint = NULL;
    if (rpc_migrate_wishes (call, phase, args, err) || !(endpoint = rpc_peer_endpoint (uri, err)))
        return -1;
    call->verb = verb_find (is_offline (call) ? "domain.migrate_offline" : "domain.migrate");
    call->answer = answer_peer;
    pack_key_str (args, "peer", endpoint);
    return 0;
}

static int prepare_perform (rpc_call_t *call, pack_t *args, error_t *err)
{
    bool local;
    const char *uri = value_get_str (call->args, "dconnuri");
    if (uri || (rpc_migrate_flags (call) & MIGRATE_PEER2PEER))
        return uri ? prepare_peer (call, uri, args, err)
                   : error_set (err, ERR_INVALID_ARG,
                                "migrate peer-to-peer: the URI of the destination is missing");
    auto(document_t) cookie = rpc_cookie_read (call, err);
    if (!cookie)
        return -1;
    const value_t *root = document_root (cookie);
    autofree char *peer = rpc_cookie_endpoint (call, root, &local, err);
    if (!peer || rpc_migrate_wishes (call, WISH_PERFORM, args, err))
        return -1;
    pack_key_str (args, "peer", peer);
    pack_key_value (args, "token", value_get (root, "token"));
    if (!rpc_migrate_wish (call, "uri"))
        pack_key_value (args, "uri", value_get (root, "uri"));
    if (value_get_str (root, "storage"))
        pack_key_value (args, "storage", value_get (root, "storage"));
    return 0;
}

static int answer_perform (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    pack_t cookie;
    auto(document_t) in = rpc_cookie_read (call, err);
    if (!in || rpc_cookie_begin (call, &cookie, err))
        return -1;
    pack_key_value (&cookie, "token", value_get (document_root (in), "token"));
    pack_key_bool (&cookie, "run", value_get_bool (result, "run", false));
    rpc_cookie_end (&cookie, ret);
    return 0;
}

//  Finish.

static const char *token_of (const snapshot_t *domain)
{
    return domain && domain->migration ? value_get_str (document_root (domain->migration), "token")
                                       : NULL;
}

static int came_to_nothing (error_t *err)
{
    return error_set (err, ERR_MIGRATE_FINISH_OK,
                      "the migration was given up: nothing of the guest is here");
}

static int answer_cancelled (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) ret;
    return text_equals (value_get_str (result, "outcome"), "taken")
               ? error_set (err, ERR_OPERATION_INVALID,
                            "the migration can't be given up any more: the guest runs here")
               : came_to_nothing (err);
}

static int prepare_cancelled (rpc_call_t *call, const snapshot_t *domain, pack_t *args,
                              error_t *err)
{
    const char *token = token_of (domain);
    if (!token)
        return came_to_nothing (err);
    call->verb = verb_find ("migration.resolve");
    call->answer = answer_cancelled;
    pack_key_str (args, "uuid", domain->uuid);
    pack_key_str (args, "token", token);
    return 0;
}

static int answer_finish (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    pack_t cookie;
    auto(document_t) in = rpc_cookie_read (call, err);
    if (!in || rpc_cookie_begin (call, &cookie, err))
        return -1;
    pack_key_value (&cookie, "token", value_get (document_root (in), "token"));
    pack_key_bool (&cookie, "taken", true);
    rpc_cookie_end (&cookie, ret);
    return 0;
}

//  Its cookie is empty: clients skip the phase whose cookie it would have.
static int answer_finish_offline (rpc_call_t *call, const value_t *result, pack_t *ret,
                                  error_t *err)
{
    (void) call, (void) result, (void) err;
    rpc_cookie_none (ret);
    return 0;
}

static int prepare_finish_offline (rpc_call_t *call, pack_t *args, error_t *err)
{
    const char *given = rpc_migrate_wish (call, "xml");
    const char *xml = given ? given : call->client->definition;
    if (!xml)
        return error_set (err, ERR_OPERATION_INVALID,
                          "finish the migration: no definition was prepared on this connection");
    if (check_inactive (call, xml, err))
        return -1;
    call->verb = verb_find ("domain.define");
    call->answer = answer_finish_offline;
    pack_key_str (args, "xml", xml);
    pack_key_str (args, "driver", call->client->driver);
    return 0;
}

//  It is found by its name; clients that know no parameters say it in a field.
static int prepare_finish (rpc_call_t *call, pack_t *args, error_t *err)
{
    const char *name = rpc_migrate_wish (call, "name");
    const snapshot_t *domain =
        name ? snapshots_by_name (call->gateway->view.snapshots, name) : NULL;
    if (is_cancelled (call))
        return is_offline (call) ? came_to_nothing (err)
                                 : prepare_cancelled (call, domain, args, err);
    if (is_offline (call))
        return prepare_finish_offline (call, args, err);
    auto(document_t) cookie = rpc_cookie_read (call, err);
    if (!cookie)
        return -1;
    const value_t *root = document_root (cookie);
    if (!domain || !rpc_sees (call->client, domain))
        return error_set (err, ERR_NO_DOMAIN, "finish the migration: no domain '%s' has come here",
                          name ? name : "");
    bool run = value_get_bool (root, "run", false) && !(rpc_migrate_flags (call) & MIGRATE_PAUSED);
    snprintf (call->uuid, sizeof call->uuid, "%s", domain->uuid);
    pack_key_str (args, "domain", domain->uuid);
    pack_key_value (args, "token", value_get (root, "token"));
    pack_key_bool (args, "run", run);
    return 0;
}

//  Confirm.

static int prepare_confirm_offline (rpc_call_t *call, error_t *err)
{
    bool undefine = !is_cancelled (call) && (rpc_migrate_flags (call) & MIGRATE_UNDEFINE_SOURCE);
    call->verb = verb_find (undefine ? "domain.undefine" : "domain.info");
    return rpc_domain (call, err) ? 0 : -1;
}

static int prepare_confirm (rpc_call_t *call, pack_t *args, error_t *err)
{
    error_t none;
    if (is_offline (call))
        return prepare_confirm_offline (call, err);
    const snapshot_t *domain = rpc_domain (call, err);
    auto(document_t) cookie = rpc_cookie_read (call, &none);
    const value_t *root = cookie ? document_root (cookie) : NULL;
    const char *token = remembered (call);
    if (!token)
        token = value_get_str (root, "token");
    if (!token)
        token = token_of (domain);
    bool ours = token && text_equals (token, value_get_str (root, "token"));
    pack_key_str (args, "token", token ? token : "");
    pack_key_bool (args, "cancelled", is_cancelled (call));
    pack_key_bool (args, "taken",
                   ours && !is_cancelled (call) && value_get_bool (root, "taken", false));
    forget (call);
    return 0;
}

#define ALL_FLAGS FLAGS ({ 0xffffffff, NULL }) //  read by rpc_migrate_wishes

const rpc_row_t rpc_rows_migrate[] = {
    { "DOMAIN_MIGRATE_BEGIN3", .verb = "migration.begin", .flags = ALL_FLAGS,
      .prepare = prepare_begin, .answer = answer_begin },
    { "DOMAIN_MIGRATE_BEGIN3_PARAMS", .verb = "migration.begin", .flags = ALL_FLAGS,
      .prepare = prepare_begin, .answer = answer_begin },
    { "DOMAIN_MIGRATE_PREPARE3", .verb = "migration.prepare", .flags = ALL_FLAGS,
      .prepare = prepare_prepare, .answer = answer_prepare },
    { "DOMAIN_MIGRATE_PREPARE3_PARAMS", .verb = "migration.prepare", .flags = ALL_FLAGS,
      .prepare = prepare_prepare, .answer = answer_prepare },
    { "DOMAIN_MIGRATE_PERFORM3", .verb = "migration.perform", .flags = ALL_FLAGS,
      .prepare = prepare_perform, .answer = answer_perform },
    { "DOMAIN_MIGRATE_PERFORM3_PARAMS", .verb = "migration.perform", .flags = ALL_FLAGS,
      .prepare = prepare_perform, .answer = answer_perform },
    { "DOMAIN_MIGRATE_FINISH3", .verb = "migration.finish", .flags = ALL_FLAGS,
      .prepare = prepare_finish, .answer = answer_finish, .ret = "dom" },
    { "DOMAIN_MIGRATE_FINISH3_PARAMS", .verb = "migration.finish", .flags = ALL_FLAGS,
      .prepare = prepare_finish, .answer = answer_finish, .ret = "dom" },
    { "DOMAIN_MIGRATE_CONFIRM3", .verb = "migration.confirm", .flags = ALL_FLAGS,
      .prepare = prepare_confirm },
    { "DOMAIN_MIGRATE_CONFIRM3_PARAMS", .verb = "migration.confirm", .flags = ALL_FLAGS,
      .prepare = prepare_confirm },
    { 0 },
};
