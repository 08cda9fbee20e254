//  qemu_agent_ask.c: questions to a guest's agent, one function each.

#include "drivers/qemu/qemu_agent_ask.h"

#include "drivers/cpuset.h"
#include "util/text.h"

#include <string.h>

enum {
    SET_MS = 10000,
    TRIM_MS = 10 * 60000,
    QMP_MS = 5000
};

//  In ms; MS if nobody said otherwise.
static int patience_of (const job_t *job, int ms)
{
    const xml_t *record = job->guest->record;
    const char *said = record ? xml_string (xml_root (record), "agent/@timeout") : NULL;
    long seconds = said ? strtol (said, NULL, 10) : QEMU_AGENT_DEFAULT;
    if (seconds == QEMU_AGENT_DEFAULT)
        return ms;
    if (seconds == QEMU_AGENT_BLOCK || seconds > QEMU_AGENT_BLOCK_MS / 1000)
        return QEMU_AGENT_BLOCK_MS;
    return (int) seconds * 1000;
}

json_t *qemu_agent_call (job_t *job, const char *execute, json_t *arguments, unsigned how, int ms,
                         error_t *err)
{
    int patience = patience_of (job, ms);
    if (patience > 0)
        return job_agent (job, execute, arguments, how, patience, err);
    json_t *sent = job_agent (job, execute, arguments, how | AGENT_UNHEARD, ms, err);
    if (!sent || (how & (AGENT_ENDS | AGENT_SLEEPS)))
        return sent;
    json_decref (sent);
    error_set (err, ERR_AGENT_COMMAND_TIMEOUT,
               "domain '%s': %s was sent to the guest's agent, whose answer is not waited for; "
               "'troupe guest-agent-timeout' changes that",
               job->guest->name, execute);
    return NULL;
}

static json_t *ask (job_t *job, const char *execute, error_t *err)
{
    return qemu_agent_call (job, execute, NULL, 0, QEMU_AGENT_INFO_MS, err);
}

static const char *text_of (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text ? text : "";
}

//  Which disk.

static bool is_number (const xml_node_t *node, const char *path, const json_t *object,
                       const char *key)
{
    const char *text = xml_string (node, path);
    const json_t *number = json_object_get (object, key);
    return text && json_is_integer (number) &&
           (json_int_t) strtoll (text, NULL, 0) == json_integer_value (number);
}

static bool has_pci_address (const xml_node_t *disk, const json_t *address)
{
    const json_t *pci = json_object_get (address, "pci-controller");
    return xml_equals (disk, "address/@type", "pci") &&
           is_number (disk, "address/@domain", pci, "domain") &&
           is_number (disk, "address/@bus", pci, "bus") &&
           is_number (disk, "address/@slot", pci, "slot") &&
           is_number (disk, "address/@function", pci, "function");
}

static bool has_place (const xml_node_t *disk, const json_t *address)
{
    return xml_equals (disk, "address/@type", "drive") &&
           xml_equals (disk, "target/@bus", text_of (address, "bus-type")) &&
           is_number (disk, "address/@bus", address, "bus") &&
           is_number (disk, "address/@target", address, "target") &&
           is_number (disk, "address/@unit", address, "unit");
}

const char *qemu_agent_disk_target (job_t *job, const json_t *address)
{
    const char *found = NULL;
    const xml_node_t *devices =
        job->guest->live ? xml_find (xml_root (job->guest->live), "devices") : NULL;
    xml_foreach (disk, devices, "disk") {
        if (has_pci_address (disk, address))
            return xml_string (disk, "target/@dev");
        if (!has_place (disk, address))
            continue;
        if (found)
            return NULL; //  on two controllers
        found = xml_string (disk, "target/@dev");
    }
    return found;
}

//  File systems.

static json_t *targets_of (job_t *job, const json_t *disks)
{
    json_t *targets = json_array ();
    size_t i;
    json_t *disk;
    json_array_foreach (disks, i, disk)
    {
        const char *target = qemu_agent_disk_target (job, disk);
        if (target)
            json_array_append_new (targets, json_string (target));
    }
    return targets;
}

