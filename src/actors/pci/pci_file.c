//  pci_file.c: the status file of a PCI device, and what is published of it.

#include "actors/pci/pci_self.h"

#include "actors/services/disk_request.h"
#include "util/file.h"
#include "util/process.h"
#include "util/xml.h"

#include <errno.h>

enum {
    DISK_MS = 60000,
    FILE_MAX = 64 * 1024
};

static const char *const phase_names[] = { "host", "detaching", "detached", "returning" };

const char *pci_phase_name (pci_phase_t phase)
{
    return phase_names[phase];
}

//  Writing.

static char *status_text (const pci_t *self)
{
    error_t err;
    static const char empty[] = "<pcistatus/>";
    if (self->phase == PCI_HOST)
        return NULL;
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "status", &err);
    actor_check (self->actor, doc);
    xml_set (xml_root (doc), "@boot", self->boot_id);
    xml_set (xml_root (doc), "@phase", pci_phase_name (self->phase));
    if (self->returns_to)
        xml_set (xml_root (doc), "@driver", self->returns_to);
    if (self->override)
        xml_set (xml_root (doc), "@override", self->override);
    if (self->saved)
        xml_set (xml_root (doc), "saved/@settings", self->saved);
    if (*self->holder) {
        xml_set (xml_root (doc), "holder/@uuid", self->holder);
        xml_set (xml_root (doc), "holder/@name", self->holder_name);
        xml_set (xml_root (doc), "holder/@lent", self->lent ? "yes" : "no");
    }
    return xml_text (doc);
}

static void publish (pci_t *self)
{
    bool gone = self->phase == PCI_HOST;
    auto(msg_t) event = msg_event (gone ? "gone" : "snapshot");
    pack_t *pack = msg_args (event);
    pack_key_str (pack, "address", self->address);
    pack_key_str (pack, "state", pci_phase_name (self->phase));
    pack_key_str (pack, "returns_to", self->returns_to);
    pack_key_str (pack, "holder", *self->holder ? self->holder : NULL);
    pack_key_str (pack, "holder_name", self->holder_name);
    if (!gone)
        actor_publish (self->actor, actor_address (self->actor), &event);
    else if (self->shown)
        actor_publish_last (self->actor, actor_address (self->actor), &event);
    self->shown = !gone;
}

//  ARG: what comes then, a function; nothing that an owner which ends meanwhile would have to free.
static void on_saved (actor_t *actor, const msg_t *reply, void *arg)
{
    pci_t *self = actor_state (actor);
    pci_then_fn *then = (pci_then_fn *) (uintptr_t) arg;
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (!failed)
        publish (self);
    then (self, failed ? &err : NULL);
}

void pci_save (pci_t *self, pci_then_fn *then)
{
    autofree char *text = status_text (self);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, self->path, text);
    actor_request (self->actor, self->disk, &request, DISK_MS, on_saved, (void *) (uintptr_t) then);
}

//  Reading.

static void take_holder (pci_t *self, const xml_node_t *holder)
{
    if (!holder || !uuid_normalize (xml_string (holder, "@uuid"), self->holder))
        return;
    self->holder_name = text_copy (xml_string (holder, "@name"));
    self->lent = xml_flag (holder, "@lent", false);
}

//  A boot gives all devices back to the host.
static int take_status (pci_t *self, const xml_node_t *root, error_t *err)
{
    const char *phase = xml_string (root, "@phase");
    if (!xml_equals (root, "@boot", self->boot_id))
        return 0;
    for (size_t i = 0; i < sizeof phase_names / sizeof *phase_names; i++)
        if (text_equals (phase, phase_names[i])) {
            self->phase = (pci_phase_t) i;
            self->returns_to = text_copy (xml_string (root, "@driver"));
            self->override = text_copy (xml_string (root, "@override"));
            self->saved = text_copy (xml_string (root, "saved/@settings"));
            take_holder (self, xml_find (root, "holder"));
            return 0;
        }
    return error_set (err, ERR_PARSE_FAILED, "the phase '%s' is not known", phase ? phase : "");
}

static int read_status (pci_t *self, error_t *err)
{
    autofree char *text = file_read (self->path, FILE_MAX, NULL, err);
    if (!text)
        return errno == ENOENT ? 0 : -1;
    auto(xml_t) doc = xml_parse_own (text, strlen (text), self->path, err);
    return doc ? take_status (self, xml_root (doc), err) : -1;
}

int pci_load (pci_t *self, error_t *err)
{
    process_t process;
    if (process_identify (getpid (), &process, err))
        return -1;
    self->boot_id = text_copy (process.boot_id);
    self->path = text_format ("%s/pci/%s.status", self->config->paths->run, self->address);
    disk_address (self->path, self->disk);
    if (read_status (self, err))
        return error_prefix (err, "read '%s' (the device is taken for the host's)", self->path);
    return 0;
}
