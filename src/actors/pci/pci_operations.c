//  pci_operations.c: what is done to a PCI device: jobs, one after another. The phase is on disk
//  before a job begins; what it came to is read from sysfs.

#include "actors/pci/pci_self.h"

#include "actors/jobs/job.h"
#include "drivers/pci/sysfs.h"
#include "drivers/pci/vf.h"

enum {
    JOB_MS = 120000, //  the kernel may wait for both drivers
    QUEUE_MAX = 16,
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60000
};

char *pci_driver_now (const pci_t *self)
{
    autofree char *folder = text_format ("%s/bus/pci/devices/%s", self->sysfs, self->address);
    return sysfs_link (folder, "driver");
}

//  Checks.

static void forget_before (pci_t *self)
{
    free (take (&self->returns_to));
    free (take (&self->override));
}

//  Where it is to be when it goes back.
static void note_before (pci_t *self, const pci_device_t *device)
{
    forget_before (self);
    self->returns_to = text_copy (device->driver);
    self->override = text_copy (device->override);
}

//  1: it is to be detached; 0: it is already.
static int check_usable (pci_t *self, const pci_device_t *device, error_t *err)
{
    if (pci_check_host (self, device, "detach", err))
        return -1;
    if (device->iommu_group < 0)
        return error_set (
            err, ERR_OPERATION_INVALID,
            "detach PCI device '%s': it is in no IOMMU group: switch the IOMMU on, in "
            "the firmware and with intel_iommu=on where the kernel wants that",
            self->address);
    if (self->phase == PCI_DETACHED && text_equals (device->driver, VFIO_DRIVER))
        return 0;
    if (self->phase == PCI_HOST)
        note_before (self, device);
    return 1;
}

static int check_detach (pci_t *self, const msg_t *request, error_t *err)
{
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, err);
    const char *driver = msg_str (request, "driver");
    if (!device || pci_check_holder (self, "detach", err))
        return -1;
    if (driver && strcmp (driver, "vfio") != 0 && strcmp (driver, VFIO_DRIVER) != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "detach PCI device '%s': not supported: the driver '%s'; vfio is",
                          self->address, driver);
    return check_usable (self, device, err);
}

static int check_return (pci_t *self, const msg_t *request, error_t *err)
{
    (void) request;
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, err);
    if (!device || pci_check_holder (self, "reattach", err))
        return -1;
    if (self->phase != PCI_HOST)
        return 1;
    //  Somebody else gave it to vfio-pci: it goes where the kernel has it.
    forget_before (self);
    return text_equals (device->driver, VFIO_DRIVER);
}

//  Its driver may wait for ever for what it did before the reset.
static int check_no_driver (const pci_device_t *device, error_t *err)
{
    if (!device->driver || strcmp (device->driver, VFIO_DRIVER) == 0)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "reset PCI device '%s': the host uses it, with the driver '%s'; detach it "
                      "before (troupe nodedev-detach %s)",
                      device->address, device->driver, device->address);
}

static int check_reset (pci_t *self, const msg_t *request, error_t *err)
{
    (void) request;
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, err);
    return !device || pci_check_holder (self, "reset", err) ||
                   pci_check_host (self, device, "reset", err) || check_no_driver (device, err)
               ? -1
               : 1;
}

//  The guest's own: there is somebody who has it, or will.
static int check_take (pci_t *self, const msg_t *request, error_t *err)
{
    (void) request;
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, err);
    return device ? check_usable (self, device, err) : -1;
}

static int check_give (pci_t *self, const msg_t *request, error_t *err)
{
    (void) self, (void) request, (void) err;
    return 0;
}

static const pci_operation_t operations[] = {
    { "nodedev.detach", "pci_detach", "detach", PCI_DETACHING, PCI_DETACHED, check_detach },
    { "nodedev.reattach", "pci_return", "reattach", PCI_RETURNING, PCI_HOST, check_return },
    { "nodedev.reset", "pci_reset", "reset", PCI_HOST, PCI_HOST, check_reset },
    { "pci.take", "pci_detach", "give", PCI_DETACHING, PCI_DETACHED, check_take },
    { "pci.give", "pci_restore", "give back", PCI_DETACHED, PCI_DETACHED, check_give },
    { "pci.compare", "pci_restore", "give back", PCI_DETACHED, PCI_DETACHED, check_give },
};

