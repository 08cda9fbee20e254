//  qemu_stats_kvm.c: what KVM counts, under KVM's names. (QEMU's QMP reference: query-stats,
//  query-stats-schemas; the kernel's Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD.)

#include "drivers/qemu/qemu_stats_parts.h"
#include "util/text.h"

#include <string.h>

//  How libvirt calls the types. Histograms have no name there, and are left out.
static const char *suffix_of (const char *type)
{
    static const char *const types[][2] = { { "cumulative", "sum" },
                                            { "instant", "cur" },
                                            { "peak", "max" } };
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp (types[i][0], type) == 0)
            return types[i][1];
    return NULL;
}

//  What has no name, or is no number and no boolean, is left out everywhere.
static const char *name_of (const json_t *stat)
{
    return json_string_value (json_object_get (stat, "name"));
}

//  "halt_exits": "sum", of what is counted for TARGET. The caller drops it.
static json_t *types_of (const json_t *schemas, const char *target)
{
    json_t *types = json_object (), *schema, *stat;
    size_t i, j;
    json_array_foreach (schemas, i, schema)
    {
        if (!text_equals (json_string_value (json_object_get (schema, "target")), target))
            continue;
        json_array_foreach (json_object_get (schema, "stats"), j, stat)
        {
            const char *name = name_of (stat);
            const char *suffix = suffix_of (json_string_value (json_object_get (stat, "type")));
            if (name && suffix)
                json_object_set_new (types, name, json_string (suffix));
        }
    }
    return types;
}

//  All of RESULT (one entry of query-stats), each name after PREFIX.
static void add_result (json_t *stats, const json_t *result, const json_t *types,
                        const char *prefix)
{
    size_t i;
    json_t *stat;
    json_array_foreach (json_object_get (result, "stats"), i, stat)
    {
        json_t *value = json_object_get (stat, "value");
        const char *name = name_of (stat);
        const char *suffix = name ? json_string_value (json_object_get (types, name)) : NULL;
        if (!suffix || !(json_is_integer (value) || json_is_boolean (value)))
            continue;
        autofree char *field = text_format ("%s.%s.%s", prefix, name, suffix);
        json_object_set (stats, field, value);
    }
}

static int query (job_t *job, const char *target, json_t **results, error_t *err)
{
    return qemu_stats_ask (job, "query-stats", json_pack ("{s:s}", "target", target), results, err);
}

static int add_vm (job_t *job, json_t *stats, const json_t *schemas, error_t *err)
{
    json_auto_t *results = NULL, *types = types_of (schemas, "vm");
    if (query (job, "vm", &results, err))
        return -1;
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result) add_result (stats, result, types, "vm");
    return 0;
}

//  The vcpu of a QOM path; -1: none.
static json_int_t vcpu_of (const json_t *vcpus, const char *path)
{
    size_t i;
    json_t *vcpu;
    json_array_foreach (vcpus, i, vcpu)
    {
        if (text_equals (json_string_value (json_object_get (vcpu, "qom-path")), path))
            return json_integer_value (json_object_get (vcpu, "cpu-index"));
    }
    return -1;
}

//  Time that vcpus waited actively for work, and found some or did not, of all together.
static void add_polling (json_t *stats, const json_t *result)
{
    static const char *const names[][2] = {
        { "halt_poll_success_ns", "cpu.haltpoll.success.time" },
        { "halt_poll_fail_ns", "cpu.haltpoll.fail.time" },
    };
    size_t i;
    json_t *stat;
    json_array_foreach (json_object_get (result, "stats"), i, stat)
    {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            if (!text_equals (name_of (stat), names[k][0]))
                continue;
            json_int_t sum = json_integer_value (json_object_get (stats, names[k][1])) +
                             json_integer_value (json_object_get (stat, "value"));
            json_object_set_new (stats, names[k][1], json_integer (sum));
        }
    }
}

static int add_vcpus (job_t *job, json_t *stats, const json_t *schemas, error_t *err)
{
    json_auto_t *results = NULL, *vcpus = NULL, *types = types_of (schemas, "vcpu");
    if (qemu_stats_ask (job, "query-cpus-fast", NULL, &vcpus, err) ||
        query (job, "vcpu", &results, err))
        return -1;
    size_t i;
    json_t *result;
    json_array_foreach (results, i, result)
    {
        const char *path = json_string_value (json_object_get (result, "qom-path"));
        json_int_t number = vcpu_of (vcpus, path ? path : "");
        autofree char *prefix = text_format ("vcpu.%lld", (long long) number);
        if (number < 0)
            continue;
        add_result (stats, result, types, prefix);
        add_polling (stats, result);
    }
    return 0;
}

int qemu_stats_kvm (job_t *job, json_t *stats, error_t *err)
{
    if (!xml_equals (xml_root (job->guest->live), "@type", "kvm"))
        return 0;
    json_auto_t *schemas = NULL;
    if (qemu_stats_ask (job, "query-stats-schemas", json_pack ("{s:s}", "provider", "kvm"),
                        &schemas, err))
        return -1;
    if (!schemas)
        return 0; //  QEMU before 7.1
    return add_vm (job, stats, schemas, err) || add_vcpus (job, stats, schemas, err) ? -1 : 0;
}
