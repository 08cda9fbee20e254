//  jobs_tune.c: a guest's share of the host's resources: memory, processors, disks. Each of these
//  changes is one of documents first; what runs then follows its own.

#include "actors/jobs/jobs.h"

#include "drivers/cpuset.h"
#include "drivers/iothreads.h"
#include "drivers/tune/tune.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

static int change_config (job_actor_t *self, job_edit_fn *edit, error_t *err)
{
    xml_t *definition = self->base.guest->definition;
    return edit (self, xml_root (definition), err) ||
                   self->driver->complete (&self->base, definition, err)
               ? -1
               : 0;
}

static int change_live (job_actor_t *self, job_edit_fn *edit, error_t *err)
{
    guest_t *guest = self->base.guest;
    auto(xml_t) before = xml_copy (guest->live);
    if (!self->driver->tune)
        return error_set (
            err, ERR_NO_SUPPORT,
            "not supported: a guest of the driver '%s' can't be changed while it runs; "
            "config changes what its next start uses",
            self->driver->name);
    if (edit (self, xml_root (guest->live), err) || tune_check (xml_root (guest->live), err))
        return -1;
    return self->driver->tune (&self->base, before, err);
}

//  The definition first: it has no effect before the owner takes it.
int job_change (job_actor_t *self, const char *what, job_edit_fn *edit, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool live, config;
    if (job_scope (self, what, &live, &config, err))
        return -1;
    if ((config && change_config (self, edit, err)) || (live && change_live (self, edit, err)))
        return error_prefix (err, "%s of domain '%s'", what, guest->name);
    self->parts = (live ? PART_LIVE : 0u) | (config ? PART_DEFINITION : 0u);
    return 0;
}

static bool is_live (const job_actor_t *self, const xml_node_t *domain)
{
    return self->base.guest->live && domain == xml_root (self->base.guest->live);
}

//  Sets of parameters.

static int edit_parameters (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    const char *group = self->kind->name + strlen ("tune_");
    bool any = false;
    for (const tune_t *tune = tunes; tune->field; tune++) {
        const value_t *value =
            strcmp (tune->group, group) == 0 ? job_arg (self, tune->field) : NULL;
        if (value && tune_set (domain, self->driver, tune, value, err))
            return -1;
        any = any || value;
    }
    return any ? 0
               : error_set (err, ERR_INVALID_ARG, "the request names nothing that is to be set");
}

int job_run_tune (job_actor_t *self, error_t *err)
{
    return job_change (self, "set parameters", edit_parameters, err);
}

//  Memory.

static void set_kib (xml_node_t *domain, const char *name, uint64_t kib)
{
    autofree char *unit = text_format ("%s/@unit", name);
    xml_set_u64 (domain, name, kib);
    xml_set (domain, unit, "KiB");
}

static int edit_memory (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t kib = 0, most = 0;
    value_u64 (job_arg (self, "memory_kib"), &kib);
    if (xml_size (domain, "memory", "KiB", &most, err))
        return -1;
    if (kib == 0 || kib > most / 1024)
        return error_set (err, ERR_INVALID_ARG,
                          "%" PRIu64 " KiB is %s (its <memory> is %" PRIu64
                          " KiB; 'troupe setmaxmem' changes that of its definition)",
                          kib, kib ? "more than it can have" : "no memory", most / 1024);
    set_kib (domain, "currentMemory", kib);
    return 0;
}

static int edit_max_memory (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t kib = 0, current = 0;
    value_u64 (job_arg (self, "memory_kib"), &kib);
    if (is_live (self, domain))
        return error_set (err, ERR_OPERATION_INVALID,
                          "the most that a running guest can have does not change; say config, for "
                          "its next start");
    if (kib == 0 || kib >= TUNE_UNLIMITED)
        return error_set (err, ERR_INVALID_ARG, "%" PRIu64 " KiB is no size of a guest", kib);
    if (xml_find (domain, "cpu/numa"))
        return error_set (err, ERR_OPERATION_INVALID,
                          "its memory is what its NUMA cells and memory devices say; change those "
                          "in its definition");
    if (xml_size (domain, "currentMemory", "KiB", &current, err))
        return -1;
    set_kib (domain, "memory", kib);
    if (current / 1024 > kib)
        set_kib (domain, "currentMemory", kib);
    return 0;
}

int job_run_set_memory (job_actor_t *self, error_t *err)
{
    bool most = value_bool (job_arg (self, "maximum"), false);
    return job_change (self, most ? "set the maximum memory" : "set the memory",
                       most ? edit_max_memory : edit_memory, err);
}

//  Processors.

static int count_of (const xml_node_t *domain, const char *path, int otherwise, error_t *err)
{
    int count = otherwise;
    return xml_int (domain, path, 0, 65535, &count, err) ? -1 : count;
}

static vcpus_change_t change_of (const job_actor_t *self, const xml_node_t *domain)
{
    return (vcpus_change_t){ .live = is_live (self, domain),
                             .hotpluggable = value_bool (job_arg (self, "hotpluggable"), false) };
}

