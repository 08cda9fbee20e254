//  pci_guest.c: a PCI device that a guest has: taken, with its IOMMU group, and given back. It is
//  on file before anything is done, so that a job's undo finds it whatever becomes of the daemon.

#include "actors/pci/pci_self.h"

#include "actors/pci/iommu_group.h"

enum {
    GROUP_MS = 30000 //  it answers at once
};

bool pci_is_guests (const msg_t *msg)
{
    return msg_is (msg, "pci.take") || msg_is (msg, "pci.give") || msg_is (msg, "pci.compare");
}

int pci_check_holder (const pci_t *self, const char *what, error_t *err)
{
    if (!*self->holder)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID, "%s PCI device '%s': domain '%s' has it", what,
                      self->address, self->holder_name);
}

//  The group.

//  In which it is now; -1: in none, or it is gone.
static int group_now (const pci_t *self)
{
    error_t ignored;
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, &ignored);
    return device ? device->iommu_group : -1;
}

static void send_to_group (pci_t *self, int group, msg_t **msg_p, actor_reply_fn *on_reply)
{
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, IOMMU_GROUP_PREFIX "%d", group);
    if (on_reply)
        actor_request (self->actor, address, msg_p, GROUP_MS, on_reply, NULL);
    else
        actor_send (self->actor, address, msg_p);
}

static msg_t *group_request (const pci_t *self, const char *domain, const char *name)
{
    msg_t *msg = msg_request ("group.take");
    pack_key_str (msg_args (msg), "device", self->address);
    pack_key_str (msg_args (msg), "domain", domain);
    pack_key_str (msg_args (msg), "domain_name", name);
    return msg;
}

//  Of a device that is gone, too: the kernel gives its group's number to others.
static void release_group (pci_t *self)
{
    auto(msg_t) msg = msg_request ("group.release");
    pack_key_str (msg_args (msg), "device", self->address);
    if (self->group >= 0)
        send_to_group (self, self->group, &msg, NULL);
    self->group = -1;
}

void pci_clear_holder (pci_t *self)
{
    release_group (self);
    *self->holder = 0;
    free (take (&self->holder_name));
    self->lent = false;
}

static void on_claimed (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (actor, LEVEL_ERROR, "%s", err.message);
}

void pci_claim_group (pci_t *self)
{
    self->group = *self->holder ? group_now (self) : -1;
    if (self->group < 0)
        return;
    auto(msg_t) msg = group_request (self, self->holder, self->holder_name);
    send_to_group (self, self->group, &msg, on_claimed);
}

//  Nobody has it yet while a group is asked for the first time: what is asked either comes to the
//  one that was restarted, or the runtime says that it did not arrive.
void pci_claim_again (pci_t *self, const msg_t *msg)
{
    if (*self->holder && self->group >= 0 && msg_i64 (msg, "group", -1) == self->group)
        pci_claim_group (self);
}

//  Taking.

static void on_saved (pci_t *self, const error_t *err)
{
    if (err)
        pci_clear_holder (self);
    pci_answer (self, err);
}

static void refuse (pci_t *self)
{
    if (self->running.fresh)
        free (take (&self->saved));
    pci_clear_holder (self);
    pci_answer (self, &self->failure);
}

//  RC: of the operation's check.
static void take_it (pci_t *self, int rc)
{
    self->lent = self->lent || rc > 0;
    if (rc > 0 || msg_str (self->running.request, "settings") || self->saved)
        pci_begin_job (self);
    else
        pci_save (self, on_saved);
}

const char *pci_settings_read (const msg_t *reply)
{
    return value_get_str (value_get (msg_value (reply), "value"), "settings");
}

static int take_settings (pci_t *self, const msg_t *reply)
{
    if (pci_job_done (self, reply, &self->failure))
        return -1;
    free (self->saved);
    self->saved = text_copy (pci_settings_read (reply));
    actor_check (self->actor, self->saved);
    self->running.fresh = true;
    return 0;
}

//  What its card has set for it: known and saved before it is changed.
static void on_read (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    pci_t *self = actor_state (actor);
    int rc = take_settings (self, reply);
    if (rc == 0)
        rc = self->running.operation->check (self, self->running.request, &self->failure);
    if (rc < 0)
        refuse (self);
    else
        take_it (self, rc);
}

