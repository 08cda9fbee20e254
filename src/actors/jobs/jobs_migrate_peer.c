//  jobs_migrate_peer.c: how the two daemons of a migration talk to each other.

#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs_migrate.h"
#include "actors/services/peer.h"
#include "util/text.h"

#include <string.h>

enum {
    CONNECT_MS = 10000,
    CLOSE_MS = 5000
};

int migrate_open_peer (job_actor_t *self, const char *endpoint, char peer[MSG_ADDRESS_MAX],
                       error_t *err)
{
    const char *own = actor_address (self->actor);
    snprintf (peer, MSG_ADDRESS_MAX, "peer/%s", own + strlen ("job/"));
    auto(msg_t) args = msg_request ("start");
    pack_key_str (msg_args (args), "owner", own);
    pack_key_str (msg_args (args), "endpoint", endpoint);
    pack_key_str (msg_args (args), "keys", self->base.paths->keys);
    void *arg;
    actor_reply_fn *on_reply = job_expect (self, &arg);
    actor_spawn (self->actor, peer, &peer_class, &args, false, CONNECT_MS, on_reply, arg);
    return job_await (self, NULL, err);
}

void migrate_close_peer (job_actor_t *self, const char *peer)
{
    error_t ignored;
    actor_stop (self->actor, peer);
    job_await_end (self, peer, CLOSE_MS, &ignored);
}

int migrate_call (job_actor_t *self, const char *peer, const char *verb, pack_t *args,
                  int deadline_ms, msg_t **reply, error_t *err)
{
    auto(msg_t) msg = msg_request ("peer.call");
    pack_t *pack = msg_args (msg);
    pack_end (args);
    pack_key_str (pack, "verb", verb);
    pack_key_u64 (pack, "deadline_ms", (uint64_t) deadline_ms);
    pack_key (pack, "args");
    pack_packed (pack, args->bytes, args->size);
    pack_close (args);
    return job_ask (self, peer, &msg, deadline_ms, reply, err);
}

void migrate_begin_args (pack_t *pack)
{
    pack_init (pack);
    pack_map (pack);
}

int migrate_call_finish (job_actor_t *self, const char *peer, const migration_record_t *record,
                         int ms, error_t *err)
{
    pack_t args;
    migrate_begin_args (&args);
    pack_key_str (&args, "domain", self->base.guest->uuid);
    pack_key_str (&args, "token", record->token);
    pack_key_bool (&args, "run", record->run);
    return migrate_call (self, peer, "migration.finish", &args, ms, NULL, err);
}

int migrate_inquire (job_actor_t *self, const char *peer, const char *uuid, const char *token,
                     bool *known, error_t *err)
{
    pack_t args;
    auto(msg_t) reply = NULL;
    migrate_begin_args (&args);
    pack_key_str (&args, "uuid", uuid);
    pack_key_str (&args, "token", token);
    if (migrate_call (self, peer, "migration.inquire", &args, MIGRATE_CALL_MS, &reply, err))
        return -1;
    *known = value_get_bool (msg_value (reply), "known", true);
    return 0;
}

outcome_t migrate_ask_receiver (job_actor_t *self, const char *peer, const char *token,
                                bool confirm, int ms, error_t *err)
{
    pack_t args;
    auto(msg_t) reply = NULL;
    migrate_begin_args (&args);
    pack_key_str (&args, "uuid", self->base.guest->uuid);
    pack_key_str (&args, "token", token);
    pack_key_bool (&args, "confirm", confirm);
    if (migrate_call (self, peer, "migration.resolve", &args, ms, &reply, err))
        return OUTCOME_UNKNOWN;
    const char *outcome = value_get_str (msg_value (reply), "outcome");
    return text_equals (outcome, "taken") ? OUTCOME_TAKEN : OUTCOME_ABANDONED;
}

int migrate_greet (job_actor_t *self, const char *peer, error_t *err)
{
    pack_t args;
    auto(msg_t) reply = NULL;
    migrate_begin_args (&args);
    if (migrate_call (self, peer, "host.version", &args, MIGRATE_CALL_MS, &reply, err))
        return -1;
    if (text_equals (value_get_str (msg_value (reply), "instance"), self->config->instance))
        return error_set (err, ERR_INVALID_ARG, "that is this daemon itself");
    return 0;
}

//  Hosts.

//  Between the brackets or up to the port of "tcp://HOST:PORT".
char *migrate_host_of (const char *endpoint)
{
    if (!text_starts (endpoint, "tcp://"))
        return NULL;
    const char *host = endpoint + strlen ("tcp://");
    return text_copy_bytes (host, *host == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":"));
}

//  An address of all interfaces is none that anybody could connect to.
static bool is_everywhere (const char *endpoint)
{
    static const char *const hosts[] = { "tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:" };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (text_starts (endpoint, hosts[i]))
            return true;
    return false;
}

char *migrate_origin (const config_t *config, bool local, error_t *err)
{
    char name[256];
    if (local)
        return paths_endpoint (config->paths, "troupe.sock", err);
    if (!config->listen) {
        error_set (err, ERR_CONFIG_UNSUPPORTED,
                   "the other host has to be able to ask back: start trouped with --listen "
                   "tcp://HOST:PORT");
        return NULL;
    }
    if (!is_everywhere (config->listen))
        return text_copy (config->listen);
    if (gethostname (name, sizeof name)) {
        error_errno (err, ERR_SYSTEM_ERROR, "find out the name of this host");
        return NULL;
    }
    return text_format ("tcp://%s%s", name, strrchr (config->listen, ':'));
}

char *migrate_with_host (const char *host, const char *uri)
{
    if (!uri || !text_starts (uri, "tcp://:"))
        return text_copy (uri);
    return text_format ("tcp://%s%s", host ? host : "127.0.0.1", uri + strlen ("tcp://"));
}
