//  cgroup_tune.c: from what a document says of resources to the files of cgroups.

#include "drivers/cgroup/cgroup_plan.h"
#include "drivers/cpuset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB 1024u
#define WEIGHT_MAX_SECOND 10000 //  cpu.weight's

static const cgroup_knob_t memory_knob = { CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max" };
static const cgroup_knob_t swap_knob = { CGROUP_MEMORY, "memory.memsw.limit_in_bytes",
                                         "memory.swap.max" };
static const cgroup_knob_t soft_knob = { CGROUP_MEMORY, "memory.soft_limit_in_bytes",
                                         "memory.high" };
static const cgroup_knob_t shares_knob = { CGROUP_CPU, "cpu.shares", "cpu.weight" };
static const cgroup_knob_t quota_knob = { CGROUP_CPU, "cpu.cfs_quota_us", "cpu.max" };
static const cgroup_knob_t cpus_knob = { CGROUP_CPUSET, "cpuset.cpus", "cpuset.cpus" };
static const cgroup_knob_t mems_knob = { CGROUP_CPUSET, "cpuset.mems", "cpuset.mems" };
static const cgroup_knob_t weight_knob = { CGROUP_BLKIO, "blkio.bfq.weight|blkio.weight",
                                           "io.bfq.weight|io.weight" };

//  The plan.

static char *find_file (const char *folder, const char *files)
{
    for (const char *at = files; folder && *at; at += *at == '|') {
        size_t size = strcspn (at, "|");
        autofree char *name = text_copy_bytes (at, size);
        if (cgroup_has (folder, name))
            return text_copy (name);
        at += size;
    }
    return NULL;
}

const char *cgroup_knob_find (const cgroup_plan_t *self, const cgroup_knob_t *knob, char **file,
                              bool *first)
{
    const char *one = cgroup_folder (self->job->guest, cgroup_names[knob->kind]);
    const char *two = cgroup_folder (self->job->guest, cgroup_names[CGROUP_UNIFIED]);
    *file = find_file (one, knob->first);
    *first = *file != NULL;
    if (*file)
        return one;
    *file = find_file (two, knob->second);
    return *file ? two : NULL;
}

int cgroup_plan_refuse (const cgroup_plan_t *self, const cgroup_knob_t *knob, const char *path,
                        error_t *err)
{
    if (self->before && knob->kind == CGROUP_CPU)
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "not supported: %s of domain '%s' while it runs: it was started without a "
            "share of the processors' time; set it with config, for its next start",
            path, self->job->guest->name);
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: %s of domain '%s': none of its cgroups has %s or %s (the "
                      "host's kernel, or what mounts cgroups there, leaves the controller out)",
                      path, self->job->guest->name, knob->first, knob->second);
}

void cgroup_plan_add (cgroup_plan_t *self, const char *folder, const char *file, const char *text,
                      const char *before)
{
    autofree char *path = text_format ("%s/%s", folder, file);
    strings_add (self->files, path);
    strings_add (self->texts, text);
    strings_add (self->befores, before);
}

//  "default 100" of version 2 is written as "100".
static char *first_line (const char *text)
{
    static const char word[] = "default ";
    const char *at = text_starts (text, word) ? text + strlen (word) : text;
    return text_copy_bytes (at, strcspn (at, "\n"));
}

int cgroup_plan_set (cgroup_plan_t *self, const char *folder, const char *file, const char *text,
                     error_t *err)
{
    autofree char *now = cgroup_read (folder, file, err);
    autofree char *before = now ? first_line (now) : NULL;
    if (before)
        cgroup_plan_add (self, folder, file, text, before);
    return before ? 0 : -1;
}

bool cgroup_plan_changes (const cgroup_plan_t *self, const char *path)
{
    const char *before = self->before && path ? xml_string (self->before, path) : NULL;
    return path && !text_equals (before, xml_string (self->after, path));
}

