//  container_spec.h: what a container is to be, as the daemon says it (JSON; lxc_spec.c writes it).
//
//      name, uuid          of the domain; the name is the host's name inside
//      argv, env           of init: absolute path within the container, its whole environment
//      folder              where it starts
//      user, group         its identity: numbers, or names of the container's own /etc/passwd and
//                          /etc/group; group "": the user's
//      identity            path of the file for init's identity
//      consoles            aliases; the first one is /dev/console
//      cgroups             folders that init joins
//      network             true: a network namespace of its own
//      shared              array of {space ("net", "ipc", "uts"), what, path, process}: namespaces
//      of
//                          others that it is in instead of new ones; WHAT says in errors whose: of
//                          the file PATH, or, if that is "", of PROCESS (PID:START:BOOTID)
//      links               names of those in it that are brought up before init executes anything
//      given               names of those in it that go back to the host (container_given.h)
//      restart             true: a reboot from inside starts it again
//      keep                names of the capabilities that it may have ("cap_chown")
//      uid_map, gid_map    as in /proc/PID/uid_map, with root in both; "": the host's users
//      devices             array of {path (in /dev), block, major, minor}
//      filesystems         array of {type, source, target, readonly, bytes}; the first is the root
//
//  All parts are needed, and no others may be there.

#ifndef TROUPE_CONTAINER_SPEC_H
#define TROUPE_CONTAINER_SPEC_H

#include "container/container_protocol.h"
#include "util/process.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum {
    CONTAINER_MOUNT, //  a folder of the host
    CONTAINER_BIND,  //  a folder of the container, seen at another place
    CONTAINER_RAM,
    CONTAINER_FILE, //  a file system in an image
    CONTAINER_BLOCK //  one on a block device
} container_fs_kind_t;

typedef struct {
    container_fs_kind_t kind;
    const char *source, *target; //  absolute
    bool readonly;
    uint64_t bytes; //  CONTAINER_RAM
    //  CONTAINER_FILE and CONTAINER_BLOCK, once container_disk.c has opened them: the block device,
    //  the kernel's name for the file system, and a mount that keeps it.
    char device[64];
    char type[32];
    int kept;
} container_fs_t;

//  A node of the host's in /dev.
typedef struct {
    const char *path;
    bool block; //  else it is a character device
    unsigned major, minor;
} container_device_t;

//  A namespace of somebody else's.
typedef struct {
    int flag; //  CLONE_NEWNET, ...
    const char *what, *path;
    process_t process; //  if the path is ""
} container_share_t;

#define CONTAINER_SHARES_MAX 3

//  Strings belong to JSON.
typedef struct {
    json_t *json;
    const char *name, *uuid, *folder, *identity;
    const char **argv, **env, **consoles, **cgroups, **links, **given; //  NULL at the end
    const char *user, *group, *uid_map, *gid_map;
    bool network, restart;
    uint64_t keep; //  capabilities, by number
    container_fs_t *filesystems;
    size_t filesystem_count;
    container_device_t *devices;
    size_t device_count;
    container_share_t shares[CONTAINER_SHARES_MAX];
    size_t share_count;
    int shared; //  all their flags
} container_spec_t;

//  Takes a reference to JSON. ERR_INVALID_ARG, and nothing is kept.
int container_spec_read (container_spec_t *self, json_t *json, error_t *err);
void container_spec_close (container_spec_t *self);

#endif
