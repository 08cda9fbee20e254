//  block.c: disks of running domains, with virsh's options.

#include "cli/block_wait.h"
#include "cli/run.h"

#include <inttypes.h>
#include <stdio.h>

#define KIB 1024
#define MIB (1024 * 1024)

static troupe_args_t *disk_args (const options_t *options)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "disk", options_str (options, "path"));
    return args;
}

static void add_flags (troupe_args_t *args, const options_t *options, const char *const *flags)
{
    for (; *flags; flags++)
        if (options_flag (options, *flags))
            troupe_args_bool (args, *flags, true);
}

int run_blockresize (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "capacity", NULL };
    auto(troupe_args_t) args = disk_args (options);
    if (!options_str (options, "size") && !options_flag (options, "capacity"))
        return cli_usage (cli, err, "blockresize: --size or --capacity is missing");
    if (run_add_size (cli, args, options, "size", KIB, err))
        return -1;
    add_flags (args, options, flags);
    auto(troupe_message_t) reply = cli_call (cli, "domain.block_resize", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "Block device '%s' is resized\n", options_str (options, "path"));
    return 0;
}

//  Block jobs.

typedef struct {
    const char *verb;
    const char *started;   //  what is said if nobody waits
    const char *ready;     //  ... if it is ready, and stays so
    const char *pivoted;   //  ... and was pivoted
    const char *ended;     //  ... and was ended
    const char *completed; //  ... if it is over by itself
} words_t;

static const char *said (const words_t *words, const block_wait_t *wait)
{
    if (!wait->ready)
        return words->completed;
    return wait->when_ready == WHEN_READY_PIVOT ? words->pivoted
           : wait->when_ready == WHEN_READY_END ? words->ended
                                                : words->ready;
}

static int begin (cli_t *cli, const options_t *options, const words_t *words,
                  const troupe_args_t *args, when_ready_t when_ready, error_t *err)
{
    block_wait_t wait = { .cli = cli, .options = options, .when_ready = when_ready };
    bool waits = options_flag (options, "wait") || options_flag (options, "verbose") ||
                 options_str (options, "timeout") || when_ready != WHEN_READY_LEAVE;
    if (waits && block_wait_begin (&wait, err))
        return -1;
    auto(troupe_message_t) reply = cli_call (cli, words->verb, args, err);
    if (!reply || (waits && block_wait (&wait, err)))
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "%s\n", waits ? said (words, &wait) : words->started);
    return 0;
}

static int read_when_ready (cli_t *cli, const options_t *options, const char *end,
                            when_ready_t *when_ready, error_t *err)
{
    bool pivots = options_flag (options, "pivot"), ends = options_flag (options, end);
    if (pivots && ends)
        return cli_usage (cli, err, "%s: --pivot and --%s contradict each other",
                          options->command->name, end);
    *when_ready = pivots ? WHEN_READY_PIVOT : ends ? WHEN_READY_END : WHEN_READY_LEAVE;
    return 0;
}

//  Where to: a path, which is the daemon's, but if it is relative meant from here; or a document.
static int add_dest (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err)
{
    const char *dest = options_str (options, "dest"), *xml = options_str (options, "xml");
    const char *format = options_str (options, "format");
    if (!dest == !xml)
        return cli_usage (cli, err, "blockcopy: one of --dest and --xml is missing, or too much");
    if (xml && (format || options_flag (options, "blockdev")))
        return cli_usage (cli, err, "blockcopy: --format and --blockdev do not go with --xml");
    if (xml)
        return options_add_file (args, "xml", xml, err);
    autofree char *path = run_absolute_path (dest, err);
    if (!path)
        return -1;
    troupe_args_str (args, "path", path);
    if (format)
        troupe_args_str (args, "format", format);
    if (options_flag (options, "blockdev"))
        troupe_args_bool (args, "block", true);
    return 0;
}

int run_blockcopy (cli_t *cli, const options_t *options, error_t *err)
{
    static const words_t words = { "domain.block_copy",      "Block Copy started",
                                   "Now in mirroring phase", "Successfully pivoted",
                                   "Successfully copied",    "Successfully copied" };
    static const char *const flags[] = { "shallow", "reuse_external", "synchronous_writes", NULL };
    when_ready_t when_ready = WHEN_READY_LEAVE;
    uint64_t buffer = 0;
    auto(troupe_args_t) args = disk_args (options);
    if (read_when_ready (cli, options, "finish", &when_ready, err) ||
        add_dest (cli, args, options, err) || run_add_bandwidth (cli, args, options, err) ||
        run_add_size (cli, args, options, "granularity", 1, err) ||
        run_read_size (cli, options, "buf_size", 1, &buffer, err))
        return -1;
    if (buffer > 0)
        troupe_args_u64 (args, "buffer", buffer);
    add_flags (args, options, flags);
    return begin (cli, options, &words, args, when_ready, err);
}

