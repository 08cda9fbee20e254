//  container_spec.c: reads the description of a container.

#include "container/container_idmap.h"
#include "container/container_spec.h"
#include "util/text.h"

#include <sched.h>
#include <string.h>
#include <sys/capability.h>

static int bad (error_t *err, const char *what)
{
    return error_set (err, ERR_INVALID_ARG, "describe a container: %s", what);
}

//  An array of strings, as an argv.
static int read_list (const json_t *json, const char *key, size_t max, const char ***list_p,
                      error_t *err)
{
    const json_t *array = json_object_get (json, key), *item;
    size_t i, count = json_array_size (array);
    if (!json_is_array (array) || count > max)
        return error_set (err, ERR_INVALID_ARG,
                          "describe a container: '%s' is no list of up to %zu", key, max);
    *list_p = memory_new (count + 1, sizeof **list_p);
    json_array_foreach (array, i, item)
    {
        (*list_p)[i] = json_string_value (item);
        if (!(*list_p)[i])
            return error_set (err, ERR_INVALID_ARG,
                              "describe a container: '%s' is no list of texts", key);
    }
    return 0;
}

static int read_capabilities (container_spec_t *self, error_t *err)
{
    const json_t *name;
    size_t i;
    json_array_foreach (json_object_get (self->json, "keep"), i, name)
    {
        cap_value_t number;
        if (cap_from_name (json_string_value (name), &number) || number > 63)
            return error_set (err, ERR_INVALID_ARG,
                              "describe a container: the kernel has no capability '%s'",
                              json_string_value (name));
        self->keep |= (uint64_t) 1 << number;
    }
    return 0;
}

static int read_kind (const char *type, container_fs_kind_t *kind)
{
    static const char *const kinds[] = {
        [CONTAINER_MOUNT] = "mount", [CONTAINER_BIND] = "bind",   [CONTAINER_RAM] = "ram",
        [CONTAINER_FILE] = "file",   [CONTAINER_BLOCK] = "block",
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (kinds[i], type) == 0) {
            *kind = (container_fs_kind_t) i;
            return 0;
        }
    return -1;
}

static int read_filesystem (json_t *json, container_fs_t *fs, error_t *err)
{
    const char *type;
    json_int_t bytes;
    int readonly;
    if (json_unpack_ex (json, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:b, s:I}", "type", &type,
                        "source", &fs->source, "target", &fs->target, "readonly", &readonly,
                        "bytes", &bytes) ||
        read_kind (type, &fs->kind) || fs->target[0] != '/' || bytes < 0 ||
        (fs->kind != CONTAINER_RAM && fs->source[0] != '/') ||
        (fs->kind == CONTAINER_BLOCK && strlen (fs->source) >= sizeof fs->device))
        return bad (err, "a file system of it is not as it has to be");
    fs->readonly = readonly;
    fs->bytes = (uint64_t) bytes;
    return 0;
}

static int read_filesystems (container_spec_t *self, error_t *err)
{
    json_t *array = json_object_get (self->json, "filesystems"), *item;
    size_t i, count = json_array_size (array);
    if (count == 0 || count > CONTAINER_LISTS_MAX)
        return bad (err, "it has no file systems, or too many");
    self->filesystems = memory_new (count, sizeof *self->filesystems);
    self->filesystem_count = count;
    json_array_foreach (array, i, item)
    {
        if (read_filesystem (item, &self->filesystems[i], err))
            return -1;
    }
    if (self->filesystems[0].kind == CONTAINER_BIND || self->filesystems[0].kind == CONTAINER_RAM ||
        strcmp (self->filesystems[0].target, "/") != 0)
        return bad (err, "its first file system is no root");
    return 0;
}

static int read_device (json_t *json, container_device_t *device, error_t *err)
{
    int block, major_number, minor_number;
    if (json_unpack_ex (json, NULL, JSON_STRICT, "{s:s, s:b, s:i, s:i}", "path", &device->path,
                        "block", &block, "major", &major_number, "minor", &minor_number) ||
        !text_starts (device->path, "/dev/") || major_number < 0 || minor_number < 0)
        return bad (err, "a device of it is not as it has to be");
    device->block = block;
    device->major = (unsigned) major_number;
    device->minor = (unsigned) minor_number;
    return 0;
}

