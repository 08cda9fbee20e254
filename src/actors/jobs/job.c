//  job.c: the life of a job: from its arguments, through its run function, to its result or its
//  undo.

#include "actors/jobs/job.h"

#include "actors/services/emulators.h"
#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs_snapshot.h"
#include "actors/domain/checkpoint_summary.h"
#include "actors/domain/summary.h"
#include "drivers/undo.h"
#include "util/file.h"
#include "util/text.h"

//  The reply that job_ask waits for. A late one, of a request that the job gave up, is dropped.
static void keep_answer (actor_t *actor, const msg_t *reply, void *arg)
{
    job_actor_t *self = actor_state (actor);
    if ((uint64_t) (uintptr_t) arg == self->waiting) {
        msg_destroy (&self->answer);
        self->answer = msg_copy (reply);
    }
}

actor_reply_fn *job_expect (job_actor_t *self, void **arg_p)
{
    self->waiting++;
    msg_destroy (&self->answer);
    *arg_p = (void *) (uintptr_t) self->waiting;
    return keep_answer;
}

static bool is_cancelled (const job_actor_t *self)
{
    bool cancelled = self->cancelled && !self->committed && !self->base.closed;
    return (cancelled || actor_stopping (self->actor)) && !self->unwinding && !self->writing;
}

const char *job_noun (const job_actor_t *self)
{
    return text_starts (self->owner, "network/") ? "network"
           : text_starts (self->owner, "pci/")   ? "PCI device"
                                                 : "domain";
}

//  What a user knows it by: "start" of a network, too.
static const char *job_action (const job_actor_t *self)
{
    static const char *const prefixes[] = { "network_", "pci_" };
    const char *name = self->kind->name;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text_starts (name, prefixes[i]))
            return name + strlen (prefixes[i]);
    return name;
}

//  A device has no name but its address.
static const char *job_subject (const job_actor_t *self)
{
    const char *slash = strchr (self->owner, '/');
    return self->base.guest ? self->base.guest->name : slash ? slash + 1 : "?";
}

int job_check_cancelled (const job_actor_t *self, error_t *err)
{
    if (!is_cancelled (self))
        return 0;
    return error_set (err, ERR_OPERATION_ABORTED, "%s of %s '%s' %s", job_action (self),
                      job_noun (self), job_subject (self),
                      self->ended ? "came to nothing: the guest ended meanwhile" : "was cancelled");
}

//  The runtime knows addresses only: "monitor/UUID" is the monitor of this domain.
static int late (const job_actor_t *self, const msg_t *answer, error_t *err)
{
    const char *from = msg_head (answer)->from, *uuid = strchr (from, '/');
    const guest_t *guest = self->base.guest;
    if (!guest || !uuid || !text_starts (uuid + 1, guest->uuid))
        return -1;
    error_set (err, err->code, "no answer from the %.*s of %s '%s' within the deadline",
               (int) (uuid - from), from, job_noun (self), guest->name);
    err->retry = true;
    return -1;
}

int job_await (job_actor_t *self, msg_t **reply_p, error_t *err)
{
    while (!self->answer) {
        if (job_check_cancelled (self, err)) {
            self->waiting++;
            return -1;
        }
        actor_step (self->actor, INT64_MAX);
    }
    auto(msg_t) reply = take (&self->answer);
    if (msg_failed (reply, err))
        return msg_is_expired (reply) ? late (self, reply, err) : -1;
    if (reply_p)
        *reply_p = take (&reply);
    return 0;
}

int job_ask (job_actor_t *self, const char *to, msg_t **request_p, int deadline_ms, msg_t **reply_p,
             error_t *err)
{
    void *arg;
    actor_reply_fn *on_reply = job_expect (self, &arg);
    msg_header (*request_p)->flags |= MSG_NESTED;
    actor_request (self->actor, to, request_p, deadline_ms, on_reply, arg);
    return job_await (self, reply_p, err);
}

int job_tell (job_actor_t *self, const char *to, msg_t **request_p, int deadline_ms, error_t *err)
{
    return job_ask (self, to, request_p, deadline_ms, NULL, err);
}

static void keep_end (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    keep_answer (actor, down, arg);
}

