//  jobs_device.c: devices come, go and change: of the running guest, of its definition, or of both
//  at once. What becomes of the definition is worked out, and so checked, before the guest is
//  touched; it counts only if that succeeded.

#include "actors/jobs/jobs.h"

#include "drivers/definition.h"
#include "drivers/device_match.h"
#include "util/text.h"

#include <string.h>
#include <strings.h>

typedef struct {
    job_actor_t *job;
    const char *what;  //  begins messages: "attach a device"
    xml_t *device;     //  as the user wrote it; NULL: it is named by its alias
    const char *alias; //  NULL: by DEVICE
    bool live, config;
    bool any;          //  of several that are alike, whichever
    xml_t *definition; //  that is to be; NULL: it stays
} change_t;

static void change_close (change_t *self)
{
    xml_destroy (&self->device);
    xml_destroy (&self->definition);
}

static guest_t *guest_of (const change_t *self)
{
    return self->job->base.guest;
}

static int read_device (change_t *self, error_t *err)
{
    const char *text = value_str (job_arg (self->job, "xml"));
    if (!text)
        return 0;
    self->device = xml_parse (text, strlen (text), "device XML", err);
    if (!self->device || !xml_is (xml_root (self->device), "domain"))
        return self->device ? 0 : -1;
    return error_set (err, ERR_XML_ERROR,
                      "device XML: the root element is <domain>; it has to be one "
                      "device, as <disk>");
}

static int change_open (change_t *self, error_t *err)
{
    self->alias = value_str (job_arg (self->job, "alias"));
    if (read_device (self, err))
        return error_prefix (err, "%s of domain '%s'", self->what, guest_of (self)->name);
    if (!self->device == !self->alias)
        return error_set (err, ERR_INVALID_ARG,
                          "%s of domain '%s': one of xml and alias says which", self->what,
                          guest_of (self)->name);
    return job_scope (self->job, self->what, &self->live, &self->config, err);
}

static xml_node_t *devices_of (const xml_t *doc)
{
    return xml_find (xml_root (doc), "devices");
}

static const char *shown (const change_t *self, const xml_t *doc)
{
    return doc == guest_of (self)->live ? "as it runs" : "as it is defined";
}

static xml_node_t *find (const change_t *self, const xml_t *doc, error_t *err)
{
    xml_node_t *devices = devices_of (doc);
    xml_node_t *found = self->alias
                            ? device_by_alias (devices, self->alias, err)
                            : device_match (devices, xml_root (self->device), self->any, err);
    if (!found)
        error_prefix (err, "%s of domain '%s', %s", self->what, guest_of (self)->name,
                      shown (self, doc));
    return found;
}

//  The definition.

//  With it the interface has the same address whether it comes now or at the next start.
static void keep_mac (const change_t *self)
{
    xml_node_t *last = NULL;
    if (!self->definition || !xml_is (xml_root (self->device), "interface"))
        return;
    //  The one that was added.
    xml_foreach (interface, devices_of (self->definition), "interface")
        last = interface;
    xml_set (xml_root (self->device), "mac/@address", xml_string (last, "mac/@address"));
}

//  The first console is the first serial port seen again: one goes with the other.
static void remove_device (xml_t *doc, xml_node_t *device)
{
    bool serial = xml_is (device, "serial"), console = xml_is (device, "console");
    xml_node_t *twin = xml_first (devices_of (doc), serial ? "console" : "serial");
    xml_node_t *first = xml_first (devices_of (doc), serial ? "serial" : "console");
    const xml_node_t *seen = serial ? twin : device;
    bool both = (serial || console) && device == first && seen &&
                xml_equals (seen, "target/@type", "serial");
    xml_remove (device);
    if (both && twin)
        xml_remove (twin);
}

//  What the user left out stays as it was.
static xml_node_t *replace_device (const change_t *self, xml_node_t *device)
{
    static const char *const kept[] = { "address", "alias", "mac" };
    xml_node_t *added = xml_copy_before (device, xml_root (self->device));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (!xml_first (added, kept[i]) && xml_first (device, kept[i]))
            xml_add_copy (added, xml_first (device, kept[i]));
    xml_remove (device);
    return added;
}

typedef int (edit_fn) (const change_t *self, xml_t *doc, error_t *err);

static int edit_attach (const change_t *self, xml_t *doc, error_t *err)
{
    (void) err;
    definition_add (devices_of (doc), xml_root (self->device));
    return 0;
}

static int edit_detach (const change_t *self, xml_t *doc, error_t *err)
{
    xml_node_t *device = find (self, doc, err);
    if (device)
        remove_device (doc, device);
    return device ? 0 : -1;
}

static int edit_update (const change_t *self, xml_t *doc, error_t *err)
{
    xml_node_t *device = find (self, doc, err);
    if (device)
        replace_device (self, device);
    return device ? 0 : -1;
}

static int plan (change_t *self, edit_fn *edit, error_t *err)
{
    job_actor_t *job = self->job;
    guest_t *guest = guest_of (self);
    if (!self->config)
        return 0;
    auto(xml_t) doc = xml_copy (guest->definition);
    if (edit (self, doc, err))
        return -1;
    if (job->driver->complete (&job->base, doc, err) || job_check_document (doc, err))
        return error_prefix (err, "%s of domain '%s'", self->what, guest->name);
    self->definition = take (&doc);
    if (self->live)
        guest->planned = xml_copy (self->definition);
    return 0;
}

