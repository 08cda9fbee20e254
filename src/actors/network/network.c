//  network.c: what a network's owner is asked, and its life.

#include "actors/services/disk_request.h"
#include "actors/network/network_self.h"

static void ignore (network_t *self, msg_t **msg_p)
{
    (void) self, (void) msg_p;
}

//  What is dealt with at once, whatever runs.
static const struct {
    const char *verb;
    network_fn *run;
} immediate[] = {
    { "network.port_create", network_port_create },
    { "network.port_delete", network_port_delete },
    { "job.record", network_take_record },
    { "job.undone", network_take_undone },
    { "job.progress", ignore },
    { "process.exited", network_take_exit },
    { "link.gone", network_take_gone_link },
    { "host.autostart", network_start_by_itself },
    { "host.serving", network_ports_reconcile },
    { "ports.judge", network_ports_judge },
};

static void refuse_crashed (network_t *self, msg_t **msg_p)
{
    error_t err;
    error_set (&err, ERR_INTERNAL_ERROR,
               "network '%s' is out of service since its owner ended too often: %s; restart the "
               "daemon",
               self->name, self->crashed);
    if (msg_kind (*msg_p) == MSG_REQUEST)
        network_refuse (self, msg_p, &err);
}

static void network_handle (actor_t *actor, msg_t **msg_p)
{
    network_t *self = actor_state (actor);
    const char *verb = msg_verb (*msg_p);
    if (self->crashed) {
        refuse_crashed (self, msg_p);
        return;
    }
    for (size_t i = 0; i < sizeof immediate / sizeof *immediate; i++)
        if (strcmp (immediate[i].verb, verb) == 0) {
            immediate[i].run (self, msg_p);
            return;
        }
    if (network_operation (verb))
        network_enqueue (self, msg_p);
}

static int owner_start (actor_t *actor, const msg_t *args, error_t *err)
{
    (void) err;
    network_t *self = actor_state (actor);
    self->actor = actor;
    self->config = config_of (args);
    self->name = text_copy (msg_str (args, "name"));
    self->crashed = text_copy (msg_str (args, "crashed"));
    self->queue = zlistx_new ();
    self->ports = zlistx_new ();
    self->leases = zlistx_new ();
    self->publications = zlistx_new ();
    self->lease_fd = -1;
    snprintf (self->uuid, sizeof self->uuid, "%s", msg_str (args, "uuid"));
    disk_address (self->uuid, self->disk);
    if (!self->crashed)
        network_leases_open (self);
    if (msg_flag (args, "load")) {
        self->loading = self->shown = self->filled = true;
        network_load (self);
    }
    return 0;
}

static void owner_stop (actor_t *actor)
{
    network_t *self = actor_state (actor);
    msg_t *msg;
    while (self->queue && (msg = zlistx_detach (self->queue, NULL)))
        msg_destroy (&msg);
    zlistx_destroy (&self->queue);
    network_ports_close (self);
    network_leases_close (self);
    strings_destroy (&self->running_domains);
    network_drop_publications (self);
    msg_destroy (&self->running.request);
    document_destroy (&self->config_summary);
    document_destroy (&self->live_summary);
    document_destroy (&self->undo);
    document_destroy (&self->plug);
    free (self->crashed);
    free (self->name);
    free (self->definition);
    free (self->live);
    free (self->record);
    free (self->recorded_live);
}

const actor_class_t network_class = { .kind = "network",
                                      .state_size = sizeof (network_t),
                                      .max_requests = 512,
                                      .stop_rank = 1,
                                      .start = owner_start,
                                      .handle = network_handle,
                                      .stop = owner_stop };
