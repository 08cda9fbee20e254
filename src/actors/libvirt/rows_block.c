//  rows_block.c: disks of running domains, and the jobs that they have.

#include "actors/libvirt/rpc_self.h"
#include "util/xml.h"

#define KIB 1024u
#define MIB (1024u * 1024u)

//  Bandwidths are MiB a second, unless the flag IN_BYTES is given.
static int pack_bandwidth (rpc_call_t *call, uint64_t in_bytes, pack_t *args, error_t *err)
{
    bool bytes = value_get_u64 (call->args, "flags", 0) & in_bytes;
    uint64_t bandwidth = value_get_u64 (call->args, "bandwidth", 0);
    if (!bytes && bandwidth > UINT64_MAX / MIB)
        return error_set (err, ERR_OVERFLOW, "%s: a bandwidth of %llu MiB a second is too large",
                          call->entry->procedure->name, (unsigned long long) bandwidth);
    pack_key_u64 (args, "bandwidth", bytes ? bandwidth : bandwidth * MIB);
    return 0;
}

static int prepare_resize (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        IN_BYTES = 1
    };
    bool bytes = value_get_u64 (call->args, "flags", 0) & IN_BYTES;
    uint64_t size = value_get_u64 (call->args, "size", 0);
    if (!bytes && size > UINT64_MAX / KIB)
        return error_set (err, ERR_OVERFLOW, "DOMAIN_BLOCK_RESIZE: %llu KiB are too many",
                          (unsigned long long) size);
    pack_key_u64 (args, "size", bytes ? size : size * KIB);
    return 0;
}

static int prepare_pull (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_bandwidth (call, 1 << 6, args, err);
}

static int prepare_commit (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_bandwidth (call, 1 << 4, args, err);
}

static int prepare_speed (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_bandwidth (call, 1, args, err);
}

//  virDomainBlockRebaseFlags: with COPY it is a copy, else a pull, each with flags of its own.
static int prepare_rebase (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        SHALLOW = 1,
        REUSE_EXTERNAL = 2,
        RAW = 4,
        COPY = 8,
        RELATIVE = 16,
        DEVICE = 32,
        IN_BYTES = 64
    };
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    bool copy = flags & COPY;
    uint64_t refused = flags & (copy ? RELATIVE : SHALLOW | REUSE_EXTERNAL | RAW | DEVICE);
    if (refused)
        return error_set (err, ERR_INVALID_ARG, "DOMAIN_BLOCK_REBASE: flags 0x%llx go %s a copy",
                          (unsigned long long) refused, copy ? "without" : "with");
    const char *base = value_get_str (call->args, "base");
    if (base)
        pack_key_str (args, copy ? "path" : "base", base);
    if (copy)
        call->verb = verb_find ("domain.block_copy");
    if (flags & RAW)
        pack_key_str (args, "format", "raw");
    const struct {
        uint64_t bit;
        const char *name;
    } bools[] = { { SHALLOW, "shallow" },
                  { REUSE_EXTERNAL, "reuse_external" },
                  { DEVICE, "block" },
                  { RELATIVE, "keep_relative" } };
    for (size_t i = 0; i < sizeof bools / sizeof *bools; i++)
        if (flags & bools[i].bit)
            pack_key_bool (args, bools[i].name, true);
    return pack_bandwidth (call, IN_BYTES, args, err);
}

//  A disk by its target or its image.
static int check_disk (const rpc_call_t *call, error_t *err)
{
    const char *wanted = value_get_str (call->args, "path");
    const snapshot_t *domain = rpc_running (call, err);
    auto(xml_t) doc =
        domain ? xml_parse_own (domain->xml, strlen (domain->xml), "domain XML", err) : NULL;
    if (!doc)
        return -1;
    xml_foreach (disk, xml_find (xml_root (doc), "devices"), "disk")
        if (xml_equals (disk, "target/@dev", wanted) || xml_equals (disk, "source/@file", wanted) ||
            xml_equals (disk, "source/@dev", wanted))
            return 0;
    return error_set (err, ERR_INVALID_ARG, "%s: domain '%s' has no disk '%s'",
                      call->entry->procedure->name, domain->name, wanted);
}

//  libvirt's clients take a job whose position is its end for one that is ready; QEMU's may be
//  there before, as long as it has not found out how much there is.
static uint64_t end_of (const value_t *job)
{
    uint64_t done = value_get_u64 (job, "done", 0), total = value_get_u64 (job, "total", 0);
    bool ready = value_get_bool (job, "ready", false);
    return job && !ready && total <= done ? done + 1 : total;
}

//  The job of one disk; that there is none says nothing of the disk.
static int answer_job (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    if (value_count (result) == 0 && check_disk (call, err))
        return -1;
    enum {
        IN_BYTES = 1
    };
    const value_t *job = value_at (result, 0);
    bool bytes = value_get_u64 (call->args, "flags", 0) & IN_BYTES;
    uint64_t bandwidth = value_get_u64 (job, "bandwidth", 0);
    pack_key_bool (ret, "found", value_count (result) > 0);
    pack_key_i64 (ret, "type", value_get_i64 (job, "type", 0));
    pack_key_u64 (ret, "bandwidth", bytes ? bandwidth : (bandwidth + MIB - 1) / MIB);
    pack_key_u64 (ret, "cur", value_get_u64 (job, "done", 0));
    pack_key_u64 (ret, "end", end_of (job));
    return 0;
}

//  Sizes and errors.

static int answer_info (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    static const char *const sizes[] = { "allocation", "capacity", "physical" };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        pack_key_u64 (ret, sizes[i], value_get_u64 (value_at (result, 0), sizes[i], 0));
    return 0;
}

