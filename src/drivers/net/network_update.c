//  network_update.c: see network_update.h.

#include "drivers/net/network_update.h"

#include "drivers/net/network_xml.h"
#include "util/text.h"

#include <string.h>
#include <strings.h>

enum {
    MAX_KEYS = 3
};

//  A section: where its elements are, by what one is known (any of the keys that both have has to
//  be the same), and what may be done with it. Of those that libvirt names, bridge, domain, ip,
//  forward and forward-pf can't be changed in libvirt either.
typedef struct {
    const char *section, *element, *parent;
    const char *keys[MAX_KEYS];
    bool modify;
    bool all_keys; //  all of them have to be the same
} section_t;

static const section_t sections[] = {
    { "ip-dhcp-host", "host", "dhcp", { "@mac", "@ip", "@name" }, true, false },
    { "ip-dhcp-range", "range", "dhcp", { "@start", "@end", NULL }, true, true },
    { "forward-interface", "interface", "forward", { "@dev", NULL, NULL }, false, true },
    { "portgroup", "portgroup", ".", { "@name", NULL, NULL }, true, true },
    { "dns-host", "host", "dns", { "@ip", NULL, NULL }, true, true },
    { "dns-txt", "txt", "dns", { "@name", NULL, NULL }, true, true },
    { "dns-srv", "srv", "dns", { "@service", "@protocol", "@domain" }, true, true },
};

static const section_t *find_section (const char *name, error_t *err)
{
    static const char *const fixed[] = { "bridge", "domain", "ip", "forward", "forward-pf" };
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp (sections[i].section, name) == 0)
            return &sections[i];
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp (fixed[i], name) == 0) {
            error_set (err, ERR_OPERATION_UNSUPPORTED,
                       "not supported: an update of the section '%s'; edit the network, and start "
                       "it again",
                       name);
            return NULL;
        }
    error_set (err, ERR_INVALID_ARG,
               "the section '%s' is none of ip-dhcp-host, ip-dhcp-range, forward-interface, "
               "portgroup, dns-host, dns-txt, dns-srv",
               name);
    return NULL;
}

//  Which <ip>.

static xml_node_t *ip_at (xml_node_t *network, int index)
{
    xml_foreach (ip, network, "ip")
        if (index-- == 0)
            return ip;
    return NULL;
}

//  The one whose subnet has the element's address, else the first with DHCP, else the first.
static xml_node_t *ip_for (xml_node_t *network, const xml_node_t *element)
{
    const char *text = xml_string (element, "@ip");
    address_t address;
    subnet_t subnet;
    error_t ignored; //  it was checked
    bool known = address_read (text ? text : xml_string (element, "@start"), &address);
    xml_foreach (ip, network, "ip")
        if (known && subnet_read (ip, "<ip>", &subnet, &ignored) == 0 &&
            subnet_has (&subnet, &address))
            return ip;
    xml_foreach (ip, network, "ip")
        if (xml_find (ip, "dhcp"))
            return ip;
    return xml_find (network, "ip");
}

static xml_node_t *find_parent (xml_node_t *network, const section_t *section,
                                const network_update_t *update, const xml_node_t *element,
                                error_t *err)
{
    if (strcmp (section->parent, "forward") == 0 && !xml_find (network, "forward")) {
        error_set (err, ERR_OPERATION_INVALID,
                   "it is isolated: it has no <forward> that could have interfaces");
        return NULL;
    }
    if (strcmp (section->parent, "dhcp") != 0)
        return xml_ensure (network, section->parent);
    xml_node_t *ip = update->parent_index >= 0 ? ip_at (network, update->parent_index)
                                               : ip_for (network, element);
    if (ip)
        return xml_ensure (ip, "dhcp");
    if (update->parent_index >= 0)
        error_set (err, ERR_OPERATION_INVALID, "it has no <ip> number %d", update->parent_index);
    else
        error_set (err, ERR_OPERATION_INVALID, "it has no <ip> that could have DHCP");
    return NULL;
}

//  The element that is meant.

static bool is_same (const section_t *section, const xml_node_t *a, const xml_node_t *b)
{
    bool any = false;
    for (size_t i = 0; i < MAX_KEYS && section->keys[i]; i++) {
        const char *one = xml_string (a, section->keys[i]);
        const char *two = xml_string (b, section->keys[i]);
        bool same = one && two && strcasecmp (one, two) == 0;
        if (section->all_keys && !same && (one || two))
            return false;
        any = any || same;
    }
    return any;
}

