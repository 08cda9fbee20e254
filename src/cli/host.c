//  host.c: commands about the host, the daemon and its actors.

#include "cli/json.h"
#include "cli/run.h"
#include "cli/columns.h"

#include <inttypes.h>
#include <string.h>

static const struct {
    const char *title, *key, *unit;
} nodeinfo_rows[] = {
    { "CPU model:", "cpu_model", "" },      { "CPU(s):", "cpus", "" },
    { "CPU frequency:", "mhz", " MHz" },    { "CPU socket(s):", "sockets", "" },
    { "Core(s) per socket:", "cores", "" }, { "Thread(s) per core:", "threads", "" },
    { "NUMA cell(s):", "numa_nodes", "" },  { "Memory size:", "memory_kib", " KiB" },
};

static void print_nodeinfo (const options_t *options, const troupe_value_t *info)
{
    (void) options;
    for (size_t i = 0; i < sizeof nodeinfo_rows / sizeof *nodeinfo_rows; i++) {
        const char *key = nodeinfo_rows[i].key, *text = troupe_get_str (info, key);
        autofree char *number = text_format ("%" PRIu64, troupe_get_u64 (info, key, 0));
        printf ("%-20s %s%s\n", nodeinfo_rows[i].title, text ? text : number,
                nodeinfo_rows[i].unit);
    }
}

int run_nodeinfo (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_nodeinfo, err);
}

static void print_or_json (cli_t *cli, const char *key, const char *text)
{
    if (!cli->json) {
        puts (text);
        return;
    }
    fputs ("{\n  ", stdout);
    json_text (stdout, key);
    fputs (": ", stdout);
    json_text (stdout, text);
    puts ("\n}");
}

int run_hostname (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    const char *name = troupe_get_str (troupe_message_value (reply), "hostname");
    print_or_json (cli, "hostname", name ? name : "");
    return 0;
}

int run_uri (cli_t *cli, const options_t *options, error_t *err)
{
    (void) options;
    if (cli_connect (cli, err))
        return -1;
    print_or_json (cli, "uri", cli->endpoint);
    return 0;
}

static void print_version (const options_t *options, const troupe_value_t *version)
{
    (void) options;
    const char *daemon = troupe_get_str (version, "troupe"), *zmq = troupe_get_str (version, "zmq");
    printf ("Command line:   troupe %s\n", TROUPE_VERSION);
    printf ("Daemon:         troupe %s, protocol %" PRIu64 "\n", daemon ? daemon : "?",
            troupe_get_u64 (version, "protocol", 0));
    printf ("ZeroMQ:         %s\n", zmq ? zmq : "?");
    printf ("Drivers:       ");
    const troupe_value_t *drivers = troupe_get (version, "drivers");
    for (size_t i = 0; i < troupe_count (drivers); i++)
        printf (" %s", troupe_str (troupe_at (drivers, i)));
    putchar ('\n');
}

int run_version (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_version, err);
}

int run_print_texts (cli_t *cli, const strings_t *texts)
{
    if (cli->json)
        puts ("[");
    for (size_t i = 0; i < texts->count; i++) {
        if (!cli->json) {
            puts (texts->items[i]);
            continue;
        }
        fputs ("  ", stdout);
        json_text (stdout, texts->items[i]);
        puts (i + 1 < texts->count ? "," : "");
    }
    if (cli->json)
        puts ("]");
    return 0;
}

static void print_names (const options_t *options, const troupe_value_t *names)
{
    (void) options;
    for (size_t i = 0; i < troupe_count (names); i++)
        puts (troupe_str (troupe_at (names, i)));
}

int run_cpu_models (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_names, err);
}

static void print_relation (const options_t *options, const troupe_value_t *answer)
{
    (void) options;
    const char *why = troupe_get_str (answer, "why");
    printf ("%s%s%s\n", troupe_get_str (answer, "relation"), why ? ": " : "", why ? why : "");
}

int run_cpu_compare (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_relation, err);
}

static void print_max (const options_t *options, const troupe_value_t *answer)
{
    (void) options;
    printf ("%" PRIu64 "\n", troupe_get_u64 (answer, "max", 0));
}

static void print_hypervisor (const options_t *options, const troupe_value_t *answer)
{
    (void) options;
    uint64_t version = troupe_get_u64 (answer, "version", 0);
    printf ("%s %" PRIu64 ".%" PRIu64 ".%" PRIu64 "\n", troupe_get_str (answer, "driver"),
            version / 1000000, version / 1000 % 1000, version % 1000);
}

int run_hypervisor (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_hypervisor, err);
}

int run_maxvcpus (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_max, err);
}

static void print_native (const options_t *options, const troupe_value_t *text)
{
    (void) options;
    fputs (troupe_str (text), stdout);
}

int run_domxml_to_native (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_native, err);
}

static void add_link (columns_t *table, const troupe_value_t *link)
{
    static const char *const words[] = { "name", "kind", "mac" };
    const char *state = !troupe_get_bool (link, "up", false)       ? "down"
                        : troupe_get_bool (link, "running", false) ? "up"
                                                                   : "up, no carrier";
    columns_addf (table, "%" PRIu64, troupe_get_u64 (link, "ifindex", 0));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        columns_add (table, troupe_get_str (link, words[i]));
    columns_add (table, state);
    columns_add (table, troupe_get_str (link, "master"));
    columns_add (table, troupe_get_str (link, "owner"));
    columns_add (table, troupe_get_str (link, "key"));
}

static void print_link_list (const options_t *options, const troupe_value_t *list)
{
    (void) options;
    const char *const titles[] = { "Index",  "Name",  "Kind", "MAC", "State",
                                   "Bridge", "Owner", "Key",  NULL };
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < troupe_count (list); i++)
        add_link (table, troupe_at (list, i));
    columns_print (table, stdout);
}

int run_link_list (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_link_list, err);
}

static int compare_actors (const void *a, const void *b)
{
    return strcmp (troupe_get_str (*(const troupe_value_t *const *) a, "address"),
                   troupe_get_str (*(const troupe_value_t *const *) b, "address"));
}

static void add_actor (columns_t *table, const troupe_value_t *actor)
{
    static const char *const numbers[] = { "mailbox", "parked", "requests", "handled", "restarts" };
    columns_add (table, troupe_get_str (actor, "address"));
    columns_add (table, troupe_get_str (actor, "state"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        columns_addf (table, "%" PRIu64, troupe_get_u64 (actor, numbers[i], 0));
    columns_addf (table, "%.1f ms", (double) troupe_get_u64 (actor, "longest_us", 0) / 1000);
}

static void print_ps (const options_t *options, const troupe_value_t *list)
{
    (void) options;
    size_t count = troupe_count (list);
    autofree const troupe_value_t **actors = memory_new (count + 1, sizeof *actors);
    for (size_t i = 0; i < count; i++)
        actors[i] = troupe_at (list, i);
    qsort (actors, count, sizeof *actors, compare_actors);
    const char *const titles[] = { "Address", "State",    "Mailbox", "Parked", "Requests",
                                   "Handled", "Restarts", "Longest", NULL };
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < count; i++)
        add_actor (table, actors[i]);
    columns_print (table, stdout);
}

int run_ps (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_ps, err);
}
