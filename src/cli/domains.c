//  domains.c: commands that show what domains there are and what they are.

#include "cli/json.h"
#include "cli/run.h"
#include "cli/columns.h"
#include "util/xml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int compare_domains (const void *a, const void *b)
{
    const troupe_value_t *one = *(const troupe_value_t *const *) a;
    const troupe_value_t *two = *(const troupe_value_t *const *) b;
    int64_t first = troupe_get_i64 (one, "id", -1), second = troupe_get_i64 (two, "id", -1);
    if (first > 0 && second > 0)
        return first < second ? -1 : first > second;
    if (first > 0 || second > 0)
        return first > 0 ? -1 : 1;
    return strcmp (troupe_get_str (one, "name"), troupe_get_str (two, "name"));
}

//  Active ones by id, then the others by name. The caller frees it.
static const troupe_value_t **sorted (const troupe_value_t *list)
{
    size_t count = troupe_count (list);
    const troupe_value_t **domains = memory_new (count + 1, sizeof *domains);
    for (size_t i = 0; i < count; i++)
        domains[i] = troupe_at (list, i);
    qsort (domains, count, sizeof *domains, compare_domains);
    return domains;
}

static char *id_text (const troupe_value_t *domain)
{
    int64_t id = troupe_get_i64 (domain, "id", -1);
    return id > 0 ? text_format ("%" PRId64, id) : text_copy ("-");
}

static void print_words (const troupe_value_t *domain, const options_t *options)
{
    autofree char *id = id_text (domain);
    const struct {
        const char *option, *text;
    } words[] = { { "id", id },
                  { "uuid", troupe_get_str (domain, "uuid") },
                  { "name", troupe_get_str (domain, "name") } };
    bool first = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (options_flag (options, words[i].option)) {
            printf ("%s%s", first ? "" : " ", words[i].text);
            first = false;
        }
    putchar ('\n');
}

static void print_list (const troupe_value_t **domains, bool titles)
{
    const char *const with_titles[] = { "Id", "Name", "State", "Title", NULL };
    const char *const without[] = { "Id", "Name", "State", NULL };
    auto(columns_t) table = columns_new (titles ? with_titles : without);
    for (; *domains; domains++) {
        autofree char *id = id_text (*domains);
        columns_add (table, id);
        columns_add (table, troupe_get_str (*domains, "name"));
        columns_add (table, troupe_get_str (*domains, "state_text"));
        if (titles)
            columns_add (table, troupe_get_str (*domains, "title"));
    }
    columns_print (table, stdout);
}

int run_list (cli_t *cli, const options_t *options, error_t *err)
{
    bool words = options_flag (options, "name") || options_flag (options, "uuid") ||
                 options_flag (options, "id");
    if (words && (options_flag (options, "table") || options_flag (options, "title")))
        return cli_usage (cli, err,
                          "list: --name, --uuid and --id don't go with --table or --title");
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    if (cli_json (cli, troupe_message_value (reply)))
        return 0;
    autofree const troupe_value_t **domains = sorted (troupe_message_value (reply));
    if (!words)
        print_list (domains, options_flag (options, "title"));
    for (size_t i = 0; words && domains[i]; i++)
        print_words (domains[i], options);
    return 0;
}

static void line (const char *name, const char *text)
{
    printf ("%-15s %s\n", name, text ? text : "-");
}

//  "monitor not responding since ..."; NULL: it responds. The caller frees it.
static char *silence_text (const troupe_value_t *state)
{
    struct tm parts;
    char text[64];
    time_t since = (time_t) (troupe_get_i64 (state, "silent_since_us", 0) / 1000000);
    if (since == 0)
        return NULL;
    strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r (&since, &parts));
    return text_format ("monitor not responding since %s", text);
}

//  "to ENDPOINT, handed over: ..."; NULL: it stays where it is. The caller frees it.
static char *migration_text (const troupe_value_t *info)
{
    const troupe_value_t *migration = troupe_get (info, "migration");
    const char *role = troupe_get_str (migration, "role");
    const char *trouble = troupe_get_str (migration, "trouble");
    if (!role)
        return NULL;
    return text_format ("%s %s, %s%s%s", strcmp (role, "in") == 0 ? "from" : "to",
                        troupe_get_str (migration, "peer"), troupe_get_str (migration, "phase"),
                        trouble ? ": " : "", trouble ? trouble : "");
}

