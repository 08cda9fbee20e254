//  qemu_complete_machine.c: completes what is no device: memory, vcpus, machine, cpu, clock, what
//  happens when the guest ends.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/definition.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <string.h>

static int complete_vcpus (completion_t *self, error_t *err)
{
    int vcpus = 1;
    if (definition_complete_vcpus (self->domain, err) || vcpus_complete (self->domain, err) ||
        xml_int (self->domain, "vcpu", 1, 65535, &vcpus, err))
        return -1;
    if (self->machine.max_vcpus && vcpus > self->machine.max_vcpus)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: %d vcpus; the machine '%s' has at most %d", vcpus,
                          self->machine.name, self->machine.max_vcpus);
    return 0;
}

static int complete_os (completion_t *self, error_t *err)
{
    xml_node_t *type = xml_find (self->domain, "os/type");
    if (!type)
        return error_set (err, ERR_NO_OS, "domain XML: <os><type>hvm</type></os> is missing");
    qemu_default (type, "@arch", "x86_64");
    qemu_default (type, "@machine", QEMU_DEFAULT_MACHINE);
    const char *name = xml_string (type, "@machine");
    const char *emulator = xml_string (self->devices, "emulator");
    if (!qemu_caps_machine (self->caps, name, &self->machine))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/type/@machine '%s'; '%s -machine help' shows what "
                          "the emulator has",
                          name, emulator);
    self->q35 = text_starts (self->machine.name, "pc-q35-");
    if (!qemu_machine_runs (&self->machine))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/type/@machine '%s'; it can be of the families pc and "
                          "q35",
                          name);
    if (strcmp (name, self->machine.name) != 0)
        xml_set (type, "@machine", self->machine.name);
    return 0;
}

//  Boots from disk if nothing else is said, here or at the devices.
static void complete_boot (completion_t *self)
{
    xml_foreach (device, self->devices, NULL)
        if (xml_find (device, "boot"))
            return;
    xml_node_t *os = xml_find (self->domain, "os");
    if (!xml_find (os, "boot"))
        xml_set (os, "boot/@dev", "hd");
}

static int check_emulation (completion_t *self, error_t *err)
{
    const char *emulates = qemu_caps_arch (self->caps);
    const char *arch = xml_string (self->domain, "os/type/@arch");
    bool i386 = strcmp (emulates, "i386") == 0;
    if (!i386 && strcmp (emulates, "x86_64") != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: the emulator '%s' is one of '%s'; troupe runs x86_64 "
                          "and i686 guests",
                          xml_string (self->devices, "emulator"), emulates);
    if (i386 && strcmp (arch, "x86_64") == 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/type/@arch 'x86_64' with the emulator '%s'; it "
                          "emulates i386",
                          xml_string (self->devices, "emulator"));
    if (xml_equals (self->domain, "@type", "kvm") && !qemu_caps_kvm (self->caps))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: domain/@type 'kvm'; the emulator '%s' was built without "
                          "KVM, use type='qemu'",
                          xml_string (self->devices, "emulator"));
    return 0;
}

static void default_cpu (completion_t *self, xml_node_t *cpu)
{
    bool i686 = xml_equals (self->domain, "os/type/@arch", "i686");
    xml_set (cpu, "@mode", "custom");
    qemu_default (cpu, "@match", "exact");
    qemu_default (cpu, "@check", "none");
    xml_node_t *first = xml_first (cpu, NULL);
    xml_node_t *model = first ? xml_add_before (first, "model") : xml_add (cpu, "model");
    xml_set (model, "@fallback", "forbid");
    xml_set (model, ".", i686 ? "qemu32" : "qemu64");
}

static int complete_cpu_model (completion_t *self, xml_node_t *cpu, error_t *err)
{
    const char *mode = xml_string (cpu, "@mode"), *model = xml_string (cpu, "model");
    bool kvm = xml_equals (self->domain, "@type", "kvm");
    if (strcmp (mode, "host-passthrough") == 0 && !kvm)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: cpu/@mode 'host-passthrough' without KVM; use "
                          "'maximum' or a model");
    if (strcmp (mode, "host-model") == 0) {
        if (model && *model)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: cpu/model '%s' with cpu/@mode 'host-model', which "
                              "chooses one",
                              model);
        qemu_default (cpu, "@check", "partial");
        return 0;
    }
    if (strcmp (mode, "custom") != 0) {
        qemu_default (cpu, "@check", "none");
        qemu_default (cpu, "@migratable", "on");
        return 0;
    }
    qemu_default (cpu, "@match", "exact");
    qemu_default (cpu, "@check", kvm ? "partial" : "none");
    qemu_default (cpu, "model/@fallback", "allow");
    if (!qemu_caps_cpu (self->caps, model))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: cpu/model '%s'; '%s -cpu help' shows what the emulator "
                          "has",
                          model, xml_string (self->devices, "emulator"));
    return 0;
}

static int complete_topology (completion_t *self, xml_node_t *cpu, error_t *err)
{
    static const char *const levels[] = { "@sockets", "@dies", "@cores", "@threads" };
    xml_node_t *topology = xml_find (cpu, "topology");
    if (!topology)
        return 0;
    int product = 1, vcpus = 1;
    if (xml_int (self->domain, "vcpu", 1, 65535, &vcpus, err))
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int count = 1;
        if (xml_int (topology, levels[i], 1, 1024, &count, err))
            return -1;
        product = product > 65535 ? product : product * count;
        qemu_default (topology, levels[i], "1");
    }
    if (product != vcpus)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "domain XML: cpu/topology makes %d vcpus, but <vcpu> says %d", product,
                          vcpus);
    return 0;
}

static int complete_cpu (completion_t *self, error_t *err)
{
    xml_node_t *cpu = xml_find (self->domain, "cpu");
    if (!cpu)
        cpu = qemu_insert (self->domain, "cpu");
    //  A <cpu> without a mode has a model, or only a topology.
    if (!xml_string (cpu, "@mode") && xml_string (cpu, "model"))
        xml_set (cpu, "@mode", "custom");
    if (!xml_string (cpu, "@mode") ||
        (xml_equals (cpu, "@mode", "custom") && !xml_string (cpu, "model")))
        default_cpu (self, cpu);
    xml_foreach (feature, cpu, "feature") {
        if (!xml_string (feature, "@name"))
            return error_set (err, ERR_XML_ERROR, "domain XML: a cpu/feature has no name");
        qemu_default (feature, "@policy", "require");
    }
    return complete_cpu_model (self, cpu, err) || complete_topology (self, cpu, err) ? -1 : 0;
}

//  An empty <genid/> asks for one.
static void complete_genid (completion_t *self)
{
    const char *text = xml_string (self->domain, "genid");
    if (!xml_find (self->domain, "genid") || (text && *text))
        return;
    uint8_t random[16];
    char uuid[UUID_TEXT_SIZE];
    job_random (self->job, random, sizeof random);
    uuid_from_random (random, uuid);
    xml_set (self->domain, "genid", uuid);
}

int qemu_complete_machine (completion_t *self, error_t *err)
{
    if (complete_os (self, err) || check_emulation (self, err) || complete_vcpus (self, err) ||
        qemu_complete_memory (self, err) || complete_cpu (self, err))
        return -1;
    complete_boot (self);
    definition_complete_lifecycle (self->domain);
    complete_genid (self);
    if (xml_find (self->domain, "os/loader"))
        qemu_default (self->domain, "os/loader/@type", "rom");
    if (xml_find (self->domain, "features/vmcoreinfo"))
        qemu_default (self->domain, "features/vmcoreinfo/@state", "on");
    return 0;
}
