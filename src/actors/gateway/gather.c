//  gather.c: see gather.h.

#include "actors/gateway/gather.h"

#include "actors/domain/domain.h"
#include "actors/domain/domain_filter.h"
#include "util/text.h"

#include <czmq.h>

enum {
    BUDGET_MS = 200,
    BUDGET_MAX_MS = 60000,
    SPARE_MS = 1000 //  for the owner's own answer, which comes when the budget is over
};

//  libvirt's groups (virDomainStatsTypes): the option, and how the names of its fields begin.
static const struct {
    const char *flag, *prefix;
    bool measured;           //  not known from the state alone
    bool read;               //  but from what gateways read themselves
    const char *unsupported; //  why there is never a field of it; NULL: there may be
} groups[] = {
    { "state", "state.", false, false, NULL },
    { "cpu_total", "cpu.", true, true, NULL },
    { "balloon", "balloon.", true, false, NULL },
    { "vcpu", "vcpu.", true, false, NULL },
    { "interface", "net.", true, false, NULL },
    { "block", "block.", true, false, NULL },
    { "perf", "perf.", true, false, NULL },
    { "iothread", "iothread.", true, false, NULL },
    { "memory", "memory.", false, false, "domains have no monitors of memory bandwidth" },
    { "dirtyrate", "dirtyrate.", true, false, NULL },
    { "vm", "vm.", true, false, NULL },
};

//  As drivers call what they measure of whole chains of images, in the place of "block.".
#define CHAINS "backing."

enum {
    GROUPS = sizeof groups / sizeof *groups
};

typedef struct {
    char uuid[UUID_TEXT_SIZE];
    bool asked;
    document_t *values; //  what the owner answered; NULL: nothing
    char *error;        //  why
    struct gather *gather;
} part_t;

//  One call under way.
struct gather {
    zlistx_t *all; //  those under way
    gather_done_fn *done;
    void *arg;
    bool wanted[GROUPS];
    bool backing; //  "block." is about whole chains
    size_t count, missing;
    part_t parts[];
};

static void gather_destroy (gather_t **self_p)
{
    gather_t *self = take (self_p);
    for (size_t i = 0; i < self->count; i++) {
        document_destroy (&self->parts[i].values);
        free (self->parts[i].error);
    }
    free (self);
}

static bool is_wanted (const gather_t *self, const char *field)
{
    for (size_t i = 0; i < GROUPS; i++)
        if (self->wanted[i] && text_starts (field, groups[i].prefix))
            return true;
    return false;
}

//  What the snapshot knows.
static void pack_known (const gather_t *self, const snapshot_t *domain, pack_t *pack)
{
    const struct {
        const char *field;
        int64_t value;
    } known[] = {
        { "state.state", domain->state },
        { "state.reason", domain->reason },
        { "balloon.maximum", (int64_t) domain->max_memory_kib },
        { "vcpu.current", (int64_t) domain->vcpus },
        { "vcpu.maximum", (int64_t) domain->max_vcpus },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is_wanted (self, known[i].field))
            pack_key_i64 (pack, known[i].field, known[i].value);
}

//  Under its libvirt's name; the caller frees it. NULL: it is not asked for.
static char *name_of (const gather_t *self, const char *field)
{
    bool chains = text_starts (field, CHAINS);
    if ((chains || text_starts (field, "block.")) && chains != self->backing)
        return NULL;
    char *name = chains ? text_format ("block.%s", field + strlen (CHAINS)) : text_copy (field);
    if (!is_wanted (self, name))
        free (take (&name));
    return name;
}

static void pack_measured (const gather_t *self, const value_t *values, pack_t *pack)
{
    for (size_t i = 0; i < value_count (values); i++) {
        autofree char *name = name_of (self, value_key_at (values, i));
        if (!name)
            continue;
        pack_key (pack, name);
        pack_value (pack, value_val_at (values, i));
    }
}

static void pack_part (const gather_t *self, const part_t *part, const snapshot_t *domain,
                       int64_t now_us, pack_t *pack)
{
    const value_t *root = part->values ? document_root (part->values) : NULL;
    int64_t measured_us = value_get_i64 (root, "measured_us", 0);
    pack_map (pack);
    pack_key_str (pack, "uuid", domain->uuid);
    pack_key_str (pack, "name", domain->name);
    pack_key_bool (pack, "stale", part->asked && value_get_bool (root, "stale", true));
    pack_key_i64 (pack, "age_ms", measured_us > 0 ? (now_us - measured_us) / 1000 : 0);
    pack_key_str (pack, "error", part->error);
    pack_key_map (pack, "stats");
    pack_known (self, domain, pack);
    pack_measured (self, value_get (root, "stats"), pack);
    pack_end (pack);
    pack_end (pack);
}

void gather_pack (const gather_t *self, const view_t *view, int64_t now_us, pack_t *pack)
{
    pack_array (pack);
    for (size_t i = 0; i < self->count; i++) {
        const part_t *part = &self->parts[i];
        const snapshot_t *domain = snapshots_by_uuid (view->snapshots, part->uuid);
        if (domain)
            pack_part (self, part, domain, now_us, pack);
    }
    pack_end (pack);
}

static void finish (actor_t *actor, gather_t **self_p)
{
    gather_t *self = *self_p;
    zlistx_detach (self->all, zlistx_find (self->all, self));
    self->done (actor, self, self->arg);
    gather_destroy (self_p);
}

void gather_forget (zlistx_t **all_p)
{
    gather_t *gather;
    while (*all_p && (gather = zlistx_detach (*all_p, NULL)))
        gather_destroy (&gather);
    zlistx_destroy (all_p);
}

