//  lxc_share.c: namespaces that a container shares with others (<lxc:namespace>; "Inherit
//  namespaces" of libvirt's "LXC container driver" page).

#include "drivers/lxc/lxc_parts.h"
#include "drivers/net/netns.h"
#include "util/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *space;
} shares[] = { { "sharenet", "net" }, { "shareipc", "ipc" }, { "shareuts", "uts" } };

#define SHARE_COUNT (sizeof shares / sizeof *shares)

//  What root of a user namespace can't do in a namespace that is not that one's.
static const struct {
    const char *share, *capability;
} idle[] = {
    { "sharenet", "net_admin" },     { "sharenet", "net_raw" },
    { "sharenet", "net_broadcast" }, { "sharenet", "net_bind_service" },
    { "shareipc", "ipc_owner" },
};

static bool is_own (const xml_node_t *node)
{
    const char *space = xml_namespace (node);
    return space && strcmp (space, LXC_SPACE) == 0;
}

//  NULL if there is none.
static const xml_node_t *namespace_of (const xml_node_t *domain)
{
    xml_foreach (node, domain, NULL)
        if (is_own (node) && strcmp (xml_name (node), "namespace") == 0)
            return node;
    return NULL;
}

static const xml_node_t *find (const xml_node_t *domain, const char *name)
{
    xml_foreach (node, namespace_of (domain), NULL)
        if (is_own (node) && strcmp (xml_name (node), name) == 0)
            return node;
    return NULL;
}

static const char *space_of (const xml_node_t *share)
{
    for (size_t i = 0; is_own (share) && i < SHARE_COUNT; i++)
        if (strcmp (xml_name (share), shares[i].name) == 0)
            return shares[i].space;
    return NULL;
}

static int bad_value (const xml_node_t *share, const char *why, error_t *err)
{
    return error_set (err, ERR_XML_ERROR, "lxc:%s: value '%s': %s", xml_name (share),
                      xml_string (share, "@value"), why);
}

static int check_process (const xml_node_t *share, error_t *err)
{
    int pid;
    if (xml_int (share, "@value", 1, INT_MAX, &pid, err))
        return error_prefix (err, "lxc:%s", xml_name (share));
    return 0;
}

static int check_name (const xml_node_t *domain, const xml_node_t *share, error_t *err)
{
    if (xml_equals (domain, "name", xml_string (share, "@value")))
        return bad_value (share, "a container can't share with itself", err);
    return *xml_string (share, "@value") ? 0 : bad_value (share, "name a container", err);
}

static int check_netns (const xml_node_t *share, error_t *err)
{
    const char *name = xml_string (share, "@value");
    if (strcmp (xml_name (share), "sharenet") != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: lxc:%s of type 'netns', which goes with lxc:sharenet "
                          "only; use 'name' or 'pid'",
                          xml_name (share));
    bool plain = *name && strlen (name) <= NAME_MAX && !strchr (name, '/') &&
                 strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
    return plain ? 0 : bad_value (share, "it is no name that 'ip netns' could show", err);
}

static int check_type (const xml_node_t *domain, const xml_node_t *share, error_t *err)
{
    const char *type = xml_string (share, "@type");
    if (!type || !xml_string (share, "@value"))
        return error_set (err, ERR_XML_ERROR, "lxc:%s: it has no type, or no value",
                          xml_name (share));
    if (strcmp (type, "netns") == 0)
        return check_netns (share, err);
    if (strcmp (type, "name") == 0)
        return check_name (domain, share, err);
    if (strcmp (type, "pid") == 0)
        return check_process (share, err);
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: lxc:%s/@type '%s'; it can be netns|name|pid",
                      xml_name (share), type);
}

static int check_share (const xml_node_t *domain, const xml_node_t *share, error_t *err)
{
    if (!space_of (share))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <%s> in <lxc:namespace>; it can be lxc:sharenet, "
                          "lxc:shareipc and lxc:shareuts",
                          xml_name (share));
    const char *name;
    for (size_t i = 0; (name = xml_attribute (share, i)); i++)
        if (strcmp (name, "type") != 0 && strcmp (name, "value") != 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: lxc:%s/@%s",
                              xml_name (share), name);
    if (xml_first (share, NULL))
        return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: lxc:%s/%s", xml_name (share),
                          xml_name (xml_first (share, NULL)));
    if (find (domain, xml_name (share)) != share)
        return error_set (err, ERR_XML_ERROR, "lxc:%s: there are two of it", xml_name (share));
    return check_type (domain, share, err);
}

