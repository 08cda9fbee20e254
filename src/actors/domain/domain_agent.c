//  domain_agent.c: the guest's agent, as its domain's owner sees it: whether the guest has its
//  channel open, and the actor that is connected to it.

#include "actors/monitor/agent.h"
#include "actors/domain/domain_self.h"
#include "util/text.h"

enum {
    AGAIN_MS = 5000,
    SPAWN_MS = 10000
};

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

void domain_agent_sleeps (domain_t *self)
{
    if (!self->agent_runs)
        return;
    auto(msg_t) msg = msg_request ("agent.asleep");
    actor_send (self->actor, self->agent_address, &msg);
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
    if (!live || !self->driver->agent || !channel_find_agent (live, &channel)) {
        //  It was taken away.
        tell_actor (self, "agent.close");
        self->agent = CHANNEL_UNKNOWN;
        return;
    }
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

void domain_agent_try_again (domain_t *self)
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
    domain_agent_try_again (self);
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

void domain_agent_over (domain_t *self)
{
    tell_actor (self, "agent.close");
    self->agent = CHANNEL_UNKNOWN;
    *self->agent_alias = 0;
    self->ports_due = self->thawed = false;
    zhashx_destroy (&self->ports);
}

void domain_agent_close (domain_t *self)
{
    domain_errands_close (self);
    zhashx_destroy (&self->ports);
}

void domain_agent_settle (domain_t *self)
{
    if (*self->agent_alias && !self->agent_runs && !self->retry_agent && domain_active (self))
        spawn_agent (self);
    write_ports (self);
    domain_errands_settle (self);
}
