//  spec.h: what the launcher is told to do, read from the bytes of launch_protocol.h.

#ifndef TROUPE_LAUNCHER_SPEC_H
#define TROUPE_LAUNCHER_SPEC_H

#include "launcher/launch_protocol.h"
#include "util/device.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int fd;
    const char *path;
    dev_t device; //  of the bound socket's file; 0, 0 until then
    ino_t inode;
} listener_t;

typedef struct {
    int fd;
    device_t device;
} passed_t;

//  Strings point into the bytes that it was read from.
typedef struct {
    char **argv, **env; //  NULL at the end
    size_t argv_count, env_count;
    const char *folder, *log;
    const char *cgroups[LAUNCH_LIST_MAX];
    size_t cgroup_count;
    listener_t listeners[LAUNCH_LIST_MAX];
    size_t listener_count;
    passed_t devices[LAUNCH_LIST_MAX];
    size_t device_count;
    int keep[LAUNCH_LIST_MAX];
    size_t keep_count;
    gid_t groups[LAUNCH_LIST_MAX];
    size_t group_count;
    bool has_uid, has_gid, drop_capabilities, bounded, tied;
    uid_t uid;
    gid_t gid;
    uint64_t memlock; //  0: unchanged
} spec_t;

//  Zeroes SPEC, then fills it from SIZE bytes, which stay in use. Its arrays are never freed: the
//  launcher executes or exits.
int spec_parse (spec_t *spec, char *bytes, size_t size, error_t *err);

#endif