static void print_usage (const troupe_value_t *usage)
{
    if (!usage)
        return;
    double seconds = (double) troupe_get_u64 (usage, "cpu_ns", 0) / 1e9;
    autofree char *text = text_format (
        "%.1fs%s", seconds, troupe_get_bool (usage, "stale", false) ? " (last known)" : "");
    line ("CPU time:", text);
}

static void print_dominfo (const troupe_value_t *info, const troupe_value_t *usage)
{
    autofree char *id = id_text (info);
    autofree char *cpus = text_format ("%" PRIu64, troupe_get_u64 (info, "vcpus", 0));
    autofree char *max =
        text_format ("%" PRIu64 " KiB", troupe_get_u64 (info, "max_memory_kib", 0));
    autofree char *used = text_format ("%" PRIu64 " KiB", troupe_get_u64 (info, "memory_kib", 0));
    line ("Id:", id);
    line ("Name:", troupe_get_str (info, "name"));
    line ("UUID:", troupe_get_str (info, "uuid"));
    line ("OS Type:", troupe_get_str (info, "os_type"));
    line ("State:", troupe_get_str (info, "state_text"));
    autofree char *silence = silence_text (info);
    if (silence)
        line ("Note:", silence);
    autofree char *migration = migration_text (info);
    if (migration)
        line ("Migration:", migration);
    line ("CPU(s):", cpus);
    print_usage (usage);
    line ("Max memory:", max);
    line ("Used memory:", used);
    line ("Persistent:", troupe_get_bool (info, "persistent", false) ? "yes" : "no");
    line ("Autostart:", troupe_get_bool (info, "autostart", false) ? "enable" : "disable");
    line ("Managed save:", troupe_get_bool (info, "managed_save", false) ? "yes" : "no");
    line ("Driver:", troupe_get_str (info, "driver"));
    const char *agent = troupe_get_str (info, "agent");
    if (agent && *agent)
        line ("Guest agent:", agent);
}

//  The info's members, and the usage as one more.
static void json_dominfo (const troupe_value_t *info, const troupe_value_t *usage)
{
    putchar ('{');
    for (size_t i = 0; i < troupe_count (info); i++) {
        json_indent (stdout, 1);
        json_text (stdout, troupe_key_at (info, i));
        fputs (": ", stdout);
        json_value (stdout, troupe_at (info, i), 1);
        putchar (',');
    }
    fputs ("\n  \"usage\": ", stdout);
    json_value (stdout, usage, 1);
    puts ("\n}");
}

int run_dominfo (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *info = troupe_message_value (reply);
    auto(troupe_message_t) usage = NULL;
    if (troupe_get_i64 (info, "id", -1) > 0) {
        //  It may have ended meanwhile: then there is nothing to measure, which is no error.
        error_t ignored;
        usage = cli_call_domain (cli, "domain.usage", troupe_get_str (info, "uuid"), &ignored);
    }
    const troupe_value_t *measured = usage ? troupe_message_value (usage) : NULL;
    if (cli->json)
        json_dominfo (info, measured);
    else
        print_dominfo (info, measured);
    return 0;
}

static void print_domstate (const options_t *options, const troupe_value_t *state)
{
    const char *reason = troupe_get_str (state, "reason_text");
    printf ("%s", troupe_get_str (state, "state_text"));
    if (options_flag (options, "reason") && reason)
        printf (" (%s)", reason);
    autofree char *silence = silence_text (state);
    if (silence)
        printf (", %s", silence);
    putchar ('\n');
}

int run_domstate (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_domstate, err);
}

static void print_lookup (const options_t *options, const troupe_value_t *domain)
{
    const char *what = options->command->name + strlen ("dom");
    autofree char *id = id_text (domain);
    puts (strcmp (what, "id") == 0 ? id : troupe_get_str (domain, what));
}

//  domid, domname, domuuid: what their name says.
int run_lookup (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_lookup, err);
}

//  virsh's table has a row for each of these; its flags choose one.
static const struct {
    const char *title, *scope, *key;
} vcpu_rows[] = { { "maximum", "config", "config_max" },
                  { "maximum", "live", "live_max" },
                  { "current", "config", "config_current" },
                  { "current", "live", "live_current" } };

