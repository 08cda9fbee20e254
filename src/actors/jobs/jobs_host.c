//  jobs_host.c: what this host and its hypervisors can do.

#include "actors/jobs/jobs.h"

#include "actors/host/host_facts.h"
#include "actors/host/host_sysinfo.h"
#include "actors/host/host_topology.h"
#include "actors/host/host_tune.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "util/host_uuid.h"

static int add_host (xml_node_t *root, error_t *err)
{
    host_facts_t facts;
    host_facts_read (&facts);
    char uuid[UUID_TEXT_SIZE];
    xml_node_t *host = xml_add (root, "host");
    if (host_uuid_read (uuid))
        xml_set (host, "uuid", uuid);
    xml_set (host, "cpu/arch", facts.arch);
    xml_set_u64 (host, "cpu/topology/@sockets", facts.sockets);
    xml_set_u64 (host, "cpu/topology/@dies", 1);
    xml_set_u64 (host, "cpu/topology/@cores", facts.cores);
    xml_set_u64 (host, "cpu/topology/@threads", facts.threads);
    xml_ensure (host, "migration_features/live");
    xml_set (host, "migration_features/uri_transports/uri_transport", "tcp");
    if (host_topology_add ("", host, err))
        return error_prefix (err, "capabilities of the host");
    xml_set (host, "secmodel/model", "none");
    xml_set (host, "secmodel/doi", "0");
    return 0;
}

void job_pack_document (job_actor_t *self, const xml_t *doc)
{
    autofree char *text = xml_text (doc);
    pack_map (&self->value);
    pack_key_str (&self->value, "xml", text);
    pack_end (&self->value);
}

int job_run_capabilities (job_actor_t *self, error_t *err)
{
    static const char empty[] = "<capabilities/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "capabilities", err);
    if (!doc || add_host (xml_root (doc), err))
        return -1;
    for (const driver_t *const *driver = drivers; *driver; driver++)
        if ((*driver)->capabilities && (*driver)->capabilities (&self->base, xml_root (doc), err))
            return -1;
    job_pack_document (self, doc);
    return 0;
}

int job_run_sysinfo (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = host_sysinfo ("", err);
    if (doc)
        job_pack_document (self, doc);
    return doc ? 0 : -1;
}

//  The driver of a domain type that is an argument; WHAT is asked of it. Without one the first that
//  can tell. NULL and ERR.
static const driver_t *driver_of (const job_actor_t *self, const char *name, const char *what,
                                  error_t *err)
{
    const char *type = value_str (job_arg (self, name));
    const driver_t *driver = driver_for_type (type ? type : "qemu");
    if (driver && driver->domain_capabilities)
        return driver;
    error_set (err, driver ? ERR_NO_SUPPORT : ERR_INVALID_ARG,
               driver
                   ? "not supported: %s of domains of type '%s'; they are known of the types qemu "
                     "and kvm"
                   : "%s: there are no domains of type '%s'; it can be qemu or kvm",
               what, type);
    return NULL;
}

int job_run_domain_capabilities (job_actor_t *self, error_t *err)
{
    static const char empty[] = "<domainCapabilities/>";
    const driver_t *driver = driver_of (self, "virttype", "capabilities", err);
    guest_kind_t kind = { .type = value_str (job_arg (self, "virttype")),
                          .emulator = value_str (job_arg (self, "emulatorbin")),
                          .arch = value_str (job_arg (self, "arch")),
                          .machine = value_str (job_arg (self, "machine")) };
    auto(xml_t) doc =
        driver ? xml_parse (empty, sizeof empty - 1, "domain capabilities", err) : NULL;
    if (!doc || driver->domain_capabilities (&self->base, &kind, xml_root (doc), err))
        return -1;
    job_pack_document (self, doc);
    return 0;
}