json_t *qemu_agent_file_systems (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *answer = ask (job, "guest-get-fsinfo", err);
    if (!answer)
        return NULL;
    json_t *systems = json_array ();
    size_t i;
    json_t *each;
    json_array_foreach (answer, i, each) json_array_append_new (
        systems, json_pack ("{s:s, s:s, s:s, s:o}", "mountpoint", text_of (each, "mountpoint"),
                            "name", text_of (each, "name"), "type", text_of (each, "type"),
                            "targets", targets_of (job, json_object_get (each, "disk"))));
    return systems;
}

//  One that can't be trimmed is no failure if another can.
static int check_trimmed (job_t *job, const json_t *answer, error_t *err)
{
    const char *why = NULL;
    size_t i;
    json_t *each;
    json_array_foreach (json_object_get (answer, "paths"), i, each)
    {
        const char *error = json_string_value (json_object_get (each, "error"));
        if (!error)
            return 0;
        why = why ? why : error;
    }
    return why ? error_set (err, ERR_AGENT_COMMAND_FAILED,
                            "domain '%s': none of the guest's file systems can be trimmed: %s",
                            job->guest->name, why)
               : 0;
}

json_t *qemu_agent_trim (job_t *job, const json_t *args, error_t *err)
{
    json_t *minimum = json_object_get (args, "minimum");
    json_auto_t *answer =
        qemu_agent_call (job, "guest-fstrim",
                         minimum ? json_pack ("{s:O}", "minimum", minimum) : NULL, 0, TRIM_MS, err);
    return answer && check_trimmed (job, answer, err) == 0 ? json_null () : NULL;
}

json_t *qemu_agent_hostname (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *answer = ask (job, "guest-get-host-name", err);
    return answer ? json_pack ("{s:s}", "hostname", text_of (answer, "host-name")) : NULL;
}

//  Time.

enum {
    NS = 1000000000
};

json_t *qemu_agent_time (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *answer = ask (job, "guest-get-time", err);
    if (!answer)
        return NULL;
    json_int_t ns = json_integer_value (answer);
    return json_pack ("{s:I, s:I}", "seconds", ns / NS, "nseconds", ns % NS);
}

//  A guest's clock that is read from the RTC counts all ticks: those that were missed do not come
//  in addition.
json_t *qemu_agent_set_time (job_t *job, const json_t *args, error_t *err)
{
    bool sync = json_is_true (json_object_get (args, "sync"));
    json_t *seconds = json_object_get (args, "seconds");
    json_int_t s = json_integer_value (seconds);
    json_int_t ns = json_integer_value (json_object_get (args, "nseconds"));
    if (sync == (seconds != NULL) || s < 0 || s > INT64_MAX / NS - 1 || ns < 0 || ns >= NS) {
        error_set (err, ERR_INVALID_ARG,
                   "set the time of domain '%s': either sync, or seconds since 1970 with less than "
                   "10^9 ns",
                   job->guest->name);
        return NULL;
    }
    json_auto_t *reset =
        sync ? job_qmp (job, "rtc-reset-reinjection", NULL, QMP_MS, err) : json_null ();
    json_auto_t *answer =
        reset ? qemu_agent_call (job, "guest-set-time",
                                 sync ? NULL : json_pack ("{s:I}", "time", s * NS + ns), 0, SET_MS,
                                 err)
              : NULL;
    return answer ? json_null () : NULL;
}

//  CPUs, as the guest sees them.

static int compare (const void *a, const void *b)
{
    json_int_t x = *(const json_int_t *) a, y = *(const json_int_t *) b;
    return (x > y) - (x < y);
}

static json_int_t id_of (const json_t *cpu)
{
    return json_integer_value (json_object_get (cpu, "logical-id"));
}

