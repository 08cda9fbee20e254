//  domain_publish.c: files first, then the snapshot with its events, then the answer; always in the
//  order in which the changes happened.

#include "actors/services/disk_request.h"
#include "actors/domain/domain_files.h"
#include "actors/domain/domain_self.h"
#include "actors/domain/owner_publish.h"
#include "actors/domain/status_text.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    DISK_MS = 60000,
    RETRY_MS = 5000
};

//  The status file.

//  NULL when there is nothing to keep: the guest is not there, and nothing is half done.
static char *status_text (const domain_t *self)
{
    if (!self->live && !self->undo)
        return NULL;
    auto(text_t) text = text_new ();
    bool starting = !self->live && self->recorded_live;
    guest_status_t status = starting ? self->recorded_status : self->status;
    text_addf (text, "<domstatus state='%d' reason='%d' id='%d'", status.state, status.reason,
               starting ? self->recorded_id : self->id);
    status_add_attribute (text, "job", self->async.operation ? self->async.operation->job : "");
    status_add_attribute (text, "ran", self->live ? "yes" : "no");
    text_add (text, ">\n");
    if (self->undo)
        status_add_undo (text, document_root (self->undo));
    text_addf (text, "<record>\n%s</record>\n%s<live>\n%s</live>\n</domstatus>\n",
               self->record ? self->record : "", self->backup ? self->backup : "",
               self->live            ? self->live
               : self->recorded_live ? self->recorded_live
                                     : "");
    return text_finish (&text);
}

//  Nothing is left of a domain that has no definition, does not run, and has nothing to undo.
static bool is_gone (const domain_t *self)
{
    return !self->persistent && !self->live && !self->undo && !self->async.operation &&
           !self->restart_wanted && !self->loading;
}

static void add_file (const domain_t *self, msg_t *request, domain_file_t file, const char *text)
{
    autofree char *path = domain_path (self->config->paths, self->driver, self->uuid, file);
    disk_add_file (request, path, text);
}

static msg_t *write_request (const domain_t *self)
{
    msg_t *request = disk_request ();
    if (self->dirty & DIRTY_DEFINITION)
        add_file (self, request, FILE_DEFINITION, self->persistent ? self->definition : NULL);
    if (self->dirty & DIRTY_AUTOSTART)
        add_file (self, request, FILE_AUTOSTART, self->autostart && self->persistent ? "" : NULL);
    if (self->dirty & DIRTY_STATUS) {
        autofree char *status = status_text (self);
        add_file (self, request, FILE_STATUS, status);
    }
    if (is_gone (self) && self->checkpoints)
        add_file (self, request, FILE_CHECKPOINTS, NULL);
    if (self->dirty & DIRTY_PAST) {
        autofree char *past = is_gone (self) ? NULL : past_jobs_text (self->past);
        add_file (self, request, FILE_PAST, past);
    }
    if (self->dirty & DIRTY_SNAPSHOTS)
        add_file (self, request, FILE_SNAPSHOTS, NULL);
    return request;
}

//  Events.

void domain_add_event (domain_t *self, const char *verb, void (*pack_more) (pack_t *, const void *),
                       const void *arg)
{
    pack_t *pack = owner_events_add (&self->events);
    pack_map (pack);
    pack_key_str (pack, "verb", verb);
    pack_key_map (pack, "args");
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    if (pack_more)
        pack_more (pack, arg);
    pack_end (pack);
    pack_end (pack);
}

typedef struct {
    int event, detail;
} lifecycle_t;

static void pack_lifecycle (pack_t *pack, const void *arg)
{
    const lifecycle_t *lifecycle = arg;
    pack_key_i64 (pack, "event", lifecycle->event);
    pack_key_i64 (pack, "detail", lifecycle->detail);
    pack_key_str (pack, "event_text", event_name (lifecycle->event));
    pack_key_str (pack, "detail_text", event_detail_name (lifecycle->event, lifecycle->detail));
}

