//  domain_blocks.c: the guest's block jobs. The hypervisor has them, and the guest's record; here
//  is what is shown of them, and when somebody looks at them. What changes one, a start or an end,
//  runs as a change like others; how far they are is asked beside everything.

#include "actors/domain/domain_self.h"
#include "actors/jobs/job.h"
#include "util/text.h"

#include <string.h>

enum {
    LOOK_MS = 1000,
    BUDGET_MS = 5000,
    RETRY_MS = 5000,
    CONCLUDE_MS = 120000
};

//  By virDomainBlockJobType; texts as libvirt's tools have them.
static const struct {
    const char *verb, *kind, *text;
} types[] = {
    { "", "block job", "Unknown" },
    { "domain.block_pull", "block pull", "Block Pull" },
    { "domain.block_copy", "block copy", "Block Copy" },
    { "domain.block_commit", "block commit", "Block Commit" },
    { "domain.block_commit", "active block commit", "Active Block Commit" },
};

//  By virConnectDomainEventBlockJobStatus.
static const struct {
    const char *event, *outcome;
} statuses[] = {
    { "completed", "completed" },
    { "failed", "failed" },
    { "canceled", "cancelled" },
    { "ready", NULL },
};

static size_t type_of (const value_t *block)
{
    int64_t type = value_get_i64 (block, "type", 0);
    return type > 0 && type < (int64_t) (sizeof types / sizeof *types) ? (size_t) type : 0;
}

static size_t status_of (const value_t *news)
{
    int64_t status = value_get_i64 (news, "status", BLOCK_FAILED);
    return status >= 0 && status <= BLOCK_READY ? (size_t) status : BLOCK_FAILED;
}

static const value_t *shown_blocks (const domain_t *self)
{
    return self->blocks ? document_root (self->blocks) : NULL;
}

//  News.

typedef struct {
    const value_t *block;
    size_t status;
    const char *error;
} news_t;

static void pack_news (pack_t *pack, const void *arg)
{
    const news_t *news = arg;
    pack_key_str (pack, "device", value_get_str (news->block, "device"));
    pack_key_str (pack, "path", value_get_str (news->block, "path"));
    pack_key_i64 (pack, "type", (int64_t) type_of (news->block));
    pack_key_str (pack, "type_text", types[type_of (news->block)].text);
    pack_key_i64 (pack, "status", (int64_t) news->status);
    pack_key_str (pack, "status_text", statuses[news->status].event);
    pack_key_str (pack, "error", news->error && *news->error ? news->error : NULL);
}

//  As QEMU counted them in the end, or as they were shown last.
static uint64_t bytes_of (const value_t *block, const char *ended, const char *shown)
{
    return value_get_u64 (block, ended, value_get_u64 (block, shown, 0));
}

static void tell (domain_t *self, const news_t *news)
{
    size_t type = type_of (news->block);
    const char *outcome = statuses[news->status].outcome, *error = news->error;
    domain_add_event (self, "domain.block_job", pack_news, news);
    if (!outcome)
        return;
    past_job_t past = { .kind = types[type].kind,
                        .verb = types[type].verb,
                        .outcome = outcome,
                        .error = error && *error ? error : NULL,
                        .since_us = value_get_i64 (news->block, "since_us", 0),
                        .ended_us = actor_wall_clock (self->actor),
                        .asked = value_get_bool (news->block, "asked", false),
                        .uid = value_get_u64 (news->block, "uid", 0),
                        .key = value_get_str (news->block, "key"),
                        .client = value_get_u64 (news->block, "client", 0),
                        .done = bytes_of (news->block, "cur", "done"),
                        .total = bytes_of (news->block, "end", "total") };
    past_jobs_add (self->past, &past);
    self->dirty |= DIRTY_PAST;
}

//  What is shown.

//  Bytes a second since they were looked at last.
static uint64_t rate_of (const domain_t *self, const char *device, uint64_t done, int64_t now_us)
{
    const value_t *blocks = shown_blocks (self);
    int64_t passed = now_us - self->blocks_us;
    for (size_t i = 0; i < value_count (blocks); i++) {
        const value_t *block = value_at (blocks, i);
        uint64_t before = value_get_u64 (block, "done", 0);
        if (text_equals (value_get_str (block, "device"), device) && done >= before && passed > 0)
            return (uint64_t) ((double) (done - before) * 1000000 / (double) passed);
    }
    return 0;
}

static void pack_asker (pack_t *pack, const value_t *block)
{
    bool asked = value_get_bool (block, "asked", false);
    uint64_t uid = value_get_u64 (block, "uid", 0), client = value_get_u64 (block, "client", 0);
    const char *key = value_get_str (block, "key");
    pack_key_bool (pack, "asked", asked);
    pack_key_u64 (pack, "uid", uid);
    pack_key_str (pack, "key", key);
    pack_key_u64 (pack, "client", client);
    if (!asked) {
        pack_key_str (pack, "by", NULL);
        return;
    }
    pack_key_map (pack, "by");
    if (key)
        pack_key_str (pack, "key", key);
    else
        pack_key_u64 (pack, "uid", uid);
    pack_key_u64 (pack, "client", client);
    pack_end (pack);
}

