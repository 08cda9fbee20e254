//  qemu_host_model.c: see qemu_host_model.h.

#include "drivers/qemu/command/qemu_host_model.h"

#include <string.h>

#define QMP_MS 10000

//  How a model differs from what is wanted.
typedef struct {
    char *name;
    text_t *features; //  " +FEATURE -FEATURE"
    bool other_vendor;
    unsigned count;
} candidate_t;

static void candidate_close (candidate_t *self)
{
    free (take (&self->name));
    text_destroy (&self->features);
}

//  All properties of a model, down to each feature. The caller releases it.
static json_t *expand (job_t *job, const char *model, error_t *err)
{
    json_auto_t *answer = job_qmp (
        job, "query-cpu-model-expansion",
        json_pack ("{s:s, s:{s:s}}", "type", "static", "model", "name", model), QMP_MS, err);
    json_t *props = json_object_get (json_object_get (answer, "model"), "props");
    if (answer && !props)
        error_set (err, ERR_PARSE_FAILED, "QEMU does not say what its cpu model '%s' is", model);
    return json_incref (props);
}

//  Features are the properties that are on or off.
static void compare (const json_t *wanted, const json_t *has, candidate_t *self)
{
    const char *key;
    json_t *value;
    self->features = text_new ();
    self->count = 0;
    json_object_foreach ((json_t *) wanted, key, value)
    {
        if (!json_is_boolean (value) || strpbrk (key, " \n"))
            continue;
        if (json_is_true (value) == json_is_true (json_object_get (has, key)))
            continue;
        text_addf (self->features, " %c%s", json_is_true (value) ? '+' : '-', key);
        self->count++;
    }
    self->other_vendor =
        !json_equal (json_object_get (wanted, "vendor"), json_object_get (has, "vendor"));
}

static bool is_better (const candidate_t *self, const candidate_t *best)
{
    if (!best->name || self->other_vendor != best->other_vendor)
        return !best->name || !self->other_vendor;
    return self->count < best->count;
}

//  Models under the names that users know: each stands for one of its versions.
static bool is_named (const json_t *definition)
{
    return json_object_get (definition, "alias-of") &&
           json_is_true (json_object_get (definition, "migration-safe")) &&
           !json_is_true (json_object_get (definition, "deprecated"));
}

static int try_model (job_t *job, const json_t *wanted, const char *name, candidate_t *best,
                      error_t *err)
{
    json_auto_t *has = expand (job, name, err);
    if (!has)
        return -1;
    candidate_t candidate = { .name = NULL };
    compare (wanted, has, &candidate);
    if (is_better (&candidate, best)) {
        candidate_close (best);
        *best = candidate;
        best->name = text_copy (name);
    } else
        candidate_close (&candidate);
    return 0;
}

static int find_best (job_t *job, const char *accel, candidate_t *best, error_t *err)
{
    json_auto_t *wanted = expand (job, strcmp (accel, "kvm") == 0 ? "host" : "max", err);
    json_auto_t *list = wanted ? job_qmp (job, "query-cpu-definitions", NULL, QMP_MS, err) : NULL;
    if (!list)
        return -1;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        const char *name = json_string_value (json_object_get (item, "name"));
        if (name && is_named (item) && !strchr (name, ' ') &&
            try_model (job, wanted, name, best, err))
            return -1;
    }
    return best->name ? 0 : error_set (err, ERR_NO_SUPPORT, "QEMU has no named models");
}

void qemu_host_model_none (const char *accel, const error_t *why, text_t *text)
{
    text_addf (text, "no-host-model %s %s\n", accel, why->message);
}

int qemu_host_model_ask (job_t *job, const char *accel, text_t *text, error_t *err)
{
    candidate_t best = { .name = NULL };
    int rc = find_best (job, accel, &best, err);
    if (rc == 0)
        text_addf (text, "host-model %s %s%s\n", accel, best.name, best.features->data);
    else if (err->code != ERR_OPERATION_ABORTED) {
        qemu_host_model_none (accel, err, text);
        rc = 0;
    }
    candidate_close (&best);
    return rc;
}

//  Into the live document.

static bool has_feature (const xml_node_t *cpu, const char *name)
{
    xml_foreach (feature, cpu, "feature")
        if (xml_equals (feature, "@name", name))
            return true;
    return false;
}

//  What the definition says of a feature counts more.
static void add_feature (xml_node_t *cpu, const char *word)
{
    if (has_feature (cpu, word + 1))
        return;
    xml_node_t *feature = xml_add (cpu, "feature");
    xml_set (feature, "@policy", word[0] == '+' ? "require" : "disable");
    xml_set (feature, "@name", word + 1);
}

static void set_model (xml_node_t *cpu, const char *name)
{
    xml_node_t *model = xml_first (cpu, "model"), *first = xml_first (cpu, NULL);
    if (!model)
        model = first ? xml_add_before (first, "model") : xml_add (cpu, "model");
    xml_set (model, "@fallback", "forbid");
    xml_set (model, ".", name);
}

int qemu_host_model_apply (xml_t *live, const qemu_caps_t *caps, error_t *err)
{
    xml_node_t *domain = xml_root (live), *cpu = xml_find (domain, "cpu");
    if (!xml_equals (cpu, "@mode", "host-model"))
        return 0;
    const char *accel = xml_equals (domain, "@type", "kvm") ? "kvm" : "tcg";
    autofree char *why = qemu_caps_value (caps, "no-host-model", accel);
    autofree char *words = qemu_caps_value (caps, "host-model", accel);
    if (!words)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: cpu/@mode 'host-model' with domain/@type '%s': %s",
                          xml_string (domain, "@type"),
                          why ? why : "the emulator could not be asked for it");
    xml_set (cpu, "@mode", "custom");
    xml_set (cpu, "@match", "exact");
    xml_set (cpu, "@check", "full");
    char *rest = words;
    set_model (cpu, strsep (&rest, " "));
    for (char *word; (word = strsep (&rest, " "));)
        if (word[0] == '+' || word[0] == '-')
            add_feature (cpu, word);
    return 0;
}
