//  qemu_probe.c: asks an emulator what it can do, through QMP, with a QEMU that has no machine.

#include "drivers/qemu/probe/qemu_caps.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_host_model.h"
#include "drivers/qemu/qemu_words.h"
#include "drivers/undo.h"
#include "util/text.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define QMP_MS 10000
#define EXIT_MS 5000
#define LAST_MS 2000 //  from the end of its monitor to that of the program

//  The questions, and the key under which qemu_caps_from_qmp finds the answer.
static const struct {
    const char *execute;
    const char *implements; //  of qom-list-types
} questions[] = {
    { "query-version", NULL },  { "query-target", NULL },          { "query-kvm", NULL },
    { "query-machines", NULL }, { "query-cpu-definitions", NULL }, { "qom-list-types", "device" },
};

//  A word of the text: a name from QEMU may not break its lines.
static const char *word_of (const json_t *object, const char *key)
{
    const char *word = json_string_value (json_object_get (object, key));
    return word && *word && !strpbrk (word, " \n\t") ? word : NULL;
}

static const char *word_or_none (const json_t *object, const char *key)
{
    const char *word = word_of (object, key);
    return word ? word : "-";
}

static int add_version (text_t *text, const json_t *answers)
{
    json_t *qemu = json_object_get (json_object_get (answers, "query-version"), "qemu");
    int major, minor, micro;
    if (json_unpack (qemu, "{s:i, s:i, s:i}", "major", &major, "minor", &minor, "micro", &micro))
        return -1;
    text_addf (text, "version %d.%d.%d\n", major, minor, micro);
    return 0;
}

static int add_target (text_t *text, const json_t *answers)
{
    const char *arch = word_of (json_object_get (answers, "query-target"), "arch");
    json_t *kvm = json_object_get (json_object_get (answers, "query-kvm"), "present");
    if (!arch || !json_is_boolean (kvm))
        return -1;
    text_addf (text, "arch %s\nkvm %s\n", arch, json_is_true (kvm) ? "yes" : "no");
    return 0;
}

static int add_machines (text_t *text, const json_t *answers)
{
    json_t *machines = json_object_get (answers, "query-machines"), *machine;
    size_t i;
    json_array_foreach (machines, i, machine)
    {
        const char *name = word_of (machine, "name");
        json_int_t vcpus = json_integer_value (json_object_get (machine, "cpu-max"));
        if (name)
            text_addf (text, "machine %s %s %d %s\n", name, word_or_none (machine, "alias"),
                       (int) vcpus, word_or_none (machine, "default-ram-id"));
    }
    return json_array_size (machines) > 0 ? 0 : -1;
}

static int add_names (text_t *text, const json_t *list, const char *fact)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        const char *name = word_of (item, "name");
        if (name)
            text_addf (text, "%s %s\n", fact, name);
    }
    return json_array_size (list) > 0 ? 0 : -1;
}

char *qemu_caps_from_qmp (const json_t *answers, error_t *err)
{
    auto(text_t) text = text_new ();
    text_add (text, QEMU_CAPS_HEADER "\n");
    if (add_version (text, answers) || add_target (text, answers) || add_machines (text, answers) ||
        add_names (text, json_object_get (answers, "query-cpu-definitions"), "cpu") ||
        add_names (text, json_object_get (answers, "qom-list-types"), "device")) {
        error_set (err, ERR_PARSE_FAILED,
                   "its answers through QMP are not those of a QEMU of version 4 or later");
        return NULL;
    }
    return text_finish (&text);
}

static char *ask (job_t *job, error_t *err)
{
    json_auto_t *answers = json_object ();
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        json_t *arguments = NULL;
        if (questions[i].implements)
            arguments =
                json_pack ("{s:s, s:b}", "implements", questions[i].implements, "abstract", 0);
        json_t *answer = job_qmp (job, questions[i].execute, arguments, QMP_MS, err);
        if (!answer)
            return NULL;
        json_object_set_new (answers, questions[i].execute, answer);
    }
    return qemu_caps_from_qmp (answers, err);
}