static void add_images (troupe_args_t *args, const options_t *options)
{
    static const char *const names[] = { "base", "top" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (options_str (options, names[i]))
            troupe_args_str (args, names[i], options_str (options, names[i]));
}

int run_blockcommit (cli_t *cli, const options_t *options, error_t *err)
{
    static const words_t words = { "domain.block_commit",
                                   "Block Commit started",
                                   "Now in synchronized phase",
                                   "Successfully pivoted",
                                   "Commit complete, overlay image kept",
                                   "Commit complete" };
    static const char *const flags[] = { "shallow", "delete", "keep_relative", NULL };
    when_ready_t when_ready = WHEN_READY_LEAVE;
    auto(troupe_args_t) args = disk_args (options);
    if (read_when_ready (cli, options, "keep_overlay", &when_ready, err) ||
        run_add_bandwidth (cli, args, options, err))
        return -1;
    add_images (args, options);
    add_flags (args, options, flags);
    if (options_flag (options, "active") || when_ready != WHEN_READY_LEAVE)
        troupe_args_bool (args, "active", true);
    return begin (cli, options, &words, args, when_ready, err);
}

int run_blockpull (cli_t *cli, const options_t *options, error_t *err)
{
    static const words_t words = { "domain.block_pull", "Block Pull started", "", "", "",
                                   "Pull complete" };
    static const char *const flags[] = { "keep_relative", NULL };
    auto(troupe_args_t) args = disk_args (options);
    if (run_add_bandwidth (cli, args, options, err))
        return -1;
    add_images (args, options);
    add_flags (args, options, flags);
    return begin (cli, options, &words, args, WHEN_READY_LEAVE, err);
}

//  blockjob.

static void print_raw (const troupe_value_t *job)
{
    printf (" type=%s\n bandwidth=%" PRIu64 "\n cur=%" PRIu64 "\n end=%" PRIu64 "\n",
            troupe_get_str (job, "type_text"), troupe_get_u64 (job, "bandwidth", 0),
            troupe_get_u64 (job, "done", 0), troupe_get_u64 (job, "total", 0));
}

static void print_job (const options_t *options, const troupe_value_t *job)
{
    uint64_t limit = troupe_get_u64 (job, "bandwidth", 0);
    if (options_flag (options, "raw")) {
        print_raw (job);
        return;
    }
    printf ("%s: [%3d %%]", troupe_get_str (job, "type_text"), block_percent (job));
    if (limit > 0 && options_flag (options, "bytes"))
        printf ("    Bandwidth limit: %" PRIu64 " bytes/s", limit);
    else if (limit > 0)
        printf ("    Bandwidth limit: %.3f MiB/s", (double) limit / MIB);
    if (troupe_get_u64 (job, "rate", 0) > 0)
        printf ("    Rate: %.3f MiB/s", (double) troupe_get_u64 (job, "rate", 0) / MIB);
    putchar ('\n');
}

//  None of its jobs is not the same as no such disk.
static int check_disk (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain"), *path = options_str (options, "path");
    auto(xml_t) doc = run_domain_xml (cli, domain, false, err);
    xml_foreach (disk, doc ? xml_find (xml_root (doc), "devices") : NULL, "disk")
        if (xml_equals (disk, "target/@dev", path) || xml_equals (disk, "source/@file", path) ||
            xml_equals (disk, "source/@dev", path))
            return 0;
    return doc ? error_set (err, ERR_INVALID_ARG,
                            "blockjob: domain '%s' has no disk '%s'; 'troupe domblklist %s' shows "
                            "them",
                            domain, path, domain)
               : -1;
}

static int show_job (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = disk_args (options);
    auto(troupe_message_t) reply = cli_call (cli, "domain.block_jobs", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (troupe_count (list) == 0 && check_disk (cli, options, err))
        return -1;
    if (cli_json (cli, list))
        return 0;
    if (troupe_count (list) == 0 && !options_flag (options, "raw"))
        cli_say (cli, "No current block job for %s\n", options_str (options, "path"));
    else if (troupe_count (list) > 0)
        print_job (options, troupe_at (list, 0));
    return 0;
}

static int call_job (cli_t *cli, const char *verb, const troupe_args_t *args, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

int run_blockjob (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "pivot", "async", NULL };
    bool ends = options_flag (options, "abort") || options_flag (options, "pivot") ||
                options_flag (options, "async");
    bool shows = options_flag (options, "info") || options_flag (options, "raw");
    bool limits = options_str (options, "bandwidth") != NULL;
    if (ends + shows + limits > 1)
        return cli_usage (cli, err,
                          "blockjob: one of --abort (with --pivot, --async), --info (with --raw) "
                          "and a bandwidth");
    if (!ends && !limits)
        return show_job (cli, options, err);
    auto(troupe_args_t) args = disk_args (options);
    if (run_add_bandwidth (cli, args, options, err))
        return -1;
    add_flags (args, options, flags);
    return call_job (cli, ends ? "domain.block_abort" : "domain.block_speed", args, err);
}
