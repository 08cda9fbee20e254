//  network_ports.c: who is plugged into a network, and what each gets to plug into.

#include "actors/domain/domain_seen.h"
#include "actors/network/network_self.h"
#include "actors/domain/status_text.h"
#include "drivers/guest.h"
#include "drivers/net/link.h"
#include "drivers/net/network_start.h"
#include "util/xml.h"

enum {
    MAX_PORTS = 4096,
    MAX_NAME = 1024, //  bytes of a domain's name
    PLUGGED_MS = 600000
};

static void port_destroy (port_t **port_p)
{
    port_t *self = take (port_p);
    free (self->domain_name);
    free (self->mac);
    free (self->portgroup);
    free (self->device);
    free (self);
}

void network_ports_close (network_t *self)
{
    port_t *port;
    while (self->ports && (port = zlistx_detach (self->ports, NULL)))
        port_destroy (&port);
    zlistx_destroy (&self->ports);
}

static port_t *find (const network_t *self, const char *key)
{
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports))
        if (strcmp (port->key, key) == 0)
            return port;
    return NULL;
}

static const char *or_empty (const char *text)
{
    return text ? text : "";
}

static port_t *port_read (const value_t *args)
{
    port_t *port = memory_new (1, sizeof *port);
    snprintf (port->key, sizeof port->key, "%s", or_empty (value_get_str (args, "port")));
    snprintf (port->domain, sizeof port->domain, "%s", or_empty (value_get_str (args, "domain")));
    port->domain_name = text_copy (or_empty (value_get_str (args, "domain_name")));
    port->mac = text_copy (or_empty (value_get_str (args, "mac")));
    port->portgroup = text_copy (or_empty (value_get_str (args, "portgroup")));
    port->device = text_copy (or_empty (value_get_str (args, "device")));
    return port;
}

//  What is granted.

static const value_t *plug_of (const network_t *self)
{
    return self->plug ? document_root (self->plug) : NULL;
}

//  The port's group, or the network's default one; NULL: none.
static const value_t *group_of (const network_t *self, const char *name)
{
    const value_t *groups = value_get (plug_of (self), "portgroups");
    for (size_t i = 0; i < value_count (groups); i++) {
        const value_t *group = value_at (groups, i);
        if (*name ? text_equals (value_get_str (group, "name"), name)
                  : value_get_bool (group, "default", false))
            return group;
    }
    return NULL;
}

static unsigned uses_of (const network_t *self, const char *device)
{
    unsigned uses = 0;
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports))
        uses += strcmp (port->device, device) == 0;
    return uses;
}

static bool has_text (const value_t *texts, const char *text)
{
    for (size_t i = 0; i < value_count (texts); i++)
        if (text_equals (value_str (value_at (texts, i)), text))
            return true;
    return false;
}

//  A card may have other functions than when the network was started. The caller owns the result.
static strings_t *devices_now (const network_t *self, error_t *err)
{
    const value_t *plug = plug_of (self), *devices = value_get (plug, "devices");
    const char *pf = value_get_str (plug, "pf");
    if (pf)
        return network_functions (pf, err);
    strings_t *names = strings_new ();
    for (size_t i = 0; i < value_count (devices); i++)
        strings_add (names, value_str (value_at (devices, i)));
    return names;
}

//  The one that fewest ports have, none of EXCEPT. 0, or -1 when those are exclusive, and all
//  taken.
static int choose_device (const network_t *self, port_t *port, const value_t *except, error_t *err)
{
    bool exclusive = value_get_bool (plug_of (self), "exclusive", false);
    auto(strings_t) devices = devices_now (self, err);
    if (!devices)
        return error_prefix (err, "plug domain '%s' into network '%s'", port->domain_name,
                             self->name);
    const char *best = NULL;
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < devices->count; i++) {
        const char *device = devices->items[i];
        unsigned uses = uses_of (self, device);
        if (uses < least && !has_text (except, device)) {
            best = device;
            least = uses;
        }
    }
    if (devices->count == 0)
        return 0;
    if (!best || (exclusive && least > 0))
        return error_set (err, ERR_OPERATION_FAILED,
                          "plug domain '%s' into network '%s': all of its %zu devices are taken; "
                          "'troupe net-port-list %s' shows by whom",
                          port->domain_name, self->name, devices->count, self->name);
    free (port->device);
    port->device = text_copy (best);
    return 0;
}

static bool is_uuid (const char *text)
{
    char uuid[UUID_TEXT_SIZE];
    return uuid_normalize (text, uuid) && strcmp (uuid, text) == 0;
}