//  virDomainDiskErrorCode; who has room for none is told how many disks there are.
static int answer_errors (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    enum {
        UNSPECIFIED = 1,
        NO_SPACE = 2
    };
    uint64_t room = value_get_u64 (call->args, "maxerrors", 0), count = 0;
    pack_key_array (ret, "errors");
    for (size_t i = 0; i < value_count (result) && count < room; i++) {
        const value_t *disk = value_at (result, i);
        const char *error = value_get_str (disk, "error");
        if (!error || !*error)
            continue;
        pack_map (ret);
        pack_key_str (ret, "disk", value_get_str (disk, "device"));
        pack_key_i64 (ret, "error", text_equals (error, "no space") ? NO_SPACE : UNSPECIFIED);
        pack_end (ret);
        count++;
    }
    pack_end (ret);
    pack_key_u64 (ret, "nerrors", room > 0 ? count : value_count (result));
    return 0;
}

static const rpc_param_t copy_params[] = { { "bandwidth", PARAM_ULLONG, NULL },
                                           { "granularity", PARAM_UINT, NULL },
                                           { "buf-size", PARAM_ULLONG, "buffer" },
                                           { 0 } };

static const rpc_param_t io_params[] = {
    { "total_bytes_sec", PARAM_ULLONG, NULL },
    { "read_bytes_sec", PARAM_ULLONG, NULL },
    { "write_bytes_sec", PARAM_ULLONG, NULL },
    { "total_iops_sec", PARAM_ULLONG, NULL },
    { "read_iops_sec", PARAM_ULLONG, NULL },
    { "write_iops_sec", PARAM_ULLONG, NULL },
    { "total_bytes_sec_max", PARAM_ULLONG, NULL },
    { "read_bytes_sec_max", PARAM_ULLONG, NULL },
    { "write_bytes_sec_max", PARAM_ULLONG, NULL },
    { "total_iops_sec_max", PARAM_ULLONG, NULL },
    { "read_iops_sec_max", PARAM_ULLONG, NULL },
    { "write_iops_sec_max", PARAM_ULLONG, NULL },
    { "size_iops_sec", PARAM_ULLONG, NULL },
    { "total_bytes_sec_max_length", PARAM_ULLONG, NULL },
    { "read_bytes_sec_max_length", PARAM_ULLONG, NULL },
    { "write_bytes_sec_max_length", PARAM_ULLONG, NULL },
    { "total_iops_sec_max_length", PARAM_ULLONG, NULL },
    { "read_iops_sec_max_length", PARAM_ULLONG, NULL },
    { "write_iops_sec_max_length", PARAM_ULLONG, NULL },
    { "group_name", PARAM_STRING, NULL },
    { 0 },
};

#define IO_SCOPE FLAGS ({ 1, "live" }, { 2, "config" })
#define GET_IO_SCOPE FLAGS ({ 1, "live" }, { 2, "config" }, { 4, NULL }) //  4: texts are understood

const rpc_row_t rpc_rows_block[] = {
    { "DOMAIN_SET_BLOCK_IO_TUNE", .verb = "domain.block_io_parameters_set", .args = "disk",
      .flags = IO_SCOPE, .params = io_params },
    { "DOMAIN_GET_BLOCK_IO_TUNE", .verb = "domain.block_io_parameters", .args = "disk",
      .flags = GET_IO_SCOPE, .params = io_params },
    { "DOMAIN_BLOCK_RESIZE", .verb = "domain.block_resize", .args = "disk",
      .flags = FLAGS ({ 1, NULL }), .prepare = prepare_resize },
    { "DOMAIN_BLOCK_PULL", .verb = "domain.block_pull", .args = "disk=path",
      .flags = FLAGS ({ 1 << 6, NULL }), .prepare = prepare_pull },
    { "DOMAIN_BLOCK_REBASE", .verb = "domain.block_pull", .args = "disk=path",
      .flags = FLAGS ({ 127, NULL }), .prepare = prepare_rebase },
    { "DOMAIN_BLOCK_COMMIT", .verb = "domain.block_commit", .args = "disk base top",
      .flags = FLAGS ({ 1, "shallow" }, { 2, "delete" }, { 4, "active" }, { 8, "keep_relative" },
                      { 16, NULL }),
      .prepare = prepare_commit },
    //  4: it ends with the guest, as always.
    { "DOMAIN_BLOCK_COPY", .verb = "domain.block_copy", .args = "disk=path xml=destxml",
      .params = copy_params,
      .flags = FLAGS ({ 1, "shallow" }, { 2, "reuse_external" }, { 4, NULL },
                      { 8, "synchronous_writes" }) },
    { "DOMAIN_BLOCK_JOB_ABORT", .verb = "domain.block_abort", .args = "disk=path",
      .flags = FLAGS ({ 1, "async" }, { 2, "pivot" }) },
    { "DOMAIN_BLOCK_JOB_SET_SPEED", .verb = "domain.block_speed", .args = "disk=path",
      .flags = FLAGS ({ 1, NULL }), .prepare = prepare_speed },
    { "DOMAIN_GET_BLOCK_JOB_INFO", .verb = "domain.block_jobs", .args = "disk=path",
      .flags = FLAGS ({ 1, NULL }), .prepare = rpc_prepare_running, .answer = answer_job },
    { "DOMAIN_GET_BLOCK_INFO", .verb = "domain.block_info", .args = "disk=path",
      .answer = answer_info },
    { "DOMAIN_GET_DISK_ERRORS", .verb = "domain.block_info", .prepare = rpc_prepare_running,
      .answer = answer_errors },
    { 0 },
};
