//  domain_errands.c: what is asked of a guest's agent. Each errand is a job that no slot waits for,
//  beside all others: an agent that is dead holds up only who asked it.

#include "actors/domain/domain_self.h"
#include "actors/jobs/job.h"
#include "util/text.h"

enum {
    MAX_ERRANDS = 32,
    SHORT_MS = 120000,
    FREEZE_MS = 10 * 60000, //  a guest writes its caches first
    TRIM_MS = 11 * 60000,
    LONG_MS = 24 * 3600000,
    POWER_MS = 75000
};

//  WITHOUT: the job does not need the inactive document.
#define ERRAND(verb, job, limit_ms, without)                                                       \
    {                                                                                              \
        verb, CLASS_AGENT, ASYNC_NONE, job, NEED_ACTIVE, limit_ms, without, NULL                   \
    }

static const operation_t errands[] = {
    ERRAND ("domain.agent_command", "agent.command", LONG_MS, true),
    ERRAND ("domain.fs_freeze", "agent.fs_freeze", FREEZE_MS, true),
    ERRAND ("domain.fs_thaw", "agent.fs_thaw", FREEZE_MS, true),
    ERRAND ("domain.fs_info", "agent.fs_info", SHORT_MS, true),
    ERRAND ("domain.fs_trim", "agent.fs_trim", TRIM_MS, true),
    ERRAND ("domain.guest_info", "agent.guest_info", SHORT_MS, true),
    ERRAND ("domain.hostname", "agent.hostname", SHORT_MS, true),
    ERRAND ("domain.interface_addresses", "agent.interfaces", SHORT_MS, true),
    ERRAND ("domain.time", "agent.time", SHORT_MS, true),
    ERRAND ("domain.time_set", "agent.time_set", SHORT_MS, true),
    ERRAND ("domain.guest_vcpus", "agent.vcpus", SHORT_MS, true),
    ERRAND ("domain.guest_vcpus_set", "agent.vcpus_set", SHORT_MS, true),
    ERRAND ("domain.password_set", "agent.password_set", SHORT_MS, true),
    ERRAND ("domain.pm_suspend", "agent.pm_suspend", SHORT_MS, true),
    ERRAND ("domain.ssh_keys", "agent.ssh_keys", SHORT_MS, true),
    ERRAND ("domain.ssh_keys_set", "agent.ssh_keys_set", SHORT_MS, true),
};

//  Verbs that ACPI does as well.
static const operation_t powers[] = {
    ERRAND ("domain.shutdown", "agent.shutdown", POWER_MS, false),
    ERRAND ("domain.reboot", "agent.reboot", POWER_MS, true),
};

//  What a job froze, and nobody thawed.
static const operation_t thawing = ERRAND ("", "agent.thaw", SHORT_MS, true);

static const operation_t *find_in (const operation_t *table, size_t count, const char *verb)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp (table[i].verb, verb) == 0)
            return &table[i];
    return NULL;
}

static const operation_t *find_errand (const char *verb)
{
    return find_in (errands, sizeof errands / sizeof *errands, verb);
}

static const operation_t *find_power (const char *verb)
{
    return find_in (powers, sizeof powers / sizeof *powers, verb);
}

typedef struct {
    const operation_t *operation;
    msg_t *request; //  NULL: nobody asked
    char address[MSG_ADDRESS_MAX];
} errand_t;

static void errand_destroy (errand_t **self_p)
{
    errand_t *self = take (self_p);
    msg_destroy (&self->request);
    free (self);
}

void domain_errands_close (domain_t *self)
{
    errand_t *errand;
    while (self->errands && (errand = zlistx_detach (self->errands, NULL)))
        errand_destroy (&errand);
    zlistx_destroy (&self->errands);
}

static int check_agent (const domain_t *self, error_t *err)
{
    if (!self->driver->agent)
        return error_set (err, ERR_NO_SUPPORT, "the driver '%s' has no guest agents",
                          self->driver->name);
    if (!*self->agent_alias)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "no guest agent is configured: the domain has no <channel type='unix'> "
                          "with <target type='virtio' name='" CHANNEL_AGENT_NAME "'/>");
    if (self->status.state != STATE_RUNNING)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the guest does not run at present, and its agent can't answer");
    if (self->agent == CHANNEL_CLOSED)
        return error_set (err, ERR_AGENT_UNRESPONSIVE,
                          "the guest agent is not connected: qemu-ga does not run in the guest");
    return 0;
}

static int check_errand (const domain_t *self, error_t *err)
{
    if (!domain_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "it is not running");
    async_kind_t kind = domain_async_kind (self);
    if (admission_verdict (kind, self->sync.operation != NULL, CLASS_AGENT) != ADMIT_YES)
        return error_set (err, ERR_OPERATION_INVALID, "not possible during the job '%s'",
                          async_kind_name (kind));
    if (check_agent (self, err))
        return -1;
    if (zlistx_size (self->errands) < MAX_ERRANDS)
        return 0;
    error_set (err, ERR_RESOURCE_BUSY, "%d requests to its agent are open already; try again later",
               MAX_ERRANDS);
    err->retry = true;
    return -1;
}