//  One value of PATH: TEXT, or OTHERWISE where it is set no more.
static int plan_value (cgroup_plan_t *self, const cgroup_knob_t *knob, const char *path,
                       const char *text, const char *first_otherwise, const char *second_otherwise,
                       error_t *err)
{
    bool first;
    autofree char *file = NULL;
    const char *folder = cgroup_knob_find (self, knob, &file, &first);
    if (!folder)
        return text ? cgroup_plan_refuse (self, knob, path, err) : 0;
    const char *otherwise = first ? first_otherwise : second_otherwise;
    return cgroup_plan_set (self, folder, file, text ? text : otherwise, err);
}

//  Memory. All in bytes; 0: no limit.

typedef struct {
    uint64_t hard, swap, soft;
    bool asked; //  for more than <memory> says
} memory_limits_t;

static int read_memory (const cgroup_plan_t *self, const xml_node_t *domain,
                        memory_limits_t *limits, error_t *err)
{
    *limits = (memory_limits_t){ 0 };
    if (!domain)
        return 0;
    if (xml_size (domain, "memtune/hard_limit", "KiB", &limits->hard, err) ||
        xml_size (domain, "memtune/swap_hard_limit", "KiB", &limits->swap, err) ||
        xml_size (domain, "memtune/soft_limit", "KiB", &limits->soft, err))
        return -1;
    limits->asked = limits->hard || limits->swap;
    if (!limits->hard && self->scope->memory &&
        xml_size (domain, "currentMemory", "KiB", &limits->hard, err))
        return -1;
    if (!limits->swap || (limits->hard && limits->hard <= limits->swap))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: memtune/swap_hard_limit of domain '%s': it limits memory and "
                      "swap together, so it has to be at least the limit of memory (%" PRIu64
                      " KiB; 0: there is none)",
                      self->job->guest->name, limits->hard / KIB);
}

static char *bytes_text (uint64_t bytes, const char *otherwise)
{
    return bytes ? text_format ("%" PRIu64, bytes) : text_copy (otherwise);
}

//  The limit of memory and swap together may never be below that of memory, so who comes first
//  depends on where it is now.
static int plan_memory_first (cgroup_plan_t *self, const char *folder,
                              const memory_limits_t *limits, error_t *err)
{
    autofree char *hard = bytes_text (limits->hard, "-1"), *swap = bytes_text (limits->swap, "-1");
    bool swaps = cgroup_has (folder, swap_knob.first);
    autofree char *now = swaps ? cgroup_read (folder, swap_knob.first, err) : NULL;
    if (swaps && !now)
        return -1;
    bool up = now && (!limits->hard || limits->hard > strtoull (now, NULL, 10));
    if (up && cgroup_plan_set (self, folder, swap_knob.first, swap, err))
        return -1;
    if (cgroup_plan_set (self, folder, memory_knob.first, hard, err))
        return -1;
    return now && !up ? cgroup_plan_set (self, folder, swap_knob.first, swap, err) : 0;
}

//  Version 2 counts swap by itself.
static int plan_memory_second (cgroup_plan_t *self, const char *folder,
                               const memory_limits_t *limits, error_t *err)
{
    autofree char *hard = bytes_text (limits->hard, "max");
    autofree char *swap =
        limits->swap ? text_format ("%" PRIu64, limits->swap - limits->hard) : text_copy ("max");
    if (cgroup_plan_set (self, folder, memory_knob.second, hard, err))
        return -1;
    return cgroup_has (folder, swap_knob.second)
               ? cgroup_plan_set (self, folder, swap_knob.second, swap, err)
               : 0;
}

//  <memory> alone is not worth refusing a start for.
static int lack_memory (cgroup_plan_t *self, const memory_limits_t *limits, error_t *err)
{
    const char *path = limits->swap    ? "memtune/swap_hard_limit"
                       : limits->asked ? "memtune/hard_limit"
                       : self->before  ? "currentMemory"
                                       : NULL;
    if (path)
        return cgroup_plan_refuse (self, limits->swap ? &swap_knob : &memory_knob, path, err);
    if (limits->hard)
        job_log (self->job,
                 "domain '%s': its <memory> is no limit: this host has no memory controller",
                 self->job->guest->name);
    return 0;
}

