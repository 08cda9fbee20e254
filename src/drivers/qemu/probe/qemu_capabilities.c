//  qemu_capabilities.c: see qemu_capabilities.h.

#include "drivers/qemu/probe/qemu_capabilities.h"

#include "util/text.h"

#include <string.h>

//  Guests that x86 emulators run; the width is that of a pointer.
static const struct {
    const char *emulator, *arch;
    int wordsize;
} emulators[] = {
    { "/usr/bin/qemu-system-x86_64", "x86_64", 64 },
    { "/usr/bin/qemu-system-i386", "i686", 32 },
};

const char *qemu_emulator_for (const char *arch)
{
    for (size_t i = 0; i < sizeof emulators / sizeof *emulators; i++)
        if (strcmp (emulators[i].arch, arch) == 0)
            return emulators[i].emulator;
    return NULL;
}

static qemu_caps_t *ask_emulator (job_t *job, const char *path, error_t *err)
{
    autofree char *text = job_emulator (job, path, err);
    return text ? qemu_caps_parse (text, err) : NULL;
}

strings_t *qemu_cpu_models (job_t *job, const char *arch, error_t *err)
{
    const char *path = qemu_emulator_for (arch);
    if (!path) {
        error_set (err, ERR_NO_SUPPORT,
                   "not supported: cpu models of the architecture '%s'; troupe runs x86_64 and "
                   "i686 guests",
                   arch);
        return NULL;
    }
    auto(qemu_caps_t) caps = ask_emulator (job, path, err);
    if (!caps)
        return NULL;
    strings_t *models = strings_new ();
    for (const char *at = NULL;;) {
        autofree char *words = qemu_caps_next (caps, "cpu-model-tcg", &at);
        if (!words)
            return models;
        strings_add_taken (models, text_copy_bytes (words, strcspn (words, " ")));
    }
}

int qemu_max_vcpus (job_t *job, int *max, error_t *err)
{
    qemu_machine_t machine;
    auto(qemu_caps_t) caps = ask_emulator (job, emulators[0].emulator, err);
    if (!caps)
        return -1;
    if (!qemu_caps_machine (caps, QEMU_DEFAULT_MACHINE, &machine))
        return error_set (err, ERR_NO_SUPPORT,
                          "not supported: the emulator '%s' has no machine 'pc'",
                          emulators[0].emulator);
    *max = machine.max_vcpus;
    return 0;
}

int qemu_version (job_t *job, uint64_t *version, error_t *err)
{
    auto(qemu_caps_t) caps = ask_emulator (job, emulators[0].emulator, err);
    if (!caps)
        return -1;
    *version = qemu_caps_version (caps);
    return 0;
}

static void add_name (xml_node_t *arch, const char *name, const char *canonical, int max_vcpus)
{
    xml_node_t *node = xml_add (arch, "machine");
    if (*canonical)
        xml_set (node, "@canonical", canonical);
    xml_setf (node, "@maxCpus", "%d", max_vcpus);
    xml_set (node, ".", name);
}

static void add_machine (xml_node_t *arch, const qemu_machine_t *machine)
{
    add_name (arch, machine->name, "", machine->max_vcpus);
    if (*machine->alias)
        add_name (arch, machine->alias, machine->name, machine->max_vcpus);
}

//  Clients take the first one for a guest without wishes, so it is the one that a definition
//  without a machine gets.
static void add_machines (xml_node_t *arch, const qemu_caps_t *caps)
{
    const char *at = NULL;
    qemu_machine_t first = { 0 }, machine;
    if (qemu_caps_machine (caps, QEMU_DEFAULT_MACHINE, &first))
        add_machine (arch, &first);
    while (qemu_caps_next_machine (caps, &at, &machine))
        if (qemu_machine_runs (&machine) && strcmp (machine.name, first.name) != 0)
            add_machine (arch, &machine);
}

static void add_guest (xml_node_t *capabilities, size_t index, const qemu_caps_t *caps)
{
    xml_node_t *guest = xml_add (capabilities, "guest");
    xml_set (guest, "os_type", "hvm");
    xml_node_t *arch = xml_add (guest, "arch");
    xml_set (arch, "@name", emulators[index].arch);
    xml_setf (arch, "wordsize", "%d", emulators[index].wordsize);
    xml_set (arch, "emulator", emulators[index].emulator);
    add_machines (arch, caps);
    xml_set (xml_add (arch, "domain"), "@type", "qemu");
    if (qemu_caps_kvm (caps) && access ("/dev/kvm", R_OK | W_OK) == 0)
        xml_set (xml_add (arch, "domain"), "@type", "kvm");
    xml_node_t *features = xml_add (guest, "features");
    xml_set (xml_ensure (features, "acpi"), "@default", "on");
    xml_set (features, "acpi/@toggle", "yes");
    xml_set (xml_ensure (features, "apic"), "@default", "on");
    xml_set (features, "apic/@toggle", "no");
}

void qemu_capabilities_cpu (const qemu_caps_t *caps, xml_node_t *cpu)
{
    autofree char *words = qemu_caps_value (caps, "host-model", "kvm");
    char *rest = words;
    const char *name = rest ? strsep (&rest, " ") : NULL;
    if (!name || (rest && (*rest == '-' || strstr (rest, " -"))))
        return;
    xml_node_t *topology = xml_first (cpu, "topology");
    xml_set (topology ? xml_add_before (topology, "model") : xml_add (cpu, "model"), ".", name);
    for (char *word; (word = strsep (&rest, " "));)
        if (word[0] == '+')
            xml_set (xml_add (cpu, "feature"), "@name", word + 1);
}

int qemu_capabilities (job_t *job, xml_node_t *capabilities, error_t *err)
{
    for (size_t i = 0; i < sizeof emulators / sizeof *emulators; i++) {
        if (access (emulators[i].emulator, X_OK))
            continue;
        auto(qemu_caps_t) caps = ask_emulator (job, emulators[i].emulator, err);
        xml_node_t *cpu = i == 0 ? xml_find (capabilities, "host/cpu") : NULL;
        if (caps && cpu)
            qemu_capabilities_cpu (caps, cpu);
        if (caps)
            add_guest (capabilities, i, caps);
        else if (err->code == ERR_OPERATION_ABORTED)
            return -1;
        else
            job_log (job, "capabilities: %s", err->message);
    }
    return 0;
}
