//  qemu_command_cpu.c: the model of the cpu, its features, and how many there are.

#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/vcpus.h"

#include <string.h>

//  Flags of the model, each from one attribute.
static const struct {
    const char *path, *flag;
} flags[] = {
    { "features/apic/@eoi", "kvm-pv-eoi" },
    { "features/pmu/@state", "pmu" },
    { "features/kvm/hint-dedicated/@state", "kvm-hint-dedicated" },
    { "features/kvm/poll-control/@state", "kvm-poll-control" },
    { "features/kvm/pv-ipi/@state", "kvm-pv-ipi" },
    { "features/hyperv/relaxed/@state", "hv-relaxed" },
    { "features/hyperv/vapic/@state", "hv-vapic" },
    { "features/hyperv/vpindex/@state", "hv-vpindex" },
    { "features/hyperv/runtime/@state", "hv-runtime" },
    { "features/hyperv/synic/@state", "hv-synic" },
    { "features/hyperv/stimer/@state", "hv-stimer" },
    { "features/hyperv/stimer/direct/@state", "hv-stimer-direct" },
    { "features/hyperv/reset/@state", "hv-reset" },
    { "features/hyperv/frequencies/@state", "hv-frequencies" },
    { "features/hyperv/reenlightenment/@state", "hv-reenlightenment" },
    { "features/hyperv/tlbflush/@state", "hv-tlbflush" },
    { "features/hyperv/ipi/@state", "hv-ipi" },
    { "features/hyperv/evmcs/@state", "hv-evmcs" },
    { "features/hyperv/avic/@state", "hv-avic" },
};

static const struct {
    const char *timer, *flag;
} timer_flags[] = { { "kvmclock", "kvmclock" }, { "hypervclock", "hv-time" } };

static const struct {
    const char *mode, *flags;
} caches[] = {
    { "emulate", ",l3-cache=on,host-cache-info=off" },
    { "passthrough", ",host-cache-info=on,l3-cache=off" },
    { "disable", ",host-cache-info=off,l3-cache=off" },
};

static void add_model (command_t *self, text_t *text)
{
    const xml_node_t *cpu = xml_find (self->domain, "cpu");
    const char *mode = xml_string (cpu, "@mode");
    text_add (text, strcmp (mode, "host-passthrough") == 0 ? "host"
                    : strcmp (mode, "maximum") == 0        ? "max"
                                                           : xml_string (cpu, "model"));
    const char *migratable = xml_string (cpu, "@migratable");
    if (migratable && strcmp (mode, "custom") != 0)
        text_addf (text, ",migratable=%s", migratable);
    if (xml_string (cpu, "model/@vendor_id"))
        text_addf (text, ",vendor=%s", xml_string (cpu, "model/@vendor_id"));
    xml_foreach (feature, cpu, "feature") {
        const char *policy = xml_string (feature, "@policy");
        bool off = strcmp (policy, "disable") == 0 || strcmp (policy, "forbid") == 0;
        text_addf (text, ",%s=%s", xml_string (feature, "@name"), off ? "off" : "on");
    }
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++)
        if (xml_equals (cpu, "cache/@mode", caches[i].mode))
            text_add (text, caches[i].flags);
    //  "full" promises that the guest gets exactly this: QEMU refuses what it can't give.
    if (xml_equals (cpu, "@check", "full"))
        text_add (text, ",enforce");
}

static void add_timers (command_t *self, text_t *text)
{
    const xml_node_t *clock = xml_find (self->domain, "clock");
    xml_foreach (timer, clock, "timer")
        for (size_t i = 0; i < sizeof timer_flags / sizeof *timer_flags; i++)
            if (xml_equals (timer, "@name", timer_flags[i].timer) && xml_string (timer, "@present"))
                text_addf (text, ",%s=%s", timer_flags[i].flag,
                           xml_flag (timer, "@present", true) ? "on" : "off");
}

static void add_features (command_t *self, text_t *text)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (xml_string (self->domain, flags[i].path))
            text_addf (text, ",%s=%s", flags[i].flag,
                       xml_flag (self->domain, flags[i].path, false) ? "on" : "off");
    const xml_node_t *hyperv = xml_find (self->domain, "features/hyperv");
    if (hyperv && xml_equals (hyperv, "@mode", "passthrough"))
        text_add (text, ",hv-passthrough=on");
    if (hyperv && xml_flag (hyperv, "spinlocks/@state", false))
        text_addf (text, ",hv-spinlocks=0x%llx",
                   strtoull (xml_string (hyperv, "spinlocks/@retries"), NULL, 0));
    if (hyperv && xml_flag (hyperv, "vendor_id/@state", false))
        text_addf (text, ",hv-vendor-id=%s", xml_string (hyperv, "vendor_id/@value"));
    if (xml_flag (self->domain, "features/kvm/hidden/@state", false))
        text_add (text, ",kvm=off");
    if (xml_equals (self->devices, "panic/@model", "hyperv"))
        text_add (text, ",hv-crash");
}

//  Others than those that are there from the start on are plugged before the guest runs.
static void add_smp (command_t *self)
{
    int vcpus = vcpus_most (self->domain), fixed = vcpus_fixed (self->domain);
    auto(text_t) text = text_new ();
    text_addf (text, "%d", fixed);
    if (fixed != vcpus)
        text_addf (text, ",maxcpus=%d", vcpus);
    const xml_node_t *topology = xml_find (self->domain, "cpu/topology");
    if (!topology)
        text_addf (text, ",sockets=%d,cores=1,threads=1", vcpus);
    else {
        text_addf (text, ",sockets=%s", xml_string (topology, "@sockets"));
        if (!xml_equals (topology, "@dies", "1"))
            text_addf (text, ",dies=%s", xml_string (topology, "@dies"));
        text_addf (text, ",cores=%s,threads=%s", xml_string (topology, "@cores"),
                   xml_string (topology, "@threads"));
    }
    command_add (self, "-smp", "%s", text->data);
}

int qemu_command_cpu (command_t *self, error_t *err)
{
    (void) err;
    auto(text_t) text = text_new ();
    add_model (self, text);
    add_timers (self, text);
    add_features (self, text);
    command_add (self, "-cpu", "%s", text->data);
    add_smp (self);
    return 0;
}
