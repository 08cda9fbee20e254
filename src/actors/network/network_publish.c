//  network_publish.c: the status file first, then the snapshot with its events, then the answer;
//  always in the order in which the changes happened.

#include "actors/services/disk_request.h"
#include "actors/network/network_self.h"
#include "actors/domain/owner_publish.h"
#include "actors/domain/status_text.h"
#include "drivers/net/network_path.h"

enum {
    DISK_MS = 60000,
    RETRY_MS = 5000
};

typedef struct {
    msg_t *snapshot, *request, *reply;
    bool last, written, strict, failed;
    error_t err;
} publication_t;

static void publication_destroy (publication_t **publication_p)
{
    publication_t *self = take (publication_p);
    msg_destroy (&self->snapshot);
    msg_destroy (&self->request);
    msg_destroy (&self->reply);
    free (self);
}

bool network_active (const network_t *self)
{
    return self->live != NULL;
}

//  The status file. NULL when there is nothing to keep.
static char *status_text (const network_t *self)
{
    bool ports = self->persistent && zlistx_size (self->ports) > 0;
    if (!self->live && !self->undo && !ports)
        return NULL;
    const char *live = self->live ? self->live : self->recorded_live;
    auto(text_t) text = text_new ();
    text_addf (text, "<netstatus ran='%s'>\n", self->live ? "yes" : "no");
    if (self->undo)
        status_add_undo (text, document_root (self->undo));
    text_addf (text, "<record>\n%s</record>\n<live>\n%s</live>\n", self->record ? self->record : "",
               live ? live : "");
    network_ports_write (self, text);
    text_add (text, "</netstatus>\n");
    return text_finish (&text);
}

static bool is_gone (const network_t *self)
{
    return !self->persistent && !self->live && !self->undo && !self->running.operation &&
           !self->loading;
}

//  Events.

void network_add_lifecycle (network_t *self, int event)
{
    static const char *const names[] = { "Defined", "Undefined", "Started", "Stopped" };
    pack_t *pack = owner_events_add (&self->events);
    pack_map (pack);
    pack_key_str (pack, "verb", "network.lifecycle");
    pack_key_map (pack, "args");
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "event", event);
    pack_key_i64 (pack, "detail", 0);
    pack_key_str (pack, "event_text", names[event]);
    pack_end (pack);
    pack_end (pack);
}

//  The snapshot.

static msg_t *make_snapshot (network_t *self)
{
    msg_t *event = msg_event (is_gone (self) ? "gone" : "snapshot");
    pack_t *pack = msg_args (event);
    const value_t *live = self->live_summary ? document_root (self->live_summary) : NULL;
    const value_t *config = self->config_summary ? document_root (self->config_summary) : live;
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_bool (pack, "active", network_active (self));
    pack_key_bool (pack, "persistent", self->persistent);
    pack_key_bool (pack, "autostart", self->autostart);
    pack_key_value (pack, "bridge", value_get (live ? live : config, "bridge"));
    pack_key_array (pack, "own_bridges");
    pack_str (pack, value_get_str (live, "own_bridge"));
    pack_str (pack, value_get_str (config, "own_bridge"));
    pack_end (pack);
    pack_key_value (pack, "xml", value_get (live ? live : config, "xml"));
    pack_key_value (pack, "xml_inactive", value_get (config, "xml"));
    pack_key_map (pack, "metadata");
    pack_key_value (pack, "live", value_get (live, "metadata"));
    pack_key_value (pack, "config", self->persistent ? value_get (config, "metadata") : NULL);
    pack_end (pack);
    network_ports_pack (self, pack);
    network_leases_pack (self, pack);
    owner_events_take (&self->events, pack);
    return event;
}

//  Publishing in order.

static void publish_snapshot (network_t *self, publication_t *publication)
{
    owner_t owner = { self->actor, self->uuid, "network" };
    owner_publish (&owner, &publication->snapshot, publication->last, &self->filled);
    if (self->ready_due)
        owner_tell_host (&owner, "host.ready");
    self->ready_due = false;
}

void network_refuse (network_t *self, msg_t **request_p, const error_t *err)
{
    if (*request_p)
        actor_reply_error (self->actor, request_p, err);
}

static void flush (network_t *self)
{
    publication_t *publication;
    while ((publication = zlistx_first (self->publications)) && publication->written) {
        zlistx_detach (self->publications, NULL);
        publish_snapshot (self, publication);
        if (publication->failed)
            network_refuse (self, &publication->request, &publication->err);
        else if (publication->request)
            actor_reply (self->actor, &publication->request, &publication->reply);
        publication_destroy (&publication);
    }
    network_pump (self);
}

static void retry_write (actor_t *actor, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    self->retry_timer = 0;
    network_commit (self, NULL, NULL, false);
}

static void on_written (actor_t *actor, const msg_t *reply, void *arg)
{
    network_t *self = actor_state (actor);
    publication_t *publication = arg;
    publication->written = true;
    if (msg_failed (reply, &publication->err)) {
        publication->failed = publication->strict;
        actor_log (actor, LEVEL_ERROR, "network '%s': %s", self->name, publication->err.message);
        //  What happened has happened: the file has to follow.
        self->dirty = true;
        if (!self->retry_timer)
            self->retry_timer = actor_timer (actor, RETRY_MS, retry_write, NULL);
    }
    flush (self);
}

static void write_status (network_t *self, publication_t *publication)
{
    autofree char *path = network_path (self->config->paths, self->uuid, NETWORK_STATUS);
    autofree char *status = status_text (self);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, path, status);
    self->dirty = false;
    actor_request (self->actor, self->disk, &request, DISK_MS, on_written, publication);
}

void network_commit (network_t *self, msg_t **request_p, msg_t **reply_p, bool strict)
{
    publication_t *publication = memory_new (1, sizeof *publication);
    publication->request = request_p ? take (request_p) : NULL;
    publication->reply = reply_p ? take (reply_p) : NULL;
    publication->strict = strict;
    publication->last = is_gone (self);
    if (!publication->last || self->shown)
        publication->snapshot = make_snapshot (self);
    self->shown = !publication->last;
    publication->written = !self->dirty;
    zlistx_add_end (self->publications, publication);
    if (self->dirty)
        write_status (self, publication);
    else
        flush (self);
}

void network_drop_publications (network_t *self)
{
    publication_t *publication;
    while (self->publications && (publication = zlistx_detach (self->publications, NULL)))
        publication_destroy (&publication);
    zlistx_destroy (&self->publications);
    owner_events_close (&self->events);
}
