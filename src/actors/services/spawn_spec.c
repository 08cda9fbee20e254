//  spawn_spec.c: from the arguments of `process.spawn` to the launcher's spec.

#include "actors/services/spawn_spec.h"

#include "util/launch.h"
#include "util/text.h"

#include <string.h>

//  The strings of an array, which is absent or has nothing but strings.
static strings_t *read_strings (const msg_t *request, const char *name, error_t *err)
{
    const value_t *array = msg_arg (request, name);
    auto(strings_t) strings = strings_new ();
    for (size_t i = 0; i < value_count (array); i++) {
        const char *item = value_str (value_at (array, i));
        if (!item) {
            error_set (err, ERR_INVALID_ARG, "start a process: %s is not an array of strings",
                       name);
            return NULL;
        }
        strings_add (strings, item);
    }
    return take (&strings);
}

static int read_listen (const msg_t *request, launch_t *launch, error_t *err)
{
    const value_t *array = msg_arg (request, "listen");
    const size_t count = value_count (array);
    if (count >= LAUNCH_LIST_MAX)
        return error_set (err, ERR_INVALID_ARG,
                          "start '%s': %zu listening sockets are more than the launcher takes",
                          launch->argv[0], count);
    for (size_t i = 0; i < count; i++) {
        const char *path = value_get_str (value_at (array, i), "path");
        const int64_t fd = value_get_i64 (value_at (array, i), "fd", -1);
        if (!path || path[0] != '/' || fd < LAUNCH_FD || fd > LAUNCH_FD_MAX)
            return error_set (err, ERR_INVALID_ARG,
                              "start '%s': a listening socket needs an absolute path and a "
                              "descriptor from %d to %d",
                              launch->argv[0], LAUNCH_FD, LAUNCH_FD_MAX);
        launch->listen[i].path = path;
        launch->listen[i].fd = (int) fd;
    }
    return 0;
}

static int read_identity (const msg_t *request, launch_t *launch, error_t *err)
{
    const uint64_t uid = msg_u64 (request, "uid", 0), gid = msg_u64 (request, "gid", 0);
    //  All ones means "leave it as it is" to the kernel.
    if (uid >= UINT32_MAX || gid >= UINT32_MAX)
        return error_set (err, ERR_INVALID_ARG, "start '%s': uid or gid is out of range",
                          launch->argv[0]);
    launch->uid = (uid_t) uid;
    launch->gid = (gid_t) gid;
    launch->drop_capabilities = msg_flag (request, "drop_capabilities");
    launch->bounded = !msg_flag (request, "privileged");
    launch->tied = msg_flag (request, "tied");
    return 0;
}

static int read_rest (const msg_t *request, launch_t *launch, error_t *err)
{
    if (!launch->argv[0] || launch->argv[0][0] != '/')
        return error_set (
            err, ERR_INVALID_ARG,
            "start a process: the first of argv is not the absolute path of a program");
    launch->folder = msg_str (request, "folder");
    launch->log = msg_str (request, "log");
    launch->memlock_bytes = msg_u64 (request, "memlock_bytes", 0);
    return read_identity (request, launch, err) || read_listen (request, launch, err) ? -1 : 0;
}

char *spawn_spec (const msg_t *request, size_t *size, error_t *err)
{
    auto(strings_t) argv = read_strings (request, "argv", err);
    auto(strings_t) env = argv ? read_strings (request, "env", err) : NULL;
    auto(strings_t) devices = env ? read_strings (request, "devices", err) : NULL;
    auto(strings_t) cgroups = devices ? read_strings (request, "cgroups", err) : NULL;
    if (!cgroups)
        return NULL;
    launch_t launch = { .argv = strings_list (argv),
                        .env = strings_list (env),
                        .devices = strings_list (devices),
                        .cgroups = strings_list (cgroups) };
    return read_rest (request, &launch, err) ? NULL : launch_encode (&launch, size, err);
}
