//  interface.c: the host's side of network interfaces, whatever the guest is.

#include "drivers/net/interface.h"
#include "drivers/net/virtualport.h"
#include "util/text.h"
#include "util/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    MTU_MIN = 68,
    MTU_MAX = 65521
};

const char *interface_alias (const xml_node_t *interface)
{
    const char *alias = xml_string (interface, "alias/@name");
    return alias ? alias : "";
}

int interface_number (const xml_node_t *node, const char *path, int otherwise)
{
    uint64_t value = (uint64_t) otherwise;
    error_t ignored = { 0 };
    return xml_u64 (node, path, &value, &ignored) ? otherwise : (int) value;
}

bool interface_is_direct (const xml_node_t *interface)
{
    return xml_equals (interface, "@type", "direct") ||
           (xml_equals (interface, "@type", "network") && xml_string (interface, "source/@dev"));
}

//  It is somebody else's: used, but never made or removed.
static bool is_foreign (const xml_node_t *interface)
{
    return xml_equals (interface, "target/@managed", "no");
}

xml_node_t *interface_link (const xml_t *record, const xml_node_t *interface)
{
    xml_foreach (link, record ? xml_root (record) : NULL, "link")
        if (text_equals (xml_string (link, "@alias"), interface_alias (interface)))
            return link;
    return NULL;
}

//  Names of these kinds are the kernel's to give.
static void forget_name (xml_node_t *interface)
{
    static const char *const prefixes[] = { "vnet", "vif", "macvtap", "macvlan" };
    const char *name = xml_string (interface, "target/@dev");
    for (size_t i = 0; name && !is_foreign (interface) && i < 4; i++)
        if (text_starts (name, prefixes[i])) {
            xml_remove_path (interface, "target");
            return;
        }
}

static void forget_port (xml_node_t *interface)
{
    static const char *const granted[] = { "source/@portid", "source/@bridge", "source/@dev",
                                           "source/@mode" };
    for (size_t i = 0; xml_equals (interface, "@type", "network") && i < 4; i++)
        xml_remove_path (interface, granted[i]);
}

//  A device of a pool goes back to it.
static void forget_device (xml_node_t *interface)
{
    static const char *const granted[] = { "source/address", "driver/@name", "@managed" };
    if (!xml_equals (interface, "@type", "hostdev") || !xml_string (interface, "source/@network"))
        return;
    for (size_t i = 0; i < sizeof granted / sizeof *granted; i++)
        xml_remove_path (interface, granted[i]);
    xml_set (interface, "@type", "network");
}

void interface_forget (xml_node_t *interface)
{
    forget_device (interface);
    forget_name (interface);
    forget_port (interface);
}

//  Checks.

static int check_rate (const xml_node_t *node, const char *way, const char *rate, error_t *err)
{
    uint64_t value = 1;
    autofree char *path = text_format ("@%s", rate);
    if (xml_u64 (node, path, &value, err))
        return error_prefix (err, "%s", way);
    if (value > UINT32_MAX)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: %s of an interface: its %s of %s is more than %" PRIu32, way,
                          rate, xml_string (node, path), UINT32_MAX);
    return 0;
}

static int check_way (const xml_node_t *interface, const char *way, error_t *err)
{
    static const char *const rates[] = { "average", "peak", "burst", "floor" };
    const xml_node_t *node = xml_find (interface, way);
    for (size_t i = 0; node && i < sizeof rates / sizeof *rates; i++)
        if (check_rate (node, way, rates[i], err))
            return -1;
    if (node && xml_string (node, "@floor"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: bandwidth/inbound/@floor of an interface");
    if (node && !xml_string (node, "@average"))
        return error_set (err, ERR_XML_ERROR, "domain XML: %s of an interface has no average", way);
    return 0;
}

static int check_name (const xml_node_t *interface, error_t *err)
{
    const char *name = xml_string (interface, "target/@dev");
    bool foreign = is_foreign (interface);
    if (foreign && !xml_equals (interface, "@type", "ethernet"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <target managed='no'/> of an interface of type '%s'",
                          xml_string (interface, "@type"));
    if (foreign && !name)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: an interface of type '%s' needs a target/@dev",
                          xml_string (interface, "@type"));
    return name ? interface_check_name (name, err) : 0;
}

int interface_check_name (const char *name, error_t *err)
{
    if (*name && strlen (name) < LINK_NAME_SIZE && !strpbrk (name, "/% \t:"))
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "domain XML: '%s' is no name of a link (1 to %d characters without '/', ':', "
                      "'%%' and spaces)",
                      name, LINK_NAME_SIZE - 1);
}

int interface_check_all (const xml_node_t *devices, error_t *err)
{
    auto(strings_t) names = strings_new ();
    xml_foreach (interface, devices, "interface") {
        const char *name = xml_string (interface, "target/@dev");
        if (name && strings_contain (names, name))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: two interfaces have the target/@dev '%s'; leave it out, "
                              "and the kernel finds names",
                              name);
        if (name)
            strings_add (names, name);
    }
    return 0;
}

