//  view.c: applies what owners publish, and takes the events out of it.

#include "actors/gateway/view.h"

#include "actors/pci/devices.h"

#include <string.h>

static void emit_all (const view_t *self, actor_t *actor, const char *uuid, const msg_t *event)
{
    const value_t *events = msg_arg (event, "events");
    for (size_t i = 0; i < value_count (events); i++) {
        const value_t *each = value_at (events, i);
        const view_event_t told = { uuid, msg_str (event, "driver"), value_get_str (each, "verb"),
                                    value_get (each, "args") };
        if (told.verb)
            self->on_event (actor, &told);
    }
}

//  Topic "domain/UUID".
static void on_domain (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    view_t *self = arg;
    const char *uuid = topic + strlen ("domain/");
    error_t err;
    if (msg_is (event, "gone"))
        snapshots_forget (self->snapshots, uuid);
    else if (snapshots_apply (self->snapshots, uuid, value_get (msg_root (event), "args"), &err))
        actor_log (actor, LEVEL_ERROR, "%s", err.message);
    emit_all (self, actor, uuid, event);
}

//  Topic "network/UUID".
static void on_network (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    view_t *self = arg;
    const char *uuid = topic + strlen ("network/");
    if (msg_is (event, "gone"))
        networks_forget (self->networks, uuid);
    else
        networks_apply (self->networks, uuid, value_get (msg_root (event), "args"));
    emit_all (self, actor, uuid, event);
}

//  Topic "devices": events of no domain.
static void on_devices (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) topic;
    emit_all (arg, actor, "", event);
}

//  Topic "snapshots/UUID", behind that of the domain.
static void on_tree (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) actor;
    view_t *self = arg;
    snapshots_set_tree (self->snapshots, topic + strlen ("snapshots/"),
                        msg_arg (event, "snapshots"));
}

void view_open (view_t *self, actor_t *actor, view_event_fn *on_event)
{
    self->snapshots = snapshots_new ();
    self->networks = networks_new ();
    self->on_event = on_event;
    actor_subscribe (actor, "domain/", on_domain, self);
    actor_subscribe (actor, "snapshots/", on_tree, self);
    actor_subscribe (actor, "network/", on_network, self);
    actor_subscribe (actor, DEVICES_ADDRESS, on_devices, self);
}

void view_close (view_t *self)
{
    snapshots_destroy (&self->snapshots);
    networks_destroy (&self->networks);
}

msg_t *view_idle (const view_t *self, int64_t idle_ms, uint64_t sessions)
{
    uint64_t active = 0;
    for (size_t i = 0; i < snapshots_count (self->snapshots); i++)
        active += snapshots_at (self->snapshots, i)->id > 0;
    const network_view_t *network;
    for (size_t i = 0; (network = networks_at (self->networks, i)); i++)
        active += value_get_bool (document_root (network->facts), "active", false);
    msg_t *reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_i64 (msg_result (reply), "idle_ms", idle_ms);
    pack_key_u64 (msg_result (reply), "sessions", sessions);
    pack_key_u64 (msg_result (reply), "active", active);
    pack_end (msg_result (reply));
    return reply;
}
