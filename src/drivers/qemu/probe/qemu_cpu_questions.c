//  qemu_cpu_questions.c: see qemu_cpu_questions.h.

#include "drivers/qemu/probe/qemu_cpu_questions.h"

#include "drivers/qemu/probe/qemu_cpu.h"
#include "drivers/qemu/probe/qemu_kind.h"

#include <string.h>

#define QMP_MS 10000

//  One run of an emulator.
typedef struct {
    qemu_kind_t kind;
    const cpu_question_t *question;
    const xml_node_t *asked;
    const char **relation; //  NULL: it is a baseline
    text_t *why;
    xml_node_t *cpu;
    error_t err; //  QEMU's words would hide the reason
    bool failed;
} run_t;

static int ask (job_t *job, void *arg, error_t *err)
{
    run_t *self = arg;
    const char *accel = self->kind.accel;
    int rc = self->relation ? qemu_compare_ask (job, accel, self->kind.arch, self->asked,
                                                self->relation, self->why, &self->err)
                            : qemu_baseline_ask (job, accel, self->question, self->asked, self->cpu,
                                                 &self->err);
    if (rc && self->err.code == ERR_OPERATION_ABORTED) {
        *err = self->err;
        return -1;
    }
    self->failed = rc != 0;
    return 0;
}

//  A document that is wrong needs no emulator.
static int run (job_t *job, const guest_kind_t *kind, run_t *self, error_t *err)
{
    const char *text = self->question->xml;
    auto(qemu_caps_t) caps = NULL;
    auto(xml_t) doc = xml_parse (text, strlen (text), "cpu XML", err);
    self->asked = doc ? xml_root (doc) : NULL;
    if (!doc || qemu_kind_choose (job, kind, &self->kind, &caps, err) ||
        qemu_probe_ask (job, self->kind.emulator, self->kind.accel, ask, self, err))
        return -1;
    if (self->failed)
        *err = self->err;
    return self->failed ? -1 : 0;
}

//  Comparing.

static bool is_x86 (const char *arch)
{
    return strcmp (arch, "x86_64") == 0 || strcmp (arch, "i686") == 0;
}

//  A processor of 64 bits is one of 32 bits, too.
static bool runs_arch (const char *ours, const char *arch)
{
    return !arch || strcmp (ours, arch) == 0 ||
           (strcmp (ours, "x86_64") == 0 && strcmp (arch, "i686") == 0);
}

static const char *const relations[] = {
    [CPU_INCOMPATIBLE] = "incompatible", [CPU_IDENTICAL] = "identical", [CPU_SUPERSET] = "superset"
};

int qemu_compare_ask (job_t *job, const char *accel, const char *arch, const xml_node_t *asked,
                      const char **relation, text_t *why, error_t *err)
{
    const char *other = xml_string (asked, "arch");
    *relation = relations[CPU_INCOMPATIBLE];
    if (!runs_arch (arch, other)) {
        text_addf (why, "it is of the architecture '%s', and not '%s'", other, arch);
        return 0;
    }
    qemu_cpu_t host = { 0 }, cpu = { 0 };
    int rc =
        qemu_cpu_ask (job, accel, asked, &cpu, err) || qemu_cpu_ask (job, accel, NULL, &host, err)
            ? -1
            : 0;
    if (rc == 0)
        *relation =
            relations[qemu_cpu_compare (&host, &cpu, xml_equals (asked, "@match", "strict"), why)];
    qemu_cpu_close (&host);
    qemu_cpu_close (&cpu);
    return rc;
}

int qemu_compare_cpu (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                      const char **relation, text_t *why, error_t *err)
{
    run_t self = { .question = question, .relation = relation, .why = why };
    if (run (job, kind, &self, err))
        return error_prefix (err, "compare cpu");
    if (question->fail && strcmp (*relation, relations[CPU_INCOMPATIBLE]) == 0)
        return error_set (err, ERR_CPU_INCOMPATIBLE,
                          "the host's cpu can't be had as the given one: %s", why->data);
    return 0;
}

//  Baseline.

typedef struct {
    json_t *features;  //  that all have
    char *wanted;      //  the vendor that some demand
    char *vendor;      //  of all models, or NULL
    strings_t *models; //  by the names that were given
} common_t;

static void common_close (common_t *self)
{
    json_decref (take (&self->features));
    free (take (&self->wanted));
    free (take (&self->vendor));
    strings_destroy (&self->models);
}

static int add_cpu (common_t *self, const qemu_cpu_t *cpu, error_t *err)
{
    if (self->wanted && cpu->wanted && strcmp (self->wanted, cpu->wanted) != 0)
        return error_set (err, ERR_OPERATION_FAILED, "the cpus are of different vendors: %s and %s",
                          qemu_cpu_vendor_name (self->wanted), qemu_cpu_vendor_name (cpu->wanted));
    if (!self->wanted && cpu->wanted)
        self->wanted = text_copy (cpu->wanted);
    if (!self->features) {
        self->features = json_incref (cpu->features);
        self->vendor = cpu->vendor ? text_copy (cpu->vendor) : NULL;
    } else
        qemu_features_restrict (self->features, cpu->features);
    if (self->vendor && !text_equals (self->vendor, cpu->vendor))
        free (take (&self->vendor));
    strings_add (self->models, cpu->model);
    return 0;
}

