//  virtualport.c: see virtualport.h.

#include "drivers/net/virtualport.h"

#include "drivers/pci/vf.h"

#include <string.h>

#define QBH "802.1Qbh"

//  What there is besides, and why not here.
static const struct {
    const char *type, *why;
} others[] = {
    { "802.1Qbg", "its switch is spoken to by an agent (lldpad), of which troupe knows nothing; "
                  "associate the port by that, or use a card with 802.1Qbh" },
    { "openvswitch", "neither a device of the host nor a bridge of the kernel has ports of an Open "
                     "vSwitch; leave it out" },
    { "midonet", "neither a device of the host nor a bridge of the kernel has ports of MidoNet; "
                 "leave it out" },
};

static int check_type (const xml_node_t *port, const char *what, error_t *err)
{
    const char *type = xml_string (port, "@type");
    if (!type || strcmp (type, QBH) == 0)
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp (type, others[i].type) == 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "%s: not supported: <virtualport type='%s'>: %s", what, type,
                              others[i].why);
    return error_set (err, ERR_XML_ERROR, "%s: <virtualport type='%s'> is not known; '" QBH "' is",
                      what, type);
}

static int check_profile (const xml_node_t *port, const char *what, error_t *err)
{
    const xml_node_t *parameters = xml_find (port, "parameters");
    const char *profile = xml_string (port, "parameters/@profileid"), *name;
    for (size_t i = 0; parameters && (name = xml_attribute (parameters, i)); i++)
        if (strcmp (name, "profileid") != 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "%s: not supported: <virtualport><parameters %s='...'/>: one of '" QBH
                              "' has a profileid only",
                              what, name);
    if (profile && (!*profile || strlen (profile) >= VF_PROFILE_SIZE))
        return error_set (err, ERR_XML_ERROR,
                          "%s: <virtualport>: the profileid '%s' has to have 1 to %d bytes", what,
                          profile, VF_PROFILE_SIZE - 1);
    return 0;
}

int virtualport_check (const xml_node_t *owner, const char *what, error_t *err)
{
    const xml_node_t *port = xml_find (owner, "virtualport");
    if (!port)
        return 0;
    if (xml_next (port, "virtualport"))
        return error_set (err, ERR_XML_ERROR, "%s: <virtualport> stands there twice", what);
    if (check_type (port, what, err) || check_profile (port, what, err))
        return -1;
    if (!xml_find (owner, "vlan"))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "%s: not supported: <vlan> with <virtualport type='" QBH
                      "'>: the switch tags "
                      "by the port profile; leave <vlan> out",
                      what);
}

int virtualport_check_whole (const xml_node_t *interface, error_t *err)
{
    static const char what[] = "domain XML: an interface";
    const xml_node_t *port = xml_find (interface, "virtualport");
    if (!port)
        return 0;
    if (virtualport_check (interface, what, err))
        return -1;
    if (xml_string (port, "@type") && xml_string (port, "parameters/@profileid"))
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "%s: <virtualport> has no %s; <virtualport type='" QBH "'><parameters "
                      "profileid='NAME'/> names the switch's port profile",
                      what, xml_string (port, "@type") ? "profileid" : "type");
}

static void add (xml_node_t *interface, const char *path, const char *value)
{
    if (*value && !xml_string (interface, path))
        xml_set (interface, path, value);
}

void virtualport_merge (xml_node_t *interface, const port_grant_t *grant)
{
    add (interface, "virtualport/@type", grant->virtualport);
    add (interface, "virtualport/parameters/@profileid", grant->profile);
}