int job_run_domain_native (job_actor_t *self, error_t *err)
{
    const char *format = value_str (job_arg (self, "format"));
    auto(text_t) text = text_new ();
    auto(xml_t) doc = job_complete_definition (self, value_str (job_arg (self, "xml")), err);
    if (!doc)
        return -1;
    if (!text_equals (format, self->driver->native_format))
        return error_set (err, ERR_INVALID_ARG,
                          "what a domain would be started with: not supported: the format '%.64s' "
                          "for domains of the driver '%s', which has %s",
                          format, self->driver->name,
                          self->driver->native ? self->driver->native_format : "none");
    if (self->driver->native (&self->base, doc, text, err))
        return -1;
    pack_str (&self->value, text->data);
    return 0;
}

int job_run_cpu_models (job_actor_t *self, error_t *err)
{
    const driver_t *driver = driver_for_type ("qemu");
    auto(strings_t) models =
        driver->cpu_models (&self->base, value_str (job_arg (self, "arch")), err);
    if (!models)
        return -1;
    pack_array (&self->value);
    for (size_t i = 0; i < models->count; i++)
        pack_str (&self->value, models->items[i]);
    pack_end (&self->value);
    return 0;
}

static guest_kind_t kind_of (const job_actor_t *self)
{
    return (guest_kind_t){ .type = value_str (job_arg (self, "virttype")),
                           .emulator = value_str (job_arg (self, "emulator")),
                           .arch = value_str (job_arg (self, "arch")),
                           .machine = value_str (job_arg (self, "machine")) };
}

//  A host's job has no guest, whose monitor it could open: it has one of its own.
static void name_monitor (job_actor_t *self)
{
    snprintf (self->monitor, sizeof self->monitor, "monitor/probe-%s",
              strrchr (actor_address (self->actor), '/') + 1);
}

int job_run_cpu_compare (job_actor_t *self, error_t *err)
{
    const driver_t *driver = driver_of (self, "virttype", "comparing cpus", err);
    guest_kind_t kind = kind_of (self);
    cpu_question_t question = { .xml = value_str (job_arg (self, "xml")),
                                .fail = value_bool (job_arg (self, "error"), false) };
    const char *relation;
    auto(text_t) why = text_new ();
    name_monitor (self);
    if (!driver || driver->compare_cpu (&self->base, &kind, &question, &relation, why, err))
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "relation", relation);
    if (why->size > 0)
        pack_key_str (&self->value, "why", why->data);
    pack_end (&self->value);
    return 0;
}

int job_run_cpu_baseline (job_actor_t *self, error_t *err)
{
    static const char empty[] = "<cpu/>";
    const driver_t *driver = driver_of (self, "virttype", "what cpus have in common", err);
    guest_kind_t kind = kind_of (self);
    cpu_question_t question = { .xml = value_str (job_arg (self, "xml")),
                                .features = value_bool (job_arg (self, "features"), false),
                                .migratable = value_bool (job_arg (self, "migratable"), false),
                                .possible = text_starts (self->kind->name, "hypervisor") };
    auto(xml_t) doc = driver ? xml_parse (empty, sizeof empty - 1, "cpu", err) : NULL;
    name_monitor (self);
    if (!doc || driver->baseline_cpu (&self->base, &kind, &question, xml_root (doc), err))
        return -1;
    job_pack_document (self, doc);
    return 0;
}

int job_run_max_vcpus (job_actor_t *self, error_t *err)
{
    const driver_t *driver = driver_of (self, "type", "the most vcpus", err);
    int max;
    if (!driver || driver->max_vcpus (&self->base, &max, err))
        return -1;
    pack_map (&self->value);
    pack_key_i64 (&self->value, "max", max);
    pack_end (&self->value);
    return 0;
}

