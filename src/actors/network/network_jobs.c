//  network_jobs.c: runs the jobs of a network, one after another, and takes their results.

#include "actors/jobs/job.h"
#include "actors/jobs/left_behind.h"
#include "actors/network/network_self.h"
#include "actors/runtime/switchboard.h"

enum {
    MAX_QUEUE = 256,
    ASK_MS = 60000,
    RETRY_MS = 5000,
    LOOK_MS = 100,       //  the first time that a part of it ended
    LOOK_MAX_MS = 60000, //  ... and if that happens again and again
    STEADY_MS = 60000    //  what has run for so long did not end at once
};

static void run (network_t *self, const network_operation_t *operation, msg_t **request_p);
static void follow_exit (network_t *self);

//  Results.

static void take_text (const value_t *result, const char *key, char **text_p)
{
    free (*text_p);
    *text_p = text_copy (value_get_str (result, key));
}

static void take_parts (network_t *self, const value_t *result)
{
    if (value_get (result, "config_summary")) {
        take_text (result, "definition", &self->definition);
        document_destroy (&self->config_summary);
        self->config_summary = document_of_value (value_get (result, "config_summary"));
    }
    if (value_get (result, "live_summary")) {
        take_text (result, "live", &self->live);
        document_destroy (&self->live_summary);
        self->live_summary = document_of_value (value_get (result, "live_summary"));
    }
    if (value_get (result, "record"))
        take_text (result, "record", &self->record);
    if (value_get (value_get (result, "value"), "plug")) {
        document_destroy (&self->plug);
        self->plug = document_of_value (value_get (value_get (result, "value"), "plug"));
    }
    document_destroy (&self->undo);
    if (value_get (result, "undo"))
        self->undo = document_of_value (value_get (result, "undo"));
    free (take (&self->recorded_live));
}

static msg_t *reply_of (const network_t *self, const network_operation_t *operation,
                        const value_t *value)
{
    msg_t *reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    if (network_tells_names (operation)) {
        pack_map (pack);
        pack_key_str (pack, "uuid", self->uuid);
        pack_key_str (pack, "name", self->name);
        pack_end (pack);
    } else if (value)
        pack_value (pack, value);
    return reply;
}

static void job_succeeded (network_t *self, const msg_t *reply)
{
    const network_operation_t *operation = self->running.operation;
    auto(msg_t) request = take (&self->running.request);
    const value_t *result = msg_value (reply), *value = value_get (result, "value");
    take_parts (self, result);
    self->running = (network_run_t){ 0 };
    operation->done (self, request, value);
    auto(msg_t) answer = request ? reply_of (self, operation, value) : NULL;
    network_commit (self, &request, &answer, false);
}

static void load_again (actor_t *actor, void *arg)
{
    (void) arg;
    run (actor_state (actor), &network_loading, NULL);
}

static void look_now (actor_t *actor, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    self->look_timer = 0;
    network_pump (self);
}

static void look_later (network_t *self, int ms)
{
    if (!self->look_timer)
        self->look_timer = actor_timer (self->actor, ms, look_now, NULL);
}

//  That it has no files any more is the end of it; that they can't be read now is not.
static void loading_failed (network_t *self, const error_t *err)
{
    if (err->code == ERR_NO_NETWORK)
        self->loading = false;
    else
        actor_timer (self->actor, RETRY_MS, load_again, NULL);
}

//  Those who wanted it ended have what they want.
static void answer_destroys (network_t *self)
{
    msg_t *first;
    while ((first = zlistx_first (self->queue)) && msg_is (first, "network.destroy")) {
        zlistx_detach (self->queue, NULL);
        auto(msg_t) reply = msg_reply ();
        network_commit (self, &first, &reply, false);
    }
}

static void job_failed (network_t *self, const error_t *err)
{
    const network_operation_t *operation = self->running.operation;
    auto(msg_t) request = take (&self->running.request);
    bool cancelled = self->running.cancelled;
    self->running = (network_run_t){ 0 };
    actor_log (self->actor, LEVEL_WARNING, "network '%s': %s failed: %s", self->name,
               operation->job, err->message);
    if (operation == &network_loading)
        loading_failed (self, err);
    if (network_is_start (operation)) {
        free (take (&self->recorded_live));
        free (take (&self->record));
        self->dirty = true;
    }
    //  Of an active network nothing is taken away because a change of it failed: what is missing is
    //  made again.
    if (network_active (self) && !network_is_start (operation) && operation != &network_loading) {
        document_destroy (&self->undo);
        self->dirty = self->look_due = true;
        look_later (self, RETRY_MS);
    }
    if (self->undo)
        look_later (self, cancelled ? LOOK_MS : RETRY_MS);
    auto(msg_t) answer = request ? msg_error (err) : NULL;
    network_commit (self, &request, &answer, false);
    if (cancelled && !self->undo)
        answer_destroys (self);
}

