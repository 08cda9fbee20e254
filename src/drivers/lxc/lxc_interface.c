//  lxc_interface.c: the network interfaces of a container.

#include "drivers/definition.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

//  What each type needs.
static const struct {
    const char *type, *needs;
} types[] = {
    { "bridge", "source/@bridge" },
    { "network", "source/@network" },
    { "direct", "source/@dev" },
    { "ethernet", NULL },
};

static int check_type (const xml_node_t *interface, error_t *err)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!xml_equals (interface, "@type", types[i].type))
            continue;
        if (!types[i].needs || xml_string (interface, types[i].needs))
            return 0;
        return error_set (err, ERR_XML_ERROR, "domain XML: an interface of type '%s' needs a %s",
                          types[i].type, types[i].needs);
    }
    return error_set (err, ERR_XML_ERROR, "domain XML: an interface has no type");
}

//  What a macvlan is not: a port of a bridge, an end that stays on the host.
static int check_direct (const xml_node_t *interface, error_t *err)
{
    static const char *const none[] = { "target", "port", "bandwidth" };
    bool direct = xml_equals (interface, "@type", "direct");
    for (size_t i = 0; direct && i < sizeof none / sizeof *none; i++)
        if (xml_find (interface, none[i]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: <%s> of a container's interface of type 'direct'",
                              none[i]);
    if (!direct && xml_string (interface, "source/@mode"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <source mode='...'/> of an interface of type '%s'",
                          xml_string (interface, "@type"));
    return 0;
}

int lxc_interface_complete (job_t *job, xml_node_t *interface, error_t *err)
{
    definition_drop_alias (interface);
    if (definition_complete_mac (job, interface, err))
        return -1;
    if (xml_equals (interface, "@type", "direct"))
        definition_default (interface, "source/@mode", "vepa");
    interface_forget (interface);
    const char *name = xml_string (interface, "guest/@dev");
    bool failed = check_type (interface, err) || check_direct (interface, err) ||
                  interface_check (interface, err) || (name && interface_check_name (name, err));
    return failed ? -1 : 0;
}

int lxc_interface_check_all (const xml_node_t *devices, error_t *err)
{
    auto(strings_t) names = strings_new ();
    strings_add (names, "lo");
    xml_foreach (hostdev, devices, "hostdev")
        if (lxc_hostdev_link (hostdev))
            strings_add (names, lxc_hostdev_link (hostdev));
    xml_foreach (interface, devices, "interface") {
        const char *name = xml_string (interface, "guest/@dev");
        if (name && strings_contain (names, name))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: the container has two interfaces '%s'", name);
        if (name)
            strings_add (names, name);
    }
    return interface_check_all (devices, err);
}

static bool is_named (const xml_node_t *devices, const char *name)
{
    xml_foreach (interface, devices, "interface")
        if (xml_equals (interface, "guest/@dev", name))
            return true;
    xml_foreach (hostdev, devices, "hostdev")
        if (text_equals (lxc_hostdev_link (hostdev), name))
            return true;
    return false;
}

void lxc_interface_name (xml_node_t *devices)
{
    int number = 0;
    xml_foreach (interface, devices, "interface") {
        char name[LINK_NAME_SIZE];
        if (xml_string (interface, "guest/@dev"))
            continue;
        do
            snprintf (name, sizeof name, "eth%d", number++);
        while (is_named (devices, name));
        xml_set (interface, "guest/@dev", name);
    }
}

int lxc_interface_intend (job_t *job, error_t *err)
{
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface") {
        xml_node_t *link;
        if (interface_intend (job, interface, &link, err))
            return -1;
    }
    return 0;
}

//  Plugging.

static void describe_inside (const xml_node_t *interface, const char *supervisor,
                             link_settings_t *inside)
{
    inside->name = xml_string (interface, "guest/@dev");
    inside->mac = xml_string (interface, "mac/@address");
    inside->process = supervisor;
}

static int describe_veth (job_t *job, const xml_node_t *interface, const port_grant_t *grant,
                          const char *supervisor, link_spec_t *spec, error_t *err)
{
    spec->kind = LINK_VETH;
    spec->set.name = xml_string (interface, "target/@dev");
    if (!spec->set.name)
        spec->set.name = "vnet%d";
    spec->set.master_index = grant->bridge_index;
    spec->set.isolated = grant->isolated ? LINK_ON : LINK_KEEP;
    spec->set.up = LINK_ON;
    if (interface_find_bridge (job, interface, &spec->set, err))
        return -1;
    spec->peer.mtu = spec->set.mtu;
    describe_inside (interface, supervisor, &spec->peer);
    return 0;
}

static void describe_macvlan (const xml_node_t *interface, const char *supervisor,
                              link_spec_t *spec)
{
    spec->kind = LINK_MACVLAN;
    spec->lower = xml_string (interface, "source/@dev");
    spec->mode = xml_string (interface, "source/@mode");
    describe_inside (interface, supervisor, &spec->set);
}

static int make_link (job_t *job, const xml_node_t *interface, const port_grant_t *grant,
                      const char *supervisor, link_t *link, error_t *err)
{
    char mac[LINK_MAC_SIZE];
    link_spec_t spec = { .set.mtu = (uint32_t) interface_number (interface, "mtu/@size",
                                                                 (int) grant->mtu) };
    interface_host_mac (interface, mac);
    spec.set.mac = mac;
    if (interface_is_direct (interface))
        describe_macvlan (interface, supervisor, &spec);
    else if (describe_veth (job, interface, grant, supervisor, &spec, err))
        return -1;
    return job_link_create (job, interface_alias (interface), &spec, link, err);
}

static int check_limit (const xml_node_t *interface, const port_grant_t *grant, error_t *err)
{
    if (!interface_is_direct (interface) || !grant->limited)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: network '%s' with a bandwidth, for a container's macvlan",
                      xml_string (interface, "source/@network"));
}

static int plug (job_t *job, xml_node_t *interface, const char *supervisor, error_t *err)
{
    link_t made;
    port_grant_t grant = { 0 };
    xml_node_t *link = interface_link (job->guest->record, interface);
    if (interface_take_port (job, interface, link, "a container", &grant, err) ||
        check_limit (interface, &grant, err) ||
        make_link (job, interface, &grant, supervisor, &made, err))
        return -1;
    //  A macvlan is in the container only: the host has no name for it.
    if (interface_is_direct (interface))
        return 0;
    interface_note (interface, link, &made);
    return interface_limit (job, interface, &grant, err);
}

int lxc_interface_plug (job_t *job, const char *supervisor, error_t *err)
{
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface")
        if (plug (job, interface, supervisor, err))
            return error_prefix (err, "plug '%s' in", interface_alias (interface));
    return 0;
}