void domain_add_lifecycle (domain_t *self, int event, int detail)
{
    lifecycle_t lifecycle = { event, detail };
    domain_add_event (self, "domain.lifecycle", pack_lifecycle, &lifecycle);
}

//  The snapshot.

static const value_t *root_or_null (const document_t *document)
{
    return document ? document_root (document) : NULL;
}

static void pack_identity (const domain_t *self, pack_t *pack)
{
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    pack_key_str (pack, "driver", self->driver->name);
    pack_key_i64 (pack, "state", self->status.state);
    pack_key_i64 (pack, "reason", self->status.reason);
    pack_key_bool (pack, "persistent", self->persistent);
    pack_key_bool (pack, "autostart", self->autostart);
    pack_key_bool (pack, "managed_save", self->managed_save);
    pack_key_bool (pack, "loading", self->loading);
    pack_key_i64 (pack, "changed_us", self->changed_us);
    pack_key_i64 (pack, "silent_since_us", self->silent_us);
    pack_key_str (pack, "agent", domain_agent_state (self));
    if (domain_active (self)) {
        pack_key_u64 (pack, "balloon_kib", self->balloon_kib);
        pack_key_value (pack, "meter", root_or_null (self->meter));
    }
}

static void pack_documents (const domain_t *self, pack_t *pack)
{
    const value_t *config = root_or_null (self->config_summary);
    const value_t *live = root_or_null (self->live_summary);
    const value_t *shown = live ? live : config;
    static const char *const plain[] = { "type",           "os_type",    "vcpus",    "max_vcpus",
                                         "max_memory_kib", "memory_kib", "consoles", "interfaces" };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        pack_key_value (pack, plain[i], value_get (shown, plain[i]));
    if (!config)
        config = live;
    pack_key_u64 (pack, "config_vcpus", value_get_u64 (config, "vcpus", 0));
    pack_key_u64 (pack, "config_max_vcpus", value_get_u64 (config, "max_vcpus", 0));
    pack_key_value (pack, "title", value_get (value_get (shown, "metadata"), "title"));
    pack_key_value (pack, "xml", value_get (shown, "xml"));
    pack_key_value (pack, "xml_secure", value_get (shown, "xml_secure"));
    pack_key_value (pack, "xml_inactive", value_get (config, "xml"));
    pack_key_value (pack, "xml_inactive_secure", value_get (config, "xml_secure"));
    pack_key_map (pack, "metadata");
    pack_key_value (pack, "live", value_get (live, "metadata"));
    pack_key_value (pack, "config", value_get (config, "metadata"));
    pack_end (pack);
    pack_key_map (pack, "tune");
    pack_key_value (pack, "live", value_get (live, "tune"));
    pack_key_value (pack, "config", value_get (config, "tune"));
    pack_end (pack);
}

static msg_t *make_snapshot (domain_t *self)
{
    msg_t *event = msg_event (is_gone (self) ? "gone" : "snapshot");
    pack_t *pack = msg_args (event);
    pack_identity (self, pack);
    pack_documents (self, pack);
    domain_pack_job (self, pack);
    domain_pack_waiting (self, pack);
    domain_pack_migration (self, pack);
    pack_key_str (pack, "backup_xml", self->backup_xml);
    pack_key_value (pack, "checkpoints", root_or_null (self->checkpoint_list));
    domain_pack_blocks (self, pack);
    pack_key (pack, "past");
    past_jobs_pack (self->past, pack);
    owner_events_take (&self->events, pack);
    return event;
}

//  Its snapshots are a topic of their own: they are large, and seldom new.
static msg_t *make_tree (const domain_t *self)
{
    msg_t *event = msg_event ("snapshots");
    pack_key_value (msg_args (event), "snapshots", root_or_null (self->snapshots));
    return event;
}

//  Publishing in order.

static owner_t as_owner (const domain_t *self)
{
    return (owner_t){ self->actor, self->uuid, "domain" };
}

