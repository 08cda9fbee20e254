//  host_stats.c: commands about the host's processors and memory, with virsh's output.

#include "cli/columns.h"
#include "cli/run.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void print_memory (const options_t *options, const troupe_value_t *memory)
{
    static const char *const rows[][2] = { { "total", "total_kib" },
                                           { "free", "free_kib" },
                                           { "buffers", "buffers_kib" },
                                           { "cached", "cached_kib" } };
    (void) options;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (troupe_get (memory, rows[i][1]))
            printf ("%-7s: %20" PRIu64 " KiB\n", rows[i][0],
                    troupe_get_u64 (memory, rows[i][1], 0));
}

int run_nodememstats (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_memory, err);
}

//  In the order in which they are printed.
static const char *const times[][2] = { { "user", "user_ns" },
                                        { "system", "system_ns" },
                                        { "idle", "idle_ns" },
                                        { "iowait", "iowait_ns" } };

enum {
    TIMES = sizeof times / sizeof *times,
    SECOND_US = 1000000
};

static void print_times (const options_t *options, const troupe_value_t *stats)
{
    (void) options;
    for (size_t i = 0; i < TIMES; i++)
        printf ("%-7s: %20" PRIu64 "\n", times[i][0], troupe_get_u64 (stats, times[i][1], 0));
}

static void print_share (const char *name, uint64_t part, uint64_t total)
{
    autofree char *title = text_format ("%s:", name);
    printf ("%-14s %5.1f%%\n", title, total > 0 ? (double) part * 100 / (double) total : 0);
}

//  A counter that goes back (iowait may, says proc(5)) counts as one that stood still.
static uint64_t passed (const troupe_value_t *before, const troupe_value_t *after, const char *key)
{
    uint64_t first = troupe_get_u64 (before, key, 0), last = troupe_get_u64 (after, key, 0);
    return last > first ? last - first : 0;
}

static void print_percent (const troupe_value_t *before, const troupe_value_t *after)
{
    uint64_t total = 0;
    for (size_t i = 0; i < TIMES; i++)
        total += passed (before, after, times[i][1]);
    print_share ("usage", passed (before, after, "user_ns") + passed (before, after, "system_ns"),
                 total);
    for (size_t i = 0; i < TIMES; i++)
        print_share (times[i][0], passed (before, after, times[i][1]), total);
}

int run_nodecpustats (cli_t *cli, const options_t *options, error_t *err)
{
    if (!options_flag (options, "percent"))
        return run_shown (cli, options, print_times, err);
    if (cli->json)
        return cli_usage (cli, err,
                          "nodecpustats: --percent is for people; with --output json, ask twice");
    auto(troupe_message_t) before = run_verb (cli, options, err);
    if (!before)
        return -1;
    usleep (SECOND_US);
    auto(troupe_message_t) after = run_verb (cli, options, err);
    if (after)
        print_percent (troupe_message_value (before), troupe_message_value (after));
    return after ? 0 : -1;
}

//  "yy-y" as "0-1,3".
static char *list_of (const char *map)
{
    auto(text_t) list = text_new ();
    for (size_t i = 0; map[i]; i++) {
        size_t length = strspn (map + i, "y");
        if (length == 0)
            continue;
        text_addf (list, "%s%zu", list->size > 0 ? "," : "", i);
        if (length > 1)
            text_addf (list, "-%zu", i + length - 1);
        i += length - 1;
    }
    return text_finish (&list);
}

static void print_map (const options_t *options, const troupe_value_t *cpus)
{
    const char *map = troupe_get_str (cpus, "map");
    autofree char *list = list_of (map ? map : "");
    printf ("%-15s %" PRIu64 "\n", "CPUs present:", troupe_get_u64 (cpus, "present", 0));
    printf ("%-15s %" PRIu64 "\n", "CPUs online:", troupe_get_u64 (cpus, "online", 0));
    printf ("%-15s %s\n", "CPU map:", options_flag (options, "pretty") ? list : map);
}

int run_nodecpumap (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_map, err);
}

static void print_cells (const options_t *options, const troupe_value_t *cells)
{
    uint64_t total = 0, cell;
    bool one = options_str (options, "cellno") != NULL, all = options_flag (options, "all");
    for (size_t i = 0; i < troupe_count (cells); i++) {
        uint64_t kib = troupe_get_u64 (troupe_at (cells, i), "free_kib", 0);
        cell = troupe_get_u64 (troupe_at (cells, i), "cell", 0);
        total += kib;
        if (one && cell == options_u64 (options, "cellno", 0))
            printf ("%" PRIu64 ": %" PRIu64 " KiB\n", cell, kib);
        else if (all)
            printf ("%5" PRIu64 ": %10" PRIu64 " KiB\n", cell, kib);
    }
    if (all)
        puts ("--------------------");
    if (!one)
        printf ("Total: %*" PRIu64 " KiB\n", all ? 10 : 0, total);
}

static bool has_cell (const troupe_value_t *cells, uint64_t number)
{
    for (size_t i = 0; i < troupe_count (cells); i++)
        if (troupe_get_u64 (troupe_at (cells, i), "cell", 0) == number)
            return true;
    return false;
}