//  Power: "agent,acpi" asks the agent, and ACPI if that fails; "acpi,agent" the other way round.
//  Without a mode the agent comes first if it is connected.

//  The request comes once more, with the mode that is left.
static void fall_back (domain_t *self, msg_t **request_p, const char *mode, const error_t *err)
{
    actor_log (self->actor, LEVEL_INFO, "domain '%s': %s failed: %s; trying it by %s", self->name,
               msg_verb (*request_p), err->message, mode);
    auto(msg_t) again = msg_request (msg_verb (*request_p));
    pack_key_str (msg_args (again), "domain", self->uuid);
    pack_key_str (msg_args (again), "mode", mode);
    msg_header (*request_p)->deadline = actor_now (self->actor) + SHORT_MS;
    actor_admit (self->actor, *request_p, SHORT_MS);
    actor_forward (self->actor, request_p, actor_address (self->actor), &again);
}

bool domain_errands_fall_back (domain_t *self, msg_t **request_p, const error_t *err)
{
    const char *mode = find_power (msg_verb (*request_p)) ? msg_str (*request_p, "mode") : NULL;
    if (!text_equals (mode, "acpi,agent") || !self->driver->agent)
        return false;
    fall_back (self, request_p, "agent", err);
    return true;
}

static void answer_errand (domain_t *self, errand_t *errand, const msg_t *reply)
{
    error_t err;
    bool failed = msg_failed (reply, &err);
    const char *mode = msg_str (errand->request, "mode");
    if (failed && find_power (msg_verb (errand->request)) && !text_equals (mode, "agent")) {
        fall_back (self, &errand->request, "acpi", &err);
        return;
    }
    auto(msg_t) answer = failed ? msg_error (&err) : msg_reply ();
    const value_t *value = failed ? NULL : value_get (msg_value (reply), "value");
    if (value)
        pack_value (msg_result (answer), value);
    domain_answer (self, &errand->request, &answer);
}

static void on_errand_done (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    errand_t *errand = arg;
    error_t err;
    zlistx_detach (self->errands, zlistx_find (self->errands, errand));
    if (errand->request)
        answer_errand (self, errand, reply);
    if (errand->operation == &thawing) {
        self->thawing = false;
        self->thawed = !msg_failed (reply, &err);
        if (!self->thawed)
            domain_agent_try_again (self);
    }
    //  Past its limit, the job is of no use to anybody.
    actor_stop (actor, errand->address);
    errand_destroy (&errand);
    domain_settle (self);
}

//  Whoever set a time to wait for the agent, in the record, has the last word.
static int limit_of (const domain_t *self, const operation_t *operation)
{
    bool said = self->record && strstr (self->record, "<agent ");
    return said ? LONG_MS : operation->limit_ms;
}

static void run_errand (domain_t *self, const operation_t *operation, msg_t **request_p)
{
    errand_t *errand = memory_new (1, sizeof *errand);
    errand->operation = operation;
    errand->request = request_p ? take (request_p) : NULL;
    zlistx_add_end (self->errands, errand);
    snprintf (errand->address, sizeof errand->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = domain_job_arguments (self, operation, errand->request);
    actor_spawn_for (self->actor, errand->request, errand->address, &job_class, &args,
                     limit_of (self, operation), on_errand_done, errand);
}

static void take_errand (domain_t *self, const operation_t *operation, msg_t **request_p)
{
    error_t err;
    if (check_errand (self, &err)) {
        error_prefix (&err, "%s: domain '%s'", operation->verb, self->name);
        domain_refuse (self, request_p, &err);
        return;
    }
    run_errand (self, operation, request_p);
}

bool domain_errand (const char *verb)
{
    return find_errand (verb) != NULL;
}

bool domain_errands_take (domain_t *self, msg_t **msg_p)
{
    const operation_t *operation = find_errand (msg_verb (*msg_p));
    if (operation)
        take_errand (self, operation, msg_p);
    return operation != NULL;
}

bool domain_errands_take_power (domain_t *self, msg_t **msg_p)
{
    const operation_t *operation = find_power (msg_verb (*msg_p));
    const char *mode = operation ? msg_str (*msg_p, "mode") : NULL;
    error_t ignored;
    if (!operation || !self->driver->agent || (mode && !text_starts (mode, "agent")))
        return false;
    if (text_equals (mode, "agent") ||
        (self->agent == CHANNEL_OPEN && check_errand (self, &ignored) == 0)) {
        take_errand (self, operation, msg_p);
        return true;
    }
    return false;
}

//  A freeze in the record is that of a job (drivers/driver.h). Outside of one it is left over.
void domain_errands_settle (domain_t *self)
{
    bool frozen = self->record && strstr (self->record, "<freeze");
    if (!frozen || self->async.operation || self->undo) {
        self->thawed = false;
        return;
    }
    if (self->thawed && !self->sync.operation) {
        self->thawed = false;
        domain_run (self, &self->sync, &domain_thawed, NULL);
    } else if (!self->thawed && !self->thawing && !self->retry_agent && !self->loading &&
               self->agent != CHANNEL_CLOSED && self->agent_runs) {
        self->thawing = true;
        run_errand (self, &thawing, NULL);
    }
}
