//  resources.c: commands about a domain's share of the host's resources: memtune, blkiotune,
//  schedinfo, numatune, setmem, setmaxmem, setvcpus, setvcpu, vcpupin, emulatorpin, iothreadpin.
//  Without a value to set they show what is set.

#include "cli/json.h"
#include "cli/run.h"
#include "util/size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024u
#define UNLIMITED_KIB 9007199254740991 //  libvirt's VIR_DOMAIN_MEMORY_PARAM_UNLIMITED

//  The domain, and which of its documents. NULL and ERR.
static troupe_args_t *scoped_args (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "live", "config" };
    if (run_check_scope (cli, options, err))
        return NULL;
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    return args;
}

//  A change: nothing to be shown.
static int set (cli_t *cli, const char *verb, const troupe_args_t *args, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

//  Parameters.

static const char *const numa_modes[] = { "strict", "preferred", "interleave", "restrictive" };

#define NUMA_MODES (int64_t) (sizeof numa_modes / sizeof *numa_modes)

static void print_parameter (const char *name, const troupe_value_t *value)
{
    int64_t number = troupe_i64 (value, 0);
    printf ("%-15s: ", name);
    if (troupe_type (value) == TROUPE_STR)
        puts (troupe_str (value));
    else if (strcmp (name, "numa_mode") == 0 && number >= 0 && number < NUMA_MODES)
        puts (numa_modes[number]);
    else if (text_ends (name, "_limit") && number == UNLIMITED_KIB)
        puts ("unlimited");
    else
        printf ("%" PRId64 "\n", number);
}

static int show_parameters (cli_t *cli, const char *verb, const troupe_args_t *args, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    const troupe_value_t *map = troupe_message_value (reply);
    if (cli_json (cli, map))
        return 0;
    if (strcmp (verb, "domain.scheduler_parameters") == 0)
        printf ("%-15s: posix\n", "Scheduler");
    for (size_t i = 0; i < troupe_count (map); i++)
        print_parameter (troupe_key_at (map, i), troupe_at (map, i));
    return 0;
}

//  What a command's option is called among the verb's arguments, and how it reads.
typedef enum {
    READ_SIZE, //  a size in KiB, or -1
    READ_NUMBER,
    READ_TEXT,
    READ_MODE
} reading_t;

typedef struct {
    const char *command, *option, *field;
    reading_t reading;
} parameter_t;

static const parameter_t parameters[] = {
    { "memtune", "hard_limit", "hard_limit", READ_SIZE },
    { "memtune", "soft_limit", "soft_limit", READ_SIZE },
    { "memtune", "swap_hard_limit", "swap_hard_limit", READ_SIZE },
    { "memtune", "min_guarantee", "min_guarantee", READ_SIZE },
    { "blkiotune", "weight", "weight", READ_NUMBER },
    { "blkiotune", "device_weights", "device_weight", READ_TEXT },
    { "blkiotune", "device_read_iops_sec", "device_read_iops_sec", READ_TEXT },
    { "blkiotune", "device_write_iops_sec", "device_write_iops_sec", READ_TEXT },
    { "blkiotune", "device_read_bytes_sec", "device_read_bytes_sec", READ_TEXT },
    { "blkiotune", "device_write_bytes_sec", "device_write_bytes_sec", READ_TEXT },
    { "numatune", "mode", "numa_mode", READ_MODE },
    { "numatune", "nodeset", "numa_nodeset", READ_TEXT },
};

static bool read_number (const char *text, int64_t *number)
{
    char *end;
    *number = strtoll (text, &end, 10);
    return *text && !*end;
}

static bool read_size (const char *text, int64_t *kib)
{
    uint64_t bytes = 0;
    if (text[0] == '-')
        return read_number (text, kib);
    if (!size_from_text (text, KIB, &bytes))
        return false;
    *kib = (int64_t) (bytes / KIB + (bytes % KIB > 0));
    return true;
}

static bool read_mode (const char *text, int64_t *number)
{
    for (*number = 0; *number < NUMA_MODES; ++*number)
        if (strcmp (numa_modes[*number], text) == 0)
            return true;
    return read_number (text, number);
}

static int add_parameter (cli_t *cli, troupe_args_t *args, const parameter_t *parameter,
                          const char *text, error_t *err)
{
    int64_t number = 0;
    if (parameter->reading == READ_TEXT) {
        troupe_args_str (args, parameter->field, text);
        return 0;
    }
    bool good = parameter->reading == READ_SIZE   ? read_size (text, &number)
                : parameter->reading == READ_MODE ? read_mode (text, &number)
                                                  : read_number (text, &number);
    if (!good)
        return cli_usage (cli, err, "%s: '%s' is no value of %s", parameter->command, text,
                          parameter->option);
    troupe_args_i64 (args, parameter->field, number);
    return 0;
}

//  "domain.memory_parameters" and its like, "_set" if something is to be set.
static int call_parameters (cli_t *cli, const char *group, bool any, const troupe_args_t *args,
                            error_t *err)
{
    autofree char *verb = text_format ("domain.%s_parameters%s", group, any ? "_set" : "");
    return any ? set (cli, verb, args, err) : show_parameters (cli, verb, args, err);
}

//  memtune, blkiotune, numatune.
int run_tune (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options->command->name;
    bool any = false;
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        const char *text = strcmp (parameters[i].command, name) == 0
                               ? options_str (options, parameters[i].option)
                               : NULL;
        if (text && add_parameter (cli, args, &parameters[i], text, err))
            return -1;
        any = any || text;
    }
    const char *group = strcmp (name, "memtune") == 0     ? "memory"
                        : strcmp (name, "blkiotune") == 0 ? "blkio"
                                                          : "numa";
    return call_parameters (cli, group, any, args, err);
}

