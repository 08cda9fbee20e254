//  door.h: the local sockets that clients connect to: who may, by the file's mode and group.

#ifndef TROUPE_DOOR_H
#define TROUPE_DOOR_H

#include "actors/config.h"
#include "util/listener.h"

typedef enum {
    DOOR_WRITE, //  the configured group's in system mode, else of the daemon's user only
    DOOR_READ,  //  everybody's in system mode
    DOOR_ADMIN  //  of the daemon's user only
} door_kind_t;

//  Listens at PATH. The caller owns the result.
listener_t *door_open (const config_t *config, const char *path, door_kind_t kind, error_t *err);

#endif