static void on_job_done (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    const network_operation_t *operation = self->running.operation;
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (failed && !msg_is_late (reply))
        actor_stop (actor, self->running.address); //  when it did not end in time
    if (operation == &network_loading)
        self->ready_due = true;
    if (failed)
        job_failed (self, &err);
    else
        job_succeeded (self, reply);
    follow_exit (self);
    network_pump (self);
}

//  Starting.

static void pack_guest (const network_t *self, const network_operation_t *operation,
                        const msg_t *request, pack_t *pack)
{
    const char *definition = self->definition;
    //  A transient network's comes with the request.
    if (network_is_start (operation) && request && msg_str (request, "definition"))
        definition = msg_str (request, "definition");
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", operation->job);
    pack_key_str (pack, "owner", actor_address (self->actor));
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_bool (pack, "transient", !self->persistent);
    pack_key_str (pack, "definition", definition);
    pack_key_str (pack, "live", self->live);
    pack_key_str (pack, "record", self->record);
}

static void pack_member (pack_t *pack, const msg_t *request, const char *key)
{
    const value_t *value = request ? value_get (msg_root (request), key) : NULL;
    if (!value)
        return;
    pack_key (pack, key);
    pack_value (pack, value);
}

static void run (network_t *self, const network_operation_t *operation, msg_t **request_p)
{
    network_run_t *running = &self->running;
    actor_check (self->actor, !running->operation);
    running->operation = operation;
    running->request = request_p ? take (request_p) : NULL;
    snprintf (running->address, sizeof running->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = msg_request ("run");
    pack_t *pack = msg_args (args);
    pack_guest (self, operation, running->request, pack);
    pack_member (pack, running->request, "args");
    pack_member (pack, running->request, "by");
    if (operation == &network_unwinding) {
        pack_key (pack, "undo");
        pack_value (pack, document_root (self->undo));
    }
    if (operation == &network_looking)
        self->look_due = false;
    actor_spawn_for (self->actor, running->request, running->address, &job_class, &args,
                     operation->limit_ms, on_job_done, NULL);
}

//  Admission.

static int check_needs (const network_t *self, const network_operation_t *operation, error_t *err)
{
    const char *verb = operation->verb;
    if ((operation->needs & NEED_ACTIVE) && !network_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "%s: network '%s' is not active", verb,
                          self->name);
    if ((operation->needs & NEED_INACTIVE) && network_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "%s: network '%s' is already active", verb,
                          self->name);
    if ((operation->needs & NEED_PERSISTENT) && !self->persistent)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: network '%s' is transient: it has no definition", verb, self->name);
    return 0;
}

static bool is_late (const network_t *self, const msg_t *msg)
{
    int64_t deadline = msg_head (msg)->deadline;
    return deadline > 0 && deadline <= actor_now (self->actor);
}

static void try_request (network_t *self, msg_t **msg_p)
{
    const network_operation_t *operation = network_operation (msg_verb (*msg_p));
    error_t err;
    if (is_late (self, *msg_p))
        msg_destroy (msg_p); //  nobody waits for it any more
    else if (check_needs (self, operation, &err))
        network_refuse (self, msg_p, &err);
    else
        run (self, operation, msg_p);
}

void network_pump (network_t *self)
{
    while (!self->running.operation && !self->loading) {
        msg_t *msg = NULL;
        if (self->undo && !self->look_timer)
            run (self, &network_unwinding, NULL);
        else if (self->look_due && !self->look_timer && network_active (self))
            run (self, &network_looking, NULL);
        else if (!self->undo && (msg = zlistx_detach (self->queue, NULL)))
            try_request (self, &msg);
        else
            return;
    }
}

static bool is_destroy (const msg_t *msg)
{
    return msg_is (msg, "network.destroy");
}

//  A start that nobody wants any more: it undoes what it did, and the destroy finds nothing to do.
static void cancel_start (network_t *self)
{
    network_run_t *running = &self->running;
    if (!running->operation || !network_is_start (running->operation) || running->cancelled)
        return;
    running->cancelled = true;
    auto(msg_t) cancel = msg_request ("job.cancel");
    actor_send (self->actor, running->address, &cancel);
}

void network_enqueue (network_t *self, msg_t **msg_p)
{
    bool destroy = is_destroy (*msg_p);
    if (zlistx_size (self->queue) >= MAX_QUEUE && !destroy) {
        error_t err;
        error_set (&err, ERR_RESOURCE_BUSY,
                   "network '%s': %d requests wait already; try again later", self->name,
                   MAX_QUEUE);
        err.retry = true;
        network_refuse (self, msg_p, &err);
        return;
    }
    if (destroy) {
        cancel_start (self);
        zlistx_add_start (self->queue, take (msg_p));
    } else
        zlistx_add_end (self->queue, take (msg_p));
    network_pump (self);
}

//  Loading. An owner that was started again waits for the jobs of the one before it.

static void on_job_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address, (void) down, (void) arg;
    network_t *self = actor_state (actor);
    if (--self->left_behind == 0)
        run (self, &network_loading, NULL);
}