//  "cpu_shares=2048 vcpu_quota=-1", each a word.
static int add_assignments (cli_t *cli, troupe_args_t *args, const char *words, error_t *err)
{
    autofree char *copy = text_copy (words);
    char *rest = copy;
    for (char *word; (word = strsep (&rest, " "));) {
        int64_t number = 0;
        char *value = word;
        const char *name = strsep (&value, "=");
        if (!*name)
            continue;
        if (!value || !read_number (value, &number))
            return cli_usage (cli, err, "schedinfo: '%s' is not of the form cpu_shares=2048", name);
        troupe_args_i64 (args, name, number);
    }
    return 0;
}

//  As virsh's, it shows what there is then.
int run_schedinfo (cli_t *cli, const options_t *options, error_t *err)
{
    const char *words = options_str (options, "set");
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    auto(troupe_args_t) changes = args ? scoped_args (cli, options, err) : NULL;
    if (!changes || (words && add_assignments (cli, changes, words, err)))
        return -1;
    auto(troupe_message_t) reply =
        words ? cli_call (cli, "domain.scheduler_parameters_set", changes, err) : NULL;
    if (words && !reply)
        return -1;
    bool both = options_flag (options, "live") && options_flag (options, "config");
    return both ? 0 : show_parameters (cli, "domain.scheduler_parameters", args, err);
}

//  Sizes.

//  setmem, setmaxmem.
int run_setmem (cli_t *cli, const options_t *options, error_t *err)
{
    uint64_t bytes = 0;
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args || run_read_size (cli, options, "size", KIB, &bytes, err))
        return -1;
    troupe_args_u64 (args, "memory_kib", bytes / KIB + (bytes % KIB > 0));
    if (strcmp (options->command->name, "setmaxmem") == 0)
        troupe_args_bool (args, "maximum", true);
    return set (cli, "domain.memory_set", args, err);
}

//  What the guest does with those that it has.
static int set_in_guest (cli_t *cli, const options_t *options, troupe_args_t *args, error_t *err)
{
    static const char *const others[] = { "maximum", "config", "hotpluggable" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (options_flag (options, others[i]))
            return cli_usage (cli, err, "setvcpus: --guest and --%s exclude each other", others[i]);
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_u64 (args, "vcpus", options_u64 (options, "count", 0));
    return set (cli, "domain.guest_vcpus_set", args, err);
}

int run_setvcpus (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "maximum", "hotpluggable" };
    if (options_flag (options, "guest")) {
        auto(troupe_args_t) asked = troupe_args_new ();
        return set_in_guest (cli, options, asked, err);
    }
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    troupe_args_u64 (args, "vcpus", options_u64 (options, "count", 0));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    return set (cli, "domain.vcpus_set", args, err);
}

int run_setvcpu (cli_t *cli, const options_t *options, error_t *err)
{
    bool enable = options_flag (options, "enable");
    if (enable == options_flag (options, "disable"))
        return cli_usage (cli, err, "setvcpu: it takes one of --enable and --disable");
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    troupe_args_str (args, "vcpus", options_str (options, "vcpulist"));
    troupe_args_bool (args, "enable", enable);
    return set (cli, "domain.vcpu_set", args, err);
}

//  Pins.