//  Nobody could say whose the interfaces would be then.
static int check_network (const xml_node_t *domain, error_t *err)
{
    static const char *const own[] = { "devices/interface", "features/privnet" };
    for (size_t i = 0; find (domain, "sharenet") && i < sizeof own / sizeof *own; i++)
        if (xml_find (domain, own[i]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s with lxc:sharenet, whose network is another's; "
                              "remove one of them",
                              own[i]);
    if (find (domain, "sharenet") && lxc_hostdev_has_link (domain))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a <hostdev> of type 'net' with lxc:sharenet, whose "
                          "network is another's; remove one of them");
    return 0;
}

static int check_rights (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *wanted = xml_find (domain, "features/capabilities");
    for (size_t i = 0; xml_find (domain, "idmap") && i < sizeof idle / sizeof *idle; i++) {
        const xml_node_t *own = wanted ? xml_find (wanted, idle[i].capability) : NULL;
        if (own && xml_equals (own, "@state", "on") && find (domain, idle[i].share))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: features/capabilities/%s with <idmap> and lxc:%s: "
                              "the users of <idmap> have no rights in another's namespace",
                              idle[i].capability, idle[i].share);
    }
    return 0;
}

int lxc_share_check (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *own = namespace_of (domain);
    xml_foreach (node, domain, NULL)
        if (is_own (node) && node != own)
            return error_set (err, ERR_XML_ERROR, "domain XML: there are two <lxc:namespace>");
    if (own && xml_attribute (own, 0))
        return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: lxc:namespace/@%s",
                          xml_attribute (own, 0));
    xml_foreach (share, own, NULL)
        if (check_share (domain, share, err))
            return -1;
    return check_network (domain, err) || check_rights (domain, err) ? -1 : 0;
}

//  At the start.

static int not_running (const char *name, error_t *err)
{
    return error_set (err, ERR_OPERATION_INVALID,
                      "domain '%s' is no running container; start that first", name);
}

//  Init's identity is in a file of its supervisor's, which may be older than its end.
static int find_container (job_t *job, const char *name, process_t *process, error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    //  Told as it is, ERR_NO_DOMAIN would be of the domain that is to start.
    if (job_domain (job, name, uuid, err))
        return err->code == ERR_NO_DOMAIN ? not_running (name, err) : -1;
    autofree char *path = text_format ("%s/lxc/%s.init", job->paths->run, uuid);
    autofree char *text = file_read (path, PROCESS_TEXT_SIZE, NULL, err);
    if (!text)
        return errno == ENOENT ? not_running (name, err) : -1;
    if (!process_from_text (text, process))
        return error_set (err, ERR_INTERNAL_ERROR, "'%s' has no process", path);
    autoclose int fd = process_open (process, err);
    if (fd < 0)
        return err->code == ERR_OPERATION_INVALID ? not_running (name, err) : -1;
    return 0;
}

static int find_process (const xml_node_t *share, process_t *process, error_t *err)
{
    int pid = 0;
    if (xml_int (share, "@value", 1, INT_MAX, &pid, err))
        return -1;
    if (process_identify (pid, process, err) == 0)
        return 0;
    return err->code == ERR_OPERATION_INVALID
               ? error_set (err, ERR_OPERATION_INVALID, "the host has no process %d", pid)
               : -1;
}

//  As "ip netns" has them.
static char *find_netns (const char *name, error_t *err)
{
    autofree char *path = text_format ("/run/netns/%s", name);
    autoclose int fd = netns_open (path, err);
    return fd < 0 ? NULL : take (&path);
}

static json_t *find_share (job_t *job, const xml_node_t *share, error_t *err)
{
    process_t process;
    char identity[PROCESS_TEXT_SIZE] = "";
    autofree char *path = NULL;
    const char *type = xml_string (share, "@type"), *value = xml_string (share, "@value");
    bool netns = strcmp (type, "netns") == 0;
    int rc;
    if (netns)
        rc = (path = find_netns (value, err)) ? 0 : -1;
    else
        rc = strcmp (type, "pid") == 0 ? find_process (share, &process, err)
                                       : find_container (job, value, &process, err);
    if (rc) {
        error_prefix (err, "lxc:%s", xml_name (share));
        return NULL;
    }
    if (!netns)
        process_to_text (&process, identity);
    autofree char *what = text_format ("lxc:%s: %s '%s'", xml_name (share), type, value);
    return json_pack ("{s:s, s:s, s:s, s:s}", "space", space_of (share), "what", what, "path",
                      netns ? path : "", "process", identity);
}

json_t *lxc_share_list (job_t *job, error_t *err)
{
    json_t *list = json_array ();
    xml_foreach (share, namespace_of (xml_root (job->guest->live)), NULL) {
        json_t *found = find_share (job, share, err);
        if (!found) {
            json_decref (list);
            return NULL;
        }
        json_array_append_new (list, found);
    }
    return list;
}
