//  lxc_hostdev.c: devices of the host that a container is given ("Block / character devices" of
//  libvirt's "Domain XML format"): nodes, and links of its network (lxc_given.c). Which node it is,
//  is what the kernel says when it starts.

#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/definition.h"
#include "container/container_protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
    const char *type, *path;
    bool block;
} types[] = {
    { "storage", "source/block", true },
    { "misc", "source/char", false },
    { "net", "source/interface", false },
};

//  In /dev a container has these of its own, and what is below would be hidden by file systems.
static const char *const taken[] = { "/dev/null",    "/dev/zero",  "/dev/full",   "/dev/random",
                                     "/dev/urandom", "/dev/tty",   "/dev/ptmx",   "/dev/console",
                                     "/dev/fd",      "/dev/stdin", "/dev/stdout", "/dev/stderr" };
static const char *const hidden[] = { "/dev/pts", "/dev/shm", "/dev/mqueue" };

static size_t type_of (const xml_node_t *hostdev)
{
    size_t i = 0;
    while (i + 1 < sizeof types / sizeof *types && !xml_equals (hostdev, "@type", types[i].type))
        i++;
    return i;
}

static const char *path_of (const xml_node_t *hostdev)
{
    return xml_string (hostdev, types[type_of (hostdev)].path);
}

const char *lxc_hostdev_link (const xml_node_t *hostdev)
{
    return xml_equals (hostdev, "@type", "net") ? path_of (hostdev) : NULL;
}

bool lxc_hostdev_has_link (const xml_node_t *domain)
{
    xml_foreach (hostdev, xml_find (domain, "devices"), "hostdev")
        if (lxc_hostdev_link (hostdev))
            return true;
    return false;
}

static bool is_free (const char *path)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp (path, taken[i]) == 0)
            return false;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        size_t size = strlen (hidden[i]);
        if (strncmp (path, hidden[i], size) == 0 && (path[size] == '/' || !path[size]))
            return false;
    }
    //  The terminals of its consoles.
    return strncmp (path, "/dev/tty", 8) != 0 ||
           strspn (path + 8, "0123456789") != strlen (path + 8);
}

//  Its name is a part of its key (drivers/net/link.h).
static int check_link (const char *name, error_t *err)
{
    static const char words[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";
    if (!name)
        return error_set (err, ERR_XML_ERROR, "hostdev of type 'net': it has no source/interface");
    if (interface_check_name (name, err))
        return -1;
    if (strspn (name, words) == strlen (name) && strcmp (name, "lo") != 0)
        return 0;
    return error_set (
        err, ERR_CONFIG_UNSUPPORTED,
        "not supported: hostdev of type 'net': the link '%s'; it can't be lo, and its "
        "name has letters, digits and - _ . @ only",
        name);
}

static int check (const xml_node_t *hostdev, error_t *err)
{
    const char *path = path_of (hostdev), *type = xml_string (hostdev, "@type");
    if (!xml_string (hostdev, "@mode") || !type)
        return error_set (err, ERR_XML_ERROR,
                          "hostdev: it has no mode, or no type; a container's is <hostdev "
                          "mode='capabilities' type='storage'>, 'misc' or 'net'");
    if (strcmp (type, "net") == 0)
        return check_link (path, err);
    if (!path || !text_starts (path, "/dev/") || !path[5] || strstr (path, "/../") ||
        text_ends (path, "/..") || text_ends (path, "/"))
        return error_set (err, ERR_XML_ERROR,
                          "hostdev of type '%s': its %s '%s' is no path in /dev", type,
                          types[type_of (hostdev)].path, path ? path : "");
    if (!is_free (path))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: hostdev '%s': a container has a '%s' of its own", path,
                          path);
    return 0;
}

int lxc_hostdev_complete (xml_node_t *devices, error_t *err)
{
    auto(strings_t) paths = strings_new ();
    xml_foreach (hostdev, devices, "hostdev") {
        definition_drop_alias (hostdev);
        if (check (hostdev, err))
            return -1;
        if (strings_contain (paths, path_of (hostdev)))
            return error_set (err, ERR_XML_ERROR, "hostdev '%s': there are two of it",
                              path_of (hostdev));
        strings_add (paths, path_of (hostdev));
    }
    if (paths->count <= CONTAINER_LISTS_MAX)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: more than %d hostdevs",
                      CONTAINER_LISTS_MAX);
}

static json_t *describe (const xml_node_t *hostdev, error_t *err)
{
    struct stat status;
    const char *path = path_of (hostdev);
    bool block = types[type_of (hostdev)].block;
    if (stat (path, &status)) {
        error_errno (err, ERR_OPERATION_FAILED, "hostdev '%s'", path);
        return NULL;
    }
    if (block ? !S_ISBLK (status.st_mode) : !S_ISCHR (status.st_mode)) {
        error_set (err, ERR_OPERATION_FAILED, "hostdev '%s': it is no %s device", path,
                   block ? "block" : "character");
        return NULL;
    }
    return json_pack ("{s:s, s:b, s:i, s:i}", "path", path, "block", block, "major",
                      (int) major (status.st_rdev), "minor", (int) minor (status.st_rdev));
}

json_t *lxc_hostdev_list (const xml_node_t *domain, error_t *err)
{
    json_t *list = json_array ();
    xml_foreach (hostdev, xml_find (domain, "devices"), "hostdev") {
        if (lxc_hostdev_link (hostdev))
            continue;
        json_t *item = describe (hostdev, err);
        if (!item) {
            json_decref (list);
            return NULL;
        }
        json_array_append_new (list, item);
    }
    return list;
}
