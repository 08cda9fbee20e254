//  rpc_cookie.c: see rpc_migrate.h: the cookies of migrations, and where the daemons that they are
//  from can be asked.

#include "actors/libvirt/rpc_migrate.h"

#include "actors/jobs/jobs_migrate.h"
#include "util/process.h"

#include <string.h>

//  `local`: its socket, for daemons of the same kernel; `remote`: nil if it listens for local
//  clients only.
static int pack_place (const rpc_call_t *call, pack_t *cookie, error_t *err)
{
    const config_t *config = call->gateway->config;
    error_t none;
    process_t own;
    autofree char *local = migrate_origin (config, true, err);
    autofree char *remote = migrate_origin (config, false, &none);
    if (!local || process_identify (getpid (), &own, err))
        return -1;
    pack_key_map (cookie, "place");
    pack_key_str (cookie, "host", own.boot_id);
    pack_key_str (cookie, "instance", config->instance);
    pack_key_str (cookie, "local", local);
    pack_key_str (cookie, "remote", remote);
    pack_end (cookie);
    return 0;
}

int rpc_cookie_begin (const rpc_call_t *call, pack_t *cookie, error_t *err)
{
    pack_init (cookie);
    pack_map (cookie);
    pack_key_u64 (cookie, "troupe", 1);
    if (pack_place (call, cookie, err) == 0)
        return 0;
    pack_close (cookie);
    return -1;
}

void rpc_cookie_end (pack_t *cookie, pack_t *ret)
{
    pack_end (cookie);
    pack_key (ret, "cookie_out");
    pack_bin (ret, cookie->bytes, cookie->size);
    pack_close (cookie);
}

void rpc_cookie_none (pack_t *ret)
{
    pack_key (ret, "cookie_out");
    pack_bin (ret, "", 0);
}

document_t *rpc_cookie_read (const rpc_call_t *call, error_t *err)
{
    size_t size = 0;
    error_t ignored;
    const void *bytes = value_bin (value_get (call->args, "cookie_in"), &size);
    auto(document_t) cookie =
        bytes ? document_parse (bytes, size, VALUE_MAX_BYTES, &ignored) : NULL;
    if (cookie && value_get_u64 (document_root (cookie), "troupe", 0) == 1)
        return take (&cookie);
    error_set (err, ERR_OPERATION_UNSUPPORTED,
               "%s: the cookie is from no troupe daemon: not supported: guests migrate between two "
               "of them",
               call->entry->procedure->name);
    return NULL;
}

char *rpc_cookie_endpoint (const rpc_call_t *call, const value_t *cookie, bool *local, error_t *err)
{
    const value_t *place = value_get (cookie, "place");
    const char *remote = value_get_str (place, "remote");
    const char *near = value_get_str (place, "local");
    process_t own;
    if (process_identify (getpid (), &own, err))
        return NULL;
    if (text_equals (value_get_str (place, "instance"), call->gateway->config->instance)) {
        error_set (err, ERR_INVALID_ARG, "%s: source and destination are the same daemon",
                   call->entry->procedure->name);
        return NULL;
    }
    *local = near && text_equals (value_get_str (place, "host"), own.boot_id);
    if (*local || remote)
        return text_copy (*local ? near : remote);
    error_set (err, ERR_CONFIG_UNSUPPORTED,
               "%s: the two daemons have to be able to ask each other what became of the guest: "
               "start both with --listen tcp://HOST:PORT",
               call->entry->procedure->name);
    return NULL;
}

//  The daemon's own socket is beside libvirt's.
static char *beside (const char *uri, const char *socket)
{
    const char *slash = strrchr (socket, '/');
    return text_starts (uri, "qemu+unix:") && *socket == '/' && slash
               ? text_format ("ipc://%.*s/troupe.sock", (int) (slash - socket), socket)
               : NULL;
}

char *rpc_peer_endpoint (const char *uri, error_t *err)
{
    static const char key[] = "?socket=";
    const char *query = strstr (uri, key);
    if (text_starts (uri, "tcp://") || text_starts (uri, "ipc://"))
        return text_copy (uri);
    char *endpoint = query ? beside (uri, query + strlen (key)) : NULL;
    if (!endpoint)
        error_set (err, ERR_OPERATION_UNSUPPORTED,
                   "migrate peer-to-peer to '%s': not supported: name the other daemon's endpoint, "
                   "tcp://HOST:PORT, or leave out --p2p",
                   uri);
    return endpoint;
}

int rpc_receive_at (const rpc_call_t *call, char **uri, char **listen, error_t *err)
{
    const char *own = call->gateway->config->listen;
    autofree char *endpoint = migrate_origin (call->gateway->config, false, err);
    if (!endpoint)
        return -1;
    autofree char *host = migrate_host_of (endpoint);
    *uri = text_format ("tcp://%s", host);
    *listen = text_equals (own, endpoint) ? NULL : text_copy ("0.0.0.0");
    return 0;
}