static int plan_memory (cgroup_plan_t *self, error_t *err)
{
    memory_limits_t before, limits;
    bool first, swaps_first;
    autofree char *file = NULL, *swap_file = NULL;
    if (read_memory (self, self->before, &before, err) ||
        read_memory (self, self->after, &limits, err))
        return -1;
    if (limits.hard == before.hard && limits.swap == before.swap)
        return 0;
    const char *folder = cgroup_knob_find (self, &memory_knob, &file, &first);
    const char *swaps = cgroup_knob_find (self, &swap_knob, &swap_file, &swaps_first);
    if (!folder || (limits.swap && !swaps))
        return lack_memory (self, &limits, err);
    return first ? plan_memory_first (self, folder, &limits, err)
                 : plan_memory_second (self, folder, &limits, err);
}

static int plan_soft (cgroup_plan_t *self, error_t *err)
{
    static const char path[] = "memtune/soft_limit";
    uint64_t bytes = 0;
    if (!cgroup_plan_changes (self, path))
        return 0;
    if (xml_size (self->after, path, "KiB", &bytes, err))
        return -1;
    autofree char *text = bytes ? bytes_text (bytes, "") : NULL;
    return plan_value (self, &soft_knob, path, text, "-1", "max", err);
}

//  Processors.

static int plan_shares (cgroup_plan_t *self, error_t *err)
{
    const char *path = self->scope->shares;
    bool first;
    autofree char *file = NULL;
    uint64_t shares = 0;
    if (!cgroup_plan_changes (self, path))
        return 0;
    if (xml_u64 (self->after, path, &shares, err))
        return -1;
    const char *folder = cgroup_knob_find (self, &shares_knob, &file, &first);
    if (folder && !first && shares > WEIGHT_MAX_SECOND)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: %s '%" PRIu64 "' of domain '%s': with cgroups of version "
                          "2 it is at most %d",
                          path, shares, self->job->guest->name, WEIGHT_MAX_SECOND);
    return plan_value (self, &shares_knob, path, xml_string (self->after, path), "1024", "100",
                       err);
}

//  Quota and period go together; version 1 has a file for each, and compares them.
static int plan_bandwidth_first (cgroup_plan_t *self, const char *folder, const char *quota,
                                 const char *period, error_t *err)
{
    return cgroup_plan_set (self, folder, "cpu.cfs_quota_us", "-1", err) ||
                   cgroup_plan_set (self, folder, "cpu.cfs_period_us", period, err) ||
                   cgroup_plan_set (self, folder, "cpu.cfs_quota_us", quota, err)
               ? -1
               : 0;
}

static int plan_bandwidth (cgroup_plan_t *self, error_t *err)
{
    const cgroup_scope_t *scope = self->scope;
    bool first;
    autofree char *file = NULL;
    if (!cgroup_plan_changes (self, scope->quota) && !cgroup_plan_changes (self, scope->period))
        return 0;
    const char *quota = xml_string (self->after, scope->quota);
    const char *period = xml_string (self->after, scope->period);
    bool limited = quota && quota[0] != '-';
    const char *folder = cgroup_knob_find (self, &quota_knob, &file, &first);
    if (!folder)
        return cgroup_plan_refuse (self, &quota_knob, quota ? scope->quota : scope->period, err);
    if (!period)
        period = "100000";
    if (first)
        return plan_bandwidth_first (self, folder, limited ? quota : "-1", period, err);
    autofree char *text = text_format ("%s %s", limited ? quota : "max", period);
    return cgroup_plan_set (self, folder, file, text, err);
}

