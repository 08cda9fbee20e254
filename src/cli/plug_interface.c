//  plug_interface.c: network interfaces that come, go and change, with virsh's options.

#include "cli/json.h"
#include "cli/plug.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

//  Attaching.

typedef int (set_fn) (cli_t *cli, xml_t *interface, const options_t *options, error_t *err);

//  A PCI device: "0000:01:10.2".
static int set_device (cli_t *cli, xml_t *interface, const options_t *options, error_t *err)
{
    static const char *const parts[] = { "domain", "bus", "slot", "function" };
    const char *text = options_str (options, "source");
    unsigned numbers[4];
    int end = 0;
    if (text[strspn (text, "0123456789abcdefABCDEFx:.")] ||
        sscanf (text, "%x:%x:%x.%x%n", &numbers[0], &numbers[1], &numbers[2], &numbers[3], &end) !=
            4 ||
        text[end])
        return cli_usage (cli, err,
                          "attach-interface: '%s' is no PCI address, as 0000:01:10.2; 'troupe "
                          "nodedev-list pci' shows those of the host",
                          text);
    xml_set (xml_root (interface), "source/address/@type", "pci");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        autofree char *path = text_format ("source/address/@%s", parts[i]);
        xml_setf (xml_root (interface), path,
                  i == 0   ? "0x%04x"
                  : i == 3 ? "0x%x"
                           : "0x%02x",
                  numbers[i]);
    }
    return 0;
}

static int set_socket (cli_t *cli, xml_t *interface, const options_t *options, error_t *err)
{
    if (!options_str (options, "source_mode"))
        return cli_usage (cli, err,
                          "attach-interface: of type vhostuser it needs --source-mode: client or "
                          "server");
    xml_set (xml_root (interface), "source/@type", "unix");
    plug_set (interface, "source/@path", options, "source");
    return 0;
}

static const struct {
    const char *type, *path; //  where the source is named; NULL: it has none
    set_fn *set;             //  instead
} sources[] = {
    { "network", "source/@network", NULL },
    { "bridge", "source/@bridge", NULL },
    { "direct", "source/@dev", NULL },
    { "ethernet", NULL, NULL },
    { "user", NULL, NULL },
    { "hostdev", NULL, set_device },
    { "vhostuser", NULL, set_socket },
};

static int set_source (cli_t *cli, xml_t *interface, const options_t *options, error_t *err)
{
    const char *type = options_str (options, "type");
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp (sources[i].type, type) != 0)
            continue;
        if ((sources[i].path || sources[i].set) && !options_str (options, "source"))
            return cli_usage (cli, err, "attach-interface: the source is missing");
        if (sources[i].path)
            plug_set (interface, sources[i].path, options, "source");
        return sources[i].set ? sources[i].set (cli, interface, options, err) : 0;
    }
    return cli_usage (cli, err,
                      "attach-interface: the type is network, bridge, direct, ethernet, user, "
                      "hostdev or vhostuser, not '%s'",
                      type);
}

//  "1000,2000,512": average, peak, burst.
static int set_bandwidth (cli_t *cli, xml_t *interface, const options_t *options, const char *way,
                          error_t *err)
{
    static const char *const rates[] = { "average", "peak", "burst" };
    autofree char *words = text_copy (options_str (options, way));
    char *rest = words;
    for (size_t i = 0; rest && i < 3; i++) {
        uint64_t rate;
        const char *word = strsep (&rest, ",");
        autofree char *path = text_format ("bandwidth/%s/@%s", way, rates[i]);
        if (*word && !text_to_u64 (word, &rate))
            return cli_usage (cli, err,
                              "attach-interface: --%s is AVERAGE[,PEAK[,BURST]], not '%s'", way,
                              options_str (options, way));
        if (*word)
            xml_set (xml_root (interface), path, word);
    }
    return 0;
}

int run_attach_interface (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) interface = plug_new ("interface");
    plug_set (interface, "@type", options, "type");
    if (options_flag (options, "managed"))
        xml_set (xml_root (interface), "@managed", "yes");
    if (set_source (cli, interface, options, err))
        return -1;
    plug_set (interface, "source/@mode", options, "source_mode");
    plug_set (interface, "target/@dev", options, "target");
    plug_set (interface, "script/@path", options, "script");
    plug_set (interface, "mac/@address", options, "mac");
    plug_set (interface, "model/@type", options, "model");
    plug_set (interface, "alias/@name", options, "alias");
    if (set_bandwidth (cli, interface, options, "inbound", err) ||
        set_bandwidth (cli, interface, options, "outbound", err))
        return -1;
    return plug_call (cli, options, "domain.device_attach", interface,
                      "Interface attached successfully", err);
}

//  Those that are there.

static bool is_meant (const xml_node_t *interface, const char *type, const char *mac)
{
    const char *own = xml_string (interface, "mac/@address");
    return (!type || xml_equals (interface, "@type", type)) &&
           (!mac || (own && strcasecmp (own, mac) == 0));
}

//  The only one of this type and MAC.
static const xml_node_t *find_only (const xml_t *domain, const char *type, const char *mac,
                                    error_t *err)
{
    const xml_node_t *found = NULL;
    xml_foreach (interface, xml_find (xml_root (domain), "devices"), "interface") {
        if (!is_meant (interface, type, mac))
            continue;
        if (found) {
            error_set (err, ERR_OPERATION_FAILED,
                       "the domain has several interfaces of type '%s'; --mac says which", type);
            return NULL;
        }
        found = interface;
    }
    if (!found)
        error_set (err, ERR_DEVICE_MISSING,
                   "the domain has no interface of type '%s'%s%s; 'troupe domiflist' shows them",
                   type, mac ? " with the MAC " : "", mac ? mac : "");
    return found;
}

int run_detach_interface (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) domain = plug_domain_xml (cli, options, err);
    const xml_node_t *found = domain ? find_only (domain, options_str (options, "type"),
                                                  options_str (options, "mac"), err)
                                     : NULL;
    auto(xml_t) interface = found ? xml_from_node (found) : NULL;
    return interface ? plug_call (cli, options, "domain.device_detach", interface,
                                  "Interface detached successfully", err)
                     : -1;
}

//  By the name of its link on the host, or by its MAC. The caller owns it; NULL and ERR.
static xml_t *copy_interface (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "interface");
    auto(xml_t) domain = plug_domain_xml (cli, options, err);
    xml_foreach (interface, domain ? xml_find (xml_root (domain), "devices") : NULL, "interface")
        if (xml_equals (interface, "target/@dev", name) || is_meant (interface, NULL, name))
            return xml_from_node (interface);
    if (domain)
        error_set (err, ERR_DEVICE_MISSING,
                   "the domain has no interface '%s'; 'troupe domiflist' shows them", name);
    return NULL;
}

int run_domif_setlink (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) interface = copy_interface (cli, options, err);
    if (!interface)
        return -1;
    plug_set (interface, "link/@state", options, "state");
    return plug_call (cli, options, "domain.device_update", interface,
                      "Device updated successfully", err);
}

int run_domif_getlink (cli_t *cli, const options_t *options, error_t *err)
{
    auto(xml_t) interface = copy_interface (cli, options, err);
    if (!interface)
        return -1;
    const char *state = xml_string (xml_root (interface), "link/@state");
    if (cli->json) {
        printf ("{\"state\": ");
        json_text (stdout, state ? state : "up");
        puts ("}");
    } else
        printf ("%s %s\n", options_str (options, "interface"), state ? state : "up");
    return 0;
}