//  Clients may ask, too: what is in the status file has to be such that it can be read again.
static int check_words (const network_t *self, const port_t *port, error_t *err)
{
    uint8_t mac[6];
    if (strlen (port->domain_name) > MAX_NAME || !xml_valid (port->domain_name))
        return error_set (err, ERR_INVALID_ARG,
                          "plug a domain into network '%s': its name is longer than %d bytes, or "
                          "has characters that XML does not admit",
                          self->name, MAX_NAME);
    if (!is_uuid (port->key) || (*port->domain && !is_uuid (port->domain)))
        return error_set (
            err, ERR_INVALID_ARG, "plug domain '%s' into network '%s': '%s' is no uuid for %s",
            port->domain_name, self->name, is_uuid (port->key) ? port->domain : port->key,
            is_uuid (port->key) ? "a domain" : "its port");
    if (*port->mac && !link_mac_read (port->mac, mac))
        return error_set (err, ERR_INVALID_MAC,
                          "plug domain '%s' into network '%s': '%s' is no MAC address of an "
                          "interface",
                          port->domain_name, self->name, port->mac);
    return 0;
}

static int check_port (const network_t *self, const port_t *port, error_t *err)
{
    const char *domain = port->domain_name;
    if (check_words (self, port, err))
        return -1;
    if (!network_active (self))
        return error_set (err, ERR_OPERATION_INVALID,
                          "plug domain '%s' into network '%s': it is not active; 'troupe net-start "
                          "%s' starts it",
                          domain, self->name, self->name);
    if (self->running.operation && strcmp (self->running.operation->verb, "network.destroy") == 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "plug domain '%s' into network '%s': it is being stopped", domain,
                          self->name);
    if (*port->portgroup && !group_of (self, port->portgroup))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "plug domain '%s' into network '%s': it has no portgroup '%s'", domain,
                          self->name, port->portgroup);
    if (zlistx_size (self->ports) >= MAX_PORTS)
        return error_set (err, ERR_RESOURCE_BUSY,
                          "plug domain '%s' into network '%s': it has %d ports already", domain,
                          self->name, MAX_PORTS);
    return 0;
}

static void pack_first (pack_t *pack, const char *key, const value_t *a, const value_t *b)
{
    const value_t *value = value_get (a, key);
    if (!value || value->type == MSGPACK_OBJECT_NIL)
        value = value_get (b, key);
    pack_key (pack, key);
    if (value)
        pack_value (pack, value);
    else
        pack_nil (pack);
}

//  The portgroup's words go before the network's own.
static void pack_grant (const network_t *self, const port_t *port, pack_t *pack)
{
    static const char *const whole[] = { "kind", "bridge",   "bridge_index", "mtu",
                                         "mode", "isolated", "driver",       "managed" };
    static const char *const grouped[] = { "bandwidth", "vlan", "trust_guest_rx_filters",
                                           "virtualport", "profile" };
    const value_t *plug = plug_of (self), *group = group_of (self, port->portgroup);
    pack_map (pack);
    pack_key_str (pack, "port", port->key);
    pack_key_str (pack, "network", self->uuid);
    pack_key_str (pack, "network_name", self->name);
    pack_key_str (pack, "device", port->device);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        pack_first (pack, whole[i], plug, NULL);
    for (size_t i = 0; i < sizeof grouped / sizeof *grouped; i++)
        pack_first (pack, grouped[i], group, plug);
    pack_end (pack);
}

static void answer_grant (network_t *self, msg_t **msg_p, const port_t *port)
{
    auto(msg_t) reply = msg_reply ();
    pack_grant (self, port, msg_result (reply));
    network_commit (self, msg_p, &reply, true);
}

//  The device that it has could not be had: it gets another one, or keeps it.
static int move_port (network_t *self, port_t *port, const value_t *except, error_t *err)
{
    if (!has_text (except, port->device))
        return 0;
    self->dirty = true;
    return choose_device (self, port, except, err);
}

void network_port_create (network_t *self, msg_t **msg_p)
{
    port_t *port = port_read (value_get (msg_root (*msg_p), "args"));
    port_t *known = find (self, port->key);
    const value_t *except = msg_arg (*msg_p, "except");
    error_t err;
    if (known && move_port (self, known, except, &err))
        network_refuse (self, msg_p, &err);
    else if (known)
        answer_grant (self, msg_p, known);
    else if (check_port (self, port, &err) || choose_device (self, port, except, &err))
        network_refuse (self, msg_p, &err);
    else {
        zlistx_add_end (self->ports, port);
        self->dirty = true;
        answer_grant (self, msg_p, port);
        return;
    }
    port_destroy (&port);
}

