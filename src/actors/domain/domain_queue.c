//  domain_queue.c: which requests a domain's owner admits, which wait, and in which order.

#include "actors/domain/domain.h"
#include "actors/domain/domain_self.h"
#include "util/text.h"

enum {
    SHOW_QUEUE_MS =
        20 //  a snapshot of all who wait for each of many that come at once costs too much
};

//  Is the domain what the verb needs?
static int check_needs (const domain_t *self, const operation_t *operation, error_t *err)
{
    const char *verb = operation->verb;
    if ((operation->needs & NEED_ACTIVE) && !domain_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' is not running", verb,
                          self->name);
    if ((operation->needs & NEED_INACTIVE) && domain_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' is %s", verb, self->name,
                          operation->class == CLASS_START ? "already running"
                                                          : "running; shut it off first");
    if ((operation->needs & NEED_PERSISTENT) && !self->persistent)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: domain '%s' is transient: it has no definition", verb, self->name);
    if (operation->class == CLASS_START && !self->definition)
        return error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' has no definition", verb,
                          self->name);
    return 0;
}

static void admit (domain_t *self, msg_t **msg_p, const operation_t *operation)
{
    error_t err;
    if (check_needs (self, operation, &err)) {
        domain_refuse (self, msg_p, &err);
        return;
    }
    running_t *slot = operation->async == ASYNC_NONE ? &self->sync : &self->async;
    domain_run (self, slot, operation, msg_p);
}

async_kind_t domain_async_kind (const domain_t *self)
{
    async_kind_t pending = domain_pending_migration (self);
    if (pending != ASYNC_NONE)
        return pending;
    async_kind_t kind = self->async.operation ? self->async.operation->async : ASYNC_NONE;
    return kind == ASYNC_SNAPSHOT && self->async.written ? ASYNC_SNAPSHOT_WRITTEN : kind;
}

static void make_way (domain_t *self, bool graceful)
{
    domain_cancel (self, &self->async, !graceful);
    if (self->sync.operation && self->sync.operation->class != CLASS_DESTROY)
        domain_cancel (self, &self->sync, false);
}

static void refuse_beside (domain_t *self, msg_t **msg_p, verb_class_t class)
{
    error_t err;
    if (class == CLASS_MIGRATION)
        error_set (&err, ERR_OPERATION_INVALID, "%s: no migration of domain '%s' is under way",
                   msg_verb (*msg_p), self->name);
    else
        error_set (&err, ERR_OPERATION_INVALID,
                   "%s: not possible while domain '%s' is in the job '%s'", msg_verb (*msg_p),
                   self->name, async_kind_name (domain_async_kind (self)));
    domain_refuse (self, msg_p, &err);
}

//  Limits can be set ahead; how post-copy begins or breaks is about what is under way.
static verb_class_t class_of (const operation_t *operation, const msg_t *msg)
{
    bool steers = msg_flag (msg, "postcopy") || msg_flag (msg, "break_postcopy");
    return operation->class == CLASS_LIMITS && steers ? CLASS_MIGRATION : operation->class;
}

//  True if the request was dealt with, false if it has to wait.
static bool try_request (domain_t *self, msg_t **msg_p)
{
    verb_class_t class = CLASS_QUERY;
    const char *verb = msg_verb (*msg_p);
    const operation_t *operation = domain_operation (verb);
    direct_fn *direct = domain_direct (verb, &class);
    if (operation)
        class = class_of (operation, *msg_p);
    if (self->loading)
        return false; //  not even a destroy: what is there is not known yet
    if (domain_errands_take (self, msg_p))
        return true; //  it came while that was so
    bool changing = self->sync.operation || (self->undo && !self->async.operation);
    verdict_t verdict = admission_verdict (domain_async_kind (self), changing, class);
    if (verdict == ADMIT_REFUSE) {
        refuse_beside (self, msg_p, class);
        return true;
    }
    if (verdict == ADMIT_CANCEL)
        make_way (self, msg_flag (*msg_p, "graceful"));
    //  What is pending is no job: nothing has to end before.
    if (verdict == ADMIT_CANCEL && !self->async.operation && !changing)
        verdict = ADMIT_YES;
    //  A change of the definition is not admitted while an earlier one is on its way to the disk.
    bool changes = class == CLASS_MODIFY || class == CLASS_HOTPLUG;
    if (verdict != ADMIT_YES || (changes && zlistx_size (self->publications) > 0))
        return false;
    if (direct)
        direct (self, msg_p);
    else if (!domain_errands_take_power (self, msg_p))
        admit (self, msg_p, operation);
    return true;
}

//  The requester has got its error when the deadline passed; do nothing that nobody waits for.
static bool is_late (const domain_t *self, const msg_t *msg)
{
    int64_t deadline = msg_head (msg)->deadline;
    return deadline > 0 && deadline <= actor_now (self->actor);
}

void waiting_destroy (waiting_t **self_p)
{
    waiting_t *self = take (self_p);
    msg_destroy (&self->msg);
    free (self);
}