int job_run_hypervisor (job_actor_t *self, error_t *err)
{
    const char *type = value_str (job_arg (self, "type"));
    const driver_t *driver = driver_for_type (type);
    uint64_t version;
    if (!driver)
        return error_set (err, ERR_INVALID_ARG, "hypervisor: there are no domains of type '%s'",
                          type);
    if (driver->version (&self->base, &version, err))
        return error_prefix (err, "hypervisor of domains of type '%s'", type);
    pack_map (&self->value);
    pack_key_str (&self->value, "driver", driver->name);
    pack_key_u64 (&self->value, "version", version);
    pack_end (&self->value);
    return 0;
}

//  What is changed of the host.

int job_run_shared_memory_set (job_actor_t *self, error_t *err)
{
    static const char *const names[] = { "pages_to_scan", "sleep_millisecs", "merge_across_nodes" };
    host_shared_t values[sizeof names / sizeof *names];
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (job_arg (self, names[i])) {
            values[count].name = names[i];
            if (!value_u64 (job_arg (self, names[i]), &values[count++].value))
                return error_set (err, ERR_INVALID_ARG, "%s is to be a number, 0 or more",
                                  names[i]);
        }
    if (count == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "change how equal pages are merged: say what is to be changed");
    return host_shared_set ("", values, count, err);
}

//  "2048:16"
static bool read_pages (const char *text, host_pool_t *pool)
{
    const char *colon = text ? strchr (text, ':') : NULL;
    autofree char *size = colon ? text_format ("%.*s", (int) (colon - text), text) : NULL;
    return colon && text_to_u64 (size, &pool->size_kib) && text_to_u64 (colon + 1, &pool->count);
}

//  The pools that the arguments are about: of COUNT cells from FIRST on, all PAGES. The caller
//  frees them; NULL and ERR.
static host_pool_t *pools_of (const value_t *pages, int64_t first, size_t cells, bool add,
                              size_t *count, error_t *err)
{
    host_pool_t *pools = memory_new (cells * value_count (pages) + 1, sizeof *pools);
    *count = 0;
    for (size_t cell = 0; cell < cells; cell++)
        for (size_t i = 0; i < value_count (pages); i++) {
            const char *text = value_str (value_at (pages, i));
            host_pool_t *pool = &pools[(*count)++];
            pool->cell = first < 0 ? HOST_ALL_CELLS : first + (int64_t) cell;
            pool->add = add;
            if (read_pages (text, pool))
                continue;
            error_set (err, ERR_INVALID_ARG,
                       "allocate pages: '%s' is not of the form KIB:COUNT, as in 2048:16",
                       text ? text : "");
            free (pools);
            return NULL;
        }
    return pools;
}

int job_run_pages_allocate (job_actor_t *self, error_t *err)
{
    enum {
        MAX_CELLS = 1024
    };
    int64_t first = HOST_ALL_CELLS, cells = 1;
    size_t count;
    const value_t *pages = job_arg (self, "pages");
    if (job_arg (self, "cell") && (!value_i64 (job_arg (self, "cell"), &first) || first < 0))
        return error_set (err, ERR_INVALID_ARG, "allocate pages: there is no such cell");
    if (job_arg (self, "cells") && (!value_i64 (job_arg (self, "cells"), &cells) || cells < 1 ||
                                    cells > MAX_CELLS || first < 0))
        return error_set (err, ERR_INVALID_ARG,
                          "allocate pages: cells is how many from cell on, 1 to %d", MAX_CELLS);
    autofree host_pool_t *pools = pools_of (pages, first, (size_t) cells,
                                            value_bool (job_arg (self, "add"), false), &count, err);
    return pools ? host_pools_set ("", pools, count, err) : -1;
}

//  For the emulators actor: {config, kind, owner, path}; the result is {capabilities}.
int job_run_probe (job_actor_t *self, error_t *err)
{
    const char *path = msg_str (self->start, "path");
    name_monitor (self);
    autofree char *text = qemu_probe (&self->base, path, err);
    if (!text)
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "capabilities", text);
    pack_end (&self->value);
    return 0;
}
