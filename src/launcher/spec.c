//  spec.c: reading what the launcher is told to do. Strict: a key that is not known is an error.

#include "launcher/spec.h"

#include <stdlib.h>
#include <string.h>

typedef int (*set_t) (spec_t *spec, char *value, error_t *err);

static int bad (error_t *err, const char *key, const char *value)
{
    return error_set (err, ERR_INVALID_ARG, "the launcher can't use %s '%s'", key, value);
}

static int full (error_t *err, const char *key)
{
    return error_set (err, ERR_INVALID_ARG, "the launcher takes %d %s at most", LAUNCH_LIST_MAX,
                      key);
}

//  A whole number up to MAX that ends at END; false if it is none.
static bool number (const char *text, char end, uint64_t max, uint64_t *value, const char **rest)
{
    *value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        const uint64_t digit = (uint64_t) (*c - '0');
        if (digit > max || *value > (max - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    *rest = c + 1;
    return c > text && *c == end;
}

static int set_argv (spec_t *spec, char *value, error_t *err)
{
    (void) err;
    spec->argv[spec->argv_count++] = value;
    return 0;
}

static int set_env (spec_t *spec, char *value, error_t *err)
{
    if (!strchr (value, '='))
        return bad (err, "env", value);
    spec->env[spec->env_count++] = value;
    return 0;
}

static int set_folder (spec_t *spec, char *value, error_t *err)
{
    (void) err;
    spec->folder = value;
    return 0;
}

static int set_log (spec_t *spec, char *value, error_t *err)
{
    (void) err;
    spec->log = value;
    return 0;
}

static int set_cgroup (spec_t *spec, char *value, error_t *err)
{
    if (spec->cgroup_count == LAUNCH_LIST_MAX)
        return full (err, "cgroups");
    spec->cgroups[spec->cgroup_count++] = value;
    return 0;
}

//  Whether the program already gets something else as descriptor FD.
static bool is_taken (const spec_t *spec, int fd)
{
    for (size_t i = 0; i < spec->keep_count; i++)
        if (spec->keep[i] == fd)
            return true;
    for (size_t i = 0; i < spec->listener_count; i++)
        if (spec->listeners[i].fd == fd)
            return true;
    for (size_t i = 0; i < spec->device_count; i++)
        if (spec->devices[i].fd == fd)
            return true;
    return false;
}

static int set_keep (spec_t *spec, char *value, error_t *err)
{
    uint64_t fd = 0;
    const char *rest = NULL;
    if (!number (value, 0, LAUNCH_FD_MAX, &fd, &rest) || fd <= LAUNCH_FD ||
        is_taken (spec, (int) fd))
        return bad (err, "keep", value);
    if (spec->keep_count == LAUNCH_LIST_MAX)
        return full (err, "kept descriptors");
    spec->keep[spec->keep_count++] = (int) fd;
    return 0;
}

static int set_listen (spec_t *spec, char *value, error_t *err)
{
    uint64_t fd = 0;
    const char *path = NULL;
    if (!number (value, ':', LAUNCH_FD_MAX, &fd, &path) || fd < LAUNCH_FD || *path != '/' ||
        is_taken (spec, (int) fd))
        return bad (err, "listen", value);
    if (spec->listener_count == LAUNCH_LIST_MAX)
        return full (err, "listening sockets");
    spec->listeners[spec->listener_count++] = (listener_t){ .fd = (int) fd, .path = path };
    return 0;
}

static int set_device (spec_t *spec, char *value, error_t *err)
{
    uint64_t fd = 0;
    const char *text = NULL;
    passed_t *passed = &spec->devices[spec->device_count];
    if (spec->device_count == LAUNCH_LIST_MAX)
        return full (err, "devices");
    if (!number (value, ':', LAUNCH_FD_MAX, &fd, &text) || fd < LAUNCH_FD ||
        is_taken (spec, (int) fd) || !device_read (text, &passed->device))
        return bad (err, "device", value);
    passed->fd = (int) fd;
    spec->device_count++;
    return 0;
}

static int set_group (spec_t *spec, char *value, error_t *err)
{
    uint64_t gid = 0;
    const char *rest = NULL;
    if (!number (value, 0, UINT32_MAX - 1, &gid, &rest))
        return bad (err, "group", value);
    if (spec->group_count == LAUNCH_LIST_MAX)
        return full (err, "groups");
    spec->groups[spec->group_count++] = (gid_t) gid;
    return 0;
}

static int set_uid (spec_t *spec, char *value, error_t *err)
{
    uint64_t uid = 0;
    const char *rest = NULL;
    if (!number (value, 0, UINT32_MAX - 1, &uid, &rest))
        return bad (err, "uid", value);
    spec->uid = (uid_t) uid;
    spec->has_uid = true;
    return 0;
}

static int set_gid (spec_t *spec, char *value, error_t *err)
{
    uint64_t gid = 0;
    const char *rest = NULL;
    if (!number (value, 0, UINT32_MAX - 1, &gid, &rest))
        return bad (err, "gid", value);
    spec->gid = (gid_t) gid;
    spec->has_gid = true;
    return 0;
}

static int set_memlock (spec_t *spec, char *value, error_t *err)
{
    const char *rest = NULL;
    if (!number (value, 0, UINT64_MAX, &spec->memlock, &rest) || spec->memlock == 0)
        return bad (err, "memlock", value);
    return 0;
}

static int set_flag (bool *flag, const char *key, const char *value, error_t *err)
{
    if (strcmp (value, "1") != 0)
        return bad (err, key, value);
    *flag = true;
    return 0;
}

static int set_drop (spec_t *spec, char *value, error_t *err)
{
    return set_flag (&spec->drop_capabilities, "drop_capabilities", value, err);
}

static int set_bounded (spec_t *spec, char *value, error_t *err)
{
    return set_flag (&spec->bounded, "bounded", value, err);
}

static int set_tied (spec_t *spec, char *value, error_t *err)
{
    return set_flag (&spec->tied, "tied", value, err);
}

static const struct {
    const char *name;
    set_t set;
} keys[] = {
    { "argv", set_argv },
    { "env", set_env },
    { "folder", set_folder },
    { "log", set_log },
    { "cgroup", set_cgroup },
    { "keep", set_keep },
    { "listen", set_listen },
    { "device", set_device },
    { "group", set_group },
    { "uid", set_uid },
    { "gid", set_gid },
    { "memlock", set_memlock },
    { "drop_capabilities", set_drop },
    { "bounded", set_bounded },
    { "tied", set_tied },
};

//  One "key=value".
static int parse_string (spec_t *spec, char *text, error_t *err)
{
    char *equals = strchr (text, '=');
    if (!equals)
        return bad (err, "key", text);
    *equals = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp (keys[i].name, text) == 0)
            return keys[i].set (spec, equals + 1, err);
    return bad (err, "key", text);
}

static size_t count_strings (const char *bytes, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += bytes[i] == 0;
    return count;
}

int spec_parse (spec_t *spec, char *bytes, size_t size, error_t *err)
{
    *spec = (spec_t){ .folder = "/" };
    if (size == 0 || bytes[size - 1])
        return error_set (err, ERR_INVALID_ARG, "the launcher got half a spec");
    const size_t strings = count_strings (bytes, size);
    spec->argv = calloc (strings + 1, sizeof *spec->argv);
    spec->env = calloc (strings + 1, sizeof *spec->env);
    if (!spec->argv || !spec->env)
        return error_set (err, ERR_NO_MEMORY, "the launcher has no memory for its spec");
    for (char *at = bytes; at < bytes + size;) {
        char *next = at + strlen (at) + 1;
        if (parse_string (spec, at, err))
            return -1;
        at = next;
    }
    if (spec->argv_count == 0 || spec->argv[0][0] != '/')
        return bad (err, "program", spec->argv_count ? spec->argv[0] : "");
    if (spec->has_uid != spec->has_gid)
        return error_set (err, ERR_INVALID_ARG, "the launcher takes uid and gid together");
    return 0;
}
