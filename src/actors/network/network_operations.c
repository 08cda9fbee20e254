//  network_operations.c: the table of what runs as a job on a network, and what is new once it is
//  done.

#include "actors/network/network_self.h"

enum {
    SHORT_MS = 60000,
    START_MS = 120000
};

static void take_definition (network_t *self, const msg_t *request)
{
    free (self->definition);
    document_destroy (&self->config_summary);
    self->definition = text_copy (msg_str (request, "definition"));
    self->config_summary = document_of_value (msg_arg (request, "config_summary"));
    free (self->name);
    self->name = text_copy (msg_str (request, "name"));
}

static void done_define (network_t *self, const msg_t *request, const value_t *value)
{
    (void) value;
    take_definition (self, request);
    self->persistent = true;
    network_add_lifecycle (self, NETWORK_DEFINED);
}

static void done_start (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request, (void) value;
    self->dirty = true;
    self->up_ms = actor_now (self->actor);
    self->ends = 0;
    network_add_lifecycle (self, NETWORK_STARTED);
    network_ports_tell (self);
    actor_log (self->actor, LEVEL_INFO, "network '%s' started", self->name);
}

static void set_inactive (network_t *self)
{
    free (take (&self->live));
    free (take (&self->record));
    document_destroy (&self->live_summary);
    document_destroy (&self->plug);
    self->dirty = true;
    self->look_due = false;
    network_add_lifecycle (self, NETWORK_STOPPED);
    actor_log (self->actor, LEVEL_INFO, "network '%s' stopped", self->name);
}

static void done_destroy (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request, (void) value;
    set_inactive (self);
}

static void done_undefine (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request, (void) value;
    self->persistent = self->autostart = false;
    self->dirty = true;
    network_add_lifecycle (self, NETWORK_UNDEFINED);
}

static void done_autostart (network_t *self, const msg_t *request, const value_t *value)
{
    (void) value;
    self->autostart = !msg_flag (request, "disable");
}

static void done_live (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request, (void) value;
    self->dirty = self->dirty || self->live;
}

//  What an earlier daemon knew of it.
static void done_load (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request;
    self->loading = false;
    self->persistent = self->definition != NULL;
    self->autostart = value_get_bool (value, "autostart", false);
    free (self->name);
    self->name = text_copy (value_get_str (value, "name"));
    self->dirty = value_get_bool (value, "undone", false);
    network_ports_read (self, value_get (value, "ports"));
    network_leases_read (self, value_get_str (value, "leases"));
    self->up_ms = actor_now (self->actor);
    self->look_due = network_active (self);
}

//  It found all as it has to be, or made it so; or the network is over. The daemon that started it
//  may have ended before it told those who are plugged in.
static void done_look (network_t *self, const msg_t *request, const value_t *value)
{
    (void) request;
    self->up_ms = actor_now (self->actor);
    if (value_get_bool (value, "over", false))
        set_inactive (self);
    else if (network_active (self))
        network_ports_tell (self);
    self->dirty = true;
}

static const network_operation_t operations[] = {
    { "definition.set", "network_store", 0, SHORT_MS, done_define },
    { "network.create", "network_start", NEED_INACTIVE | NEED_PERSISTENT, START_MS, done_start },
    { "network.create_transient", "network_start", NEED_INACTIVE, START_MS, done_start },
    { "network.destroy", "network_destroy", NEED_ACTIVE, START_MS, done_destroy },
    { "network.undefine", "network_undefine", NEED_PERSISTENT, SHORT_MS, done_undefine },
    { "network.autostart", "network_autostart", NEED_PERSISTENT, SHORT_MS, done_autostart },
    { "network.update", "network_update", 0, START_MS, done_live },
    { "network.metadata_set", "network_metadata_set", 0, SHORT_MS, done_live },
    { "network.check", "network_check", NEED_ACTIVE, START_MS, done_live },
};

//  The owner's own.
const network_operation_t network_loading = { "", "network_load", 0, START_MS, done_load };
const network_operation_t network_looking = { "", "network_look", 0, START_MS, done_look };
const network_operation_t network_unwinding = { "", "network_unwind", 0, START_MS, done_live };

const network_operation_t *network_operation (const char *verb)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp (operations[i].verb, verb) == 0)
            return &operations[i];
    return NULL;
}

bool network_is_start (const network_operation_t *operation)
{
    return operation->done == done_start;
}

bool network_tells_names (const network_operation_t *operation)
{
    return network_is_start (operation) || operation->done == done_define;
}
