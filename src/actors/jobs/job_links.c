//  job_links.c: see job_links.h.

#include "actors/jobs/job_links.h"

#include "actors/jobs/job.h"
#include "drivers/net/link_words.h"

enum {
    LINK_MS = 60000
};

static job_actor_t *actor_of (job_t *job)
{
    return (job_actor_t *) job;
}

static msg_t *owner_request (job_t *job, const char *verb)
{
    msg_t *msg = msg_request (verb);
    pack_key_str (msg_args (msg), "owner", actor_of (job)->owner);
    return msg;
}

static msg_t *key_request (job_t *job, const char *verb, const char *key)
{
    msg_t *msg = owner_request (job, verb);
    pack_key_str (msg_args (msg), "key", key);
    return msg;
}

static int tell (job_t *job, msg_t **msg_p, error_t *err)
{
    return job_tell (actor_of (job), "links", msg_p, LINK_MS, err);
}

//  The answer is {link}.
static int ask (job_t *job, msg_t **msg_p, link_t *link, error_t *err)
{
    auto(msg_t) reply = NULL;
    if (job_ask (actor_of (job), "links", msg_p, LINK_MS, &reply, err))
        return -1;
    if (link)
        link_read (value_get (msg_value (reply), "link"), link);
    return 0;
}

int job_links_create (job_t *job, const char *key, const link_spec_t *spec, link_t *link,
                      error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.create", key);
    pack_key (msg_args (msg), "spec");
    link_spec_pack (msg_args (msg), spec);
    return ask (job, &msg, link, err);
}

int job_links_set (job_t *job, const char *key, bool peer, const link_settings_t *settings,
                   link_t *link, error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.set", key);
    pack_key_bool (msg_args (msg), "peer", peer);
    pack_key (msg_args (msg), "settings");
    link_settings_pack (msg_args (msg), settings);
    return ask (job, &msg, link, err);
}

int job_links_get (job_t *job, const char *key, link_t *link, error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.get", key);
    return ask (job, &msg, link, err);
}

int job_links_find (job_t *job, const char *name, link_t *link, error_t *err)
{
    auto(msg_t) msg = msg_request ("link.get");
    pack_key_str (msg_args (msg), "name", name);
    return ask (job, &msg, link, err);
}

int job_links_take (job_t *job, const char *key, const char *process, const char *holder,
                    error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.take", key);
    pack_key_str (msg_args (msg), "process", process);
    pack_key_str (msg_args (msg), "holder", holder);
    return tell (job, &msg, err);
}

int job_links_delete (job_t *job, const char *key, error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.delete", key);
    return tell (job, &msg, err);
}

int job_links_address (job_t *job, const char *key, const char *address, bool remove, error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.address", key);
    pack_key_str (msg_args (msg), "address", address);
    pack_key_bool (msg_args (msg), "remove", remove);
    return tell (job, &msg, err);
}

int job_links_route (job_t *job, const char *key, const link_route_t *route, bool remove,
                     error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.route", key);
    pack_key_bool (msg_args (msg), "remove", remove);
    pack_key (msg_args (msg), "route");
    link_route_pack (msg_args (msg), route);
    return tell (job, &msg, err);
}

int job_links_bandwidth (job_t *job, const char *key, const link_bandwidth_t *bandwidth,
                         error_t *err)
{
    auto(msg_t) msg = key_request (job, "link.bandwidth", key);
    if (bandwidth) {
        pack_key (msg_args (msg), "bandwidth");
        link_bandwidth_pack (msg_args (msg), bandwidth);
    }
    return tell (job, &msg, err);
}

int job_links_claim (job_t *job, const char *const *keys, error_t *err)
{
    auto(msg_t) msg = owner_request (job, "link.claim");
    pack_key_array (msg_args (msg), "keys");
    for (; *keys; keys++)
        pack_str (msg_args (msg), *keys);
    pack_end (msg_args (msg));
    return tell (job, &msg, err);
}

int job_links_release (job_t *job, error_t *err)
{
    auto(msg_t) msg = owner_request (job, "link.release");
    return tell (job, &msg, err);
}
