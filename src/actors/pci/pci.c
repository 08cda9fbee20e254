//  pci.c: see pci.h; pci_self.h says which file has what.

#include "actors/pci/pci_self.h"

static void pci_handle (actor_t *actor, msg_t **msg_p)
{
    if (msg_is (*msg_p, "pci.gone"))
        pci_forget (actor_state (actor));
    else if (msg_is (*msg_p, "pci.claim"))
        pci_claim_again (actor_state (actor), *msg_p);
    else
        pci_enqueue (actor_state (actor), msg_p);
}

//  Somebody bound it to another driver, behind our back: it is theirs now.
static bool is_others (const pci_t *self, const char *driver)
{
    return driver && !text_equals (driver, self->returns_to) && !self->saved;
}

static void take_up_detached (pci_t *self)
{
    autofree char *now = pci_driver_now (self);
    if (*self->holder || text_equals (now, VFIO_DRIVER))
        return;
    actor_log (self->actor, LEVEL_WARNING,
               "PCI device '%s' was detached; somebody bound it to the driver '%s' meanwhile",
               self->address, now ? now : "");
    if (is_others (self, now))
        pci_set_host (self);
    else
        self->phase = PCI_RETURNING;
}

//  What an earlier daemon, or owner, left.
static void take_up (pci_t *self)
{
    if (self->phase == PCI_DETACHED)
        take_up_detached (self);
    //  Whoever wanted it detached was not told that it is; a domain gives it back itself.
    if (self->phase == PCI_DETACHING)
        self->phase = *self->holder ? PCI_DETACHED : PCI_RETURNING;
    pci_claim_group (self);
}

static void on_taken_up (pci_t *self, const error_t *err)
{
    if (err)
        actor_log (self->actor, LEVEL_ERROR, "PCI device '%s': %s", self->address, err->message);
    pci_pump (self);
}

static int pci_start (actor_t *actor, const msg_t *args, error_t *err)
{
    pci_t *self = actor_state (actor);
    self->actor = actor;
    self->config = config_of (args);
    self->sysfs = text_copy (msg_str (args, "sysfs"));
    self->queue = zlistx_new ();
    self->group = -1;
    snprintf (self->address, sizeof self->address, "%s", msg_str (args, "address"));
    if (pci_load (self, err))
        actor_log (actor, LEVEL_ERROR, "%s", err->message);
    if (self->phase == PCI_HOST)
        return 0;
    take_up (self);
    pci_save (self, on_taken_up);
    return 0;
}

//  What was begun goes on: the kernel has it, and the next daemon looks what came of it.
static void pci_stop (actor_t *actor)
{
    pci_t *self = actor_state (actor);
    msg_t *msg;
    while (self->queue && (msg = zlistx_detach (self->queue, NULL)))
        msg_destroy (&msg);
    zlistx_destroy (&self->queue);
    msg_destroy (&self->running.request);
    free (self->sysfs);
    free (self->path);
    free (self->boot_id);
    free (self->returns_to);
    free (self->override);
    free (self->holder_name);
    free (self->saved);
}

const actor_class_t pci_class = { .kind = "pci",
                                  .state_size = sizeof (pci_t),
                                  .stop_rank = 1,
                                  .start = pci_start,
                                  .handle = pci_handle,
                                  .stop = pci_stop };