static void pack_block (const domain_t *self, pack_t *pack, const value_t *block, int64_t now_us)
{
    uint64_t done = value_get_u64 (block, "cur", 0), total = value_get_u64 (block, "end", 0);
    const char *device = value_get_str (block, "device");
    size_t type = type_of (block);
    pack_map (pack);
    pack_key_str (pack, "device", device);
    pack_key_str (pack, "path", value_get_str (block, "path"));
    pack_key_i64 (pack, "type", (int64_t) type);
    pack_key_str (pack, "type_text", types[type].text);
    pack_key_str (pack, "kind", types[type].kind);
    pack_key_str (pack, "verb", types[type].verb);
    pack_key_bool (pack, "ready", value_get_bool (block, "ready", false));
    pack_key_u64 (pack, "done", done);
    pack_key_u64 (pack, "total", total);
    pack_key_u64 (pack, "remaining", total > done ? total - done : 0);
    pack_key_u64 (pack, "rate", rate_of (self, device, done, now_us));
    pack_key_u64 (pack, "bandwidth", value_get_u64 (block, "bandwidth", 0));
    pack_key_i64 (pack, "since_us", value_get_i64 (block, "since_us", 0));
    pack_key_i64 (pack, "measured_us", now_us);
    pack_asker (pack, block);
    pack_end (pack);
}

static void show_blocks (domain_t *self, const value_t *jobs)
{
    error_t never;
    int64_t now_us = actor_wall_clock (self->actor);
    pack_t pack;
    pack_init (&pack);
    pack_array (&pack);
    for (size_t i = 0; i < value_count (jobs); i++) {
        const value_t *block = value_at (jobs, i);
        pack_block (self, &pack, block, now_us);
        self->blocks_due = self->blocks_due || value_get_bool (block, "changed", false);
    }
    pack_end (&pack);
    document_destroy (&self->blocks);
    self->blocks = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, &never);
    self->blocks_us = now_us;
    pack_close (&pack);
}

void domain_take_blocks (domain_t *self, const value_t *result)
{
    const value_t *blocks = value_get (result, "blocks");
    const value_t *news = value_get (blocks, "news");
    if (!blocks)
        return;
    for (size_t i = 0; i < value_count (news); i++) {
        const value_t *item = value_at (news, i);
        news_t one = { item, status_of (item), value_get_str (item, "error") };
        tell (self, &one);
    }
    show_blocks (self, value_get (blocks, "jobs"));
    self->blocks_look++; //  an answer that is on its way is of before
}

void domain_pack_blocks (const domain_t *self, pack_t *pack)
{
    const value_t *blocks = shown_blocks (self);
    pack_key (pack, "block_jobs");
    if (blocks)
        pack_value (pack, blocks);
    else
        pack_nil (pack);
}

//  They end with the guest.
void domain_drop_blocks (domain_t *self)
{
    auto(document_t) list = take (&self->blocks);
    const value_t *blocks = list ? document_root (list) : NULL;
    for (size_t i = 0; i < value_count (blocks); i++) {
        const value_t *block = value_at (blocks, i);
        news_t news = { block, BLOCK_CANCELED, "the guest ended" };
        tell (self, &news);
    }
    self->blocks_due = false;
    self->blocks_look++;
    actor_timer_cancel (self->actor, &self->blocks_timer);
    actor_timer_cancel (self->actor, &self->retry_blocks);
}

//  Looking.

static void done_conclude (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

const operation_t domain_block_conclusion = { "", CLASS_MODIFY, ASYNC_NONE, "block_conclude",
                                              0,  CONCLUDE_MS,  false,      done_conclude };

static const operation_t looking = { "", CLASS_QUERY, ASYNC_NONE, "block_list",
                                     0,  BUDGET_MS,   true,       NULL };

static void look (actor_t *actor, void *arg);

static void look_later (domain_t *self)
{
    if (!self->blocks_timer)
        self->blocks_timer = actor_timer (self->actor, LOOK_MS, look, NULL);
}

//  A QEMU that does not answer is asked again; what it said last is shown meanwhile.
static void on_looked (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    const value_t *blocks = value_get (msg_value (reply), "blocks");
    error_t ignored;
    if ((uint64_t) (uintptr_t) arg != self->blocks_look)
        return;
    if (!msg_failed (reply, &ignored) && blocks) {
        show_blocks (self, value_get (blocks, "jobs"));
        domain_commit (self, NULL, NULL, NULL);
    }
    domain_settle (self);
}

static void look (actor_t *actor, void *arg)
{
    char address[MSG_ADDRESS_MAX];
    (void) arg;
    domain_t *self = actor_state (actor);
    self->blocks_timer = 0;
    if (!domain_active (self))
        return;
    if (self->sync.operation || value_count (shown_blocks (self)) == 0) {
        domain_settle (self);
        return;
    }
    snprintf (address, sizeof address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = domain_job_arguments (self, &looking, NULL);
    actor_spawn (self->actor, address, &job_class, &args, false, BUDGET_MS, on_looked,
                 (void *) (uintptr_t) ++self->blocks_look);
}

void domain_blocks_changed (domain_t *self)
{
    self->blocks_due = true;
    domain_settle (self);
}

void domain_blocks_adopted (domain_t *self)
{
    self->blocks_due = self->record && strstr (self->record, "<blockjob ");
}

static void conclude_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_blocks = 0;
    domain_settle (self);
}

void domain_conclusion_failed (domain_t *self)
{
    self->blocks_due = true;
    if (!self->retry_blocks)
        self->retry_blocks = actor_timer (self->actor, RETRY_MS, conclude_again, NULL);
}

void domain_watch_blocks (domain_t *self)
{
    bool busy = self->sync.operation || self->loading || self->undo || self->adoption_wanted ||
                self->restart_due || domain_destroy_waits (self) ||
                zlistx_size (self->publications) > 0;
    if (!domain_active (self) || self->ending.kind != CHANGE_NONE)
        return;
    if (self->blocks_due && !busy && !self->retry_blocks &&
        admission_verdict (domain_async_kind (self), false, CLASS_MODIFY) == ADMIT_YES) {
        self->blocks_due = false;
        domain_run (self, &self->sync, &domain_block_conclusion, NULL);
    } else if (value_count (shown_blocks (self)) > 0)
        look_later (self);
}