static int read_devices (container_spec_t *self, error_t *err)
{
    json_t *array = json_object_get (self->json, "devices"), *item;
    size_t i, count = json_array_size (array);
    if (!json_is_array (array) || count > CONTAINER_LISTS_MAX)
        return bad (err, "it has no list of devices, or too many");
    self->devices = memory_new (count + 1, sizeof *self->devices);
    self->device_count = count;
    json_array_foreach (array, i, item)
    {
        if (read_device (item, &self->devices[i], err))
            return -1;
    }
    return 0;
}

static int read_share (const json_t *json, container_share_t *share, error_t *err)
{
    static const struct {
        const char *name;
        int flag;
    } spaces[] = { { "net", CLONE_NEWNET }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS } };
    const char *space, *process;
    if (json_unpack_ex ((json_t *) json, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:s}", "space", &space,
                        "what", &share->what, "path", &share->path, "process", &process) ||
        (*share->path ? share->path[0] != '/' : !process_from_text (process, &share->process)))
        return bad (err, "what it shares is not as it has to be");
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (strcmp (spaces[i].name, space) == 0)
            share->flag = spaces[i].flag;
    return share->flag ? 0 : bad (err, "it is to share a namespace of an unknown kind");
}

static int read_shares (container_spec_t *self, error_t *err)
{
    const json_t *array = json_object_get (self->json, "shared"), *item;
    size_t i;
    if (!json_is_array (array) || json_array_size (array) > CONTAINER_SHARES_MAX)
        return bad (err, "it has no list of what it shares, or too much of it");
    json_array_foreach (array, i, item)
    {
        container_share_t *share = &self->shares[self->share_count++];
        if (read_share (item, share, err))
            return -1;
        if (self->shared & share->flag || (self->network && share->flag == CLONE_NEWNET))
            return bad (err, "it is to have two namespaces of a kind");
        self->shared |= share->flag;
    }
    return 0;
}

static int read_parts (container_spec_t *self, error_t *err)
{
    int network, restart;
    json_error_t where;
    json_t *lists[10];
    if (json_unpack_ex (self->json, &where, JSON_STRICT,
                        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, "
                        "s:o, s:o, s:o, s:o, s:o, s:o}",
                        "uid_map", &self->uid_map, "gid_map", &self->gid_map, "name", &self->name,
                        "uuid", &self->uuid, "folder", &self->folder, "identity", &self->identity,
                        "user", &self->user, "group", &self->group, "network", &network, "restart",
                        &restart, "argv", &lists[0], "env", &lists[1], "consoles", &lists[2],
                        "cgroups", &lists[3], "filesystems", &lists[4], "keep", &lists[5], "links",
                        &lists[6], "devices", &lists[7], "given", &lists[8], "shared", &lists[9]))
        return bad (err, where.text);
    self->network = network;
    self->restart = restart;
    //  Else nothing could be made as root.
    bool mapped = *self->uid_map || *self->gid_map;
    if (mapped && (container_idmap_find (self->uid_map, 0) < 0 ||
                   container_idmap_find (self->gid_map, 0) < 0))
        return bad (err, "its root is nobody on the host");
    return 0;
}

int container_spec_read (container_spec_t *self, json_t *json, error_t *err)
{
    autofree const char **capabilities = NULL;
    memset (self, 0, sizeof *self);
    self->json = json_incref (json);
    bool failed = read_parts (self, err) || read_list (json, "argv", 4096, &self->argv, err) ||
                  read_list (json, "env", 4096, &self->env, err) ||
                  read_list (json, "consoles", CONTAINER_CONSOLES_MAX, &self->consoles, err) ||
                  read_list (json, "cgroups", CONTAINER_LISTS_MAX, &self->cgroups, err) ||
                  read_list (json, "links", CONTAINER_LISTS_MAX, &self->links, err) ||
                  read_list (json, "given", CONTAINER_LISTS_MAX, &self->given, err) ||
                  read_list (json, "keep", CONTAINER_LISTS_MAX, &capabilities, err) ||
                  read_capabilities (self, err) || read_filesystems (self, err) ||
                  read_devices (self, err) || read_shares (self, err) ||
                  (!self->argv[0] && bad (err, "it has no init"));
    if (failed)
        container_spec_close (self);
    return failed ? -1 : 0;
}

void container_spec_close (container_spec_t *self)
{
    free (self->argv);
    free (self->env);
    free (self->consoles);
    free (self->cgroups);
    free (self->links);
    free (self->given);
    free (self->filesystems);
    free (self->devices);
    json_decref (self->json);
    memset (self, 0, sizeof *self);
}
