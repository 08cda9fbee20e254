//  queries_addresses.c: which addresses a guest has, as others know them: the leases of virtual
//  networks, or the host's own table of its neighbours. The guest is not asked.

#include "actors/gateway/queries_addresses.h"

#include "util/file.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    NEIGHBOURS_MAX = 16 * 1024 * 1024 //  bytes: a line a neighbour
};

static void pack_address (pack_t *pack, const char *type, const char *address, uint64_t prefix)
{
    pack_map (pack);
    pack_key_str (pack, "type", type);
    pack_key_str (pack, "address", address);
    pack_key_u64 (pack, "prefix", prefix);
    pack_end (pack);
}

static bool is_of (const value_t *lease, const char *mac, int64_t now_us)
{
    const char *has = value_get_str (lease, "mac");
    uint64_t expiry = value_get_u64 (lease, "expiry", 0);
    return has && strcasecmp (has, mac) == 0 &&
           (expiry == 0 || expiry > (uint64_t) now_us / 1000000);
}

static void pack_leases (const query_t *self, pack_t *pack, const char *mac)
{
    const network_view_t *network;
    for (size_t i = 0; (network = networks_at (self->networks, i)); i++) {
        const value_t *leases = value_get (document_root (network->facts), "leases");
        for (size_t j = 0; j < value_count (leases); j++) {
            const value_t *lease = value_at (leases, j);
            const char *address = value_get_str (lease, "address");
            if (address && is_of (lease, mac, self->now_us))
                pack_address (pack, strchr (address, ':') ? "ipv6" : "ipv4", address,
                              networks_prefix (network, address));
        }
    }
}

//  Lines of /proc/net/arp: address, type, flags (0: it did not answer), MAC. The kernel makes them
//  from memory: reading them does not wait.
static void pack_neighbours (const char *lines, pack_t *pack, const char *mac)
{
    for (const char *line = lines; line; line = strchr (line, '\n')) {
        unsigned flags;
        char address[64], has[32];
        line += strspn (line, "\n");
        if (sscanf (line, "%63s 0x%*x 0x%x %31s", address, &flags, has) == 3 && flags &&
            strcasecmp (has, mac) == 0)
            pack_address (pack, "ipv4", address, 0);
    }
}

int answer_addresses (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    autofree char *lines = NULL;
    const char *source = value_get_str (self->args, "source");
    const value_t *interfaces = domain->interfaces ? document_root (domain->interfaces) : NULL;
    bool neighbours = text_equals (source, "arp");
    if (domain->id < 0)
        return error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' is not running",
                          self->verb->name, domain->name);
    if (neighbours && !(lines = file_read ("/proc/self/net/arp", NEIGHBOURS_MAX, NULL, err)))
        return error_prefix (err, "%s", self->verb->name);
    pack_array (result);
    for (size_t i = 0; i < value_count (interfaces); i++) {
        const value_t *interface = value_at (interfaces, i);
        const char *mac = value_get_str (interface, "mac");
        pack_map (result);
        pack_key_str (result, "name", value_get_str (interface, "name"));
        pack_key_str (result, "mac", mac);
        pack_key_array (result, "addresses");
        if (neighbours)
            pack_neighbours (lines, result, mac);
        else
            pack_leases (self, result, mac);
        pack_end (result);
        pack_end (result);
    }
    pack_end (result);
    return 0;
}
