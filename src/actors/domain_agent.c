//  domain_agent.c: the guest's agent, as its domain's owner sees it: whether the guest has its
//  channel open, the actor that is connected to it, and what is asked of it. That runs beside
//  everything else, in jobs that no slot waits for: a dead agent holds up only who asked it.

#include "actors/agent.h"
#include "actors/domain_self.h"
#include "actors/job.h"
#include "util/text.h"

enum {
    MAX_ERRANDS = 32,
    SHORT_MS = 120000,
    FREEZE_MS = 10 * 60000, //  a guest writes its caches first
    LONG_MS = 24 * 3600000,
    POWER_MS = 75000,
    ANSWER_MS = 1000, //  from the end of a job to its answer
    AGAIN_MS = 5000,
    SPAWN_MS = 10000
};

static const operation_t errands[] = {
    { "domain.agent_command", CLASS_AGENT, ASYNC_NONE, "agent.command", NEED_ACTIVE, LONG_MS, true,
      NULL },
    { "domain.fs_freeze", CLASS_AGENT, ASYNC_NONE, "agent.fs_freeze", NEED_ACTIVE, FREEZE_MS, true,
      NULL },
    { "domain.fs_thaw", CLASS_AGENT, ASYNC_NONE, "agent.fs_thaw", NEED_ACTIVE, FREEZE_MS, true,
      NULL },
};

//  Asked at first, when the agent is there or no other way is allowed.
static const operation_t powers[] = {
    { "domain.shutdown", CLASS_AGENT, ASYNC_NONE, "agent.shutdown", NEED_ACTIVE, POWER_MS, false,
      NULL },
    { "domain.reboot", CLASS_AGENT, ASYNC_NONE, "agent.reboot", NEED_ACTIVE, POWER_MS, true, NULL },
};

//  What a job froze, and nobody thawed.
static const operation_t thawing = { "",          CLASS_AGENT, ASYNC_NONE, "agent.thaw",
                                     NEED_ACTIVE, SHORT_MS,    true,       NULL };

static const operation_t *find_in (const operation_t *table, size_t count, const char *verb)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp (table[i].verb, verb) == 0)
            return &table[i];
    return NULL;
}

//  What the guest says of its channels.

//  virConnectDomainEventAgentLifecycleState and -Reason, in its tools' words.
static const char *const state_words[] = {
    [CHANNEL_UNKNOWN] = "", [CHANNEL_OPEN] = "connected", [CHANNEL_CLOSED] = "disconnected"
};
static const char *const reason_words[] = {
    [AGENT_REASON_UNKNOWN] = "unknown",
    [AGENT_REASON_STARTED] = "domain started",
    [AGENT_REASON_CHANNEL] = "channel event",
};

const char *domain_agent_state (const domain_t *self)
{
    return state_words[self->agent];
}

typedef struct {
    channel_state_t state;
    agent_reason_t reason;
} agent_news_t;

static void pack_news (pack_t *pack, const void *arg)
{
    const agent_news_t *news = arg;
    pack_key_i64 (pack, "state", news->state);
    pack_key_i64 (pack, "reason", news->reason);
    pack_key_str (pack, "state_text", state_words[news->state]);
    pack_key_str (pack, "reason_text", reason_words[news->reason]);
}

static void tell_actor (domain_t *self, const char *verb)
{
    if (!self->agent_runs)
        return;
    auto(msg_t) msg = msg_request (verb);
    pack_key_bool (msg_args (msg), "open", self->agent == CHANNEL_OPEN);
    actor_send (self->actor, self->agent_address, &msg);
}

//  A state that an earlier daemon knew, and that is still so, is no news.
static void set_agent (domain_t *self, channel_state_t state, agent_reason_t reason)
{
    bool first = self->agent == CHANNEL_UNKNOWN;
    if (self->agent == state || state == CHANNEL_UNKNOWN)
        return;
    self->agent = state;
    tell_actor (self, "agent.port");
    agent_news_t news = { state, reason };
    if (!first || reason == AGENT_REASON_STARTED)
        domain_add_event (self, "domain.agent", pack_news, &news);
}

static const char *news_of (const domain_t *self, const char *alias)
{
    return self->ports ? zhashx_lookup (self->ports, alias) : NULL;
}

