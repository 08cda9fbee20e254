//  launch.c: the daemon's side of troupe-launch's protocol.

#include "util/launch.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

//  "KEY=VALUE" and its NUL.
static void put (text_t *spec, const char *key, const char *value)
{
    text_add (spec, key);
    text_add_char (spec, '=');
    text_add_bytes (spec, value, strlen (value) + 1);
}

static void put_number (text_t *spec, const char *key, uint64_t value)
{
    autofree char *text = text_format ("%" PRIu64, value);
    put (spec, key, text);
}

static void put_list (text_t *spec, const char *key, const char *const *values)
{
    for (; values && *values; values++)
        put (spec, key, *values);
}

static void put_descriptors (text_t *spec, const launch_t *launch)
{
    for (size_t i = 0; i < LAUNCH_LIST_MAX && launch->keep[i]; i++)
        put_number (spec, "keep", (uint64_t) launch->keep[i]);
    for (size_t i = 0; i < LAUNCH_LIST_MAX && launch->listen[i].path; i++) {
        autofree char *value = text_format ("%d:%s", launch->listen[i].fd, launch->listen[i].path);
        put (spec, "listen", value);
    }
    put_list (spec, "device", launch->devices);
}

static void put_identity (text_t *spec, const launch_t *launch)
{
    if (launch->drop_capabilities)
        put (spec, "drop_capabilities", "1");
    if (launch->bounded)
        put (spec, "bounded", "1");
    if (launch->tied)
        put (spec, "tied", "1");
    if (launch->uid == 0 && launch->gid == 0)
        return;
    put_number (spec, "uid", launch->uid);
    put_number (spec, "gid", launch->gid);
    for (size_t i = 0; i < launch->group_count; i++)
        put_number (spec, "group", launch->groups[i]);
}

char *launch_encode (const launch_t *launch, size_t *size, error_t *err)
{
    auto(text_t) spec = text_new ();
    uint32_t length = 0;
    text_add_bytes (spec, &length, sizeof length);
    put_list (spec, "argv", launch->argv);
    put_list (spec, "env", launch->env);
    put_list (spec, "cgroup", launch->cgroups);
    if (launch->folder)
        put (spec, "folder", launch->folder);
    if (launch->log)
        put (spec, "log", launch->log);
    if (launch->memlock_bytes)
        put_number (spec, "memlock", launch->memlock_bytes);
    put_descriptors (spec, launch);
    put_identity (spec, launch);
    if (spec->size - sizeof length > LAUNCH_SPEC_MAX) {
        error_set (err, ERR_INVALID_ARG,
                   "start '%s': its command line and environment have %zu bytes, more than %d",
                   launch->argv[0], spec->size - sizeof length, LAUNCH_SPEC_MAX);
        return NULL;
    }
    length = (uint32_t) (spec->size - sizeof length);
    memcpy (spec->data, &length, sizeof length);
    *size = spec->size;
    return text_finish (&spec);
}

launch_answer_t launch_answer (const char *bytes, size_t size, size_t *used, error_t *err)
{
    *used = 0;
    const char *end = memchr (bytes, '\n', size);
    if (!end && size < LAUNCH_ANSWER_MAX)
        return LAUNCH_WAITING;
    *used = end ? (size_t) (end - bytes) + 1 : size;
    autofree char *line = text_copy_bytes (bytes, end ? *used - 1 : size);
    if (end && strcmp (line, LAUNCH_READY_LINE) == 0)
        return LAUNCH_READY;
    if (end && text_starts (line, LAUNCH_ERROR_PREFIX))
        error_set (err, ERR_OPERATION_FAILED, "%s", line + strlen (LAUNCH_ERROR_PREFIX));
    else
        error_set (err, ERR_INTERNAL_ERROR, "the launcher said '%.64s'", line);
    return LAUNCH_FAILED;
}