//  Which processors, or nodes of memory: the kernel does not know libvirt's "^2".
static int plan_set (cgroup_plan_t *self, const cgroup_knob_t *knob, const char *path, error_t *err)
{
    bool first;
    autofree char *file = NULL;
    cpu_set_t set;
    if (!cgroup_plan_changes (self, path))
        return 0;
    const char *wanted = xml_string (self->after, path);
    if (wanted && cpuset_parse (wanted, &set, err))
        return -1;
    autofree char *text = wanted ? cpuset_text (&set) : NULL;
    const char *folder = cgroup_knob_find (self, knob, &file, &first);
    if (!folder)
        return wanted ? cgroup_plan_refuse (self, knob, path, err) : 0;
    autofree char *parent = text_copy_bytes (folder, (size_t) (strrchr (folder, '/') - folder));
    autofree char *all = first ? cgroup_read (parent, file, err) : text_copy ("");
    if (!all)
        return -1;
    all[strcspn (all, "\n")] = 0;
    return cgroup_plan_set (self, folder, file, text ? text : all, err);
}

static int plan_cpus (cgroup_plan_t *self, error_t *err)
{
    return self->scope->vcpus ? plan_set (self, &cpus_knob, "vcpu/@cpuset", err) : 0;
}

static int plan_nodes (cgroup_plan_t *self, error_t *err)
{
    return plan_set (self, &mems_knob, "numatune/memory/@nodeset", err);
}

//  Disks.

static int plan_weight (cgroup_plan_t *self, error_t *err)
{
    static const char path[] = "blkiotune/weight";
    if (!cgroup_plan_changes (self, path))
        return 0;
    return plan_value (self, &weight_knob, path, xml_string (self->after, path), "100", "100", err);
}

//  What is planned, done.

static int write_file (const char *path, const char *text, error_t *err)
{
    autofree char *folder = text_copy_bytes (path, (size_t) (strrchr (path, '/') - path));
    return cgroup_write (folder, strrchr (path, '/') + 1, text, err);
}

int cgroup_undo_value (job_t *job, const char *argument, error_t *err)
{
    (void) job;
    const char *blank = strchr (argument, ' ');
    if (!blank || argument[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo cgroup_value '%s': not PATH VALUE", argument);
    autofree char *path = text_copy_bytes (argument, (size_t) (blank - argument));
    if (access (path, F_OK) && errno == ENOENT)
        return 0; //  the guest is over, and its cgroup with it
    return write_file (path, blank + 1, err);
}

static int push_undos (cgroup_plan_t *self, error_t *err)
{
    for (size_t i = 0; i < self->files->count; i++) {
        autofree char *undo = text_format ("%s %s", self->files->items[i], self->befores->items[i]);
        if (job_undo (self->job, "cgroup_value", undo, err))
            return -1;
    }
    return self->files->count > 0 ? job_record (self->job, err) : 0;
}

static int write_all (cgroup_plan_t *self, error_t *err)
{
    if (self->before && push_undos (self, err))
        return -1;
    for (size_t i = 0; i < self->files->count; i++)
        if (write_file (self->files->items[i], self->texts->items[i], err))
            return -1;
    return 0;
}

int cgroup_tune (job_t *job, const cgroup_scope_t *scope, const xml_t *before, error_t *err)
{
    auto(strings_t) files = strings_new ();
    auto(strings_t) texts = strings_new ();
    auto(strings_t) befores = strings_new ();
    cgroup_plan_t self = { .job = job,
                           .scope = scope,
                           .before = before ? xml_root (before) : NULL,
                           .after = xml_root (job->guest->live),
                           .files = files,
                           .texts = texts,
                           .befores = befores };
    bool failed = plan_memory (&self, err) || plan_soft (&self, err) || plan_shares (&self, err) ||
                  plan_bandwidth (&self, err) || plan_cpus (&self, err) ||
                  plan_nodes (&self, err) || plan_weight (&self, err) ||
                  cgroup_plan_devices (&self, err) || write_all (&self, err);
    return failed ? -1 : 0;
}
