//  jobs_revert.c: a domain goes back to a snapshot. What runs is ended first, and its owner told;
//  from then on it is a start like any other.

#include "actors/jobs/jobs_snapshot.h"

#include "drivers/state.h"
#include "util/text.h"

enum {
    OWNER_MS = 60000
};

typedef struct {
    snapshot_tree_t *tree;
    xml_node_t *snapshot;
    xml_t *document;  //  of the hardware that it goes on with
    xml_t *next;      //  the definition that comes; NULL: it is the domain's by now
    xml_t *old;       //  the definition until then; NULL: it is not changed, or for good
    bool written;     //  the one that comes may be on disk, even if that is said to have failed
    bool running;     //  then, and
    bool paused;      //  neither of the two: shut off
    bool from_memory; //  it goes on from memory that the snapshot has
} revert_t;

static void revert_close (revert_t *self)
{
    snapshot_tree_destroy (&self->tree);
    xml_destroy (&self->document);
    xml_destroy (&self->next);
    xml_destroy (&self->old);
}

static bool asked (const job_actor_t *self, const char *flag)
{
    return value_bool (job_arg (self, flag), false);
}

//  Checks: nothing has happened yet.

static xml_t *completed (job_actor_t *self, xml_t **document_p, error_t *err)
{
    auto(xml_t) document = take (document_p);
    //  The domain may have been renamed since.
    xml_set (xml_root (document), "name", self->base.guest->name);
    return self->driver->complete (&self->base, document, err) ? NULL : take (&document);
}

static xml_t *document_of (job_actor_t *self, const xml_node_t *snapshot, bool inactive,
                           error_t *err)
{
    const guest_t *guest = self->base.guest;
    xml_t *document = snapshot_domain (snapshot, inactive);
    if (document && !xml_equals (xml_root (document), "uuid", guest->uuid)) {
        xml_destroy (&document);
        error_set (err, ERR_INVALID_DOMAIN_SNAPSHOT, "it is of another domain");
        return NULL;
    }
    if (!document && !asked (self, "force")) {
        error_set (err, ERR_SNAPSHOT_REVERT_RISKY,
                   "it does not say which hardware the domain had; with force it gets the "
                   "definition's");
        return NULL;
    }
    if (!document)
        document = xml_copy (guest->definition);
    return completed (self, &document, err);
}

static int choose_state (job_actor_t *self, revert_t *revert, error_t *err)
{
    const char *state = xml_string (revert->snapshot, "state");
    bool running = asked (self, "running"), paused = asked (self, "paused");
    if (running && paused)
        return error_set (err, ERR_INVALID_ARG, "'running' and 'paused' contradict each other");
    revert->from_memory = snapshot_was_active (revert->snapshot);
    revert->running = running || (!paused && revert->from_memory && text_equals (state, "running"));
    revert->paused = !revert->running && (paused || revert->from_memory);
    if (self->transient && !revert->running && !revert->paused)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the domain is transient, and would be gone: say running or paused");
    return 0;
}

static int prepare (job_actor_t *self, revert_t *revert, error_t *err)
{
    if (!self->driver->snapshot_check)
        return job_unsupported (self, "revert", err);
    revert->tree = job_load_snapshots (self, err);
    revert->snapshot = revert->tree ? job_named_snapshot (self, revert->tree, err) : NULL;
    if (!revert->snapshot || choose_state (self, revert, err) ||
        job_check_no_managed_save (self, err))
        return -1;
    revert->document = document_of (self, revert->snapshot, !revert->from_memory, err);
    revert->next = revert->document ? document_of (self, revert->snapshot, true, err) : NULL;
    return revert->next ? self->driver->snapshot_check (&self->base, revert->snapshot, err) : -1;
}

//  From here on what ran is lost.

static int end_guest (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    if (!guest->live)
        return 0;
    if (self->driver->destroy (&self->base, false, err))
        return -1;
    auto(msg_t) msg = msg_request ("job.guest_over");
    if (job_tell (self, self->owner, &msg, OWNER_MS, err))
        return -1;
    xml_destroy (&guest->live);
    xml_destroy (&guest->record);
    guest->id = -1;
    guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    return 0;
}

