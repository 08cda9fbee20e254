//  devices_scene.h: for tests of the owner of all devices: how it is started.

#ifndef TROUPE_DEVICES_SCENE_H
#define TROUPE_DEVICES_SCENE_H

#include "actors/config.h"
#include "actors/pci/devices.h"
#include "scene.h"

//  With a model of sysfs in the folder SYSFS.
static inline void devices_begin (actor_t *self, const config_t *config, const char *sysfs)
{
    auto(msg_t) args = msg_request ("start");
    config_pack (config, msg_args (args));
    pack_key_str (msg_args (args), "sysfs", sysfs);
    scene_reset ();
    actor_spawn (self, DEVICES_ADDRESS, &devices_class, &args, false, PATIENCE_MS, scene_keep,
                 NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

#endif