//  Both halves are done.
static int finish (change_t *self)
{
    guest_t *guest = guest_of (self);
    if (self->definition) {
        xml_destroy (&guest->definition);
        guest->definition = take (&self->definition);
    }
    self->job->parts = (self->live ? PART_LIVE : 0u) | (self->config ? PART_DEFINITION : 0u);
    return 0;
}

//  What can't be done with a running guest of this driver can be done with its definition.
static int no_live (const change_t *self, error_t *err)
{
    return error_set (err, ERR_NO_SUPPORT,
                      "%s of domain '%s': not supported while a guest of the driver '%s' runs; "
                      "change the definition (--config), for its next start",
                      self->what, guest_of (self)->name, self->job->driver->name);
}

//  A definition may have a MAC twice, as libvirt's; but which interface would be meant from then
//  on, and where frames for it go, nobody could tell.
static int check_mac (const change_t *self, const xml_t *doc, error_t *err)
{
    const xml_node_t *device = xml_root (self->device);
    const char *mac = xml_is (device, "interface") ? xml_string (device, "mac/@address") : NULL;
    xml_foreach (other, mac ? devices_of (doc) : NULL, "interface") {
        const char *taken = xml_string (other, "mac/@address");
        if (taken && strcasecmp (taken, mac) == 0)
            return error_set (err, ERR_OPERATION_FAILED,
                              "%s of domain '%s', %s: it has an interface with the MAC '%s' "
                              "already; leave <mac> out, and one is made",
                              self->what, guest_of (self)->name, shown (self, doc), mac);
    }
    return 0;
}

static int run_attach (change_t *self, error_t *err)
{
    const driver_t *driver = self->job->driver;
    if (self->live && !driver->attach)
        return no_live (self, err);
    //  One that a live document had is nothing that was asked for.
    definition_drop_alias (xml_root (self->device));
    if ((self->live && check_mac (self, guest_of (self)->live, err)) ||
        (self->config && check_mac (self, guest_of (self)->definition, err)))
        return -1;
    if (plan (self, edit_attach, err))
        return -1;
    keep_mac (self);
    if (self->live && driver->attach (&self->job->base, self->device, err))
        return -1;
    return finish (self);
}

//  Linux takes half a second; with the attention button of PCI Express five.
enum {
    UNPLUG_MS = 20000,
    UNPLUG_MOST_MS = 60000
};

static int read_wait (const change_t *self, int *ms, error_t *err)
{
    uint64_t wanted = UNPLUG_MS;
    value_u64 (job_arg (self->job, "wait_ms"), &wanted);
    *ms = wanted <= UNPLUG_MOST_MS ? (int) wanted : 0;
    return wanted <= UNPLUG_MOST_MS
               ? 0
               : error_set (err, ERR_INVALID_ARG, "%s of domain '%s': wait_ms is %d at most",
                            self->what, guest_of (self)->name, UNPLUG_MOST_MS);
}

//  A request that the guest has not answered is all that can be asked for, so with it the
//  definition changes, too; what it does later changes what runs.
static int run_detach (change_t *self, error_t *err)
{
    int wait_ms;
    bool gone = true;
    const driver_t *driver = self->job->driver;
    if (self->live && !driver->detach)
        return no_live (self, err);
    xml_node_t *device = self->live ? find (self, guest_of (self)->live, err) : NULL;
    if ((self->live && !device) || read_wait (self, &wait_ms, err) ||
        plan (self, edit_detach, err) ||
        (self->live && driver->detach (&self->job->base, device, wait_ms, &gone, err)))
        return -1;
    pack_map (&self->job->value);
    pack_key_bool (&self->job->value, "gone", gone);
    pack_end (&self->job->value);
    return finish (self);
}

static int run_update (change_t *self, error_t *err)
{
    const driver_t *driver = self->job->driver;
    bool force = value_bool (job_arg (self->job, "force"), false);
    if (self->live && !driver->update)
        return no_live (self, err);
    xml_node_t *device = self->live ? find (self, guest_of (self)->live, err) : NULL;
    if ((self->live && !device) || plan (self, edit_update, err) ||
        (self->live && driver->update (&self->job->base, device, self->device, force, err)))
        return -1;
    return finish (self);
}

static int run (job_actor_t *job, const char *what, int (*change) (change_t *self, error_t *err),
                error_t *err)
{
    change_t self = { .job = job, .what = what, .any = change == run_detach };
    int rc = change_open (&self, err) || change (&self, err) ? -1 : 0;
    change_close (&self);
    return rc;
}

int job_run_device_attach (job_actor_t *self, error_t *err)
{
    return run (self, "attach a device", run_attach, err);
}

int job_run_device_detach (job_actor_t *self, error_t *err)
{
    return run (self, "detach a device", run_detach, err);
}

int job_run_device_update (job_actor_t *self, error_t *err)
{
    return run (self, "update a device", run_update, err);
}

//  The guest let go of some by itself.
int job_run_devices_look (job_actor_t *self, error_t *err)
{
    self->parts = PART_LIVE;
    return self->driver->look_at_devices ? self->driver->look_at_devices (&self->base, err) : 0;
}