void domain_agent_follow (domain_t *self, agent_reason_t reason)
{
    error_t err;
    channel_t channel;
    auto(xml_t) live = self->live ? domain_outline (self->live_summary, &err) : NULL;
    *self->agent_alias = 0;
    if (!live || !self->driver->agent || !channel_find_agent (live, &channel))
        return;
    snprintf (self->agent_alias, sizeof self->agent_alias, "%s", channel.alias);
    const char *news = news_of (self, channel.alias);
    if (news)
        channel.state = strcmp (news, "open") == 0 ? CHANNEL_OPEN : CHANNEL_CLOSED;
    set_agent (self, channel.state, reason);
}

void domain_agent_take_port (domain_t *self, const guest_change_t *change)
{
    if (!self->ports)
        self->ports = zhashx_new ();
    //  The values are constants, and nobody changes them.
    zhashx_update (self->ports, change->device,
                   (void *) (uintptr_t) (change->value ? "open" : "closed"));
    self->ports_due = true;
    if (!domain_active (self))
        return;
    if (strcmp (change->device, self->agent_alias) == 0)
        set_agent (self, change->value ? CHANNEL_OPEN : CHANNEL_CLOSED, AGENT_REASON_CHANNEL);
    domain_commit (self, NULL, NULL, NULL);
}

void domain_agent_pack_ports (const domain_t *self, pack_t *pack)
{
    pack_key_map (pack, "args");
    if (self->ports)
        for (const char *news = zhashx_first (self->ports); news; news = zhashx_next (self->ports))
            pack_key_bool (pack, zhashx_cursor (self->ports), strcmp (news, "open") == 0);
    pack_end (pack);
}

//  Into the live document, as soon as nothing else changes that. Later events have a job of their
//  own.
static void write_ports (domain_t *self)
{
    bool changing = self->sync.operation || self->undo;
    if (!self->ports_due || !domain_active (self) ||
        admission_verdict (domain_async_kind (self), changing, CLASS_MODIFY) != ADMIT_YES)
        return;
    self->ports_due = false;
    domain_run (self, &self->sync, &domain_ports, NULL);
}

void domain_agent_ports_written (domain_t *self)
{
    if (!self->ports_due)
        zhashx_destroy (&self->ports);
}

//  The actor.

static void on_retry (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_agent = 0;
    domain_settle (self);
}

static void try_again (domain_t *self)
{
    if (!self->retry_agent)
        self->retry_agent = actor_timer (self->actor, AGAIN_MS, on_retry, NULL);
}

static void on_agent_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address, (void) down, (void) arg;
    domain_t *self = actor_state (actor);
    self->agent_runs = false;
    domain_settle (self);
}

static void on_agent_spawned (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    error_t err;
    if (!msg_failed (reply, &err)) {
        actor_watch (actor, self->agent_address, on_agent_down, NULL);
        return;
    }
    actor_log (actor, LEVEL_WARNING, "domain '%s': %s", self->name, err.message);
    self->agent_runs = false;
    try_again (self);
}

static void spawn_agent (domain_t *self)
{
    static const char *const ports[] = {
        [CHANNEL_UNKNOWN] = "", [CHANNEL_OPEN] = "open", [CHANNEL_CLOSED] = "closed"
    };
    error_t err;
    channel_t channel;
    auto(xml_t) live = domain_outline (self->live_summary, &err);
    if (!live || !channel_find_agent (live, &channel))
        return;
    auto(msg_t) args = msg_request ("start");
    pack_t *pack = msg_args (args);
    pack_key_str (pack, "path", channel.path);
    pack_key_str (pack, "owner", actor_address (self->actor));
    pack_key_str (pack, "port", ports[self->agent]);
    snprintf (self->agent_address, sizeof self->agent_address, "agent/%s", self->uuid);
    self->agent_runs = true;
    actor_spawn (self->actor, self->agent_address, &agent_class, &args, false, SPAWN_MS,
                 on_agent_spawned, NULL);
}

void domain_agent_close (domain_t *self)
{
    tell_actor (self, "agent.close");
    self->agent = CHANNEL_UNKNOWN;
    *self->agent_alias = 0;
    self->ports_due = self->thawed = false;
    zhashx_destroy (&self->ports);
}

