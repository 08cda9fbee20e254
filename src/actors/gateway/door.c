//  door.c: see door.h.

#include "actors/gateway/door.h"

static const struct {
    mode_t system_mode, private_mode;
    bool for_group;
} doors[] = {
    [DOOR_WRITE] = { 0660, 0600, true },
    [DOOR_READ] = { 0666, 0600, false },
    [DOOR_ADMIN] = { 0600, 0600, false },
};

listener_t *door_open (const config_t *config, const char *path, door_kind_t kind, error_t *err)
{
    bool system = config->paths->mode == PATHS_SYSTEM;
    const char *group = system && doors[kind].for_group ? config->socket_group : NULL;
    mode_t mode = system ? doors[kind].system_mode : doors[kind].private_mode;
    if (system && doors[kind].for_group && !group)
        mode = doors[kind].private_mode; //  root only
    return listener_open (path, mode, group, err);
}