static void on_actors (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    self->left_behind = left_behind_watch (actor, self->uuid, reply, &self->job_count, on_job_down);
    if (self->left_behind == 0)
        run (self, &network_loading, NULL);
}

void network_load (network_t *self)
{
    auto(msg_t) request = msg_request ("ps");
    actor_request (self->actor, SWITCHBOARD_ADDRESS, &request, ASK_MS, on_actors, NULL);
}

//  What jobs and others tell.

bool network_is_our_job (const network_t *self, const msg_t *msg)
{
    return strcmp (msg_head (msg)->from, self->running.address) == 0;
}

void network_take_record (network_t *self, msg_t **msg_p)
{
    if (!network_is_our_job (self, *msg_p)) {
        error_t err;
        error_set (&err, ERR_OPERATION_INVALID, "%s is no job of network '%s' any more",
                   msg_head (*msg_p)->from, self->name);
        network_refuse (self, msg_p, &err);
        return;
    }
    const value_t *undo = msg_arg (*msg_p, "undo");
    document_destroy (&self->undo);
    if (value_count (undo) > 0)
        self->undo = document_of_value (undo);
    free (self->record);
    self->record = text_copy (msg_str (*msg_p, "record"));
    free (self->recorded_live);
    self->recorded_live = text_copy (msg_str (*msg_p, "live"));
    self->dirty = true;
    auto(msg_t) reply = msg_reply ();
    network_commit (self, msg_p, &reply, true);
}

void network_take_undone (network_t *self, msg_t **msg_p)
{
    if (!network_is_our_job (self, *msg_p))
        return;
    document_destroy (&self->undo);
    self->dirty = true;
}

void network_look_again (network_t *self)
{
    if (!network_active (self))
        return;
    if (actor_now (self->actor) - self->up_ms > STEADY_MS)
        self->ends = 0;
    int ms = LOOK_MS;
    for (int i = 0; i < self->ends && ms < LOOK_MAX_MS; i++)
        ms *= 2;
    self->ends++;
    self->look_due = true;
    look_later (self, ms < LOOK_MAX_MS ? ms : LOOK_MAX_MS);
}

//  That a job ends its dnsmasq, or starts another, is no news: what counts is the record that it
//  leaves.
static void follow_exit (network_t *self)
{
    if (self->running.operation || !*self->exited || !self->record)
        return;
    bool ours = strstr (self->record, self->exited) != NULL;
    *self->exited = 0;
    if (!ours)
        return;
    actor_log (self->actor, LEVEL_WARNING, "network '%s': its dnsmasq ended; it is started again",
               self->name);
    network_look_again (self);
}

void network_take_exit (network_t *self, msg_t **msg_p)
{
    const char *process = msg_str (*msg_p, "process");
    snprintf (self->exited, sizeof self->exited, "%s", process ? process : "");
    follow_exit (self);
}

void network_take_gone_link (network_t *self, msg_t **msg_p)
{
    actor_log (self->actor, LEVEL_WARNING, "network '%s': somebody removed its link '%s'",
               self->name, msg_str (*msg_p, "name"));
    network_look_again (self);
}

//  From the host, which waits for the answer before it starts domains.
void network_start_by_itself (network_t *self, msg_t **msg_p)
{
    if (self->autostart && self->persistent && !network_active (self) && !self->loading) {
        auto(msg_t) again = msg_request ("network.create");
        actor_forward (self->actor, msg_p, actor_address (self->actor), &again);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    actor_reply (self->actor, msg_p, &reply);
}
