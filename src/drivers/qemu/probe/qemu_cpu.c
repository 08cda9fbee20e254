//  qemu_cpu.c: see qemu_cpu.h.

#include "drivers/qemu/probe/qemu_cpu.h"

#include <string.h>

#define QMP_MS 10000

static const struct {
    const char *name, *vendor; //  of CPUID
} vendors[] = {
    { "Intel", "GenuineIntel" },
    { "AMD", "AuthenticAMD" },
    { "Hygon", "HygonGenuine" },
};

#define COUNT(table) (sizeof (table) / sizeof *(table))

const char *qemu_cpu_vendor_name (const char *vendor)
{
    for (size_t i = 0; i < COUNT (vendors); i++)
        if (strcmp (vendors[i].vendor, vendor) == 0)
            return vendors[i].name;
    return vendor;
}

static const char *vendor_of (const char *name)
{
    for (size_t i = 0; name && i < COUNT (vendors); i++)
        if (strcmp (vendors[i].name, name) == 0)
            return vendors[i].vendor;
    return name;
}

//  Sets.

bool qemu_features_within (const json_t *set, const json_t *other)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) set, key, value)
    {
        if (!json_object_get (other, key))
            return false;
    }
    return true;
}

void qemu_features_restrict (json_t *set, const json_t *other)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe (set, next, key, value)
    {
        if (!json_object_get (other, key))
            json_object_del (set, key);
    }
}

strings_t *qemu_features_beyond (const json_t *set, const json_t *other)
{
    const char *key;
    json_t *value;
    strings_t *names = strings_new ();
    json_object_foreach ((json_t *) set, key, value)
    {
        if (!json_object_get (other, key))
            strings_add (names, key);
    }
    strings_sort (names);
    return names;
}

static void remove_all (json_t *set, const json_t *other)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *) other, key, value)
    {
        json_object_del (set, key);
    }
}

//  Asking.

//  What <feature policy=> says. A host's has no policy: it is there.
enum {
    REQUIRED = 1,
    OPTIONAL = 2,
    FORBIDDEN = 4
};

static const struct {
    const char *name;
    unsigned class; //  0: it is to be off
} policies[] = {
    { "require", REQUIRED },  { "force", OPTIONAL }, //  the guest sees it, whatever the host has
    { "optional", OPTIONAL }, { "disable", 0 },      { "forbid", FORBIDDEN },
};

static int class_of (const xml_node_t *feature, unsigned *class, error_t *err)
{
    const char *policy = xml_string (feature, "@policy"), *name = xml_string (feature, "@name");
    *class = REQUIRED;
    if (!name || !*name)
        return error_set (err, ERR_XML_ERROR, "cpu: a <feature> has no name");
    for (size_t i = 0; policy && i < COUNT (policies); i++)
        if (strcmp (policies[i].name, policy) == 0) {
            *class = policies[i].class;
            return 0;
        }
    return !policy ? 0
                   : error_set (err, ERR_XML_ERROR,
                                "cpu: feature '%s' has the policy '%s'; it can be require, force, "
                                "optional, disable or forbid",
                                name, policy);
}

//  The features as the model's properties; those of CLASSES are on.
static json_t *props_of (const xml_node_t *cpu, unsigned classes, error_t *err)
{
    json_auto_t *props = json_object ();
    xml_foreach (feature, cpu, "feature") {
        unsigned class;
        if (class_of (feature, &class, err))
            return NULL;
        json_object_set_new (props, xml_string (feature, "@name"),
                             json_boolean ((class & classes) != 0));
    }
    return json_incref (props);
}

//  All that MODEL is with these features. The caller releases it.
static json_t *expand (job_t *job, const char *model, const xml_node_t *cpu, unsigned classes,
                       error_t *err)
{
    json_auto_t *props = props_of (cpu, classes, err);
    if (!props)
        return NULL;
    json_t *named = json_pack ("{s:s}", "name", model);
    if (json_object_size (props) > 0)
        json_object_set (named, "props", props);
    json_auto_t *answer =
        job_qmp (job, "query-cpu-model-expansion",
                 json_pack ("{s:s, s:o}", "type", "static", "model", named), QMP_MS, err);
    json_t *found = json_object_get (json_object_get (answer, "model"), "props");
    if (!answer && err->code == ERR_OPERATION_FAILED)
        err->code = ERR_CONFIG_UNSUPPORTED;
    if (!answer)
        error_prefix (err, "cpu model '%s'", model);
    else if (!found)
        error_set (err, ERR_PARSE_FAILED, "QEMU does not say what its cpu model '%s' is", model);
    return json_incref (found);
}