//  A program that ends at once is no emulator; what it wrote, if anything, is added by the caller.
//  If that is nothing, it may be one that crashed: QEMU 7.2 does now and then.
static int connect_monitor (job_t *job, const process_t *process, const char *socket, error_t *err)
{
    error_t running = { 0 };
    if (job_monitor_open (job, socket, QMP_MS, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_ABORTED || job_wait_exit (job, process, LAST_MS, &running))
        return -1;
    error_set (err, ERR_CONFIG_UNSUPPORTED,
               "it ended without a word of QMP; is it a QEMU system emulator?");
    err->retry = true;
    return -1;
}

//  One emulator that is asked.
typedef struct {
    const char *path, *accel;
    char *socket, *log;
    process_t process;
} probe_t;

static int start_emulator (job_t *job, probe_t *self, error_t *err)
{
    autofree char *machine = text_format ("none,accel=%s", self->accel);
    const char *argv[] = {
        self->path,
        "-S",
        "-no-user-config",
        "-nodefaults",
        "-machine",
        machine,
        "-display",
        "none",
        "-chardev",
        QEMU_MONITOR_CHARDEV,
        "-mon",
        "chardev=charmonitor,mode=control",
        NULL,
    };
    const char *env[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
    spawn_t spawn = { .argv = argv,
                      .env = env,
                      .log = self->log,
                      .drop_capabilities = true,
                      .tied = true,
                      .listen = { { .path = self->socket, .fd = QEMU_MONITOR_FD } } };
    char identity[96];
    if (job_undo (job, "file", self->log, err) || job_undo (job, "file", self->socket, err) ||
        job_spawn (job, &spawn, &self->process, err))
        return -1;
    process_to_text (&self->process, identity);
    bool failed = job_undo (job, "process", identity, err) || job_go (job, &self->process, err) ||
                  job_undo (job, "monitor", "", err) ||
                  connect_monitor (job, &self->process, self->socket, err);
    return failed ? -1 : 0;
}

//  It holds nothing worth saving, so it is not asked to quit.
static int stop_emulator (job_t *job, const probe_t *self, error_t *err)
{
    bool failed = job_monitor_close (job, err) || job_kill (job, &self->process, SIGKILL, err) ||
                  job_wait_exit (job, &self->process, EXIT_MS, err) ||
                  job_remove_file (job, self->socket, err) || job_remove_file (job, self->log, err);
    return failed ? -1 : 0;
}

//  Two probes of two emulators may run at once, each with a log of its own; the socket's name must
//  be short.
static void probe_open (probe_t *self, job_t *job, const char *path, const char *accel)
{
    uint32_t number;
    job_random (job, &number, sizeof number);
    *self = (probe_t){ .path = path, .accel = accel };
    self->socket = text_format ("%s/qemu/probe-%08x.monitor", job->paths->run, number);
    self->log = text_format ("%s/qemu/probe-%08x.log", job->paths->log, number);
}

static void probe_close (probe_t *self)
{
    free (self->socket);
    free (self->log);
}

//  A model under the name that users know stands for one of its versions.
static void add_model (text_t *text, const char *accel, const json_t *definition)
{
    const char *name = word_of (definition, "name");
    bool deprecated = json_is_true (json_object_get (definition, "deprecated"));
    size_t i;
    json_t *feature;
    if (!name || !json_object_get (definition, "alias-of"))
        return;
    text_addf (text, "cpu-model-%s %s %s", accel, name, deprecated ? "deprecated" : "current");
    json_array_foreach (json_object_get (definition, "unavailable-features"), i, feature)
    {
        const char *word = json_string_value (feature);
        if (word && *word && !strpbrk (word, " \n\t"))
            text_addf (text, " %s", word);
    }
    text_add_char (text, '\n');
}

//  What an accelerator lacks of each model only a QEMU that was started with it can tell.
static int ask_accel (job_t *job, const char *accel, text_t *text, error_t *err)
{
    if (qemu_host_model_ask (job, accel, text, err))
        return -1;
    json_auto_t *list = job_qmp (job, "query-cpu-definitions", NULL, QMP_MS, err);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        add_model (text, accel, item);
    }
    return list ? 0 : -1;
}

int qemu_probe_ask (job_t *job, const char *path, const char *accel, qemu_ask_fn *ask_it, void *arg,
                    error_t *err)
{
    probe_t probe;
    probe_open (&probe, job, path, accel);
    bool failed = start_emulator (job, &probe, err) || ask_it (job, arg, err) ||
                  stop_emulator (job, &probe, err);
    if (failed)
        qemu_words_add (probe.log, 0, "when it was asked what it can do", err);
    probe_close (&probe);
    return failed ? -1 : 0;
}

static int ask_facts (job_t *job, void *arg, error_t *err)
{
    text_t *text = arg;
    autofree char *facts = ask (job, err);
    if (!facts)
        return -1;
    text_add (text, facts);
    return ask_accel (job, "tcg", text, err);
}

//  One that did not come up. What may stay of it, the next daemon removes.
static void clear_emulator (job_t *job, const probe_t *self)
{
    error_t ignored;
    if (self->process.pid > 0) {
        job_kill (job, &self->process, SIGKILL, &ignored);
        job_wait_exit (job, &self->process, EXIT_MS, &ignored);
    }
    job_remove_file (job, self->socket, &ignored);
    job_remove_file (job, self->log, &ignored);
}

//  That KVM does not work is no reason not to use the emulator.
static int ask_kvm (job_t *job, const char *path, text_t *text, error_t *err)
{
    probe_t probe;
    error_t why = { 0 };
    probe_open (&probe, job, path, "kvm");
    bool started = start_emulator (job, &probe, &why) == 0;
    bool aborted = !started && why.code == ERR_OPERATION_ABORTED;
    if (aborted)
        *err = why;
    else if (!started) {
        qemu_words_add (probe.log, 0, "when it was started with KVM", &why);
        qemu_host_model_none ("kvm", &why, text);
        clear_emulator (job, &probe);
    }
    bool failed =
        aborted ||
        (started && (ask_accel (job, "kvm", text, err) || stop_emulator (job, &probe, err)));
    probe_close (&probe);
    return failed ? error_prefix (err, "probe the emulator '%s' with KVM", path) : 0;
}

char *qemu_probe (job_t *job, const char *path, error_t *err)
{
    auto(text_t) text = text_new ();
    if (qemu_probe_ask (job, path, "tcg", ask_facts, text, err)) {
        error_prefix (err, "probe the emulator '%s'", path);
        return NULL;
    }
    bool kvm = strstr (text->data, "\nkvm yes\n") != NULL;
    if (kvm && access ("/dev/kvm", F_OK) == 0 && ask_kvm (job, path, text, err))
        return NULL;
    if (kvm && access ("/dev/kvm", F_OK)) {
        error_t why;
        error_set (&why, ERR_NO_SUPPORT, "there is no /dev/kvm on this host");
        qemu_host_model_none ("kvm", &why, text);
    }
    return text_finish (&text);
}
