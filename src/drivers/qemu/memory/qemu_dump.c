//  qemu_dump.c: a guest's memory, or all of its state, to a file for a debugger.

#include "drivers/guest_end.h"
#include "drivers/pending_file.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/state.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000

//  QMP's DumpGuestMemoryFormat, by dump_format_t.
static const char *const formats[] = { "elf", "kdump-zlib", "kdump-lzo", "kdump-snappy",
                                       "win-dmp" };

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

static int check_options (const dump_options_t *options, error_t *err)
{
    if (options->live + options->crash + options->reset > 1)
        return error_set (err, ERR_INVALID_ARG, "of live, crash and reset only one can be asked");
    if ((size_t) options->format >= sizeof formats / sizeof *formats)
        return error_set (err, ERR_INVALID_ARG, "%d is no dump format", (int) options->format);
    if (!options->memory_only && options->format != DUMP_RAW)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: the format %s is one of memory only; ask for that",
                          formats[options->format]);
    return 0;
}

//  Which ones there are depends on the libraries that this QEMU was built with.
static int check_format (job_t *job, const char *format, error_t *err)
{
    json_auto_t *answer = job_qmp (job, "query-dump-guest-memory-capability", NULL, QMP_MS, err);
    if (!answer)
        return -1;
    auto(text_t) present = text_new ();
    json_t *item;
    size_t i;
    json_array_foreach (json_object_get (answer, "formats"), i, item)
    {
        const char *name = json_string_value (item);
        if (name && strcmp (name, format) == 0)
            return 0;
        text_addf (present, "%s%s", i ? ", " : "", name ? name : "?");
    }
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: the dump format %s; this QEMU has %s", format, present->data);
}

static int dump_memory (job_t *job, const pending_file_t *file, const char *format, error_t *err)
{
    job_file_t target = { .path = file->partial, .write = true };
    if (qemu_stream_pass (job, &target, err) ||
        command (job, "dump-guest-memory",
                 json_pack ("{s:b, s:s, s:b, s:s}", "paging", 0, "protocol", "fd:" QEMU_FILE_NAME,
                            "detach", 1, "format", format),
                 err))
        return -1;
    return qemu_work_follow (job, qemu_dump_ask, "dumping", file->fd, err);
}

static int write_dump (job_t *job, const pending_file_t *file, const dump_options_t *options,
                       error_t *err)
{
    if (options->memory_only)
        return dump_memory (job, file, formats[options->format], err);
    job_file_t target = { .path = file->partial, .write = true };
    return qemu_stream_write (job, &target, file->fd, "dumping", options->bandwidth, err);
}

//  Before the file is synced: that takes long, and the guest need not wait for it.
static int go_on (job_t *job, const dump_options_t *options, bool running, error_t *err)
{
    if (options->crash)
        return 0;
    if (options->reset && command (job, "system_reset", NULL, err))
        return -1;
    return running ? qemu_stream_go_on (job, err) : 0;
}

static int end_guest (job_t *job, error_t *err)
{
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED };
    guest_end_note (job->guest);
    if (job_commit (job, err)) {
        guest_end_forget (job);
        return -1;
    }
    if (qemu_destroy (job, false, err))
        return error_prefix (err, "it is dumped, but its QEMU does not end");
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED };
    return 0;
}

static int dump (job_t *job, const char *path, const dump_options_t *options, error_t *err)
{
    bool running;
    if (!job->guest->live || !job->guest->record)
        return error_set (err, ERR_OPERATION_INVALID, "it is not running");
    if (check_options (options, err) || qemu_is_running (job, &running, err) ||
        (options->memory_only && check_format (job, formats[options->format], err)))
        return -1;
    auto(pending_file_t) file = pending_file_new (job, path, err);
    if (!file || qemu_undo_pause (job, running, err) ||
        (running && !options->live && command (job, "stop", NULL, err)) ||
        write_dump (job, file, options, err) || go_on (job, options, running, err) ||
        pending_file_commit (file, err))
        return -1;
    return options->crash ? end_guest (job, err) : 0;
}

int qemu_dump (job_t *job, const char *path, const dump_options_t *options, error_t *err)
{
    if (dump (job, path, options, err) == 0)
        return 0;
    return error_prefix (err, "dump domain '%s' to '%s'", job->guest->name, path);
}