static json_t *features_of (const json_t *props)
{
    const char *key;
    json_t *value, *set = json_object ();
    json_object_foreach ((json_t *) props, key, value)
    {
        if (json_is_true (value))
            json_object_set (set, key, value);
    }
    return set;
}

static json_t *ask_features (job_t *job, const qemu_cpu_t *self, const xml_node_t *cpu,
                             unsigned classes, error_t *err)
{
    json_auto_t *props = expand (job, self->model, cpu, classes, err);
    return props ? features_of (props) : NULL;
}

//  All modes but custom are what the host has.
static int read_model (const char *accel, const xml_node_t *cpu, qemu_cpu_t *self, error_t *err)
{
    const char *mode = xml_string (cpu, "@mode"), *model = xml_string (cpu, "model");
    bool custom = cpu && (!mode || strcmp (mode, "custom") == 0);
    if (cpu && !xml_is (cpu, "cpu"))
        return error_set (err, ERR_XML_ERROR, "cpu: the element is <%s>, not <cpu>",
                          xml_name (cpu));
    if (custom && (!model || !*model))
        return error_set (err, ERR_XML_ERROR,
                          "cpu: it names no <model>; 'troupe cpu-models x86_64' shows them");
    self->model = text_copy (custom ? model : strcmp (accel, "kvm") == 0 ? "host" : "max");
    const char *wanted = vendor_of (xml_string (cpu, "vendor"));
    self->wanted = wanted ? text_copy (wanted) : NULL;
    return 0;
}

int qemu_cpu_ask (job_t *job, const char *accel, const xml_node_t *cpu, qemu_cpu_t *self,
                  error_t *err)
{
    *self = (qemu_cpu_t){ 0 };
    if (read_model (accel, cpu, self, err))
        return -1;
    json_auto_t *props = expand (job, self->model, cpu, REQUIRED, err);
    if (!props || !(self->optional = ask_features (job, self, cpu, REQUIRED | OPTIONAL, err)) ||
        !(self->barred = ask_features (job, self, cpu, REQUIRED | FORBIDDEN, err)))
        return -1;
    const char *vendor = json_string_value (json_object_get (props, "vendor"));
    self->vendor = vendor ? text_copy (vendor) : NULL;
    self->features = features_of (props);
    remove_all (self->optional, self->features);
    remove_all (self->barred, self->features);
    return 0;
}

void qemu_cpu_close (qemu_cpu_t *self)
{
    free (take (&self->model));
    free (take (&self->wanted));
    free (take (&self->vendor));
    json_decref (take (&self->features));
    json_decref (take (&self->optional));
    json_decref (take (&self->barred));
}

//  Comparing.

static void add_names (text_t *why, const char *words, const strings_t *names)
{
    for (size_t i = 0; i < names->count; i++)
        text_addf (why, "%s%s", i > 0 ? ", " : words, names->items[i]);
}

qemu_cpu_relation_t qemu_cpu_compare (const qemu_cpu_t *host, const qemu_cpu_t *cpu, bool strict,
                                      text_t *why)
{
    auto(strings_t) lacking = qemu_features_beyond (cpu->features, host->features);
    auto(strings_t) more = qemu_features_beyond (host->features, cpu->features);
    json_auto_t *barred = json_copy (cpu->barred);
    qemu_features_restrict (barred, host->features);
    auto(strings_t) has = qemu_features_beyond (barred, NULL);
    size_t more_than_optional = 0;
    for (size_t i = 0; i < more->count; i++)
        more_than_optional += !json_object_get (cpu->optional, more->items[i]);
    if (cpu->wanted && !text_equals (cpu->wanted, host->vendor))
        text_addf (why, "the host's vendor is %s",
                   host->vendor ? qemu_cpu_vendor_name (host->vendor) : "not known");
    else if (lacking->count > 0)
        add_names (why, "the host lacks ", lacking);
    else if (has->count > 0)
        add_names (why, "the host has ", has);
    else if (more_than_optional == 0)
        return CPU_IDENTICAL;
    else if (strict)
        add_names (why, "it is to match strictly, and the host has more: ", more);
    else
        return CPU_SUPERSET;
    return CPU_INCOMPATIBLE;
}