int job_await_end (job_actor_t *self, const char *address, int ms, error_t *err)
{
    void *arg;
    int64_t until = actor_now (self->actor) + ms;
    job_expect (self, &arg);
    actor_watch (self->actor, address, keep_end, arg);
    while (!self->answer && actor_now (self->actor) < until) {
        if (job_check_cancelled (self, err))
            break;
        actor_step (self->actor, until);
    }
    auto(msg_t) end = take (&self->answer);
    self->waiting++;
    if (end)
        return 0;
    return job_check_cancelled (self, err)
               ? -1
               : error_set (err, ERR_OPERATION_TIMEOUT, "%s does not end within %d ms", address,
                            ms);
}

const char *job_lent (const job_actor_t *self, size_t index)
{
    const value_t *lent = value_get (msg_arg (self->start, "by"), "lent");
    return value_str (value_at (lent, index));
}

const value_t *job_arg (const job_actor_t *self, const char *name)
{
    return value_get (msg_arg (self->start, "args"), name);
}

//  Undo.

static void undo_entry_destroy (void **entry_p)
{
    undo_entry_t *entry = *entry_p;
    *entry_p = NULL;
    free (entry->kind);
    free (entry->argument);
    free (entry);
}

zlistx_t *job_undo_new (void)
{
    zlistx_t *undo = zlistx_new ();
    zlistx_set_destructor (undo, undo_entry_destroy);
    return undo;
}

void job_push_undo (job_actor_t *self, const char *kind, const char *argument)
{
    undo_entry_t *entry = memory_new (1, sizeof *entry);
    entry->kind = text_copy (kind);
    entry->argument = text_copy (argument);
    zlistx_add_end (self->undo, entry);
}

static bool undo_entry (job_actor_t *self, const undo_entry_t *entry)
{
    error_t err;
    if (self->base.unsure)
        return false;
    if (undo_run (&self->base, entry->kind, entry->argument, &err) == 0)
        return true;
    actor_log (self->actor, LEVEL_ERROR, "undo of %s: %s", self->kind->name, err.message);
    self->unanswered = self->unanswered || err.code == ERR_OPERATION_TIMEOUT;
    return false;
}

//  What can't be undone now stays on the stack.
bool job_unwind (job_actor_t *self)
{
    zlistx_t *left = job_undo_new ();
    self->unwinding = true;
    self->base.unsure = false;
    undo_entry_t *entry;
    while ((entry = zlistx_last (self->undo))) {
        zlistx_detach (self->undo, zlistx_cursor (self->undo));
        if (undo_entry (self, entry))
            undo_entry_destroy ((void **) &entry);
        else
            zlistx_add_start (left, entry);
    }
    self->unwinding = false;
    zlistx_destroy (&self->undo);
    self->undo = left;
    return zlistx_size (left) == 0;
}

//  Before the error that ends the job: else the owner had another job do it all again.
static void tell_undone (job_actor_t *self)
{
    auto(msg_t) msg = msg_request ("job.undone");
    actor_send (self->actor, self->owner, &msg);
}

//  Arguments.

static int read_document (const msg_t *args, const char *name, xml_t **doc_p, error_t *err)
{
    const char *text = msg_str (args, name);
    if (!text)
        return 0;
    *doc_p = xml_parse_own (text, strlen (text), name, err);
    return *doc_p ? 0 : -1;
}

static int read_guest (job_actor_t *self, const msg_t *args, error_t *err)
{
    const char *uuid = msg_str (args, "uuid"), *name = msg_str (args, "name");
    if (!uuid)
        return 0;
    guest_t *guest = memory_new (1, sizeof *guest);
    self->base.guest = guest;
    snprintf (guest->uuid, sizeof guest->uuid, "%s", uuid);
    guest->name = text_copy (name ? name : uuid);
    guest->id = (int) msg_i64 (args, "id", -1);
    guest->status.state = (guest_state_t) msg_i64 (args, "state", STATE_SHUTOFF);
    guest->status.reason = (int) msg_i64 (args, "reason", 0);
    snprintf (self->monitor, sizeof self->monitor, "monitor/%s", uuid);
    if (read_document (args, "definition", &guest->definition, err) ||
        read_document (args, "live", &guest->live, err) ||
        read_document (args, "record", &guest->record, err) ||
        read_document (args, "backup", &guest->backup, err) ||
        read_document (args, "checkpoints", &guest->checkpoints, err))
        return -1;
    return 0;
}

static void read_undo (job_actor_t *self, const value_t *list)
{
    for (size_t i = 0; i < value_count (list); i++) {
        const value_t *entry = value_at (list, i);
        const char *kind = value_str (value_at (entry, 0));
        const char *argument = value_str (value_at (entry, 1));
        if (kind && argument)
            job_push_undo (self, kind, argument);
    }
}