static void on_measured (actor_t *self, const msg_t *reply, void *arg)
{
    part_t *part = arg;
    gather_t *gather = part->gather;
    error_t err;
    if (msg_failed (reply, &err))
        part->error = text_copy (err.message);
    else
        part->values = document_of_value (msg_value (reply));
    if (--gather->missing == 0)
        finish (self, &gather);
}

//  How long each owner may take; -1: as long as it thinks right. Of many, one that does not answer
//  is not to hold up the others.
static int budget_of (const gather_t *self, const value_t *args)
{
    if (self->count == 1 && !value_get (args, "budget"))
        return -1;
    uint64_t budget = value_get_u64 (args, "budget", BUDGET_MS);
    return budget < BUDGET_MAX_MS ? (int) budget : BUDGET_MAX_MS;
}

static void ask (actor_t *self, part_t *part, int budget_ms)
{
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, "domain/%s", part->uuid);
    auto(msg_t) msg = msg_request ("domain.measure");
    if (budget_ms >= 0)
        pack_key_u64 (msg_args (msg), "budget", (uint64_t) budget_ms);
    part->asked = true;
    actor_request (self, address, &msg,
                   budget_ms >= 0 ? budget_ms + SPARE_MS : DOMAIN_FIRST_ANSWER_MS, on_measured,
                   part);
}

document_t *gather_read_cpu (const snapshot_t *domain, int64_t now_us, error_t *err)
{
    uint64_t user_ns, system_ns;
    if (!domain->meter) {
        error_set (err, ERR_NO_SUPPORT, "domain '%s' has no meter", domain->name);
        return NULL;
    }
    if (meter_cpu_times (domain->meter, &user_ns, &system_ns, err))
        return NULL;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_map (&pack, "stats");
    pack_key_u64 (&pack, "cpu.time", user_ns + system_ns);
    pack_key_u64 (&pack, "cpu.user", user_ns);
    pack_key_u64 (&pack, "cpu.system", system_ns);
    pack_end (&pack);
    pack_key_i64 (&pack, "measured_us", now_us);
    pack_key_bool (&pack, "stale", false);
    pack_end (&pack);
    document_t *read = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, err);
    pack_close (&pack);
    return read;
}

//  Is there nothing else to be measured than its CPU time, and no more of that than there is in
//  /proc? What KVM counts is its hypervisor's to tell.
static bool read_alone (actor_t *actor, part_t *part, const snapshot_t *domain)
{
    error_t ignored;
    for (size_t i = 0; i < GROUPS; i++)
        if (part->gather->wanted[i] && groups[i].measured && !groups[i].read)
            return false;
    if (text_equals (domain->type, "kvm"))
        return false;
    part->values = gather_read_cpu (domain, actor_wall_clock (actor), &ignored);
    part->asked = part->values;
    return part->asked;
}

//  The groups that are asked for: all, if none is. True: some of them have to be measured.
static bool read_groups (gather_t *gather, const value_t *args)
{
    bool any = false, measured = false;
    gather->backing = value_get_bool (args, "backing", false);
    for (size_t i = 0; i < GROUPS; i++)
        any |= gather->wanted[i] = value_get_bool (args, groups[i].flag, false);
    for (size_t i = 0; i < GROUPS; i++) {
        gather->wanted[i] |= !any;
        measured |= gather->wanted[i] && groups[i].measured;
    }
    return measured;
}

static int check_enforced (const char *verb, const value_t *args, error_t *err)
{
    for (size_t i = 0; i < GROUPS && value_get_bool (args, "enforce", false); i++)
        if (groups[i].unsupported && value_get_bool (args, groups[i].flag, false))
            return error_set (err, ERR_NO_SUPPORT, "%s: not supported: '%s': %s", verb,
                              groups[i].flag, groups[i].unsupported);
    return 0;
}

static void add_part (gather_t *gather, const snapshot_t *domain)
{
    part_t *part = &gather->parts[gather->count++];
    snprintf (part->uuid, sizeof part->uuid, "%s", domain->uuid);
    part->gather = gather;
}

//  Those that are named, or all.
static gather_t *select_domains (const view_t *view, const char *verb, const value_t *args,
                                 error_t *err)
{
    const value_t *names = value_get (args, "domains");
    size_t room = names ? value_count (names) : snapshots_count (view->snapshots);
    gather_t *gather = memory_new (1, sizeof *gather + room * sizeof (part_t));
    domain_filter_t filter;
    domain_filter_read (&filter, args);
    for (size_t i = 0; i < room; i++) {
        const snapshot_t *domain =
            names ? snapshots_resolve (view->snapshots, verb, value_at (names, i), err)
                  : snapshots_at (view->snapshots, i);
        if (!domain) {
            gather_destroy (&gather);
            return NULL;
        }
        if (domain_filter_matches (&filter, domain))
            add_part (gather, domain);
    }
    return gather;
}

int gather_begin (actor_t *actor, zlistx_t *all, const view_t *view, const value_t *args,
                  gather_done_fn *done, void *arg, error_t *err)
{
    const char *verb = "domain.stats";
    gather_t *self =
        check_enforced (verb, args, err) ? NULL : select_domains (view, verb, args, err);
    if (!self)
        return -1;
    self->all = all;
    self->done = done;
    self->arg = arg;
    self->missing = 1; //  until all were asked
    zlistx_add_end (all, self);
    bool measured = read_groups (self, args);
    for (size_t i = 0; measured && i < self->count; i++) {
        const snapshot_t *domain = snapshots_by_uuid (view->snapshots, self->parts[i].uuid);
        if (domain->id <= 0 || read_alone (actor, &self->parts[i], domain))
            continue;
        self->missing++;
        ask (actor, &self->parts[i], budget_of (self, args));
    }
    if (--self->missing == 0)
        finish (actor, &self);
    return 0;
}
