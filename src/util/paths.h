//  paths.h: where a daemon keeps its things: the system's folders, the user's (session mode), or
//  all of them below one folder (--root). Made once at start, then only read.

#ifndef TROUPE_PATHS_H
#define TROUPE_PATHS_H

#include "util/auto.h"
#include "util/error.h"

typedef enum {
    PATHS_SYSTEM,
    PATHS_SESSION,
    PATHS_ROOT
} paths_mode_t;

typedef struct {
    paths_mode_t mode;
    char *etc;     //  definitions: /etc/troupe; qemu/UUID.xml and qemu/autostart/UUID below it
    char *run;     //  live state and sockets: /run/troupe; qemu/UUID.status below it
    char *lib;     //  what lasts: /var/lib/troupe; qemu/nvram/ below it
    char *log;     //  /var/log/troupe; qemu/NAME.log below it
    char *cache;   //  what can be made again: /var/cache/troupe
    char *libvirt; //  where libvirt's clients look for a daemon of this mode: /run/libvirt
    char *keys;    //  of this host, and those that it knows: ETC/keys
} paths_t;

//  ROOT is used with PATHS_ROOT only and is made absolute. In session mode the folders are those of
//  the XDG base directory specification (lib and log in XDG_STATE_HOME), with its defaults; without
//  XDG_RUNTIME_DIR, run is in the cache folder. Reads the environment: call it before there is a
//  second thread. The caller owns the result.
paths_t *paths_new (paths_mode_t mode, const char *root, error_t *err);
void paths_destroy (paths_t **self_p);
DEFINE_AUTO (paths_t, paths_destroy)

//  Creates the folders that are missing: mode 0711, in session mode 0700.
int paths_create (const paths_t *self, error_t *err);

//  "ipc://RUN/troupe.sock"; fails, and says so, if the socket's path is longer than the 107 bytes
//  that a UNIX socket's address has room for. The caller frees the result.
char *paths_endpoint (const paths_t *self, const char *socket, error_t *err);

#endif