int run_freecell (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_str (options, "cellno") && options_flag (options, "all"))
        return cli_usage (cli, err, "freecell: --all does not go with --cellno");
    auto(troupe_message_t) reply = cli_call (cli, "host.cells", NULL, err);
    if (!reply)
        return -1;
    uint64_t cell = options_u64 (options, "cellno", 0);
    const troupe_value_t *cells = troupe_message_value (reply);
    if (options_str (options, "cellno") && !has_cell (cells, cell))
        return error_set (err, ERR_INVALID_ARG,
                          "this host has no NUMA cell %" PRIu64 "; 'troupe freecell --all' shows "
                          "its cells",
                          cell);
    if (!cli_json (cli, cells))
        print_cells (options, cells);
    return 0;
}

static void print_pages (const troupe_value_t *pages)
{
    uint64_t last = UINT64_MAX;
    for (size_t i = 0; i < troupe_count (pages); i++) {
        const troupe_value_t *row = troupe_at (pages, i);
        uint64_t cell = troupe_get_u64 (row, "cell", 0);
        if (cell != last)
            printf ("%sNode %" PRIu64 ":\n", i > 0 ? "\n" : "", cell);
        last = cell;
        printf ("%" PRIu64 "KiB: %" PRIu64 "\n", troupe_get_u64 (row, "size_kib", 0),
                troupe_get_u64 (row, "free", 0));
    }
}

int run_freepages (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    bool one = options_str (options, "cellno") || options_str (options, "pagesize");
    uint64_t bytes = 0;
    if (one && options_flag (options, "all"))
        return cli_usage (cli, err, "freepages: --all does not go with --cellno or --pagesize");
    if (run_read_size (cli, options, "pagesize", 1024, &bytes, err))
        return -1;
    if (options_str (options, "pagesize") && (bytes == 0 || bytes % 1024 != 0))
        return cli_usage (cli, err, "freepages: --pagesize is to be a number of KiB above 0");
    if (bytes > 0)
        troupe_args_u64 (args, "page_size", bytes / 1024);
    if (options_str (options, "cellno"))
        troupe_args_u64 (args, "cell", options_u64 (options, "cellno", 0));
    auto(troupe_message_t) reply = cli_call (cli, "host.pages", args, err);
    if (reply && !cli_json (cli, troupe_message_value (reply)))
        print_pages (troupe_message_value (reply));
    return reply ? 0 : -1;
}

static void print_shared (const options_t *options, const troupe_value_t *values)
{
    (void) options;
    puts ("Shared memory:");
    for (size_t i = 0; i < troupe_count (values); i++) {
        autofree char *name = text_format ("shm_%s", troupe_key_at (values, i));
        printf ("\t%-25s %" PRIu64 "\n", name, troupe_u64 (troupe_at (values, i), 0));
    }
}

int run_node_memory_tune (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const names[][2] = { { "shm-pages-to-scan", "pages_to_scan" },
                                            { "shm-sleep-millisecs", "sleep_millisecs" },
                                            { "shm-merge-across-nodes", "merge_across_nodes" } };
    auto(troupe_args_t) args = troupe_args_new ();
    bool changes = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (options_str (options, names[i][0])) {
            troupe_args_u64 (args, names[i][1], options_u64 (options, names[i][0], 0));
            changes = true;
        }
    if (!changes)
        return run_shown (cli, options, print_shared, err);
    auto(troupe_message_t) reply = cli_call (cli, "host.shared_memory_set", args, err);
    return reply ? 0 : -1;
}

//  The NUMA cells that --cellno and --all mean.
static int add_cells (cli_t *cli, const options_t *options, troupe_args_t *args, error_t *err)
{
    if (options_str (options, "cellno"))
        troupe_args_u64 (args, "cell", options_u64 (options, "cellno", 0));
    if (!options_flag (options, "all"))
        return 0;
    auto(troupe_message_t) cells = cli_call (cli, "host.cells", NULL, err);
    if (!cells)
        return -1;
    troupe_args_u64 (args, "cell", 0);
    troupe_args_u64 (args, "cells", troupe_count (troupe_message_value (cells)));
    return 0;
}

int run_allocpages (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    uint64_t bytes = 0;
    if (options_str (options, "cellno") && options_flag (options, "all"))
        return cli_usage (cli, err, "allocpages: --all does not go with --cellno");
    if (run_read_size (cli, options, "pagesize", 1024, &bytes, err))
        return -1;
    if (bytes == 0 || bytes % 1024 != 0)
        return cli_usage (cli, err, "allocpages: --pagesize is to be a number of KiB above 0");
    autofree char *pages =
        text_format ("%" PRIu64 ":%" PRIu64, bytes / 1024, options_u64 (options, "pagecount", 0));
    troupe_args_strs (args, "pages", (const char *const[]){ pages }, 1);
    if (options_flag (options, "add"))
        troupe_args_bool (args, "add", true);
    if (add_cells (cli, options, args, err))
        return -1;
    auto(troupe_message_t) reply = cli_call (cli, "host.pages_allocate", args, err);
    return reply ? 0 : -1;
}
