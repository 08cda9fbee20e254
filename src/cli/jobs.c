//  jobs.c: what runs on domains, and what waits behind it.

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void print_line (const char *title, const char *text)
{
    printf ("%-17s %s\n", title, text);
}

static void print_number (const char *title, uint64_t number, const char *unit)
{
    char text[64];
    snprintf (text, sizeof text, "%-12" PRIu64 " %s", number, unit);
    print_line (title, text);
}

static void print_bytes (const char *title, uint64_t bytes, const char *per)
{
    autofree char *text = run_pretty_size (bytes);
    printf ("%-17s %s%s\n", title, text, per);
}

static void print_data (const troupe_value_t *job)
{
    print_bytes ("Data processed:", troupe_get_u64 (job, "done", 0), "");
    print_bytes ("Data remaining:", troupe_get_u64 (job, "remaining", 0), "");
    print_bytes ("Data total:", troupe_get_u64 (job, "total", 0), "");
}

//  In virsh's layout.
static void print_job (const troupe_value_t *job)
{
    const char *kind = troupe_get_str (job, "kind"), *step = troupe_get_str (job, "step");
    if (!kind) {
        print_line ("Job type:", "None");
        return;
    }
    uint64_t total = troupe_get_u64 (job, "total", 0);
    print_line ("Job type:", total > 0 ? "Bounded" : "Unbounded");
    print_line ("Operation:", kind);
    print_number ("Time elapsed:", troupe_get_u64 (job, "elapsed_ms", 0), "ms");
    if (step)
        print_line ("Step:", step);
    if (total == 0)
        return;
    print_data (job);
    if (troupe_get_u64 (job, "rate", 0) > 0)
        print_bytes (text_equals (kind, "backup") ? "File bandwidth:" : "Memory bandwidth:",
                     troupe_get_u64 (job, "rate", 0), "/s");
    if (troupe_get_u64 (job, "dirty_rate", 0) > 0)
        print_bytes ("Dirty rate:", troupe_get_u64 (job, "dirty_rate", 0), "/s");
    if (troupe_get_u64 (job, "passes", 0) > 0)
        print_number ("Iteration:", troupe_get_u64 (job, "passes", 0), "");
    if (troupe_get_u64 (job, "left_ms", 0) > 0)
        print_number ("Time remaining:", troupe_get_u64 (job, "left_ms", 0), "ms");
}

//  The newest is the last; NULL if there is none.
static const troupe_value_t *last_over (const troupe_value_t *list, bool completed)
{
    for (size_t i = troupe_count (list); i-- > 0;) {
        const char *outcome = troupe_get_str (troupe_at (list, i), "outcome");
        if (!completed || text_equals (outcome, "completed"))
            return troupe_at (list, i);
    }
    return NULL;
}

static void print_over (const troupe_value_t *job)
{
    const char *outcome = troupe_get_str (job, "outcome"), *error = troupe_get_str (job, "error");
    if (!outcome) {
        print_line ("Job type:", "None");
        return;
    }
    printf ("%-17s %c%s\n", "Job type:", toupper (*outcome), outcome + 1);
    print_line ("Operation:", troupe_get_str (job, "kind"));
    print_number ("Time elapsed:", troupe_get_u64 (job, "elapsed_ms", 0), "ms");
    if (troupe_get_u64 (job, "total", 0) > 0)
        print_data (job);
    if (error)
        print_line ("Error message:", error);
}

//  Bytes, milliseconds and microseconds, as their names say; what there is none of is left out.
static void print_raw (const troupe_value_t *job)
{
    for (size_t i = 0; i < troupe_count (job); i++) {
        const char *key = troupe_key_at (job, i);
        if (troupe_get_str (job, key))
            printf ("%s: %s\n", key, troupe_get_str (job, key));
        else if (troupe_type (troupe_at (job, i)) == TROUPE_INT)
            printf ("%s: %" PRIu64 "\n", key, troupe_get_u64 (job, key, 0));
    }
}

static void print_with (const options_t *options, const troupe_value_t *job,
                        void (*print) (const troupe_value_t *job))
{
    (options_flag (options, "rawstats") ? print_raw : print) (job);
}