//  Errands: what is asked of the agent.

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

void domain_agent_stop (domain_t *self)
{
    errand_t *errand;
    while (self->errands && (errand = zlistx_detach (self->errands, NULL)))
        errand_destroy (&errand);
    zlistx_destroy (&self->errands);
    zhashx_destroy (&self->ports);
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
    if (self->loading)
        return error_set (err, ERR_OPERATION_INVALID, "it is being loaded; try again");
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

static bool may_use_acpi (const msg_t *request)
{
    const char *mode = msg_str (request, "mode");
    return !mode || strstr (mode, "acpi");
}

//  The agent did not do it: the request comes once more, to be done by ACPI.
static void fall_back (domain_t *self, msg_t **request_p, const error_t *err)
{
    actor_log (self->actor, LEVEL_INFO, "%s; asking by ACPI", err->message);
    auto(msg_t) again = msg_request (msg_verb (*request_p));
    pack_key (msg_args (again), "domain");
    pack_str (msg_args (again), self->uuid);
    pack_key_str (msg_args (again), "mode", "acpi");
    msg_header (*request_p)->deadline = actor_now (self->actor) + SHORT_MS;
    actor_admit (self->actor, *request_p, SHORT_MS);
    actor_forward (self->actor, request_p, actor_address (self->actor), &again);
}

static void answer_errand (domain_t *self, errand_t *errand, const msg_t *reply)
{
    error_t err;
    bool failed = msg_failed (reply, &err);
    bool power = find_in (powers, sizeof powers / sizeof *powers, msg_verb (errand->request));
    if (failed && power && may_use_acpi (errand->request)) {
        fall_back (self, &errand->request, &err);
        return;
    }
    auto(msg_t) answer = failed ? msg_error (&err) : msg_reply ();
    const value_t *value = failed ? NULL : value_get (msg_value (reply), "value");
    if (value)
        pack_value (msg_result (answer), value);
    actor_reply (self->actor, &errand->request, &answer);
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
            try_again (self);
    }
    //  Past its limit, the job is of no use to anybody.
    actor_stop (actor, errand->address);
    errand_destroy (&errand);
    domain_settle (self);
}

static void run_errand (domain_t *self, const operation_t *operation, msg_t **request_p)
{
    errand_t *errand = memory_new (1, sizeof *errand);
    errand->operation = operation;
    errand->request = request_p ? take (request_p) : NULL;
    zlistx_add_end (self->errands, errand);
    snprintf (errand->address, sizeof errand->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    if (errand->request)
        actor_admit (self->actor, errand->request, operation->limit_ms + ANSWER_MS);
    auto(msg_t) args = domain_job_arguments (self, operation, errand->request);
    actor_spawn (self->actor, errand->address, &job_class, &args, false, operation->limit_ms,
                 on_errand_done, errand);
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

bool domain_agent_take (domain_t *self, msg_t **msg_p)
{
    const operation_t *operation =
        find_in (errands, sizeof errands / sizeof *errands, msg_verb (*msg_p));
    if (operation)
        take_errand (self, operation, msg_p);
    return operation != NULL;
}

bool domain_agent_take_power (domain_t *self, msg_t **msg_p)
{
    const operation_t *operation =
        find_in (powers, sizeof powers / sizeof *powers, msg_verb (*msg_p));
    const char *mode = operation ? msg_str (*msg_p, "mode") : NULL;
    if (!operation || !self->driver->agent || (mode && !strstr (mode, "agent")))
        return false;
    error_t ignored;
    bool there = self->agent == CHANNEL_OPEN && check_errand (self, &ignored) == 0;
    if (!there && may_use_acpi (*msg_p))
        return false;
    take_errand (self, operation, msg_p);
    return true;
}

//  A freeze in the record is that of a job (drivers/driver.h). Outside of one it is left over.
static void thaw_if_due (domain_t *self)
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

void domain_agent_settle (domain_t *self)
{
    if (*self->agent_alias && !self->agent_runs && !self->retry_agent && domain_active (self))
        spawn_agent (self);
    write_ports (self);
    thaw_if_due (self);
}