//  Nobody asks for it: what was cut off, or failed.
static const pci_operation_t returning = { "",       "pci_return", "give back", PCI_RETURNING,
                                           PCI_HOST, check_return };

static bool is_reset (const pci_operation_t *operation)
{
    return operation->check == check_reset;
}

//  What the request wants its card to set; NULL: nothing.
static const char *settings_asked (const pci_t *self)
{
    return self->running.request ? msg_str (self->running.request, "settings") : NULL;
}

static bool is_give (const pci_operation_t *operation)
{
    return operation->check == check_give;
}

static const pci_operation_t *operation_of (const msg_t *msg)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (msg_is (msg, operations[i].verb))
            return &operations[i];
    return NULL;
}

//  The end of one.

void pci_answer (pci_t *self, const error_t *outcome)
{
    auto(msg_t) request = take (&self->running.request);
    const char *what = self->running.operation->what;
    self->running = (pci_run_t){ 0 };
    if (outcome)
        actor_log (self->actor, LEVEL_WARNING, "%s PCI device '%s': %s", what, self->address,
                   outcome->message);
    if (request && outcome)
        actor_reply_error (self->actor, &request, outcome);
    if (request) {
        auto(msg_t) reply = msg_reply ();
        actor_reply (self->actor, &request, &reply);
    }
    pci_pump (self);
}

//  What was done was done; the file says more than is true, and the next daemon finds that out.
static void on_done_saved (pci_t *self, const error_t *err)
{
    if (err)
        actor_log (self->actor, LEVEL_ERROR, "PCI device '%s': %s", self->address, err->message);
    pci_answer (self, NULL);
}

static void on_failure_saved (pci_t *self, const error_t *err)
{
    const error_t failure = self->failure;
    if (err)
        actor_log (self->actor, LEVEL_ERROR, "PCI device '%s': %s", self->address, err->message);
    pci_answer (self, &failure);
}

//  What follows has not failed yet.
static void forget_failures (pci_t *self)
{
    actor_timer_cancel (self->actor, &self->return_timer);
    self->returns_failed = 0;
}

void pci_set_host (pci_t *self)
{
    pci_clear_holder (self);
    forget_failures (self);
    forget_before (self);
    free (take (&self->saved));
    self->phase = PCI_HOST;
}

//  Driver, override and settings: there is nothing that would have to go back.
static bool is_as_before (const pci_t *self)
{
    error_t ignored; //  then it is gone
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, &ignored);
    return device && !self->saved && text_equals (device->driver, self->returns_to) &&
           text_equals (device->override, self->override);
}

//  Where is the device after a job that failed?
static void settle (pci_t *self)
{
    const pci_operation_t *operation = self->running.operation;
    autofree char *now = pci_driver_now (self);
    bool vfio = text_equals (now, VFIO_DRIVER);
    if (is_reset (operation))
        return;
    if (is_give (operation) ||
        (operation->during == PCI_DETACHING && vfio && self->running.before == PCI_DETACHED)) {
        //  What its card has set for it, it gets back when it goes back to the host.
        pci_clear_holder (self);
        self->phase = PCI_DETACHED;
    } else if (operation == &returning)
        pci_return_later (self, RETRY_MS);
    else if (operation->during == PCI_RETURNING && vfio)
        self->phase = self->running.before == PCI_HOST ? PCI_HOST : PCI_DETACHED;
    else if (operation->during == PCI_DETACHING && is_as_before (self))
        pci_set_host (self);
    else {
        pci_clear_holder (self);
        self->phase = PCI_RETURNING;
        pci_return_later (self, RETRY_MS);
    }
}

static void succeed (pci_t *self)
{
    const pci_operation_t *operation = self->running.operation;
    if (is_reset (operation))
        return;
    self->phase = operation->after;
    if (operation->during == PCI_DETACHING && !settings_asked (self))
        free (take (&self->saved)); //  they are set again
    if (self->phase == PCI_HOST)
        pci_set_host (self);
    if (is_give (operation)) {
        pci_clear_holder (self);
        free (take (&self->saved));
        return;
    }
    actor_log (self->actor, LEVEL_INFO, "PCI device '%s' is %s", self->address,
               self->phase == PCI_HOST ? "the host's again" : "detached from the host");
}

