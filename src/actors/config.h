//  config.h: what the daemon was started with. Made by main, constant from then on; actors get its
//  address in their start arguments (`config`).

#ifndef TROUPE_CONFIG_H
#define TROUPE_CONFIG_H

#include "actors/runtime/actor.h"
#include "util/paths.h"

typedef struct {
    const paths_t *paths;
    const char *launcher;     //  path of troupe-launch
    const char *socket_group; //  group of the read-write socket in system mode; NULL: root only
    const char *listen;       //  "tcp://HOST:PORT" for other hosts; NULL: local clients only
    //  Path of libvirt's read-write socket; that of the read-only one has "-ro" behind it, that of
    //  the administrators "-admin", unless it is ".../libvirt-sock": then that is
    //  ".../libvirt-admin-sock". NULL: RUN/libvirt-sock.
    const char *libvirt_socket;
    const char *notify;   //  where readiness is told (util/notify.h); NULL: nobody wants to know
    const char *instance; //  8 hexadecimal digits, the same at every start with these folders
    int idle_exit_s;      //  session mode: end after so long without client or guest; 0: never
    bool foreground;      //  the log goes to stderr too
    log_level_t log_level;
} config_t;

static inline const config_t *config_of (const msg_t *args)
{
    return (const config_t *) (uintptr_t) msg_u64 (args, "config", 0);
}

static inline void config_pack (const config_t *self, pack_t *pack)
{
    pack_key_u64 (pack, "config", (uintptr_t) self);
}

#endif