static xml_node_t *find_same (const xml_node_t *parent, const section_t *section,
                              const xml_node_t *element)
{
    xml_foreach (each, parent, section->element)
        if (is_same (section, each, element))
            return each;
    return NULL;
}

//  Has EACH all that ELEMENT says of the keys? So something is deleted only if all of the words
//  fit, and words that don't matter can be left out.
static bool fits (const section_t *section, const xml_node_t *each, const xml_node_t *element)
{
    bool any = false;
    for (size_t i = 0; i < MAX_KEYS && section->keys[i]; i++) {
        const char *word = xml_string (element, section->keys[i]);
        const char *own = xml_string (each, section->keys[i]);
        if (word && (!own || strcasecmp (own, word) != 0))
            return false;
        any = any || word;
    }
    return any;
}

//  The only one that fits; *MORE: there are several.
static xml_node_t *find_fitting (const xml_node_t *parent, const section_t *section,
                                 const xml_node_t *element, bool *more)
{
    xml_node_t *found = NULL;
    *more = false;
    xml_foreach (each, parent, section->element)
        if (fits (section, each, element)) {
            *more = *more || found;
            found = each;
        }
    return found;
}

static int add (xml_node_t *parent, const section_t *section, const xml_node_t *element, bool first,
                error_t *err)
{
    xml_node_t *sibling = xml_first (parent, section->element);
    if (find_same (parent, section, element)) {
        autofree char *text = xml_node_text (element);
        error_one_line (text);
        return error_set (err, ERR_OPERATION_INVALID, "there is such a %s already: %s",
                          section->section, text);
    }
    if (first && sibling)
        xml_copy_before (sibling, element);
    else
        xml_add_copy (parent, element);
    return 0;
}

static int change (xml_node_t *parent, const section_t *section, const xml_node_t *element,
                   bool modify, error_t *err)
{
    bool more = false;
    xml_node_t *found = modify ? find_same (parent, section, element)
                               : find_fitting (parent, section, element, &more);
    if (modify && !section->modify)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: 'modify' of the section '%s'; delete and add it",
                          section->section);
    if (!found || more) {
        autofree char *text = xml_node_text (element);
        error_one_line (text);
        return error_set (err, ERR_OPERATION_INVALID,
                          more ? "there are several such %s, say more: %s"
                               : "there is no such %s: %s",
                          section->section, text);
    }
    if (modify)
        xml_copy_before (found, element);
    xml_remove (found);
    return 0;
}

static int carry_out (xml_node_t *parent, const section_t *section, const xml_node_t *element,
                      const char *command, error_t *err)
{
    if (strcmp (command, "add-first") == 0)
        return add (parent, section, element, true, err);
    if (strcmp (command, "add-last") == 0 || strcmp (command, "add") == 0)
        return add (parent, section, element, false, err);
    if (strcmp (command, "modify") == 0 || strcmp (command, "delete") == 0)
        return change (parent, section, element, strcmp (command, "modify") == 0, err);
    return error_set (err, ERR_INVALID_ARG,
                      "the command '%s' is none of add-first, add-last, modify, delete", command);
}

//  A parent that was made for nothing, or has nothing left.
static void drop_empty (xml_node_t *parent)
{
    if (!xml_first (parent, NULL) && !xml_attribute (parent, 0) && !xml_is (parent, "network"))
        xml_remove (parent);
}

static int update_checked (xml_node_t *network, const network_update_t *update, error_t *err)
{
    const section_t *section = find_section (update->section, err);
    if (!section)
        return -1;
    auto(xml_t) document = xml_parse (update->xml, strlen (update->xml), "update XML", err);
    if (!document)
        return -1;
    const xml_node_t *element = xml_root (document);
    if (!xml_is (element, section->element))
        return error_set (err, ERR_XML_ERROR, "the section '%s' takes a <%s>, not a <%s>",
                          section->section, section->element, xml_name (element));
    xml_node_t *parent = find_parent (network, section, update, element, err);
    if (!parent || carry_out (parent, section, element, update->command, err))
        return -1;
    drop_empty (parent);
    return network_check (network, err);
}

int network_update (xml_node_t *network, const network_update_t *update, error_t *err)
{
    if (update_checked (network, update, err))
        return error_prefix (err, "update network '%s'", xml_string (network, "name"));
    return 0;
}