void network_port_delete (network_t *self, msg_t **msg_p)
{
    const char *key = msg_str (*msg_p, "port");
    port_t *port = key ? find (self, key) : NULL;
    error_t err;
    if (!port) {
        error_set (&err, ERR_NO_NETWORK_PORT,
                   "network '%s' has no port '%s'; 'troupe net-port-list %s' shows them",
                   self->name, key ? key : "", self->name);
        network_refuse (self, msg_p, &err);
        return;
    }
    zlistx_detach (self->ports, zlistx_find (self->ports, port));
    port_destroy (&port);
    self->dirty = true;
    auto(msg_t) reply = msg_reply ();
    network_commit (self, msg_p, &reply, false);
}

static void on_plugged (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    const network_t *self = actor_state (actor);
    error_t err;
    if (msg_failed (reply, &err) && err.code != ERR_NO_DOMAIN)
        actor_log (actor, LEVEL_WARNING, "network '%s': a guest was not plugged in again: %s",
                   self->name, err.message);
}

//  A domain may be busy with something that its links must not change in.
void network_ports_tell (network_t *self)
{
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports)) {
        char address[MSG_ADDRESS_MAX];
        if (!*port->domain)
            continue;
        snprintf (address, sizeof address, "domain/%s", port->domain);
        auto(msg_t) msg = msg_request ("network.plugged");
        pack_key (msg_args (msg), "grant");
        pack_grant (self, port, msg_args (msg));
        actor_request (self->actor, address, &msg, PLUGGED_MS, on_plugged, NULL);
    }
}

//  In files and snapshots.

static const struct {
    const char *name;
    size_t offset;
} words[] = { { "domain_name", offsetof (port_t, domain_name) },
              { "mac", offsetof (port_t, mac) },
              { "portgroup", offsetof (port_t, portgroup) },
              { "device", offsetof (port_t, device) } };

static const char *word_of (const port_t *port, size_t i)
{
    return *(char *const *) ((const char *) port + words[i].offset);
}

void network_ports_read (network_t *self, const value_t *ports)
{
    for (size_t i = 0; i < value_count (ports); i++)
        zlistx_add_end (self->ports, port_read (value_at (ports, i)));
}

void network_ports_write (const network_t *self, text_t *text)
{
    text_add (text, "<ports>\n");
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports)) {
        text_add (text, "  <port");
        status_add_attribute (text, "port", port->key);
        status_add_attribute (text, "domain", port->domain);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            status_add_attribute (text, words[i].name, word_of (port, i));
        text_add (text, "/>\n");
    }
    text_add (text, "</ports>\n");
}

void network_ports_pack (const network_t *self, pack_t *pack)
{
    pack_key_array (pack, "ports");
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports)) {
        pack_map (pack);
        pack_key_str (pack, "domain", port->domain);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strcmp (words[i].name, "device") != 0)
                pack_key_str (pack, words[i].name, word_of (port, i));
        pack_key (pack, "plug");
        pack_grant (self, port, pack);
        pack_end (pack);
    }
    pack_end (pack);
}

//  After a restart: a domain whose files were lost can't give its ports back.

static void on_domain (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    if (self->running_domains && !msg_is (event, "gone") && domain_may_run (event))
        strings_add (self->running_domains, topic + strlen ("domain/"));
}

void network_ports_reconcile (network_t *self, msg_t **msg_p)
{
    (void) msg_p;
    if (zlistx_size (self->ports) == 0 || self->running_domains)
        return;
    self->running_domains = strings_new ();
    self->subscription = actor_subscribe (self->actor, "domain/", on_domain, NULL);
    //  Comes back behind the snapshots that are there already.
    auto(msg_t) msg = msg_request ("ports.judge");
    actor_send (self->actor, actor_address (self->actor), &msg);
}

static port_t *find_lost (const network_t *self)
{
    for (port_t *port = zlistx_first (self->ports); port; port = zlistx_next (self->ports))
        if (*port->domain && !strings_contain (self->running_domains, port->domain))
            return port;
    return NULL;
}

void network_ports_judge (network_t *self, msg_t **msg_p)
{
    (void) msg_p;
    port_t *port;
    actor_unsubscribe (self->actor, &self->subscription);
    while ((port = find_lost (self))) {
        actor_log (self->actor, LEVEL_WARNING,
                   "network '%s': domain '%s' does not run any more; its port %s is free",
                   self->name, port->domain_name, port->key);
        zlistx_detach (self->ports, zlistx_find (self->ports, port));
        port_destroy (&port);
        self->dirty = true;
    }
    strings_destroy (&self->running_domains);
    if (self->dirty)
        network_commit (self, NULL, NULL, false);
}