static int print_vcpu_row (const troupe_value_t *counts, bool maximum, const char *scope,
                           error_t *err)
{
    const char *title = maximum ? "maximum" : "current";
    for (size_t i = 0; i < sizeof vcpu_rows / sizeof *vcpu_rows; i++)
        if (strcmp (vcpu_rows[i].title, title) == 0 && strcmp (vcpu_rows[i].scope, scope) == 0 &&
            troupe_get (counts, vcpu_rows[i].key)) {
            printf ("%" PRIu64 "\n", troupe_get_u64 (counts, vcpu_rows[i].key, 0));
            return 0;
        }
    return error_set (err, ERR_OPERATION_INVALID, "vcpucount: the domain has no %s count: %s",
                      scope, scope[0] == 'l' ? "it is not running" : "it is transient");
}

//  "0-2,5": 4.
static uint64_t count_listed (const char *list)
{
    uint64_t count = 0;
    while (list && *list) {
        char *end;
        uint64_t first = strtoull (list, &end, 10), last = first;
        if (*end == '-')
            last = strtoull (end + 1, &end, 10);
        count += last >= first ? last - first + 1 : 0;
        list = *end ? end + 1 : end;
    }
    return count;
}

static int count_in_guest (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_flag (options, "config"))
        return cli_usage (cli, err, "vcpucount: --guest and --config exclude each other");
    auto(troupe_message_t) reply = cli_call (cli, "domain.guest_vcpus", args, err);
    const char *key = options_flag (options, "maximum") ? "vcpus" : "online";
    if (reply && !cli_json (cli, troupe_message_value (reply)))
        printf ("%" PRIu64 "\n", count_listed (troupe_get_str (troupe_message_value (reply), key)));
    return reply ? 0 : -1;
}

int run_vcpucount (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_flag (options, "guest"))
        return count_in_guest (cli, options, err);
    bool maximum = options_flag (options, "maximum"), active = options_flag (options, "active");
    bool live = options_flag (options, "live"), config = options_flag (options, "config");
    bool current = options_flag (options, "current");
    if (maximum && active)
        return cli_usage (cli, err, "vcpucount: --maximum and --active exclude each other");
    if (live + config + current > 1)
        return cli_usage (cli, err, "vcpucount: --live, --config and --current exclude each other");
    if (maximum + active != live + config + current)
        return cli_usage (cli, err,
                          "vcpucount: --maximum or --active goes with one of --live, "
                          "--config and --current");
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *counts = troupe_message_value (reply);
    if (cli_json (cli, counts))
        return 0;
    bool runs = troupe_get (counts, "live_max");
    if (maximum || active)
        return print_vcpu_row (counts, maximum, live || (current && runs) ? "live" : "config", err);
    for (size_t i = 0; i < sizeof vcpu_rows / sizeof *vcpu_rows; i++)
        if (troupe_get (counts, vcpu_rows[i].key))
            printf ("%-12s %-12s %3" PRIu64 "\n", vcpu_rows[i].title, vcpu_rows[i].scope,
                    troupe_get_u64 (counts, vcpu_rows[i].key, 0));
    return 0;
}

static void print_dommemstat (const troupe_value_t *usage)
{
    printf ("actual %" PRIu64 "\n", troupe_get_u64 (usage, "memory_kib", 0));
    printf ("last_update %" PRIu64 "\n", troupe_get_u64 (usage, "measured_us", 0) / 1000000);
    printf ("rss %" PRIu64 "\n", troupe_get_u64 (usage, "rss_kib", 0));
}

int run_dommemstat (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_str (options, "period"))
        return run_memory_period (cli, options, err);
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    auto(troupe_message_t) reply = cli_call (cli, "domain.usage", args, err);
    if (reply && !cli_json (cli, troupe_message_value (reply)))
        print_dommemstat (troupe_message_value (reply));
    return reply ? 0 : -1;
}

//  The live XML says it: libvirt's format has the path in source, and in console's tty too.
static const char *find_tty (const char *domain, const xml_t *xml, error_t *err)
{
    static const char *const paths[] = { "devices/console/@tty", "devices/console/source/@path",
                                         "devices/serial/source/@path" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *tty = xml_string (xml_root (xml), paths[i]);
        if (tty)
            return tty;
    }
    error_set (err, ERR_NO_DEVICE,
               "ttyconsole: domain '%s' has no console with a terminal now; it has to run, and to "
               "have a console of type pty",
               domain);
    return NULL;
}

int run_ttyconsole (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    auto(xml_t) xml = run_domain_xml (cli, domain, false, err);
    const char *tty = xml ? find_tty (domain, xml, err) : NULL;
    if (!tty)
        return -1;
    if (cli->json) {
        fputs ("{\n  \"tty\": ", stdout);
        json_text (stdout, tty);
        puts ("\n}");
    } else
        puts (tty);
    return 0;
}