//  All of the host's: "0-7".
static char *all_cpus (cli_t *cli, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    auto(troupe_message_t) reply = cli_call (cli, "host.info", args, err);
    uint64_t cpus = reply ? troupe_get_u64 (troupe_message_value (reply), "cpus", 0) : 0;
    if (!reply)
        return NULL;
    return cpus > 1 ? text_format ("0-%" PRIu64, cpus - 1) : text_copy ("0");
}

static void print_pin (const char *what, int width, const char *cpus, const char *all)
{
    printf (" %-*s %s\n", width, what, cpus && *cpus ? cpus : all);
}

static int show_pins (cli_t *cli, const options_t *options, const char *verb,
                      const troupe_args_t *args, const char *title, error_t *err)
{
    const char *only = options_str (options, "vcpu");
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    const troupe_value_t *pins = troupe_message_value (reply);
    if (cli_json (cli, pins))
        return 0;
    autofree char *all = all_cpus (cli, err);
    if (!all)
        return -1;
    printf (" %-6s CPU Affinity\n----------------------\n", title);
    for (size_t i = 0; i < troupe_count (pins); i++) {
        const troupe_value_t *pin = troupe_at (pins, i);
        autofree char *number = text_format ("%" PRIu64, troupe_get_u64 (pin, "number", 0));
        if (!only || strcmp (only, number) == 0)
            print_pin (number, 6, troupe_get_str (pin, "cpus"), all);
    }
    return 0;
}

//  virsh's word for all of them.
static void add_cpus (troupe_args_t *args, const char *cpulist)
{
    troupe_args_str (args, "cpus", strcmp (cpulist, "r") == 0 ? "" : cpulist);
}

int run_vcpupin (cli_t *cli, const options_t *options, error_t *err)
{
    const char *cpulist = options_str (options, "cpulist");
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    if (!cpulist)
        return show_pins (cli, options, "domain.vcpu_pins", args, "VCPU", err);
    if (!options_str (options, "vcpu"))
        return cli_usage (cli, err, "vcpupin: --vcpu is missing: which of them is to be pinned");
    troupe_args_u64 (args, "vcpu", options_u64 (options, "vcpu", 0));
    add_cpus (args, cpulist);
    return set (cli, "domain.vcpu_pin", args, err);
}

int run_iothreadpin (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    troupe_args_u64 (args, "iothread", options_u64 (options, "iothread", 0));
    add_cpus (args, options_str (options, "cpulist"));
    return set (cli, "domain.iothread_pin", args, err);
}

//  iothreadadd, iothreaddel, iothreadset.
int run_iothread (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const settings[][2] = {
        { "poll-max-ns", "poll_max_ns" },         { "poll-grow", "poll_grow" },
        { "poll-shrink", "poll_shrink" },         { "thread-pool-min", "thread_pool_min" },
        { "thread-pool-max", "thread_pool_max" },
    };
    const char *name = options->command->name;
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    troupe_args_u64 (args, "iothread", options_u64 (options, "id", 0));
    bool sets = strcmp (name, "iothreadset") == 0;
    for (size_t i = 0; sets && i < sizeof settings / sizeof *settings; i++)
        if (options_str (options, settings[i][0]))
            troupe_args_u64 (args, settings[i][1], options_u64 (options, settings[i][0], 0));
    return set (cli,
                sets                                ? "domain.iothread_set"
                : strcmp (name, "iothreadadd") == 0 ? "domain.iothread_add"
                                                    : "domain.iothread_delete",
                args, err);
}

int run_iothreadinfo (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    return args ? show_pins (cli, options, "domain.iothread_pins", args, "IOThread ID", err) : -1;
}

int run_emulatorpin (cli_t *cli, const options_t *options, error_t *err)
{
    const char *cpulist = options_str (options, "cpulist");
    auto(troupe_args_t) args = scoped_args (cli, options, err);
    if (!args)
        return -1;
    if (cpulist) {
        add_cpus (args, cpulist);
        return set (cli, "domain.emulator_pin", args, err);
    }
    auto(troupe_message_t) reply = cli_call (cli, "domain.emulator_pins", args, err);
    if (!reply || cli_json (cli, troupe_message_value (reply)))
        return reply ? 0 : -1;
    autofree char *all = all_cpus (cli, err);
    if (!all)
        return -1;
    printf ("emulator: CPU Affinity\n----------------------------------\n");
    print_pin ("     *:", 7, troupe_get_str (troupe_message_value (reply), "cpus"), all);
    return 0;
}
