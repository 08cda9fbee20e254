//  vcpuinfo.c: vcpuinfo: what each vcpu of a domain does, and where it may run.

#include "cli/json.h"
#include "cli/run.h"

#include <inttypes.h>
#include <stdlib.h>

//  Is CPU in TEXT ("0-3,^2,7"; empty: all are)?
static bool has_cpu (const char *text, uint64_t cpu)
{
    bool has = !*text;
    while (*text) {
        bool out = *text == '^';
        char *end;
        uint64_t first = strtoull (text + out, &end, 10), last = first;
        if (*end == '-')
            last = strtoull (end + 1, &end, 10);
        if (cpu >= first && cpu <= last)
            has = !out;
        text = *end ? end + 1 : end;
    }
    return has;
}

static const troupe_value_t *measured (const troupe_value_t *stats, uint64_t number,
                                       const char *what)
{
    autofree char *key = text_format ("vcpu.%" PRIu64 ".%s", number, what);
    return troupe_get (stats, key);
}

static void print_affinity (const char *text, uint64_t cpus, bool pretty)
{
    printf ("%-15s ", "CPU Affinity:");
    if (pretty && *text)
        printf ("%s (out of %" PRIu64 ")", text, cpus);
    else if (pretty)
        printf ("0-%" PRIu64 " (out of %" PRIu64 ")", cpus - 1, cpus);
    for (uint64_t cpu = 0; cpu < cpus && !pretty; cpu++)
        putchar (has_cpu (text, cpu) ? 'y' : '-');
    puts ("\n");
}

//  One of a domain that runs has a state, and is on one of the host's CPUs, or was last.
static void print_vcpu (const troupe_value_t *pin, const troupe_value_t *stats, uint64_t cpus,
                        bool pretty)
{
    static const char *const states[] = { "offline", "running", "blocked" };
    uint64_t number = troupe_get_u64 (pin, "number", 0);
    const troupe_value_t *state = measured (stats, number, "state");
    uint64_t index = troupe_u64 (state, 0);
    const troupe_value_t *cpu = measured (stats, number, "cpu");
    const char *text = troupe_get_str (pin, "cpus");
    printf ("%-15s %" PRIu64 "\n", "VCPU:", number);
    if (cpu)
        printf ("%-15s %" PRIu64 "\n", "CPU:", troupe_u64 (cpu, 0));
    else
        printf ("%-15s N/A\n", "CPU:");
    printf ("%-15s %s\n", "State:", state && index < 3 ? states[index] : "N/A");
    if (state)
        printf ("%-15s %.1fs\n",
                "CPU time:", (double) troupe_u64 (measured (stats, number, "time"), 0) / 1e9);
    else
        printf ("%-15s N/A\n", "CPU time:");
    print_affinity (text ? text : "", cpus, pretty);
}

static troupe_message_t *ask (cli_t *cli, const options_t *options, const char *verb, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    const char *domain = options_str (options, "domain");
    if (text_equals (verb, "domain.stats")) {
        troupe_args_strs (args, "domains", &domain, 1);
        troupe_args_bool (args, "vcpu", true);
    } else if (!text_equals (verb, "host.info"))
        troupe_args_str (args, "domain", domain);
    return cli_call (cli, verb, args, err);
}

int run_vcpuinfo (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) pins = ask (cli, options, "domain.vcpu_pins", err);
    auto(troupe_message_t) told = pins ? ask (cli, options, "domain.stats", err) : NULL;
    if (!told || cli_json (cli, troupe_message_value (told)))
        return told ? 0 : -1;
    auto(troupe_message_t) counts = ask (cli, options, "domain.vcpus", err);
    auto(troupe_message_t) host = counts ? ask (cli, options, "host.info", err) : NULL;
    if (!host)
        return -1;
    const troupe_value_t *list = troupe_message_value (pins);
    const troupe_value_t *stats = troupe_get (troupe_at (troupe_message_value (told), 0), "stats");
    const troupe_value_t *number = troupe_get (troupe_message_value (counts), "live_current");
    uint64_t cpus = troupe_get_u64 (troupe_message_value (host), "cpus", 1);
    uint64_t count = troupe_get_u64 (troupe_message_value (counts), "config_current", 0);
    for (size_t i = 0; i < troupe_count (list); i++)
        if (number ? measured (stats, i, "state") != NULL : i < count)
            print_vcpu (troupe_at (list, i), stats, cpus, options_flag (options, "pretty"));
    return 0;
}