static void leave_queue (domain_t *self, waiting_t **waiting_p)
{
    zlistx_detach (self->queue, zlistx_find (self->queue, *waiting_p));
    waiting_destroy (waiting_p);
    self->queue_changed = true;
}

static void look_at_deadlines (actor_t *actor, void *arg);

//  When the first of the waiting passes its deadline, the list that is shown changes.
static void watch_deadlines (domain_t *self)
{
    int64_t first = INT64_MAX;
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue))
        if (msg_head (each->msg)->deadline > 0 && msg_head (each->msg)->deadline < first)
            first = msg_head (each->msg)->deadline;
    actor_timer_cancel (self->actor, &self->queue_timer);
    int64_t left = first - actor_now (self->actor);
    if (first != INT64_MAX)
        self->queue_timer =
            actor_timer (self->actor, left < 1 ? 1 : (int) left + 1, look_at_deadlines, NULL);
}

static void show_queue_again (actor_t *actor, void *arg);

//  Who waits, and for what, is shown: at once, unless it was a moment ago.
static void show_queue (domain_t *self)
{
    if (!self->queue_changed || self->loading || self->show_queue_timer)
        return;
    self->queue_changed = false; //  also if nothing is shown any more
    self->show_queue_timer = actor_timer (self->actor, SHOW_QUEUE_MS, show_queue_again, NULL);
    domain_commit (self, NULL, NULL, NULL);
}

static void show_queue_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->show_queue_timer = 0;
    show_queue (self);
}

//  First come, first served: what has to wait keeps all behind it waiting.
void domain_pump (domain_t *self)
{
    if (self->pumping)
        return;
    self->pumping = true;
    waiting_t *first;
    while ((first = zlistx_first (self->queue))) {
        if (!is_late (self, first->msg) && !try_request (self, &first->msg))
            break;
        leave_queue (self, &first);
    }
    self->pumping = false;
    if (self->queue_changed && !self->loading)
        watch_deadlines (self);
    show_queue (self);
}

static waiting_t *find_late (const domain_t *self)
{
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue))
        if (is_late (self, each->msg))
            return each;
    return NULL;
}

static void drop_late (domain_t *self)
{
    waiting_t *late;
    while ((late = find_late (self))) {
        leave_queue (self, &late);
    }
}

static void look_at_deadlines (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->queue_timer = 0;
    drop_late (self);
    watch_deadlines (self);
    domain_commit (self, NULL, NULL, NULL);
}

static void queue_request (domain_t *self, msg_t **msg_p, bool urgent)
{
    waiting_t *waiting = memory_new (1, sizeof *waiting);
    waiting->number = ++self->waiting_count;
    waiting->since_us = actor_wall_clock (self->actor);
    waiting->msg = take (msg_p);
    if (urgent)
        zlistx_add_start (self->queue, waiting);
    else
        zlistx_add_end (self->queue, waiting);
    self->queue_changed = true;
}

void domain_enqueue (domain_t *self, msg_t **msg_p)
{
    const operation_t *operation = domain_operation (msg_verb (*msg_p));
    bool urgent = operation && operation->class == CLASS_DESTROY;
    if (zlistx_size (self->queue) >= DOMAIN_MAX_QUEUE && !urgent) {
        error_t err;
        error_set (&err, ERR_RESOURCE_BUSY,
                   "domain '%s': %d requests wait already; try again later", self->name,
                   DOMAIN_MAX_QUEUE);
        err.retry = true;
        domain_refuse (self, msg_p, &err);
        return;
    }
    queue_request (self, msg_p, urgent);
    domain_pump (self);
}

static bool is_destroy (const waiting_t *waiting)
{
    const operation_t *operation = waiting->msg ? domain_operation (msg_verb (waiting->msg)) : NULL;
    return operation && operation->class == CLASS_DESTROY;
}

static waiting_t *take_destroy (domain_t *self)
{
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue))
        if (is_destroy (each)) {
            self->queue_changed = true;
            return zlistx_detach (self->queue, zlistx_cursor (self->queue));
        }
    return NULL;
}

bool domain_destroy_waits (const domain_t *self)
{
    const waiting_t *first = zlistx_first (self->queue);
    return first && is_destroy (first) && !is_late (self, first->msg);
}

void domain_answer_destroys (domain_t *self)
{
    waiting_t *waiting;
    while ((waiting = take_destroy (self))) {
        auto(msg_t) reply = msg_reply ();
        domain_commit (self, &waiting->msg, &reply, NULL);
        waiting_destroy (&waiting);
    }
}

//  Showing.

static void pack_asker (pack_t *pack, const msg_t *request)
{
    const value_t *by = request ? value_get (msg_root (request), "by") : NULL;
    pack_key (pack, "by");
    if (by)
        pack_value (pack, by);
    else
        pack_nil (pack);
}