//  An administrator may have had vfio-pci take it, from the boot on.
static int check_managed (pci_t *self, int rc)
{
    autofree char *now = pci_driver_now (self);
    bool ready = self->phase == PCI_HOST && text_equals (now, VFIO_DRIVER);
    if (rc <= 0 || ready || msg_flag (self->running.request, "managed"))
        return 0;
    return error_set (&self->failure, ERR_OPERATION_INVALID,
                      "PCI device '%s' is not managed, and the host's: detach it first (troupe "
                      "nodedev-detach %s), or say managed='yes'",
                      self->address, self->address);
}

static void on_granted (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    pci_t *self = actor_state (actor);
    const msg_t *request = self->running.request;
    if (msg_failed (reply, &self->failure)) {
        if (!*self->holder)
            release_group (self);
        pci_answer (self, &self->failure);
        return;
    }
    snprintf (self->holder, sizeof self->holder, "%s", msg_str (request, "domain"));
    free (self->holder_name);
    self->holder_name = text_copy (msg_str (request, "domain_name"));
    int rc = self->running.operation->check (self, request, &self->failure);
    if (rc < 0 || check_managed (self, rc))
        refuse (self);
    else if (msg_str (request, "settings") && !self->saved)
        pci_start_job (self, "pci_read", on_read);
    else
        take_it (self, rc);
}

static int check_taker (const pci_t *self, const msg_t *request, error_t *err)
{
    const char *domain = msg_str (request, "domain"), *name = msg_str (request, "domain_name");
    if (!domain || !name)
        return error_set (err, ERR_INVALID_ARG, "pci.take: the domain or its name is missing");
    if (*self->holder && strcmp (self->holder, domain) != 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "PCI device '%s' can't go to domain '%s': domain '%s' has it",
                          self->address, name, self->holder_name);
    if (group_now (self) < 0)
        return error_set (
            err, ERR_OPERATION_INVALID,
            "PCI device '%s' can't go to a guest: it is in no IOMMU group: switch the "
            "IOMMU on, in the firmware and with intel_iommu=on where the kernel wants "
            "that",
            self->address);
    return 0;
}

static void begin_take (pci_t *self)
{
    const msg_t *request = self->running.request;
    if (check_taker (self, request, &self->failure)) {
        pci_answer (self, &self->failure);
        return;
    }
    if (!*self->holder)
        self->group = group_now (self);
    auto(msg_t) msg =
        group_request (self, msg_str (request, "domain"), msg_str (request, "domain_name"));
    send_to_group (self, self->group, &msg, on_granted);
}

//  Giving back. It is answered when that is on disk; the way back to the driver takes its time.

static void on_given (pci_t *self, const error_t *err)
{
    pci_answer (self, err);
}

static void give_it (pci_t *self)
{
    const bool lent = self->lent;
    //  One that goes back to its driver gets them then, with nobody using it any more.
    if (!lent && self->saved) {
        pci_start_job (self, self->running.operation->job, NULL);
        return;
    }
    pci_clear_holder (self);
    if (lent && self->phase != PCI_HOST)
        self->phase = PCI_RETURNING;
    pci_save (self, on_given);
}

static void begin_give (pci_t *self)
{
    if (text_equals (msg_str (self->running.request, "domain"), self->holder))
        give_it (self);
    else
        pci_answer (self, NULL); //  it was given back already
}

static bool contains (const value_t *array, const char *text)
{
    for (size_t i = 0; i < value_count (array); i++)
        if (text_equals (value_str (value_at (array, i)), text))
            return true;
    return false;
}

//  In its turn: the same guest may be starting by now, and its request is behind this.
static void begin_compare (pci_t *self)
{
    if (!*self->holder || contains (msg_arg (self->running.request, "running"), self->holder)) {
        pci_answer (self, NULL);
        return;
    }
    actor_log (self->actor, LEVEL_WARNING,
               "PCI device '%s': domain '%s', which had it, does not run any more", self->address,
               self->holder_name);
    give_it (self);
}

void pci_begin_guests (pci_t *self)
{
    if (msg_is (self->running.request, "pci.take"))
        begin_take (self);
    else if (msg_is (self->running.request, "pci.give"))
        begin_give (self);
    else
        begin_compare (self);
}
