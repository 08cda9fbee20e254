//  measured.c: cpu-stats, domblkstat and domifstat: some of a running domain's statistics, in the
//  words of virsh.

#include "cli/run.h"
#include "util/text.h"
#include "util/xml.h"

#include <inttypes.h>
#include <string.h>

//  A field of domain.stats, and how it is shown.
typedef struct {
    const char *key, *name, *words;
} measured_t;

static const measured_t disk_fields[] = {
    { "rd.reqs", "rd_req", "number of read operations" },
    { "rd.bytes", "rd_bytes", "number of bytes read" },
    { "wr.reqs", "wr_req", "number of write operations" },
    { "wr.bytes", "wr_bytes", "number of bytes written" },
    { "fl.reqs", "flush_operations", "number of flush operations" },
    { "rd.times", "rd_total_times", "total duration of reads (ns)" },
    { "wr.times", "wr_total_times", "total duration of writes (ns)" },
    { "fl.times", "flush_total_times", "total duration of flushes (ns)" },
    { NULL, NULL, NULL },
};

static const measured_t link_fields[] = {
    { "rx.bytes", "rx_bytes", NULL },
    { "rx.pkts", "rx_packets", NULL },
    { "rx.errs", "rx_errs", NULL },
    { "rx.drop", "rx_drop", NULL },
    { "tx.bytes", "tx_bytes", NULL },
    { "tx.pkts", "tx_packets", NULL },
    { "tx.errs", "tx_errs", NULL },
    { "tx.drop", "tx_drop", NULL },
    { NULL, NULL, NULL },
};

static const measured_t cpu_fields[] = {
    { "cpu.time", "cpu_time", NULL },
    { "cpu.user", "user_time", NULL },
    { "cpu.system", "system_time", NULL },
};

//  GROUP of the domain's statistics; *STATS belongs to the result.
static troupe_message_t *measure (cli_t *cli, const options_t *options, const char *group,
                                  const troupe_value_t **stats, error_t *err)
{
    const char *domain = options_str (options, "domain");
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_strs (args, "domains", &domain, 1);
    troupe_args_bool (args, group, true);
    troupe_message_t *reply = cli_call (cli, "domain.stats", args, err);
    if (!reply)
        return NULL;
    const troupe_value_t *first = troupe_at (troupe_message_value (reply), 0);
    const char *failed = troupe_get_str (first, "error");
    *stats = troupe_get (first, "stats");
    if (!failed && troupe_count (*stats) > 0)
        return reply;
    error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s': %s", options->command->name, domain,
               failed ? failed : "it does not run");
    troupe_message_destroy (&reply);
    return NULL;
}

static const troupe_value_t *nth (const troupe_value_t *stats, const char *kind, uint64_t n,
                                  const char *key)
{
    autofree char *name = text_format ("%s.%" PRIu64 ".%s", kind, n, key);
    return troupe_get (stats, name);
}

//  Which of KIND ("block", "net") is called NAME, or has it at its path; false: none.
static bool find (const troupe_value_t *stats, const char *kind, const char *name, uint64_t *n)
{
    autofree char *count = text_format ("%s.count", kind);
    for (*n = 0; *n < troupe_get_u64 (stats, count, 0); (*n)++)
        if (text_equals (troupe_str (nth (stats, kind, *n, "name")), name) ||
            text_equals (troupe_str (nth (stats, kind, *n, "path")), name))
            return true;
    return false;
}

static void print_field (const measured_t *field, const char *name, bool human, uint64_t value)
{
    if (human)
        printf (" %-34s %" PRIu64 "\n", field->words, value);
    else
        printf ("%s %s %" PRIu64 "\n", name, field->name, value);
}

static void print_one (const measured_t *fields, const troupe_value_t *stats, const char *kind,
                       uint64_t n, const char *name, bool human)
{
    for (; fields->key; fields++) {
        const troupe_value_t *value = nth (stats, kind, n, fields->key);
        if (value)
            print_field (fields, name, human, troupe_u64 (value, 0));
    }
}

//  Of all disks: what each has is added up.
static void print_sums (const troupe_value_t *stats, bool human)
{
    for (const measured_t *field = disk_fields; field->key; field++) {
        uint64_t sum = 0;
        for (uint64_t n = 0; n < troupe_get_u64 (stats, "block.count", 0); n++)
            sum += troupe_u64 (nth (stats, "block", n, field->key), 0);
        print_field (field, "", human, sum);
    }
}

int run_domblkstat (cli_t *cli, const options_t *options, error_t *err)
{
    uint64_t n;
    const troupe_value_t *stats;
    const char *name = options_str (options, "device");
    bool human = options_flag (options, "human");
    auto(troupe_message_t) reply = measure (cli, options, "block", &stats, err);
    if (!reply)
        return -1;
    if (name && !find (stats, "block", name, &n))
        return error_set (
            err, ERR_INVALID_ARG,
            "domblkstat: domain '%s' has no disk '%s'; domblklist shows those that it "
            "has",
            options_str (options, "domain"), name);
    if (cli_json (cli, stats))
        return 0;
    if (human)
        printf ("Device: %s\n", name ? name : "");
    if (name)
        print_one (disk_fields, stats, "block", n, name, human);
    else
        print_sums (stats, human);
    return 0;
}

//  The link of the interface that NAME is, or that has NAME as its MAC; the caller frees it.
static char *link_name (cli_t *cli, const char *domain, const char *name, error_t *err)
{
    auto(xml_t) doc = run_domain_xml (cli, domain, false, err);
    if (!doc)
        return NULL;
    xml_foreach (interface, xml_find (xml_root (doc), "devices"), "interface") {
        const char *mac = xml_string (interface, "mac/@address");
        const char *link = xml_string (interface, "target/@dev");
        if (link && (strcmp (link, name) == 0 || (mac && strcasecmp (mac, name) == 0)))
            return text_copy (link);
    }
    error_set (err, ERR_INVALID_ARG,
               "domifstat: domain '%s' has no interface '%s'; domiflist shows those that it has",
               domain, name);
    return NULL;
}

int run_domifstat (cli_t *cli, const options_t *options, error_t *err)
{
    uint64_t n;
    const troupe_value_t *stats;
    const char *domain = options_str (options, "domain"),
               *name = options_str (options, "interface");
    auto(troupe_message_t) reply = measure (cli, options, "interface", &stats, err);
    autofree char *link = reply ? link_name (cli, domain, name, err) : NULL;
    if (!link)
        return -1;
    if (!find (stats, "net", link, &n))
        return error_set (err, ERR_OPERATION_FAILED,
                          "domifstat: domain '%s': the link '%s' of its interface is not there",
                          domain, link);
    if (!cli_json (cli, stats))
        print_one (link_fields, stats, "net", n, name, false);
    return 0;
}

int run_cpu_stats (cli_t *cli, const options_t *options, error_t *err)
{
    const troupe_value_t *stats;
    auto(troupe_message_t) reply = measure (cli, options, "cpu_total", &stats, err);
    if (!reply)
        return -1;
    if (cli_json (cli, stats))
        return 0;
    puts ("Total:");
    for (size_t i = 0; i < sizeof cpu_fields / sizeof *cpu_fields; i++) {
        const troupe_value_t *value = troupe_get (stats, cpu_fields[i].key);
        uint64_t ns = troupe_u64 (value, 0);
        if (value)
            printf ("\t%-12s %8" PRIu64 ".%09" PRIu64 " seconds\n", cpu_fields[i].name,
                    ns / 1000000000, ns % 1000000000);
    }
    return 0;
}
