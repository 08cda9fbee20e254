//  devices_holds.c: who has the host's devices that are no PCI devices: a guest alone, or several
//  that all said that they share it. All of it is in one file, which is written before anybody is
//  told.

#include "actors/pci/devices_self.h"

#include "actors/services/disk_request.h"
#include "drivers/pci/host_device.h"
#include "util/file.h"
#include "util/process.h"
#include "util/uuid.h"
#include "util/xml.h"

#include <errno.h>

enum {
    DISK_MS = 60000,
    FILE_MAX = 4 * 1024 * 1024
};

typedef struct {
    char *device; //  its name
    char domain[UUID_TEXT_SIZE];
    char *domain_name;
    char *identity; //  which one of that name it was (host_device_identity); NULL: not known
    bool shared;
    char *before; //  of a shared one: what its node goes back to with the last; NULL: nothing
    bool leaving; //  the last one gives the node back right now
} hold_t;

static void free_hold (void **item_p)
{
    hold_t *hold = take ((hold_t **) item_p);
    free (hold->device);
    free (hold->domain_name);
    free (hold->identity);
    free (hold->before);
    free (hold);
}

static bool hold_is (const hold_t *hold, const char *device, const char *domain)
{
    return text_equals (device, hold->device) && text_equals (domain, hold->domain);
}

static hold_t *add (devices_t *self, const char *device, const char *domain, const char *name,
                    bool shared)
{
    hold_t *hold = memory_new (1, sizeof *hold);
    hold->device = text_copy (device);
    snprintf (hold->domain, sizeof hold->domain, "%s", domain);
    hold->domain_name = text_copy (name);
    hold->shared = shared;
    zlistx_add_end (self->holds, hold);
    return hold;
}

static hold_t *find (devices_t *self, const char *device, const char *domain)
{
    for (hold_t *hold = zlistx_first (self->holds); hold; hold = zlistx_next (self->holds))
        if (hold_is (hold, device, domain))
            return hold;
    return NULL;
}

//  Of another domain, that has it as well; NULL: none.
static hold_t *find_other (devices_t *self, const char *device, const char *domain)
{
    for (hold_t *hold = zlistx_first (self->holds); hold; hold = zlistx_next (self->holds))
        if (text_equals (device, hold->device) && !text_equals (domain, hold->domain))
            return hold;
    return NULL;
}

//  What the node of the last one goes back to is not needed by the others, but by the last of them.
static void bequeath (hold_t *other, char **before_p)
{
    if (other->before)
        free (take (before_p));
    else
        other->before = take (before_p);
}

//  Was there one?
static bool forget (devices_t *self, const char *device, const char *domain)
{
    hold_t *other = find_other (self, device, domain), *hold = find (self, device, domain);
    if (hold && hold->before && other)
        bequeath (other, &hold->before);
    if (hold)
        zlistx_delete (self->holds, zlistx_cursor (self->holds));
    return hold != NULL;
}

//  The file.

static char *holds_text (devices_t *self)
{
    static const char empty[] = "<holds/>";
    error_t err;
    if (zlistx_size (self->holds) == 0)
        return NULL;
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "holds", &err);
    actor_check (self->actor, doc);
    xml_set (xml_root (doc), "@boot", self->boot_id);
    for (hold_t *hold = zlistx_first (self->holds); hold; hold = zlistx_next (self->holds)) {
        xml_node_t *node = xml_add (xml_root (doc), "hold");
        xml_set (node, "@device", hold->device);
        xml_set (node, "@uuid", hold->domain);
        xml_set (node, "@name", hold->domain_name);
        xml_set (node, "@shared", hold->shared ? "yes" : "no");
        if (hold->identity)
            xml_set (node, "@identity", hold->identity);
        if (hold->before)
            xml_set (node, "@before", hold->before);
    }
    return xml_text (doc);
}

static void answer (devices_t *self, msg_t **request_p)
{
    auto(msg_t) reply = msg_reply ();
    actor_reply (self->actor, request_p, &reply);
}

//  Of one request, until what it changed is on disk.
typedef struct {
    msg_t *request;
    bool fresh; //  it is to be taken back if that fails
} change_t;

static void on_saved (actor_t *actor, const msg_t *reply, void *arg)
{
    devices_t *self = actor_state (actor);
    autofree change_t *change = arg;
    auto(msg_t) request = take (&change->request);
    error_t err;
    if (!msg_failed (reply, &err)) {
        answer (self, &request);
        return;
    }
    if (change->fresh)
        forget (self, msg_str (request, "device"), msg_str (request, "domain"));
    actor_reply_error (actor, &request, &err);
}

static void save (devices_t *self, msg_t **msg_p, bool fresh)
{
    autofree char *text = holds_text (self);
    change_t *change = memory_new (1, sizeof *change);
    change->request = take (msg_p);
    change->fresh = fresh;
    char disk[MSG_ADDRESS_MAX];
    disk_address (self->holds_path, disk);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, self->holds_path, text);
    actor_request (self->actor, disk, &request, DISK_MS, on_saved, change);
}

static void load_hold (devices_t *self, const xml_node_t *node)
{
    char domain[UUID_TEXT_SIZE];
    const char *device = xml_string (node, "@device"), *name = xml_string (node, "@name");
    if (!device || !host_device_is (device) || !name ||
        !uuid_normalize (xml_string (node, "@uuid"), domain))
        return;
    hold_t *hold = add (self, device, domain, name, xml_flag (node, "@shared", false));
    hold->identity = text_copy (xml_string (node, "@identity"));
    hold->before = text_copy (xml_string (node, "@before"));
}