static void owner_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    (void) down;
    (void) arg;
    job_actor_t *self = actor_state (actor);
    self->cancelled = self->abandoned = true;
}

static int open_job (job_actor_t *self, actor_t *actor, const msg_t *args, error_t *err)
{
    self->actor = actor;
    self->start = args;
    self->config = config_of (args);
    self->base.ops = &job_actor_ops;
    self->base.paths = self->config->paths;
    self->base.instance = self->config->instance;
    self->base.helpers = self->helpers = file_folder (self->config->launcher);
    self->undo = job_undo_new ();
    self->fates = strings_new ();
    pack_init (&self->value);
    pack_init (&self->blocks);
    const char *owner = msg_str (args, "owner");
    snprintf (self->owner, sizeof self->owner, "%s", owner ? owner : "emulators");
    const char *driver = msg_str (args, "driver");
    self->driver = driver ? driver_by_name (driver) : NULL;
    self->transient = msg_flag (args, "transient");
    read_undo (self, msg_arg (args, "undo"));
    actor_watch (actor, self->owner, owner_down, NULL);
    return read_guest (self, args, err);
}

//  Result.

static void pack_document (pack_t *pack, const char *key, const xml_t *doc)
{
    autofree char *text = doc ? xml_text (doc) : NULL;
    pack_key_str (pack, key, text);
}

static void pack_definition (pack_t *pack, const guest_t *guest)
{
    pack_document (pack, "definition", guest->definition);
    pack_key (pack, "config_summary");
    summary_pack (pack, guest->definition);
}

static void pack_live (pack_t *pack, const guest_t *guest)
{
    pack_key_i64 (pack, "id", guest->id);
    pack_document (pack, "live", guest->live);
    pack_key (pack, "live_summary");
    summary_pack (pack, guest->live);
}

//  All of it for the status file, and what users see of it.
static void pack_backup (pack_t *pack, const guest_t *guest)
{
    const xml_node_t *asked =
        guest->backup ? xml_find (xml_root (guest->backup), "domainbackup") : NULL;
    auto(xml_t) shown = asked ? xml_from_node (asked) : NULL;
    pack_document (pack, "backup", guest->backup);
    pack_document (pack, "backup_xml", shown);
}

static void pack_checkpoints (pack_t *pack, const guest_t *guest)
{
    bool any = checkpoints_count (guest->checkpoints) > 0;
    pack_document (pack, "checkpoints", any ? guest->checkpoints : NULL);
    pack_key (pack, "checkpoint_list");
    checkpoint_summary_pack (pack, guest->checkpoints);
}

void job_tell_documents (job_actor_t *self)
{
    const guest_t *guest = self->base.guest;
    auto(msg_t) msg = msg_request ("job.documents");
    pack_definition (msg_args (msg), guest);
    if (guest->live)
        pack_live (msg_args (msg), guest);
    actor_send (self->actor, self->owner, &msg);
}

//  The owner makes events of it.
static void pack_news (pack_t *pack, const strings_t *news)
{
    pack_key_array (pack, "devices");
    for (size_t i = 0; news && i < news->count; i++)
        pack_str (pack, news->items[i]);
    pack_end (pack);
}

static msg_t *make_result (job_actor_t *self)
{
    msg_t *reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    const guest_t *guest = self->base.guest;
    pack_map (pack);
    if (guest && ((self->parts & PART_DEFINITION) || guest->redefined))
        pack_definition (pack, guest);
    if (guest && guest->redefined)
        pack_key_bool (pack, "redefined", true);
    if (guest && (self->parts & PART_LIVE)) {
        pack_live (pack, guest);
        pack_news (pack, guest->news);
    }
    if (guest && (self->parts & (PART_LIVE | PART_RECORD)))
        pack_document (pack, "record", guest->record);
    if (guest && (self->parts & PART_BACKUP))
        pack_backup (pack, guest);
    if (guest && (self->parts & PART_CHECKPOINTS))
        pack_checkpoints (pack, guest);
    if (guest && (self->parts & PART_STATUS)) {
        pack_key_i64 (pack, "state", guest->status.state);
        pack_key_i64 (pack, "reason", guest->status.reason);
    }
    if (guest && (self->parts & (PART_STATUS | PART_LIVE)))
        pack_key_u64 (pack, "balloon_kib", guest->balloon_kib);
    if (zlistx_size (self->undo) > 0 && (self->parts & PART_UNDO))
        job_pack_undo (pack, self->undo);
    if (self->blocks.size > 0) {
        pack_key (pack, "blocks");
        pack_packed (pack, self->blocks.bytes, self->blocks.size);
    }
    if (self->value.size > 0) {
        pack_key (pack, "value");
        pack_packed (pack, self->value.bytes, self->value.size);
    }
    pack_end (pack);
    return reply;
}

