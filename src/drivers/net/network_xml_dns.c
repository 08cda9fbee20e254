//  network_xml_dns.c: a network's names, and what else ends in dnsmasq's configuration: no text may
//  become a line of its own there.

#include "drivers/net/network_xml.h"

#include "util/text.h"

#include <string.h>
#include <strings.h>

enum {
    LABEL_MAX = 63, //  RFC 1035
    DOMAIN_MAX = 253
};

//  As dnsmasq takes names of hosts; what looks like an address is one to it.
static bool is_name (const char *text)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_";
    address_t address;
    if (strlen (text) > DOMAIN_MAX || *text == '-' || address_read (text, &address))
        return false;
    for (;;) {
        size_t size = strspn (text, characters);
        if (size == 0 || size > LABEL_MAX)
            return false;
        text += size;
        if (!*text)
            return true;
        if (*text++ != '.')
            return false;
    }
}

//  A time ("7d", "300"), or what else a dhcp-host line may have where the name stands.
static bool is_reserved (const char *text)
{
    const char *unit = text + strspn (text, "0123456789");
    bool time = unit > text && (!*unit || (strchr ("smhdwSMHDW", *unit) && !unit[1]));
    return time || strcasecmp (text, "ignore") == 0 || strcasecmp (text, "infinite") == 0;
}

static bool is_line (const char *text, const char *without)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char) *c < ' ' || *c == 0x7f || strchr (without, *c))
            return false;
    return *text != 0;
}

static bool is_word (network_word_t kind, const char *text)
{
    address_t address;
    switch (kind) {
    case WORD_NAME:
        return is_name (text);
    case WORD_HOST:
        return is_name (text) && !is_reserved (text);
    case WORD_SERVER:
        return is_name (text) || address_read (text, &address);
    case WORD_PATH:
        return *text == '/' && is_line (text, "\",");
    case WORD_TEXT:
        return is_line (text, "\"");
    }
    return false;
}

int network_check_word (network_word_t kind, const char *what, const char *text, error_t *err)
{
    static const char *const wanted[] = {
        [WORD_NAME] = "letters, digits, '-', '_' and '.', at most 63 between dots, and no address",
        [WORD_HOST] = "letters, digits, '-', '_' and '.', at most 63 between dots, and no address, "
                      "time ('7d'), 'ignore' or 'infinite'",
        [WORD_SERVER] = "a name or an IP address",
        [WORD_PATH] = "an absolute path without commas and quotes",
        [WORD_TEXT] = "one line without quotes",
    };
    if (!text || is_word (kind, text))
        return 0;
    return error_set (err, ERR_XML_ERROR, "network XML: %s: '%s' has to be %s", what, text,
                      wanted[kind]);
}

static int check_flag (const xml_node_t *node, const char *path, const char *what, error_t *err)
{
    const char *text = xml_string (node, path);
    if (text && strcmp (text, "yes") != 0 && strcmp (text, "no") != 0)
        return error_set (err, ERR_XML_ERROR, "network XML: <%s='%s'> is not yes or no", what,
                          text);
    return 0;
}

