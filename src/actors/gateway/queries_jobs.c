//  queries_jobs.c: what runs on a domain, who asked, since when, and what waits behind it.

#include "actors/gateway/queries_jobs.h"

#include "util/text.h"

static void pack_copy (pack_t *pack, const value_t *from, const char *key)
{
    const value_t *value = value_get (from, key);
    pack_key (pack, key);
    if (value)
        pack_value (pack, value);
    else
        pack_nil (pack);
}

static void pack_since (const query_t *self, pack_t *pack, const value_t *from)
{
    int64_t since = value_get_i64 (from, "since_us", self->now_us);
    pack_key_i64 (pack, "since_us", since);
    pack_key_i64 (pack, "elapsed_ms", since < self->now_us ? (self->now_us - since) / 1000 : 0);
}

static void pack_left (pack_t *pack, const value_t *job)
{
    uint64_t remaining = value_get_u64 (job, "remaining", 0);
    uint64_t rate = value_get_u64 (job, "rate", 0);
    pack_key_u64 (pack, "left_ms", rate > 0 ? remaining / rate * 1000 : 0);
}

static void pack_progress (pack_t *pack, const value_t *job)
{
    static const char *const numbers[] = { "done", "total",      "remaining",
                                           "rate", "dirty_rate", "passes" };
    const value_t *progress = value_get (job, "progress");
    pack_copy (pack, progress, "step");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pack_key_u64 (pack, numbers[i], value_get_u64 (progress, numbers[i], 0));
    pack_left (pack, progress);
}

static void pack_job (const query_t *self, pack_t *pack, const value_t *job)
{
    pack_copy (pack, job, "kind");
    pack_copy (pack, job, "verb");
    pack_copy (pack, job, "async");
    pack_copy (pack, job, "by");
    pack_since (self, pack, job);
    pack_progress (pack, job);
}

int answer_job_info (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    (void) err;
    const value_t *job = domain->job ? document_root (domain->job) : NULL;
    pack_map (result);
    if (job)
        pack_job (self, result, job);
    else
        pack_key_str (result, "kind", NULL);
    pack_end (result);
    return 0;
}

int answer_backup_xml (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    if (!domain->backup_xml)
        return error_set (err, ERR_NO_DOMAIN_BACKUP, "%s: no backup of domain '%s' is under way",
                          self->verb->name, domain->name);
    pack_map (result);
    pack_key_str (result, "xml", domain->backup_xml);
    pack_end (result);
    return 0;
}

static void pack_row_head (pack_t *pack, const snapshot_t *domain, const char *state)
{
    pack_map (pack);
    pack_key_str (pack, "uuid", domain->uuid);
    pack_key_str (pack, "name", domain->name);
    pack_key_str (pack, "state", state);
}

static const value_t *blocks_of (const snapshot_t *domain)
{
    return domain->blocks ? document_root (domain->blocks) : NULL;
}

//  They go on beside the job, one a disk.
static void pack_block (const query_t *self, pack_t *pack, const value_t *block)
{
    static const char *const keys[] = { "kind", "verb",  "by",        "device", "path",     "ready",
                                        "done", "total", "remaining", "rate",   "bandwidth" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        pack_copy (pack, block, keys[i]);
    pack_since (self, pack, block);
    pack_left (pack, block);
}

int answer_block_jobs (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    (void) err;
    const char *disk = value_get_str (self->args, "disk");
    const value_t *blocks = blocks_of (domain);
    pack_array (result);
    for (size_t i = 0; i < value_count (blocks); i++) {
        const value_t *block = value_at (blocks, i);
        if (disk && !text_equals (value_get_str (block, "device"), disk) &&
            !text_equals (value_get_str (block, "path"), disk))
            continue;
        pack_map (result);
        pack_block (self, result, block);
        pack_copy (result, block, "type");
        pack_copy (result, block, "type_text");
        pack_copy (result, block, "measured_us");
        pack_end (result);
    }
    pack_end (result);
    return 0;
}

static void pack_rows (const query_t *self, pack_t *pack, const snapshot_t *domain)
{
    if (domain->job) {
        pack_row_head (pack, domain, "running");
        pack_job (self, pack, document_root (domain->job));
        pack_end (pack);
    }
    const value_t *blocks = blocks_of (domain);
    for (size_t i = 0; i < value_count (blocks); i++) {
        pack_row_head (pack, domain, "running");
        pack_block (self, pack, value_at (blocks, i));
        pack_end (pack);
    }
    const value_t *waiting = domain->waiting ? document_root (domain->waiting) : NULL;
    for (size_t i = 0; i < value_count (waiting); i++) {
        const value_t *request = value_at (waiting, i);
        pack_row_head (pack, domain, "waiting");
        pack_copy (pack, request, "number");
        pack_copy (pack, request, "verb");
        pack_copy (pack, request, "by");
        pack_since (self, pack, request);
        pack_end (pack);
    }
}

static void pack_past (pack_t *pack, const snapshot_t *domain)
{
    static const char *const keys[] = { "kind", "verb", "since_us", "ended_us",  "outcome", "error",
                                        "by",   "done", "total",    "remaining", "passes" };
    const value_t *list = domain->past ? document_root (domain->past) : NULL;
    for (size_t i = 0; i < value_count (list); i++) {
        const value_t *past = value_at (list, i);
        int64_t since = value_get_i64 (past, "since_us", 0);
        int64_t ended = value_get_i64 (past, "ended_us", 0);
        pack_row_head (pack, domain, "over");
        for (size_t key = 0; key < sizeof keys / sizeof *keys; key++)
            pack_copy (pack, past, keys[key]);
        pack_key_i64 (pack, "elapsed_ms", ended > since ? (ended - since) / 1000 : 0);
        pack_end (pack);
    }
}

static void pack_domain (const query_t *self, pack_t *pack, const snapshot_t *domain)
{
    if (value_get_bool (self->args, "history", false))
        pack_past (pack, domain);
    else
        pack_rows (self, pack, domain);
}

int answer_jobs (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    (void) err;
    pack_array (result);
    if (domain)
        pack_domain (self, result, domain);
    const snapshot_t *each;
    for (size_t i = 0; !domain && (each = snapshots_at (self->snapshots, i)); i++)
        pack_domain (self, result, each);
    pack_end (result);
    return 0;
}