//  What guests had before this boot they have not any more.
static int load (devices_t *self, error_t *err)
{
    autofree char *text = file_read (self->holds_path, FILE_MAX, NULL, err);
    if (!text)
        return errno == ENOENT ? 0 : -1;
    auto(xml_t) doc = xml_parse_own (text, strlen (text), self->holds_path, err);
    if (!doc)
        return -1;
    xml_foreach (node, xml_root (doc), "hold")
        if (xml_equals (xml_root (doc), "@boot", self->boot_id))
            load_hold (self, node);
    return 0;
}

//  Requests.

//  It was unplugged: who had it has nothing of the one that has its number now.
static bool is_over (const hold_t *hold, const char *device, const char *identity)
{
    return text_equals (hold->device, device) && hold->identity &&
           !text_equals (hold->identity, identity);
}

static void drop_over (devices_t *self, const char *device, const char *identity)
{
    hold_t *hold = zlistx_first (self->holds);
    while (hold)
        if (is_over (hold, device, identity)) {
            actor_log (self->actor, LEVEL_INFO,
                       "the host's device '%s' that domain '%s' had is gone, and there is another",
                       device, hold->domain_name);
            zlistx_delete (self->holds, zlistx_cursor (self->holds));
            hold = zlistx_first (self->holds);
        } else
            hold = zlistx_next (self->holds);
}

static int refuse (const hold_t *hold, const char *device, const char *name, error_t *err)
{
    const char *why = "";
    if (hold->leaving)
        why = ", and is giving it back; try again";
    else if (text_starts (device, "scsi:"))
        why = ", and they do not both say <shareable/>";
    error_set (err, ERR_OPERATION_INVALID,
               "the host's device '%s' can't go to domain '%s': domain '%s' has it%s", device, name,
               hold->domain_name, why);
    err->retry = hold->leaving;
    return -1;
}

static int check (devices_t *self, const msg_t *msg, bool *has_it, error_t *err)
{
    const char *device = msg_str (msg, "device"), *domain = msg_str (msg, "domain");
    const char *name = msg_str (msg, "domain_name");
    const bool shared = msg_flag (msg, "shared");
    *has_it = false;
    if (!device || !host_device_is (device) || !domain || strlen (domain) >= UUID_TEXT_SIZE ||
        !name)
        return error_set (err, ERR_INVALID_ARG, "%s: the device, the domain or its name is missing",
                          msg_verb (msg));
    for (hold_t *hold = zlistx_first (self->holds); hold; hold = zlistx_next (self->holds)) {
        *has_it = *has_it || hold_is (hold, device, domain);
        if (hold_is (hold, device, domain) || !text_equals (device, hold->device) ||
            (shared && hold->shared && !hold->leaving))
            continue;
        return refuse (hold, device, name, err);
    }
    return 0;
}

void devices_hold (devices_t *self, msg_t **msg_p)
{
    error_t err;
    bool has_it;
    const char *device = msg_str (*msg_p, "device");
    autofree char *identity = device ? host_device_identity (self->sysfs, device) : NULL;
    drop_over (self, device, identity);
    if (check (self, *msg_p, &has_it, &err)) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    //  One that began to give it back, and was cut off, has it again.
    if (has_it)
        find (self, device, msg_str (*msg_p, "domain"))->leaving = false;
    else
        add (self, device, msg_str (*msg_p, "domain"), msg_str (*msg_p, "domain_name"),
             msg_flag (*msg_p, "shared"))
            ->identity = take (&identity);
    save (self, msg_p, !has_it);
}

void devices_leave (devices_t *self, msg_t **msg_p)
{
    const char *device = msg_str (*msg_p, "device"), *domain = msg_str (*msg_p, "domain");
    hold_t *own = find (self, device, domain), *other = find_other (self, device, domain);
    autofree char *before =
        own && own->before ? text_copy (own->before) : text_copy (msg_str (*msg_p, "before"));
    if (other) {
        bequeath (other, &before);
        forget (self, device, domain);
        save (self, msg_p, false);
        return;
    }
    if (own)
        own->leaving = true;
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "before", before);
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

void devices_release (devices_t *self, msg_t **msg_p)
{
    if (forget (self, msg_str (*msg_p, "device"), msg_str (*msg_p, "domain")))
        save (self, msg_p, false);
    else
        answer (self, msg_p);
}

//  After a restart.

bool devices_have_holds (devices_t *self)
{
    return zlistx_size (self->holds) > 0;
}

static const hold_t *find_stale (devices_t *self)
{
    for (hold_t *hold = zlistx_first (self->holds); hold; hold = zlistx_next (self->holds))
        if (!strings_contain (self->running, hold->domain))
            return hold;
    return NULL;
}

//  At once: the same guest may be starting by now, and its request is behind this.
void devices_compare_holds (devices_t *self, msg_t **msg_p)
{
    const hold_t *hold;
    bool stale = false;
    while ((hold = find_stale (self))) {
        actor_log (self->actor, LEVEL_WARNING,
                   "the host's device '%s': domain '%s', which had it, does not run any more",
                   hold->device, hold->domain_name);
        forget (self, hold->device, hold->domain);
        stale = true;
    }
    if (stale)
        save (self, msg_p, false);
}

int devices_open_holds (devices_t *self, error_t *err)
{
    process_t process;
    self->holds = zlistx_new ();
    zlistx_set_destructor (self->holds, free_hold);
    if (process_identify (getpid (), &process, err))
        return -1;
    self->boot_id = text_copy (process.boot_id);
    self->holds_path = text_format ("%s/devices.status", self->config->paths->run);
    if (load (self, err))
        actor_log (self->actor, LEVEL_ERROR,
                   "read '%s' (no guest is taken to have any of these devices): %s",
                   self->holds_path, err->message);
    return 0;
}

void devices_close_holds (devices_t *self)
{
    zlistx_destroy (&self->holds);
    free (self->boot_id);
    free (self->holds_path);
}