static int show_over (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_bool (args, "history", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.jobs", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *job =
        last_over (troupe_message_value (reply), !options_flag (options, "anystats"));
    if (!cli_json (cli, job))
        print_with (options, job, print_over);
    return 0;
}

int run_domjobinfo (cli_t *cli, const options_t *options, error_t *err)
{
    bool completed = options_flag (options, "completed");
    if (!completed &&
        (options_flag (options, "keep_completed") || options_flag (options, "anystats")))
        return cli_usage (cli, err,
                          "domjobinfo: --keep-completed and --anystats go with --completed");
    if (completed)
        return show_over (cli, options, err);
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        print_with (options, troupe_message_value (reply), print_job);
    return 0;
}

//  "uid 0, client 3".
static void add_asker (columns_t *table, const troupe_value_t *by)
{
    const char *key = troupe_get_str (by, "key");
    if (key)
        columns_addf (table, "key %s, client %" PRIu64, key, troupe_get_u64 (by, "client", 0));
    else if (by)
        columns_addf (table, "uid %" PRIu64 ", client %" PRIu64, troupe_get_u64 (by, "uid", 0),
                      troupe_get_u64 (by, "client", 0));
    else
        columns_add (table, "the daemon");
}

static void add_progress (columns_t *table, const troupe_value_t *job)
{
    uint64_t total = troupe_get_u64 (job, "total", 0), done = troupe_get_u64 (job, "done", 0);
    if (total > 0)
        columns_addf (table, "%" PRIu64 " %%", done * 100 / total);
    else
        columns_add (table, troupe_get_str (job, "step"));
}

static void add_row (columns_t *table, const troupe_value_t *job)
{
    uint64_t number = troupe_get_u64 (job, "number", 0);
    const char *verb = troupe_get_str (job, "verb"), *kind = troupe_get_str (job, "kind");
    columns_add (table, troupe_get_str (job, "name"));
    columns_add (table, troupe_get_str (job, "state"));
    if (number > 0)
        columns_addf (table, "%" PRIu64, number);
    else
        columns_add (table, "-");
    columns_add (table, verb && *verb ? verb : kind);
    columns_addf (table, "%.1f s", (double) troupe_get_u64 (job, "elapsed_ms", 0) / 1000);
    add_progress (table, job);
    add_asker (table, troupe_get (job, "by"));
}

//  Errors can be long: the others, and the rule, would be as wide.
enum {
    WIDEST_OUTCOME = 72
};

static void add_past (columns_t *table, const troupe_value_t *job, bool wide)
{
    const char *error = troupe_get_str (job, "error"), *verb = troupe_get_str (job, "verb");
    time_t since = (time_t) (troupe_get_i64 (job, "since_us", 0) / 1000000);
    struct tm local;
    char began[32];
    strftime (began, sizeof began, "%Y-%m-%d %H:%M:%S", localtime_r (&since, &local));
    columns_add (table, troupe_get_str (job, "name"));
    columns_add (table, verb && *verb ? verb : troupe_get_str (job, "kind"));
    columns_add (table, began);
    columns_addf (table, "%.1f s", (double) troupe_get_u64 (job, "elapsed_ms", 0) / 1000);
    add_asker (table, troupe_get (job, "by"));
    autofree char *outcome = text_format ("%s%s%s", troupe_get_str (job, "outcome"),
                                          error ? ": " : "", error ? error : "");
    columns_add_short (table, outcome, wide ? 0 : WIDEST_OUTCOME);
}

static int by_begin (const void *a_p, const void *b_p)
{
    int64_t a = troupe_get_i64 (*(const troupe_value_t *const *) a_p, "since_us", 0);
    int64_t b = troupe_get_i64 (*(const troupe_value_t *const *) b_p, "since_us", 0);
    return (a > b) - (a < b);
}

//  Those of all domains, as they began.
static void add_all_past (columns_t *table, const troupe_value_t *list, bool wide)
{
    size_t count = troupe_count (list);
    autofree const troupe_value_t **jobs = memory_new (count + 1, sizeof *jobs);
    for (size_t i = 0; i < count; i++)
        jobs[i] = troupe_at (list, i);
    qsort (jobs, count, sizeof *jobs, by_begin);
    for (size_t i = 0; i < count; i++)
        add_past (table, jobs[i], wide);
}

static void print_jobs (const options_t *options, const troupe_value_t *list)
{
    bool history = options_flag (options, "history");
    const char *const now[] = { "Domain", "State",    "Number",   "Job",
                                "Since",  "Progress", "Asked by", NULL };
    const char *const past[] = { "Domain", "Job", "Began", "Took", "Asked by", "Outcome", NULL };
    auto(columns_t) table = columns_new (history ? past : now);
    if (history)
        add_all_past (table, list, options_flag (options, "wide"));
    for (size_t i = 0; !history && i < troupe_count (list); i++)
        add_row (table, troupe_at (list, i));
    columns_print (table, stdout);
}

int run_jobs (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_flag (options, "wide") && !options_flag (options, "history"))
        return cli_usage (cli, err, "jobs: --wide goes with --history");
    return run_shown (cli, options, print_jobs, err);
}