//  The numbers of those that have the FLAG (NULL: all), in order; an agent has none. The caller
//  frees them.
static json_int_t *cpu_numbers (const json_t *cpus, const char *flag, size_t *count)
{
    json_int_t *numbers = memory_new (json_array_size (cpus) + 1, sizeof *numbers);
    size_t i;
    json_t *cpu;
    *count = 0;
    json_array_foreach (cpus, i, cpu) if (!flag || json_is_true (json_object_get (cpu, flag)))
        numbers[(*count)++] = id_of (cpu);
    qsort (numbers, *count, sizeof *numbers, compare);
    return numbers;
}

static const json_t *cpu_of (const json_t *cpus, json_int_t number)
{
    size_t i;
    json_t *cpu;
    json_array_foreach ((json_t *) cpus, i, cpu) if (id_of (cpu) == number) return cpu;
    return NULL;
}

//  "0-2,5"
static char *cpu_list (const json_t *cpus, const char *flag)
{
    auto(text_t) list = text_new ();
    size_t count, first = 0;
    autofree json_int_t *numbers = cpu_numbers (cpus, flag, &count);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && (uint64_t) numbers[i + 1] - (uint64_t) numbers[i] == 1)
            continue;
        text_addf (list, "%s%lld", list->size ? "," : "", (long long) numbers[first]);
        if (i > first)
            text_addf (list, "-%lld", (long long) numbers[i]);
        first = i + 1;
    }
    return text_finish (&list);
}

json_t *qemu_agent_vcpus (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *cpus = ask (job, "guest-get-vcpus", err);
    if (!cpus)
        return NULL;
    autofree char *all = cpu_list (cpus, NULL), *online = cpu_list (cpus, "online"),
                  *offlinable = cpu_list (cpus, "can-offline");
    return json_pack ("{s:s, s:s, s:s}", "vcpus", all, "online", online, "offlinable", offlinable);
}

static void add_wanted (json_t *wanted, json_int_t number, bool online)
{
    json_array_append_new (wanted,
                           json_pack ("{s:I, s:b}", "logical-id", number, "online", online));
}

//  So many more, or fewer, than there are in use: the first ones come, the last ones go.
static json_t *wanted_count (job_t *job, json_int_t count, error_t *err)
{
    json_auto_t *cpus = ask (job, "guest-get-vcpus", err);
    size_t all = 0, online = 0;
    if (!cpus)
        return NULL;
    autofree json_int_t *numbers = cpu_numbers (cpus, NULL, &all);
    autofree json_int_t *used = cpu_numbers (cpus, "online", &online);
    bool more = (json_int_t) online < count;
    json_int_t left = more ? count - (json_int_t) online : (json_int_t) online - count;
    json_t *wanted = json_array ();
    for (size_t i = 0; i < all && left > 0; i++) {
        const json_t *cpu = cpu_of (cpus, numbers[more ? i : all - 1 - i]);
        if (json_is_true (json_object_get (cpu, "online")) == more ||
            (!more && !json_is_true (json_object_get (cpu, "can-offline"))))
            continue;
        add_wanted (wanted, id_of (cpu), more);
        left--;
    }
    if (left == 0)
        return wanted;
    json_decref (wanted);
    error_set (
        err, ERR_INVALID_ARG,
        "domain '%s': %lld CPUs: the guest has %zu, and uses %zu of them; 'troupe guestvcpus' "
        "shows which it can do without",
        job->guest->name, (long long) count, all, online);
    return NULL;
}

static json_t *wanted_list (job_t *job, const json_t *args, error_t *err)
{
    cpu_set_t cpus;
    bool online = json_is_true (json_object_get (args, "online"));
    if (cpuset_parse (text_of (args, "cpus"), &cpus, err)) {
        error_prefix (err, "CPUs of domain '%s'", job->guest->name);
        err->code = ERR_INVALID_ARG;
        return NULL;
    }
    json_t *wanted = json_array ();
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET (i, &cpus))
            add_wanted (wanted, (json_int_t) i, online);
    return wanted;
}