void domain_tell_name (domain_t *self)
{
    auto(msg_t) msg = msg_request ("host.name");
    pack_key_str (msg_args (msg), "uuid", self->uuid);
    pack_key_str (msg_args (msg), "name", self->name);
    actor_send (self->actor, "host", &msg);
}

//  Behind the snapshot that tells of the domain itself.
static void publish_tree (domain_t *self, publication_t *publication)
{
    autofree char *topic = text_format ("snapshots/%s", self->uuid);
    if (publication->last && self->snapshots_shown) {
        auto(msg_t) event = msg_event ("gone");
        actor_publish_last (self->actor, topic, &event);
        self->snapshots_shown = false;
    } else if (publication->tree && !publication->last) {
        actor_publish (self->actor, topic, &publication->tree);
        self->snapshots_shown = true;
    }
}

static void publish_snapshot (domain_t *self, publication_t *publication)
{
    owner_t owner = as_owner (self);
    if (publication->old_name)
        domain_tell_name (self);
    owner_publish (&owner, &publication->snapshot, publication->last, &self->filled);
    publish_tree (self, publication);
}

//  After the snapshot was published: who asks from now on sees this domain.
static void tell_ready (domain_t *self)
{
    owner_t owner = as_owner (self);
    if (self->ready_due)
        owner_tell_host (&owner, "host.ready");
    self->ready_due = false;
}

static void answer (domain_t *self, publication_t *publication)
{
    if (!publication->request)
        return;
    if (publication->failed)
        actor_reply_error (self->actor, &publication->request, &publication->err);
    else
        actor_reply (self->actor, &publication->request, &publication->reply);
}

static void publication_destroy (publication_t **publication_p)
{
    publication_t *self = take (publication_p);
    msg_destroy (&self->snapshot);
    msg_destroy (&self->tree);
    msg_destroy (&self->request);
    msg_destroy (&self->reply);
    free (self->old_name);
    free (self->old_definition);
    document_destroy (&self->old_summary);
    free (self);
}

static void release_slot (running_t *slot)
{
    if (slot)
        *slot = (running_t){ 0 };
}

static void take_back_name (domain_t *self, publication_t *publication)
{
    free (self->name);
    self->name = take (&publication->old_name);
    domain_tell_name (self);
}

//  The definition is what it was; a status that could not be written is written again later. The
//  disk may hold the new text all the same (its folder could not be synced, or the answer came too
//  late), so the old one is written once more.
static void take_back (domain_t *self, publication_t *publication)
{
    self->dirty |= publication->wrote & (DIRTY_DEFINITION | DIRTY_AUTOSTART);
    self->restoring = true;
    if (publication->wrote & DIRTY_DEFINITION) {
        free (self->definition);
        document_destroy (&self->config_summary);
        self->definition = take (&publication->old_definition);
        self->config_summary = take (&publication->old_summary);
        self->persistent = publication->old_persistent;
        if (publication->old_name)
            take_back_name (self, publication);
    }
    if (publication->wrote & DIRTY_AUTOSTART)
        self->autostart = self->written_autostart;
}

static void flush (domain_t *self)
{
    bool again = false;
    publication_t *publication;
    while ((publication = zlistx_first (self->publications)) && publication->written) {
        zlistx_detach (self->publications, NULL);
        if (publication->failed) {
            take_back (self, publication);
            self->snapshots_new = self->snapshots_new || publication->tree;
            again = true;
        }
        if (!publication->failed)
            publish_snapshot (self, publication);
        tell_ready (self);
        release_slot (publication->releases);
        answer (self, publication);
        publication_destroy (&publication);
    }
    if (again)
        domain_commit (self, NULL, NULL, NULL);
    domain_settle (self);
}

static void retry_write (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_timer = 0;
    domain_commit (self, NULL, NULL, NULL);
}