static int check_domain (const xml_node_t *network, error_t *err)
{
    const xml_node_t *domain = xml_find (network, "domain");
    if (!domain)
        return 0;
    if (!xml_string (domain, "@name"))
        return error_set (err, ERR_XML_ERROR, "network XML: <domain> has no name");
    if (xml_equals (domain, "@register", "yes"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: not supported: <domain register='yes'>: systemd-resolved "
                          "is not told");
    return check_flag (domain, "@localOnly", "domain localOnly", err) ||
                   check_flag (domain, "@register", "domain register", err) ||
                   network_check_word (WORD_NAME, "the name of <domain>",
                                       xml_string (domain, "@name"), err)
               ? -1
               : 0;
}

static int check_forwarders (const xml_node_t *dns, error_t *err)
{
    address_t address;
    xml_foreach (forwarder, dns, "forwarder") {
        const char *to = xml_string (forwarder, "@addr"), *of = xml_string (forwarder, "@domain");
        if (!to && !of)
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><forwarder> has neither addr nor domain");
        if (to && !address_read (to, &address))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><forwarder addr='%s'> is no IP address", to);
        if (network_check_word (WORD_NAME, "the domain of a <forwarder>", of, err))
            return -1;
    }
    return 0;
}

static int check_txts (const xml_node_t *dns, error_t *err)
{
    xml_foreach (txt, dns, "txt") {
        if (!xml_string (txt, "@name") || !xml_string (txt, "@value"))
            return error_set (err, ERR_XML_ERROR, "network XML: <dns><txt> needs name and value");
        if (network_check_word (WORD_NAME, "the name of a <txt>", xml_string (txt, "@name"), err) ||
            network_check_word (WORD_TEXT, "the value of a <txt>", xml_string (txt, "@value"), err))
            return -1;
    }
    return 0;
}

static int check_srvs (const xml_node_t *dns, error_t *err)
{
    static const char *const words[] = { "service", "protocol", "domain", "target" };
    static const char *const numbers[] = { "@port", "@priority", "@weight" };
    int number = 0;
    xml_foreach (srv, dns, "srv") {
        if (!xml_string (srv, "@service") || !xml_string (srv, "@protocol"))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><srv> needs service and protocol");
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            char path[16], what[32];
            snprintf (path, sizeof path, "@%s", words[i]);
            snprintf (what, sizeof what, "the %s of a <srv>", words[i]);
            if (network_check_word (WORD_NAME, what, xml_string (srv, path), err))
                return -1;
        }
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            if (xml_int (srv, numbers[i], 0, 65535, &number, err))
                return error_prefix (err, "network XML: <dns><srv>");
        if (!xml_string (srv, "@target") && xml_string (srv, "@port"))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><srv service='%s'> has a port but no target",
                              xml_string (srv, "@service"));
    }
    return 0;
}

static int check_hosts (const xml_node_t *dns, error_t *err)
{
    auto(strings_t) seen = strings_new ();
    address_t address;
    xml_foreach (host, dns, "host") {
        const char *ip = xml_string (host, "@ip");
        if (!ip || !address_read (ip, &address))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><host ip='%s'> is no IP "
                              "address",
                              ip ? ip : "");
        if (strings_contain (seen, ip))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: two <host>s of <dns> have the ip '%s'; put the names "
                              "into one",
                              ip);
        strings_add (seen, ip);
        if (!xml_first (host, "hostname"))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <dns><host ip='%s'> has no <hostname>", ip);
        xml_foreach (name, host, "hostname")
            if (network_check_word (WORD_NAME, "a <hostname>", xml_string (name, "."), err))
                return -1;
    }
    return 0;
}

static int check_options (const xml_node_t *network, error_t *err)
{
    xml_foreach (options, network, NULL) {
        if (!text_equals (xml_namespace (options), NETWORK_DNSMASQ_URI))
            continue;
        xml_foreach (option, options, NULL) {
            const char *value = xml_string (option, "@value");
            if (!value)
                return error_set (err, ERR_XML_ERROR, "network XML: <dnsmasq:option> has no value");
            for (const char *c = value; *c; c++)
                if ((unsigned char) *c < ' ')
                    return error_set (err, ERR_XML_ERROR,
                                      "network XML: <dnsmasq:option>: it has to be one line");
        }
    }
    return 0;
}

int network_check_dns (const xml_node_t *network, error_t *err)
{
    const xml_node_t *dns = xml_find (network, "dns");
    if (check_domain (network, err) || check_options (network, err))
        return -1;
    if (!dns)
        return 0;
    return check_flag (dns, "@enable", "dns enable", err) ||
                   check_flag (dns, "@forwardPlainNames", "dns forwardPlainNames", err) ||
                   check_forwarders (dns, err) || check_txts (dns, err) || check_srvs (dns, err) ||
                   check_hosts (dns, err)
               ? -1
               : 0;
}