//  What goes on between two of its jobs.
static void pack_pending (const domain_t *self, pack_t *pack)
{
    bool incoming = self->migration->incoming;
    pack_map (pack);
    pack_key_str (pack, "kind", incoming ? "migrate_receive" : "migrate");
    pack_key_str (pack, "verb", incoming ? "migration.receive" : "domain.migrate");
    pack_key_bool (pack, "async", true);
    pack_key_i64 (pack, "since_us", self->migration->since_us);
    pack_key (pack, "progress");
    pack_nil (pack);
    pack_asker (pack, NULL);
    pack_end (pack);
}

void domain_pack_job (const domain_t *self, pack_t *pack)
{
    const running_t *slot = self->async.operation ? &self->async : &self->sync;
    pack_key (pack, "job");
    if (!self->async.operation && domain_active (self) &&
        domain_pending_migration (self) != ASYNC_NONE) {
        pack_pending (self, pack);
        return;
    }
    if (!slot->operation || slot->over) {
        pack_nil (pack);
        return;
    }
    pack_map (pack);
    pack_key_str (pack, "kind", slot->operation->job);
    pack_key_str (pack, "verb", slot->operation->verb);
    pack_key_bool (pack, "async", slot == &self->async);
    pack_key_i64 (pack, "since_us", slot->since_us);
    pack_key (pack, "progress");
    if (slot == &self->async && self->progress)
        pack_value (pack, document_root (self->progress));
    else
        pack_nil (pack);
    if (slot->operation == &domain_backup_follow)
        past_jobs_pack_by (self->past, pack);
    else
        pack_asker (pack, slot->request);
    pack_end (pack);
}

void domain_pack_waiting (domain_t *self, pack_t *pack)
{
    self->queue_changed = false;
    pack_key_array (pack, "waiting");
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue)) {
        if (!each->msg)
            continue; //  it is being dealt with at this moment
        pack_map (pack);
        pack_key_u64 (pack, "number", each->number);
        pack_key_str (pack, "verb", msg_verb (each->msg));
        pack_key_i64 (pack, "since_us", each->since_us);
        pack_asker (pack, each->msg);
        pack_end (pack);
    }
    pack_end (pack);
}

//  Aborting.

static waiting_t *find_waiting (domain_t *self, uint64_t number)
{
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue))
        if (each->number == number)
            return each;
    return NULL;
}

static int abort_waiting (domain_t *self, uint64_t number, error_t *err)
{
    waiting_t *waiting = find_waiting (self, number);
    if (!waiting)
        return error_set (err, ERR_OPERATION_INVALID,
                          "domain.job_abort: no request %llu waits at domain '%s'; 'troupe jobs' "
                          "lists them",
                          (unsigned long long) number, self->name);
    error_t aborted;
    error_set (&aborted, ERR_OPERATION_ABORTED, "%s of domain '%s' was aborted while it waited",
               msg_verb (waiting->msg), self->name);
    domain_refuse (self, &waiting->msg, &aborted);
    leave_queue (self, &waiting);
    return 0;
}

bool domain_drop_waiting (domain_t *self, const char *verb, const char *token, const error_t *err)
{
    for (waiting_t *each = zlistx_first (self->queue); each; each = zlistx_next (self->queue))
        if (each->msg && msg_is (each->msg, verb) &&
            text_equals (msg_str (each->msg, "token"), token)) {
            domain_refuse (self, &each->msg, err);
            leave_queue (self, &each);
            return true;
        }
    return false;
}

static bool writes_memory_only (const running_t *slot)
{
    return slot->operation->async == ASYNC_DUMP && slot->request &&
           msg_flag (slot->request, "memory_only");
}

static int abort_running (domain_t *self, error_t *err)
{
    if (!self->async.operation && self->undo)
        return error_set (
            err, ERR_OPERATION_INVALID,
            "domain.job_abort: domain '%s' takes back what a job had begun; that goes "
            "to its end",
            self->name);
    if (!self->async.operation && domain_pending_migration (self) != ASYNC_NONE)
        return error_set (err, ERR_OPERATION_INVALID,
                          self->migration->incoming
                              ? "domain.job_abort: domain '%s' is being received: abort its "
                                "migration where it comes from, or destroy it here"
                              : "domain.job_abort: domain '%s' was handed over: the other host is "
                                "asked whether it runs there",
                          self->name);
    if (!self->async.operation)
        return error_set (err, ERR_OPERATION_INVALID,
                          "domain.job_abort: no job is active on domain '%s'", self->name);
    if (writes_memory_only (&self->async))
        return error_set (
            err, ERR_OPERATION_INVALID,
            "domain.job_abort: domain '%s' is in a memory-only dump, which QEMU can't "
            "cancel: wait for its end, or destroy the domain",
            self->name);
    domain_cancel (self, &self->async, false);
    return 0;
}

void domain_abort (domain_t *self, msg_t **msg_p)
{
    uint64_t number;
    error_t err;
    bool given = value_u64 (msg_arg (*msg_p, "number"), &number);
    if (given ? abort_waiting (self, number, &err) : abort_running (self, &err)) {
        domain_refuse (self, msg_p, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    domain_commit (self, msg_p, &reply, NULL);
    domain_pump (self);
}