int interface_check (const xml_node_t *interface, error_t *err)
{
    int mtu = 0;
    bool failed = check_way (interface, "bandwidth/inbound", err) ||
                  check_way (interface, "bandwidth/outbound", err) || check_name (interface, err) ||
                  xml_int (interface, "mtu/@size", MTU_MIN, MTU_MAX, &mtu, err);
    return failed ? -1 : 0;
}

//  Intent.

int interface_intend_port (job_t *job, const xml_node_t *interface, xml_node_t *link, error_t *err)
{
    uint8_t random[16];
    char network[UUID_TEXT_SIZE], port[UUID_TEXT_SIZE];
    if (job_network (job, xml_string (interface, "source/@network"), network, err))
        return error_prefix (err, "plug '%s' in", interface_alias (interface));
    job_random (job, random, sizeof random);
    uuid_from_random (random, port);
    xml_set (link, "@network", network);
    xml_set (link, "@port", port);
    autofree char *undo = text_format ("%s/%s", network, port);
    return job_undo (job, "port", undo, err);
}

int interface_intend (job_t *job, const xml_node_t *interface, xml_node_t **link, error_t *err)
{
    *link = xml_add (xml_root (job->guest->record), "link");
    xml_set (*link, "@alias", interface_alias (interface));
    if (xml_equals (interface, "@type", "network") &&
        interface_intend_port (job, interface, *link, err))
        return -1;
    return is_foreign (interface) ? 0 : job_undo (job, "link", interface_alias (interface), err);
}

//  Plugging.

//  The kernel would lower the MTU of a bridge to that of the last one that is plugged in.
int interface_find_bridge (job_t *job, const xml_node_t *interface, link_settings_t *set,
                           error_t *err)
{
    link_t bridge;
    const char *name = xml_string (interface, "source/@bridge");
    if (!name)
        return 0;
    if (job_link_find (job, name, &bridge, err))
        return -1;
    if (strcmp (bridge.kind, "bridge") != 0)
        return error_set (err, ERR_OPERATION_INVALID, "the link '%s' is no bridge of the kernel",
                          name);
    set->master = name;
    if (!set->mtu)
        set->mtu = bridge.mtu;
    if (xml_string (interface, "port/@isolated"))
        set->isolated = xml_flag (interface, "port/@isolated", false) ? LINK_ON : LINK_OFF;
    return 0;
}

void interface_host_mac (const xml_node_t *interface, char mac[LINK_MAC_SIZE])
{
    const char *own = xml_string (interface, "mac/@address");
    snprintf (mac, LINK_MAC_SIZE, "%s%s", strncasecmp (own, "fe", 2) == 0 ? "fa" : "fe", own + 2);
}

static void read_rate (const xml_node_t *node, link_rate_t *rate)
{
    error_t ignored = { 0 }; //  it was checked
    xml_u64 (node, "@average", &rate->average_kb, &ignored);
    xml_u64 (node, "@peak", &rate->peak_kb, &ignored);
    xml_u64 (node, "@burst", &rate->burst_kib, &ignored);
}

int interface_limit (job_t *job, const xml_node_t *interface, const port_grant_t *grant,
                     error_t *err)
{
    link_bandwidth_t bandwidth = grant->bandwidth;
    const xml_node_t *node = xml_find (interface, "bandwidth");
    if (!node && !grant->limited)
        return 0;
    if (node) {
        bandwidth = (link_bandwidth_t){ 0 };
        read_rate (xml_find (node, "inbound"), &bandwidth.inbound);
        read_rate (xml_find (node, "outbound"), &bandwidth.outbound);
    }
    return job_link_bandwidth (job, interface_alias (interface), &bandwidth, err);
}

static int check_grant (const xml_node_t *interface, const char *what, const port_grant_t *grant,
                        error_t *err)
{
    static const char *const of_functions[] = { "vlan", "virtualport", "@trustGuestRxFilters" };
    const char *network = xml_string (interface, "source/@network");
    if (grant->kind == PORT_HOSTDEV && !what)
        return 0;
    if (grant->kind == PORT_HOSTDEV)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: network '%s' with <forward mode='hostdev'/> for %s",
                          network, what);
    if (grant->vlan)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: VLAN %" PRIu32 " of network '%s', for a bridge or a "
                          "macvtap",
                          grant->vlan, network);
    for (size_t i = 0; i < sizeof of_functions / sizeof *of_functions; i++)
        if (xml_string (interface, of_functions[i]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s of an interface of network '%s', which has no "
                              "<forward mode='hostdev'/>",
                              of_functions[i], network);
    return 0;
}