static int edit_max_vcpus (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t count = 0;
    value_u64 (job_arg (self, "vcpus"), &count);
    if (is_live (self, domain))
        return error_set (err, ERR_OPERATION_INVALID,
                          "the most that a running guest can have does not change; say config, for "
                          "its next start");
    if (value_bool (job_arg (self, "hotpluggable"), false))
        return error_set (err, ERR_INVALID_ARG,
                          "maximum and hotpluggable exclude each other: the most that it can have "
                          "is not plugged");
    if (count == 0 || count > 65535)
        return error_set (err, ERR_INVALID_ARG, "%" PRIu64 " vcpus: it can have from 1 to 65535",
                          count);
    vcpus_set_most (domain, (int) count);
    return 0;
}

static int edit_vcpus (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    vcpus_change_t change = change_of (self, domain);
    uint64_t count = 0;
    int most = count_of (domain, "vcpu", 1, err);
    value_u64 (job_arg (self, "vcpus"), &count);
    if (most < 0)
        return -1;
    if (count == 0 || count > (uint64_t) most)
        return error_set (err, ERR_INVALID_ARG,
                          "%" PRIu64 " vcpus: it can have from 1 to %d of them; 'troupe setvcpus "
                          "--maximum --config' changes that",
                          count, most);
    return vcpus_set_count (domain, (int) count, &change, err);
}

int job_run_set_vcpus (job_actor_t *self, error_t *err)
{
    bool maximum = value_bool (job_arg (self, "maximum"), false);
    return job_change (self, "set the number of vcpus", maximum ? edit_max_vcpus : edit_vcpus, err);
}

static int edit_some_vcpus (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    vcpus_change_t change = change_of (self, domain);
    cpu_set_t set;
    if (cpuset_parse (value_str (job_arg (self, "vcpus")), &set, err)) {
        err->code = ERR_INVALID_ARG;
        return -1;
    }
    return vcpus_set_some (domain, &set, value_bool (job_arg (self, "enable"), false), &change,
                           err);
}

int job_run_set_vcpu (job_actor_t *self, error_t *err)
{
    return job_change (self, "set which vcpus it has", edit_some_vcpus, err);
}

//  Pins.

static xml_node_t *find_pin (const xml_node_t *domain, const char *element, const char *number,
                             uint64_t value)
{
    xml_foreach (pin, xml_find (domain, "cputune"), element) {
        uint64_t own = 0;
        error_t ignored;
        if (!number || (xml_u64 (pin, number, &own, &ignored) == 0 && own == value))
            return pin;
    }
    return NULL;
}

//  NUMBER is its attribute with the VALUE; NULL: there is one of this element. No CPUS: no pin.
static int set_pin (const job_actor_t *self, xml_node_t *domain, const char *element,
                    const char *number, uint64_t value, error_t *err)
{
    const char *cpus = value_str (job_arg (self, "cpus"));
    autofree char *path = text_format ("cputune/%s/@cpuset", element);
    xml_node_t *pin = find_pin (domain, element, number, value);
    if (self->driver->takes && self->driver->takes (path, cpus, err))
        return -1;
    if (!*cpus) {
        if (pin)
            xml_remove (pin);
        tune_prune (domain, path);
        return 0;
    }
    if (!pin) {
        pin = xml_add (tune_ensure (domain, path), element);
        if (number)
            xml_set_u64 (pin, number, value);
    }
    xml_set (pin, "@cpuset", cpus);
    return 0;
}

static int edit_vcpu_pin (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t vcpu = 0;
    int most = count_of (domain, "vcpu", 1, err);
    value_u64 (job_arg (self, "vcpu"), &vcpu);
    if (most < 0)
        return -1;
    if (vcpu >= (uint64_t) most)
        return error_set (err, ERR_INVALID_ARG, "vcpu %" PRIu64 ": it has those from 0 to %d", vcpu,
                          most - 1);
    return set_pin (self, domain, "vcpupin", "@vcpu", vcpu, err);
}

static int edit_emulator_pin (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    return set_pin (self, domain, "emulatorpin", NULL, 0, err);
}

static int edit_iothread_pin (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t thread = 0;
    value_u64 (job_arg (self, "iothread"), &thread);
    if (thread > IOTHREAD_MOST || !iothreads_has (domain, (int) thread))
        return error_set (err, ERR_INVALID_ARG,
                          "I/O thread %" PRIu64 ": it has %d of them, and none with this number",
                          thread, iothreads_count (domain));
    return set_pin (self, domain, "iothreadpin", "@iothread", thread, err);
}

int job_run_pin (job_actor_t *self, error_t *err)
{
    static const struct {
        const char *kind, *what;
        job_edit_fn *edit;
    } pins[] = {
        { "pin_vcpu", "pin a vcpu", edit_vcpu_pin },
        { "pin_emulator", "pin the emulator", edit_emulator_pin },
        { "pin_iothread", "pin an I/O thread", edit_iothread_pin },
    };
    size_t i = 0;
    while (strcmp (pins[i].kind, self->kind->name) != 0)
        i++;
    return job_change (self, pins[i].what, pins[i].edit, err);
}