static void note_failure (domain_t *self, publication_t *publication)
{
    unsigned config = DIRTY_DEFINITION | DIRTY_AUTOSTART;
    actor_log (self->actor, LEVEL_ERROR, "domain '%s': %s", self->name, publication->err.message);
    //  A running guest's state has to get to the disk; its change has happened all the same. So has
    //  that of a definition that is as it was.
    unsigned again =
        publication->wrote & (publication->restores ? DIRTY_STATUS | config : DIRTY_STATUS);
    self->dirty |= again;
    if (again && !self->retry_timer)
        self->retry_timer = actor_timer (self->actor, RETRY_MS, retry_write, NULL);
    if ((publication->restores || !(publication->wrote & config)) && !publication->strict)
        publication->failed = false;
}

static void on_written (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    publication_t *publication = arg;
    publication->written = true;
    publication->failed = msg_failed (reply, &publication->err);
    if (publication->failed) {
        note_failure (self, publication);
        flush (self);
        return;
    }
    if (publication->wrote & DIRTY_AUTOSTART)
        self->written_autostart = self->autostart;
    if (publication->restores && !(self->dirty & (DIRTY_DEFINITION | DIRTY_AUTOSTART)))
        self->restoring = false;
    flush (self);
}

static publication_t *publication_new (const domain_t *self, msg_t **request_p, msg_t **reply_p,
                                       running_t *releases)
{
    publication_t *publication = memory_new (1, sizeof *publication);
    publication->old_persistent = self->persistent;
    publication->request = request_p ? take (request_p) : NULL;
    publication->reply = reply_p ? take (reply_p) : NULL;
    publication->releases = releases;
    return publication;
}

//  The files of a domain that is gone are removed once: behind that the host may end us at any
//  time, so no answer may wait for a write any more.
static void remove_files (domain_t *self)
{
    if (!past_jobs_is_empty (self->past))
        self->dirty |= DIRTY_PAST;
    if (self->snapshots)
        self->dirty |= DIRTY_SNAPSHOTS;
}

static void commit (domain_t *self, publication_t *publication)
{
    publication->last = is_gone (self);
    if (publication->last && self->shown)
        remove_files (self);
    publication->wrote = self->dirty;
    publication->restores = self->restoring;
    self->changed_us = actor_wall_clock (self->actor);
    if (!publication->last || self->shown)
        publication->snapshot = make_snapshot (self);
    self->shown = !publication->last;
    if (self->snapshots_new)
        publication->tree = make_tree (self);
    self->snapshots_new = false;
    zlistx_add_end (self->publications, publication);
    if (!self->dirty) {
        publication->written = true;
        flush (self);
        return;
    }
    auto(msg_t) request = write_request (self);
    self->dirty = 0;
    actor_request (self->actor, self->disk, &request, DISK_MS, on_written, publication);
}

void domain_commit_definition (domain_t *self, char **old_definition_p, document_t **old_summary_p,
                               bool old_persistent, msg_t **request_p, msg_t **reply_p,
                               running_t *releases)
{
    publication_t *publication = publication_new (self, request_p, reply_p, releases);
    publication->old_name = take (&self->old_name);
    publication->old_definition = take (old_definition_p);
    publication->old_summary = take (old_summary_p);
    publication->old_persistent = old_persistent;
    self->restoring = false;
    commit (self, publication);
}

void domain_commit (domain_t *self, msg_t **request_p, msg_t **reply_p, running_t *releases)
{
    commit (self, publication_new (self, request_p, reply_p, releases));
}

//  What it changed may be on its way to the disk: a guest that was told to sleep does.
void domain_answer (domain_t *self, msg_t **request_p, msg_t **reply_p)
{
    if (zlistx_size (self->publications) > 0)
        domain_commit (self, request_p, reply_p, NULL);
    else
        actor_reply (self->actor, request_p, reply_p);
}

void domain_commit_record (domain_t *self, msg_t **request_p, msg_t **reply_p)
{
    publication_t *publication = publication_new (self, request_p, reply_p, NULL);
    publication->strict = true;
    commit (self, publication);
}

void domain_drop_publications (domain_t *self)
{
    publication_t *publication;
    while ((publication = zlistx_detach (self->publications, NULL)))
        publication_destroy (&publication);
    owner_events_close (&self->events);
}