static const job_kind_t *find_kind (const char *name)
{
    for (const job_kind_t *kind = job_kinds; kind->name; kind++)
        if (name && strcmp (kind->name, name) == 0)
            return kind;
    return NULL;
}

//  Its undo would let it go on, and might have to wait for what its hypervisor is doing.
static void end_guest (job_actor_t *self)
{
    error_t err;
    self->unwinding = true;
    if (self->driver->destroy (&self->base, false, &err))
        actor_log (self->actor, LEVEL_WARNING, "%s", err.message);
    self->unwinding = false;
}

//  What failed may have been brought to its end by its undo, or some of it.
static void tell_changes (job_actor_t *self)
{
    error_t ignored;
    if (!self->driver || !self->base.guest || !self->base.guest->redefined)
        return;
    job_tell_documents (self);
    auto(snapshot_tree_t) tree = job_load_snapshots (self, &ignored);
    if (tree)
        job_tell_snapshots (self, tree);
}

static int run_kind (actor_t *actor, const job_kind_t *kind, const msg_t *args, error_t *err)
{
    job_actor_t *self = actor_state (actor);
    actor_check (actor, kind);
    self->kind = kind;
    int rc = open_job (self, actor, args, err);
    if (!rc)
        rc = kind->run (self, err);
    if (rc) {
        if (self->doomed && !self->committed)
            end_guest (self);
        bool owned = text_starts (self->owner, "domain/") || text_starts (self->owner, "network/");
        bool recorded = zlistx_size (self->undo) > 0 && owned;
        if (job_unwind (self) && recorded)
            tell_undone (self);
        tell_changes (self);
        return -1;
    }
    auto(msg_t) result = make_result (self);
    actor_set_result (actor, &result);
    actor_end (actor);
    return 0;
}

static int job_start (actor_t *actor, const msg_t *args, error_t *err)
{
    return run_kind (actor, find_kind (msg_str (args, "kind")), args, err);
}

static int probe_start (actor_t *actor, const msg_t *args, error_t *err)
{
    if (run_kind (actor, find_kind ("probe"), args, err))
        return -1;
    job_actor_t *self = actor_state (actor);
    auto(msg_t) result = msg_reply ();
    pack_packed (msg_result (result), self->value.bytes, self->value.size);
    actor_set_result (actor, &result);
    return 0;
}

static void job_handle (actor_t *actor, msg_t **msg_p)
{
    job_actor_t *self = actor_state (actor);
    if (msg_is (*msg_p, "job.device"))
        strings_addf (self->fates, "%s %s", msg_flag (*msg_p, "refused") ? "refused" : "gone",
                      msg_str (*msg_p, "device"));
    if (!msg_is (*msg_p, "job.cancel"))
        return;
    self->cancelled = true;
    self->doomed = self->doomed || msg_flag (*msg_p, "end");
    self->ended = self->ended || msg_flag (*msg_p, "ended");
    auto(msg_t) reply = msg_reply ();
    actor_reply (actor, msg_p, &reply);
}

static void job_stop (actor_t *actor)
{
    job_actor_t *self = actor_state (actor);
    msg_destroy (&self->answer);
    free (self->helpers);
    zlistx_destroy (&self->undo);
    strings_destroy (&self->fates);
    guest_destroy (&self->base.guest);
    pack_close (&self->value);
    pack_close (&self->blocks);
}

const actor_class_t job_class = { .kind = "job",
                                  .state_size = sizeof (job_actor_t),
                                  .stop_rank = 0,
                                  .stack_size = 512 * 1024,
                                  .start = job_start,
                                  .handle = job_handle,
                                  .stop = job_stop };

const actor_class_t probe_job_class = { .kind = "job",
                                        .state_size = sizeof (job_actor_t),
                                        .stop_rank = 0,
                                        .stack_size = 512 * 1024,
                                        .start = probe_start,
                                        .handle = job_handle,
                                        .stop = job_stop };
