//  lxc_spec.c: what a supervisor is told of its container.

#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"

#include <string.h>

//  As libvirt's "Domain XML format" page has it: without <privnet/> a container that has no
//  interfaces shares the host's network.
bool lxc_has_network (const xml_node_t *domain)
{
    return xml_find (domain, "features/privnet") || xml_find (domain, "devices/interface") ||
           lxc_hostdev_has_link (domain);
}

static void add (json_t *list, char *text)
{
    json_array_append_new (list, json_string (text));
    free (text);
}

static json_t *init_argv (const xml_node_t *domain)
{
    json_t *argv = json_pack ("[s]", xml_string (domain, "os/init"));
    xml_foreach (arg, xml_find (domain, "os"), "initarg")
        json_array_append_new (argv, json_string (xml_string (arg, ".")));
    return argv;
}

//  libvirt's "LXC container driver" page, "Environment variables", and systemd's "Container
//  interface"; the user's own come last, and count.
static json_t *init_env (const xml_node_t *domain)
{
    json_t *env = json_array ();
    auto(text_t) line = text_new ();
    auto(text_t) ttys = text_new ();
    int consoles = 0;
    xml_foreach (arg, xml_find (domain, "os"), "initarg")
        text_addf (line, "%s%s", line->size ? " " : "", xml_string (arg, "."));
    xml_foreach (console, xml_find (domain, "devices"), "console") {
        if (consoles)
            text_addf (ttys, "%spts/%d", consoles > 1 ? " " : "", consoles);
        consoles++;
    }
    add (env, text_copy ("PATH=/bin:/usr/bin:/sbin:/usr/sbin"));
    add (env, text_copy ("TERM=linux"));
    add (env, text_copy ("HOME=/"));
    add (env, text_copy ("container=lxc-libvirt"));
    add (env, text_format ("container_uuid=%s", xml_string (domain, "uuid")));
    add (env, text_format ("LIBVIRT_LXC_UUID=%s", xml_string (domain, "uuid")));
    add (env, text_format ("LIBVIRT_LXC_NAME=%s", xml_string (domain, "name")));
    if (line->size)
        add (env, text_format ("LIBVIRT_LXC_CMDLINE=%s", line->data));
    if (ttys->size)
        add (env, text_format ("container_ttys=%s", ttys->data));
    xml_foreach (own, xml_find (domain, "os"), "initenv")
        add (env, text_format ("%s=%s", xml_string (own, "@name"), xml_string (own, ".")));
    return env;
}

static json_t *describe_filesystem (const xml_node_t *fs)
{
    error_t ignored; //  completed
    uint64_t usage = 0;
    const char *source = lxc_filesystem_source (fs);
    xml_u64 (fs, "source/@usage", &usage, &ignored);
    return json_pack ("{s:s, s:s, s:s, s:b, s:I}", "type", xml_string (fs, "@type"), "source",
                      source ? source : "", "target", xml_string (fs, "target/@dir"), "readonly",
                      xml_find (fs, "readonly") != NULL, "bytes", (json_int_t) (usage * 1024));
}

//  The root first; the others in the document's order.
static json_t *list_filesystems (const xml_node_t *domain)
{
    json_t *list = json_array ();
    for (int root = 1; root >= 0; root--)
        xml_foreach (fs, xml_find (domain, "devices"), "filesystem")
            if (xml_equals (fs, "target/@dir", "/") == root)
                json_array_append_new (list, describe_filesystem (fs));
    return list;
}

static json_t *list_consoles (const xml_node_t *domain)
{
    json_t *list = json_array ();
    xml_foreach (console, xml_find (domain, "devices"), "console")
        json_array_append_new (list, json_string (interface_alias (console)));
    return list;
}

static json_t *list_links (const xml_node_t *domain)
{
    json_t *list = json_array ();
    xml_foreach (interface, xml_find (domain, "devices"), "interface")
        json_array_append_new (list, json_string (xml_string (interface, "guest/@dev")));
    return list;
}

static json_t *list_given (const xml_node_t *domain)
{
    json_t *list = json_array ();
    xml_foreach (hostdev, xml_find (domain, "devices"), "hostdev")
        if (lxc_hostdev_link (hostdev))
            json_array_append_new (list, json_string (lxc_hostdev_link (hostdev)));
    return list;
}

static json_t *list_capabilities (const xml_node_t *domain)
{
    json_t *list = json_array ();
    auto(strings_t) kept = lxc_capabilities_kept (domain);
    for (size_t i = 0; i < kept->count; i++)
        add (list, text_format ("cap_%s", kept->items[i]));
    return list;
}

static const char *either (const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

json_t *lxc_spec (const xml_t *live, const char *identity, const char *const *cgroups,
                  json_t *devices, json_t *shared)
{
    const xml_node_t *domain = xml_root (live);
    autofree char *uids = lxc_idmap_text (domain, "uid");
    autofree char *gids = lxc_idmap_text (domain, "gid");
    json_t *folders = json_array ();
    for (; *cgroups; cgroups++)
        json_array_append_new (folders, json_string (*cgroups));
    return json_pack (
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:o}",
        "uid_map", uids, "gid_map", gids, "name", xml_string (domain, "name"), "uuid",
        xml_string (domain, "uuid"), "folder", either (xml_string (domain, "os/initdir"), "/"),
        "identity", identity, "user", either (xml_string (domain, "os/inituser"), "0"), "group",
        either (xml_string (domain, "os/initgroup"), ""), "network", lxc_has_network (domain),
        "restart", xml_equals (domain, "on_reboot", "restart"), "argv", init_argv (domain), "env",
        init_env (domain), "consoles", list_consoles (domain), "cgroups", folders, "filesystems",
        list_filesystems (domain), "keep", list_capabilities (domain), "links", list_links (domain),
        "devices", devices, "given", list_given (domain), "shared", shared);
}