json_t *qemu_agent_set_vcpus (job_t *job, const json_t *args, error_t *err)
{
    const json_t *number = json_object_get (args, "vcpus");
    json_t *wanted = number ? wanted_count (job, json_integer_value (number), err)
                            : wanted_list (job, args, err);
    json_int_t count = (json_int_t) json_array_size (wanted);
    if (!wanted || count == 0) {
        json_decref (wanted);
        return wanted ? json_null () : NULL;
    }
    json_auto_t *done = qemu_agent_call (job, "guest-set-vcpus",
                                         json_pack ("{s:o}", "vcpus", wanted), 0, SET_MS, err);
    if (!done)
        return NULL;
    if (json_integer_value (done) == count)
        return json_null ();
    error_set (err, ERR_AGENT_COMMAND_FAILED,
               "domain '%s': the guest changed %lld of %lld CPUs; 'troupe guestvcpus' shows which",
               job->guest->name, (long long) json_integer_value (done), (long long) count);
    return NULL;
}

json_t *qemu_agent_set_password (job_t *job, const json_t *args, error_t *err)
{
    const char *password = text_of (args, "password");
    autofree char *encoded = text_base64 (password, strlen (password));
    json_t *arguments =
        json_pack ("{s:s, s:s, s:b}", "username", text_of (args, "user"), "password", encoded,
                   "crypted", json_is_true (json_object_get (args, "encrypted")));
    json_auto_t *answer =
        qemu_agent_call (job, "guest-set-user-password", arguments, 0, SET_MS, err);
    return answer ? json_null () : NULL;
}

//  Keys that a user of the guest accepts for SSH.

json_t *qemu_agent_ssh_keys (job_t *job, const json_t *args, error_t *err)
{
    json_auto_t *answer =
        qemu_agent_call (job, "guest-ssh-get-authorized-keys",
                         json_pack ("{s:s}", "username", text_of (args, "user")), 0, SET_MS, err);
    json_t *keys = json_object_get (answer, "keys");
    if (answer && !json_is_array (keys))
        error_set (err, ERR_PARSE_FAILED, "SSH keys of domain '%s': its agent answers without any",
                   job->guest->name);
    return json_is_array (keys) ? json_incref (keys) : NULL;
}

json_t *qemu_agent_set_ssh_keys (job_t *job, const json_t *args, error_t *err)
{
    bool remove = json_is_true (json_object_get (args, "remove"));
    bool reset = json_is_true (json_object_get (args, "reset"));
    json_t *keys = json_object_get (args, "keys");
    if (remove && reset) {
        error_set (err, ERR_INVALID_ARG,
                   "set SSH keys in domain '%s': remove does not go with reset", job->guest->name);
        return NULL;
    }
    json_t *arguments = json_pack ("{s:s, s:o}", "username", text_of (args, "user"), "keys",
                                   keys ? json_incref (keys) : json_array ());
    if (!remove)
        json_object_set_new (arguments, "reset", json_boolean (reset));
    json_auto_t *answer = qemu_agent_call (
        job, remove ? "guest-ssh-remove-authorized-keys" : "guest-ssh-add-authorized-keys",
        arguments, 0, SET_MS, err);
    return answer ? json_null () : NULL;
}

//  Networks.

static json_t *addresses_of (const json_t *interface)
{
    json_t *addresses = json_array ();
    size_t i;
    json_t *each;
    json_array_foreach (json_object_get (interface, "ip-addresses"), i, each)
        json_array_append_new (
            addresses, json_pack ("{s:s, s:s, s:I}", "type", text_of (each, "ip-address-type"),
                                  "address", text_of (each, "ip-address"), "prefix",
                                  json_integer_value (json_object_get (each, "prefix"))));
    return addresses;
}

json_t *qemu_agent_interfaces (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *answer = ask (job, "guest-network-get-interfaces", err);
    if (!answer)
        return NULL;
    json_t *interfaces = json_array ();
    size_t i;
    json_t *each;
    json_array_foreach (answer, i, each) json_array_append_new (
        interfaces,
        json_pack ("{s:s, s:s, s:o}", "name", text_of (each, "name"), "mac",
                   text_of (each, "hardware-address"), "addresses", addresses_of (each)));
    return interfaces;
}
