//  job_ports.c: see job_ports.h.

#include "actors/jobs/job_ports.h"

#include "actors/jobs/job.h"
#include "drivers/net/link_words.h"

enum {
    PORT_MS = 30000 //  a network grants or refuses at once; its disk may be slow
};

static job_actor_t *actor_of (job_t *job)
{
    return (job_actor_t *) job;
}

static int find (job_t *job, const char *noun, const char *name, char uuid[UUID_TEXT_SIZE],
                 error_t *err)
{
    auto(msg_t) reply = NULL;
    auto(msg_t) msg = msg_request ("host.find");
    pack_key_str (msg_args (msg), "noun", noun);
    pack_key_str (msg_args (msg), "name", name);
    if (job_ask (actor_of (job), "host", &msg, PORT_MS, &reply, err))
        return -1;
    const char *found = value_get_str (msg_value (reply), "uuid");
    snprintf (uuid, UUID_TEXT_SIZE, "%s", found ? found : "");
    return 0;
}

int job_ports_domain (job_t *job, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    return find (job, "domain", name, uuid, err);
}

int job_ports_network (job_t *job, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    return find (job, "network", name, uuid, err);
}

static void address_of (const char *network, char address[MSG_ADDRESS_MAX])
{
    snprintf (address, MSG_ADDRESS_MAX, "network/%s", network);
}

static void copy_text (char *to, size_t size, const value_t *map, const char *key)
{
    const char *text = value_get_str (map, key);
    snprintf (to, size, "%s", text ? text : "");
}

static int read_kind (const value_t *map, port_grant_t *grant, error_t *err)
{
    static const char *const kinds[] = { "bridge", "macvtap", "hostdev" };
    const char *kind = value_get_str (map, "kind");
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (kinds[i], kind) == 0) {
            grant->kind = (port_kind_t) i;
            return 0;
        }
    return error_set (err, ERR_INTERNAL_ERROR, "a network granted a port of the kind '%s'",
                      kind ? kind : "");
}

int job_ports_read (const value_t *map, port_grant_t *grant, error_t *err)
{
    const value_t *bandwidth = value_get (map, "bandwidth");
    *grant = (port_grant_t){ 0 };
    copy_text (grant->bridge, sizeof grant->bridge, map, "bridge");
    copy_text (grant->device, sizeof grant->device, map, "device");
    copy_text (grant->mode, sizeof grant->mode, map, "mode");
    grant->bridge_index = (uint32_t) value_get_u64 (map, "bridge_index", 0);
    grant->mtu = (uint32_t) value_get_u64 (map, "mtu", 0);
    grant->vlan = (uint32_t) value_get_u64 (map, "vlan", 0);
    grant->isolated = value_get_bool (map, "isolated", false);
    grant->managed = value_get_bool (map, "managed", false);
    copy_text (grant->trust, sizeof grant->trust, map, "trust_guest_rx_filters");
    copy_text (grant->virtualport, sizeof grant->virtualport, map, "virtualport");
    copy_text (grant->profile, sizeof grant->profile, map, "profile");
    grant->limited = bandwidth && bandwidth->type != MSGPACK_OBJECT_NIL;
    if (grant->limited && link_bandwidth_read (bandwidth, &grant->bandwidth, err))
        return -1;
    return read_kind (map, grant, err);
}

int job_ports_create (job_t *job, const port_request_t *request, port_grant_t *grant, error_t *err)
{
    char address[MSG_ADDRESS_MAX];
    auto(msg_t) reply = NULL;
    auto(msg_t) msg = msg_request ("network.port_create");
    pack_t *pack = msg_args (msg);
    address_of (request->network, address);
    pack_key_str (pack, "port", request->port);
    pack_key_str (pack, "domain", job->guest->uuid);
    pack_key_str (pack, "domain_name", job->guest->name);
    pack_key_str (pack, "mac", request->mac);
    pack_key_str (pack, "portgroup", request->portgroup);
    if (request->except) {
        pack_key_array (pack, "except");
        for (size_t i = 0; i < request->except->count; i++)
            pack_str (pack, request->except->items[i]);
        pack_end (pack);
    }
    return job_ask (actor_of (job), address, &msg, PORT_MS, &reply, err) ||
                   job_ports_read (msg_value (reply), grant, err)
               ? -1
               : 0;
}

//  A network that is gone has no ports, and one that was given back stays so.
int job_ports_delete (job_t *job, const char *network, const char *port, error_t *err)
{
    char uuid[UUID_TEXT_SIZE], address[MSG_ADDRESS_MAX];
    if (job_ports_network (job, network, uuid, err))
        return err->code == ERR_NO_NETWORK ? 0 : -1;
    auto(msg_t) msg = msg_request ("network.port_delete");
    address_of (uuid, address);
    pack_key_str (msg_args (msg), "port", port);
    int rc = job_tell (actor_of (job), address, &msg, PORT_MS, err);
    return rc && err->code == ERR_NO_NETWORK_PORT ? 0 : rc;
}