static int ask_one (job_t *job, const char *accel, const xml_node_t *node, common_t *self,
                    error_t *err)
{
    qemu_cpu_t cpu;
    const char *arch = xml_string (node, "arch");
    if (arch && !is_x86 (arch))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: cpus of the architecture '%s'; troupe runs x86_64 and "
                          "i686 guests",
                          arch);
    int rc = qemu_cpu_ask (job, accel, node, &cpu, err) || add_cpu (self, &cpu, err) ? -1 : 0;
    qemu_cpu_close (&cpu);
    return rc;
}

static int ask_common (job_t *job, const char *accel, const xml_node_t *asked, common_t *self,
                       error_t *err)
{
    self->models = strings_new ();
    if (xml_is (asked, "cpu"))
        return ask_one (job, accel, asked, self, err);
    xml_foreach (node, asked, NULL)
        if (ask_one (job, accel, node, self, err))
            return -1;
    return self->features ? 0 : error_set (err, ERR_INVALID_ARG, "there are no cpus");
}

//  A guest with it could not migrate to any other host.
static const char *const bound[] = { "invtsc" };

static int narrow (job_t *job, const char *accel, const cpu_question_t *question, common_t *self,
                   error_t *err)
{
    qemu_cpu_t host = { 0 };
    int rc = question->possible ? qemu_cpu_ask (job, accel, NULL, &host, err) : 0;
    if (rc == 0 && question->possible)
        qemu_features_restrict (self->features, host.features);
    for (size_t i = 0; question->migratable && i < sizeof bound / sizeof *bound; i++)
        json_object_del (self->features, bound[i]);
    qemu_cpu_close (&host);
    return rc;
}

//  The model that is nearest to what all have.
typedef struct {
    char *name;
    json_t *features;
    unsigned rank; //  of its vendor, and then of being one that was given
} best_t;

static void best_close (best_t *self)
{
    free (take (&self->name));
    json_decref (take (&self->features));
}

static unsigned rank_of (const common_t *common, const qemu_cpu_t *model)
{
    const char *vendor = common->wanted ? common->wanted : common->vendor;
    return (text_equals (vendor, model->vendor) ? 2u : 0u) +
           (strings_contain (common->models, model->model) ? 1u : 0u);
}

static bool is_better (const qemu_cpu_t *model, unsigned rank, const best_t *best)
{
    size_t size = json_object_size (model->features), most = json_object_size (best->features);
    if (!best->name || rank / 2 != best->rank / 2)
        return !best->name || rank > best->rank;
    return size > most || (size == most && rank > best->rank);
}

static int try_model (job_t *job, const char *accel, const char *name, const common_t *common,
                      best_t *best, error_t *err)
{
    static const char empty[] = "<cpu/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "cpu", err);
    xml_set (xml_root (doc), "model", name);
    qemu_cpu_t model;
    int rc = qemu_cpu_ask (job, accel, xml_root (doc), &model, err);
    unsigned rank = rc ? 0 : rank_of (common, &model);
    if (rc == 0 && qemu_features_within (model.features, common->features) &&
        is_better (&model, rank, best)) {
        best_close (best);
        *best = (best_t){ .name = text_copy (name),
                          .features = json_incref (model.features),
                          .rank = rank };
    }
    qemu_cpu_close (&model);
    return rc;
}

//  Models under the names that users know, each of which stands for one of its versions.
static bool is_named (const json_t *definition, const char *name, const common_t *common)
{
    return name && json_object_get (definition, "alias-of") &&
           json_is_true (json_object_get (definition, "migration-safe")) &&
           (!json_is_true (json_object_get (definition, "deprecated")) ||
            strings_contain (common->models, name));
}

static int find_best (job_t *job, const char *accel, const common_t *common, best_t *best,
                      error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-cpu-definitions", NULL, QMP_MS, err);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        const char *name = json_string_value (json_object_get (item, "name"));
        if (is_named (item, name, common) && try_model (job, accel, name, common, best, err))
            return -1;
    }
    if (list && !best->name)
        error_set (err, ERR_CPU_INCOMPATIBLE,
                   "QEMU has no model with only what all these cpus have in common");
    return best->name ? 0 : -1;
}

static void write_cpu (const common_t *common, const best_t *best, bool all, xml_node_t *cpu)
{
    xml_set (cpu, "@mode", "custom");
    xml_set (cpu, "@match", "exact");
    xml_set (xml_add_text (cpu, "model", best->name), "@fallback", "forbid");
    if (common->wanted)
        xml_set (cpu, "vendor", qemu_cpu_vendor_name (common->wanted));
    auto(strings_t) names = qemu_features_beyond (common->features, all ? NULL : best->features);
    for (size_t i = 0; i < names->count; i++) {
        xml_node_t *feature = xml_add (cpu, "feature");
        xml_set (feature, "@policy", "require");
        xml_set (feature, "@name", names->items[i]);
    }
}

int qemu_baseline_ask (job_t *job, const char *accel, const cpu_question_t *question,
                       const xml_node_t *asked, xml_node_t *cpu, error_t *err)
{
    common_t common = { 0 };
    best_t best = { 0 };
    int rc = ask_common (job, accel, asked, &common, err) ||
                     narrow (job, accel, question, &common, err) ||
                     find_best (job, accel, &common, &best, err)
                 ? -1
                 : 0;
    if (rc == 0)
        write_cpu (&common, &best, question->features, cpu);
    best_close (&best);
    common_close (&common);
    return rc;
}

int qemu_baseline_cpu (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                       xml_node_t *cpu, error_t *err)
{
    run_t self = { .question = question, .cpu = cpu };
    return run (job, kind, &self, err) ? error_prefix (err, "baseline of cpus") : 0;
}
