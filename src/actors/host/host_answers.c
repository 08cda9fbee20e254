//  host_answers.c: what is asked about host and daemon.

#include "actors/host/host_facts.h"
#include "actors/host/host_self.h"
#include "drivers/driver.h"
#include "util/text.h"

#include <zmq.h>

enum {
    PROTOCOL_VERSION = 1
};

void host_info (host_t *self, msg_t **msg_p)
{
    host_facts_t facts;
    host_facts_read (&facts);
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_str (pack, "hostname", facts.hostname);
    pack_key_str (pack, "cpu_model", facts.arch);
    pack_key_str (pack, "cpu_name", facts.model);
    pack_key_u64 (pack, "cpus", facts.cpus);
    pack_key_u64 (pack, "sockets", facts.sockets);
    pack_key_u64 (pack, "cores", facts.cores);
    pack_key_u64 (pack, "threads", facts.threads);
    pack_key_u64 (pack, "numa_nodes", facts.numa_nodes);
    pack_key_u64 (pack, "mhz", facts.mhz);
    pack_key_u64 (pack, "memory_kib", facts.memory_kib);
    pack_end (pack);
    actor_reply (self->actor, msg_p, &reply);
}

//  Of a domain or a network, by its name or its uuid, for jobs.
void host_find (host_t *self, msg_t **msg_p)
{
    const char *name = msg_str (*msg_p, "name");
    bool network = text_equals (msg_str (*msg_p, "noun"), "network");
    registry_t *registry = network ? &self->networks : &self->domains;
    entry_t *entry = name ? registry_find (registry, name) : NULL;
    if (name && !entry)
        entry = registry_find_name (registry, name);
    if (!entry || entry->leaving) {
        error_t err;
        error_set (&err, network ? ERR_NO_NETWORK : ERR_NO_DOMAIN, "there is no %s '%s'",
                   registry->noun, name ? name : "");
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "uuid", entry->uuid);
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

void host_version (host_t *self, msg_t **msg_p)
{
    int major, minor, patch;
    char zmq[32];
    zmq_version (&major, &minor, &patch);
    snprintf (zmq, sizeof zmq, "%d.%d.%d", major, minor, patch);
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_str (pack, "troupe", TROUPE_VERSION);
    pack_key_i64 (pack, "protocol", PROTOCOL_VERSION);
    pack_key_str (pack, "zmq", zmq);
    pack_key_array (pack, "drivers");
    for (const driver_t *const *driver = drivers; *driver; driver++)
        pack_str (pack, (*driver)->name);
    pack_end (pack);
    pack_key_i64 (pack, "started_us", self->started_us);
    pack_key_str (pack, "instance", self->config->instance);
    pack_end (pack);
    actor_reply (self->actor, msg_p, &reply);
}

//  Emulators may have to be probed: a job, one for all who ask meanwhile.
void host_capabilities (host_t *self, msg_t **msg_p)
{
    if (self->capabilities)
        host_share_job (self, self->capabilities, msg_p);
    else
        self->capabilities = host_run_job (self, "capabilities", msg_p);
}