int pci_job_done (pci_t *self, const msg_t *reply, error_t *failure)
{
    bool failed = msg_failed (reply, failure);
    if (failed && !msg_is_late (reply))
        actor_stop (self->actor, self->running.address); //  when it did not end in time
    return failed ? -1 : 0;
}

//  After a failure: what its card does not set as before is still to be set again.
static void on_looked (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    pci_t *self = actor_state (actor);
    error_t ignored; //  then nobody knows
    if (pci_job_done (self, reply, &ignored) == 0 &&
        text_equals (pci_settings_read (reply), self->saved))
        free (take (&self->saved));
    settle (self);
    pci_save (self, on_failure_saved);
}

static void on_job_done (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    pci_t *self = actor_state (actor);
    bool failed = pci_job_done (self, reply, &self->failure) != 0;
    //  A program that the kernel keeps has the device locked: another one would only wait for it.
    bool stuck = failed && self->failure.code == ERR_OPERATION_TIMEOUT;
    if (failed && !stuck && self->running.operation->during == PCI_DETACHING && self->saved) {
        pci_start_job (self, "pci_read", on_looked);
        return;
    }
    if (failed)
        settle (self);
    else
        succeed (self);
    pci_save (self, failed ? on_failure_saved : on_done_saved);
}

//  The begin of one.

//  What the card is to set for who gets it. The last guest's are still set if that did not get as
//  far as to have them restored: nothing of them is left to the next.
static void settings_wanted (const pci_t *self, char text[VF_TEXT_SIZE])
{
    vf_settings_t wanted, before;
    const char *asked = settings_asked (self);
    bool last = self->saved && !self->running.fresh;
    snprintf (text, VF_TEXT_SIZE, "%s", asked ? asked : last ? self->saved : "");
    if (!asked || !last || !vf_settings_read (asked, &wanted) ||
        !vf_settings_read (self->saved, &before))
        return;
    vf_settings_fill (&wanted, &before);
    vf_settings_text (&wanted, text);
}

void pci_start_job (pci_t *self, const char *kind, actor_reply_fn *then)
{
    pci_run_t *running = &self->running;
    uint64_t number;
    char wanted[VF_TEXT_SIZE];
    settings_wanted (self, wanted);
    actor_random (self->actor, &number, sizeof number);
    snprintf (running->address, sizeof running->address, "job/%s/%016llx", self->address,
              (unsigned long long) number);
    auto(msg_t) args = msg_request ("run");
    pack_t *pack = msg_args (args);
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", kind);
    pack_key_str (pack, "owner", actor_address (self->actor));
    pack_key_map (pack, "args");
    pack_key_str (pack, "sysfs", self->sysfs);
    pack_key_str (pack, "address", self->address);
    pack_key_str (pack, "returns_to", self->returns_to);
    pack_key_str (pack, "override", self->override);
    pack_key_str (pack, "wanted", wanted);
    pack_key_str (pack, "saved", self->saved);
    pack_key_str (pack, "user", running->request ? msg_str (running->request, "process") : NULL);
    pack_end (pack);
    actor_spawn_for (self->actor, running->request, running->address, &job_class, &args, JOB_MS,
                     then ? then : on_job_done, NULL);
}

static void start_job (pci_t *self)
{
    pci_start_job (self, self->running.operation->job, NULL);
}

//  As if its job had been.
static void end_cancelled (pci_t *self)
{
    error_set (&self->failure, ERR_OPERATION_ABORTED,
               "it was cancelled: somebody wants it detached");
    settle (self);
    pci_save (self, on_failure_saved);
}

static void on_intent_saved (pci_t *self, const error_t *err)
{
    if (!err && self->running.cancelled) {
        end_cancelled (self);
        return;
    }
    if (!err) {
        start_job (self);
        self->running.fresh = false;
        return;
    }
    if (self->running.fresh)
        free (take (&self->saved));
    self->phase = self->running.before;
    if (self->running.operation->check == check_take)
        pci_clear_holder (self);
    if (self->running.operation == &returning)
        pci_return_later (self, RETRY_MS);
    pci_answer (self, err);
}