static int set_definition (job_actor_t *self, revert_t *revert, error_t *err)
{
    job_t *job = &self->base;
    revert->old = job->guest->definition;
    job->guest->definition = take (&revert->next);
    if (!self->transient)
        self->parts |= PART_DEFINITION;
    if (!self->driver->snapshot_branch)
        return 0;
    return self->driver->snapshot_branch (job, revert->snapshot,
                                          revert->from_memory ? revert->document : NULL, err);
}

//  For good.
static int keep_definition (job_actor_t *self, revert_t *revert, error_t *err)
{
    revert->written = true;
    if (job_write_definition (&self->base, err))
        return -1;
    xml_destroy (&revert->old);
    return 0;
}

static void write_old (job_actor_t *self)
{
    error_t err;
    self->unwinding = true;
    if (job_write_definition (&self->base, &err))
        job_log (&self->base, "domain '%s': write its old definition again: %s",
                 self->base.guest->name, err.message);
    self->unwinding = false;
}

//  Undo is about what is on disk.
static void put_back_definition (job_actor_t *self, revert_t *revert)
{
    if (!revert->old)
        return;
    xml_destroy (&self->base.guest->definition);
    self->base.guest->definition = take (&revert->old);
    if (revert->written)
        write_old (self);
}

static int set_current (job_actor_t *self, const revert_t *revert, error_t *err)
{
    snapshot_tree_set_current (revert->tree, snapshot_name (revert->snapshot));
    return job_save_snapshots (self, revert->tree, err);
}

//  As with a restore: durable with nothing to undo before it runs, so that no daemon undoes a guest
//  that ran.
static int let_run (job_actor_t *self, revert_t *revert, error_t *err)
{
    guest_t *guest = self->base.guest;
    error_t failed = { 0 };
    guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_FROM_SNAPSHOT };
    if (keep_definition (self, revert, err) || job_commit (&self->base, err))
        return -1;
    if (!revert->running)
        return 0;
    if (self->driver->resume (&self->base, &failed))
        job_log (&self->base, "domain '%s' is back at its snapshot, but paused: %s", guest->name,
                 failed.message);
    else
        guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_FROM_SNAPSHOT };
    return 0;
}

static int go_on_from_memory (job_actor_t *self, revert_t *revert, error_t *err)
{
    if (job_next_id (self, err) ||
        self->driver->snapshot_start (&self->base, revert->snapshot, revert->document, err) ||
        set_current (self, revert, err) || let_run (self, revert, err))
        return -1;
    self->parts |= PART_LIVE | PART_STATUS;
    return 0;
}

static int go_back_shut_off (job_actor_t *self, revert_t *revert, error_t *err)
{
    guest_t *guest = self->base.guest;
    if (self->driver->snapshot_apply (&self->base, revert->snapshot, err) ||
        set_current (self, revert, err))
        return -1;
    guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    self->parts |= PART_STATUS;
    if (!revert->running && !revert->paused)
        return keep_definition (self, revert, err) || job_commit (&self->base, err) ? -1 : 0;
    if (job_next_id (self, err) || self->driver->start (&self->base, START_PAUSED, err) ||
        let_run (self, revert, err))
        return -1;
    self->parts |= PART_LIVE;
    return 0;
}

static int revert_domain (job_actor_t *self, revert_t *revert, error_t *err)
{
    if (prepare (self, revert, err) || end_guest (self, err) || set_definition (self, revert, err))
        return -1;
    return revert->from_memory ? go_on_from_memory (self, revert, err)
                               : go_back_shut_off (self, revert, err);
}

int job_run_snapshot_revert (job_actor_t *self, error_t *err)
{
    revert_t revert = { .tree = NULL };
    int rc = revert_domain (self, &revert, err);
    if (rc)
        put_back_definition (self, &revert);
    revert_close (&revert);
    return rc ? error_prefix (err, "revert domain '%s' to snapshot '%s'", self->base.guest->name,
                              value_str (job_arg (self, "snapshot")))
              : 0;
}