static void put_device (xml_node_t *interface, const port_grant_t *grant)
{
    unsigned domain, bus, slot, function;
    if (sscanf (grant->device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
        return;
    xml_set (interface, "@type", "hostdev");
    xml_set (interface, "@managed", grant->managed ? "yes" : "no");
    if (!xml_string (interface, "driver/@name"))
        xml_set (interface, "driver/@name", "vfio");
    xml_set (interface, "source/address/@type", "pci");
    xml_setf (interface, "source/address/@domain", "0x%04x", domain);
    xml_setf (interface, "source/address/@bus", "0x%02x", bus);
    xml_setf (interface, "source/address/@slot", "0x%02x", slot);
    xml_setf (interface, "source/address/@function", "0x%x", function);
    if (grant->vlan && !xml_find (interface, "vlan"))
        xml_setf (interface, "vlan/tag/@id", "%" PRIu32, grant->vlan);
    if (*grant->trust && !xml_string (interface, "@trustGuestRxFilters"))
        xml_set (interface, "@trustGuestRxFilters", grant->trust);
    virtualport_merge (interface, grant);
}

static port_request_t request_of (const xml_node_t *interface, const xml_node_t *link)
{
    return (port_request_t){ .network = xml_string (link, "@network"),
                             .port = xml_string (link, "@port"),
                             .mac = xml_string (interface, "mac/@address"),
                             .portgroup = xml_string (interface, "source/@portgroup") };
}

int interface_take_other (job_t *job, xml_node_t *interface, const xml_node_t *link,
                          const strings_t *except, port_grant_t *grant, error_t *err)
{
    port_request_t request = request_of (interface, link);
    request.except = except;
    if (job_port_create (job, &request, grant, err))
        return -1;
    put_device (interface, grant);
    return 0;
}

int interface_take_port (job_t *job, xml_node_t *interface, const xml_node_t *link,
                         const char *what, port_grant_t *grant, error_t *err)
{
    const port_request_t request = request_of (interface, link);
    if (!request.port)
        return 0;
    if (job_port_create (job, &request, grant, err) || check_grant (interface, what, grant, err))
        return -1;
    xml_set (interface, "source/@portid", request.port);
    if (grant->kind == PORT_BRIDGE)
        xml_set (interface, "source/@bridge", grant->bridge);
    else if (grant->kind == PORT_HOSTDEV)
        put_device (interface, grant);
    else {
        xml_set (interface, "source/@dev", grant->device);
        xml_set (interface, "source/@mode", grant->mode);
    }
    return 0;
}

void interface_note (xml_node_t *interface, xml_node_t *link, const link_t *made)
{
    xml_set (link, "@name", made->name);
    xml_setf (link, "@ifindex", "%" PRIu32, made->ifindex);
    xml_set (interface, "target/@dev", made->name);
}

static const char *alias_of_port (const job_t *job, const char *port)
{
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link")
        if (xml_equals (link, "@port", port))
            return xml_string (link, "@alias");
    return NULL;
}

//  A macvtap stays on its lower link, which the network did not take away.
int interface_plug_again (job_t *job, const char *port, const port_grant_t *grant, error_t *err)
{
    link_t link;
    const char *alias = alias_of_port (job, port);
    const link_settings_t set = { .master = grant->bridge,
                                  .master_index = grant->bridge_index,
                                  .isolated = grant->isolated ? LINK_ON : LINK_KEEP };
    if (!alias || grant->kind != PORT_BRIDGE)
        return 0;
    if (job_link_set (job, alias, false, &set, &link, err))
        return error_prefix (err, "plug '%s' of domain '%s' in again", alias, job->guest->name);
    return 0;
}

//  The end, and afterwards.

int interface_claim (job_t *job, error_t *err)
{
    auto(strings_t) keys = strings_new ();
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link")
        strings_add (keys, xml_string (link, "@alias"));
    return job_link_claim (job, strings_list (keys), err);
}

//  All of it is tried, whatever fails; ERR is the last failure.
int interface_unplug (job_t *job, error_t *err)
{
    int rc = job_link_release (job, err);
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link") {
        const char *port = xml_string (link, "@port");
        if (port && job_port_delete (job, xml_string (link, "@network"), port, err))
            rc = -1;
    }
    return rc;
}