void pci_begin_job (pci_t *self)
{
    if (self->running.operation->during == PCI_DETACHING)
        forget_failures (self);
    self->phase = self->running.operation->during;
    pci_save (self, on_intent_saved);
}

static void begin (pci_t *self, const pci_operation_t *operation, msg_t **request_p)
{
    self->running = (pci_run_t){ .operation = operation,
                                 .request = request_p ? take (request_p) : NULL,
                                 .before = self->phase };
    if (self->running.request && pci_is_guests (self->running.request)) {
        pci_begin_guests (self);
        return;
    }
    int rc = operation->check (self, self->running.request, &self->failure);
    if (rc <= 0) {
        pci_answer (self, rc < 0 ? &self->failure : NULL);
        return;
    }
    if (is_reset (operation))
        start_job (self);
    else
        pci_begin_job (self);
}

static void on_forgotten (pci_t *self, const error_t *err)
{
    if (err)
        actor_log (self->actor, LEVEL_ERROR, "PCI device '%s': %s", self->address, err->message);
}

//  There may be another one at its place by now, which was given to vfio-pci since.
void pci_forget (pci_t *self)
{
    autofree char *now = pci_driver_now (self);
    self->gone = self->running.operation != NULL;
    if (self->gone || self->phase == PCI_HOST || text_equals (now, VFIO_DRIVER))
        return; //  what runs fails
    actor_log (self->actor, LEVEL_INFO, "PCI device '%s' is gone", self->address);
    pci_set_host (self);
    pci_save (self, on_forgotten);
}

static bool is_there (const pci_t *self)
{
    error_t ignored;
    auto(pci_device_t) device = pci_device_read (self->sysfs, self->address, &ignored);
    return device != NULL;
}

//  What is not there any more can't go back.
static void return_or_forget (pci_t *self)
{
    if (is_there (self))
        begin (self, &returning, NULL);
    else
        pci_forget (self);
}

void pci_pump (pci_t *self)
{
    msg_t *msg;
    if (!self->running.operation && self->gone) {
        self->gone = false;
        pci_forget (self);
    }
    while (!self->running.operation && (msg = zlistx_detach (self->queue, NULL)))
        begin (self, operation_of (msg), &msg);
    if (!self->running.operation && self->phase == PCI_RETURNING && !self->return_timer)
        return_or_forget (self);
}

static void return_now (actor_t *actor, void *arg)
{
    (void) arg;
    pci_t *self = actor_state (actor);
    self->return_timer = 0;
    pci_pump (self);
}

void pci_return_later (pci_t *self, int ms)
{
    for (int i = 0; i < self->returns_failed && ms < RETRY_MAX_MS; i++)
        ms *= 2;
    self->returns_failed++;
    if (!self->return_timer)
        self->return_timer =
            actor_timer (self->actor, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS, return_now, NULL);
}

//  Who wants it detached now wants nobody to wait until it can go back.
static void cancel_return (pci_t *self)
{
    const pci_operation_t *operation = self->running.operation;
    if (!operation || operation->during != PCI_RETURNING)
        return;
    if (!*self->running.address) {
        self->running.cancelled = true;
        return;
    }
    auto(msg_t) cancel = msg_request ("job.cancel");
    actor_send (self->actor, self->running.address, &cancel);
}

//  A guest that ends gives back once: that is not lost because others ask for much.
static size_t queue_max (const pci_operation_t *operation)
{
    return is_give (operation) ? 2 * QUEUE_MAX : QUEUE_MAX;
}

void pci_enqueue (pci_t *self, msg_t **msg_p)
{
    const pci_operation_t *operation = operation_of (*msg_p);
    if (!operation)
        return;
    if (zlistx_size (self->queue) >= queue_max (operation)) {
        error_t err;
        error_set (&err, ERR_RESOURCE_BUSY,
                   "PCI device '%s': %zu requests wait already; try again later", self->address,
                   queue_max (operation));
        err.retry = true;
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    if (msg_is (*msg_p, "nodedev.detach") || msg_is (*msg_p, "pci.take"))
        cancel_return (self);
    zlistx_add_end (self->queue, take (msg_p));
    pci_pump (self);
}
