//  qemu_domain_caps.c: see qemu_domain_caps.h.

#include "drivers/qemu/probe/qemu_domain_caps.h"

#include "drivers/qemu/command/qemu_models.h"
#include "drivers/qemu/probe/qemu_kind.h"
#include "drivers/qemu/probe/qemu_schema.h"

#include <string.h>
#include <unistd.h>

typedef qemu_kind_t wanted_t;

static xml_node_t *add_supported (xml_node_t *parent, const char *name, bool supported)
{
    xml_node_t *node = xml_add (parent, name);
    xml_set (node, "@supported", supported ? "yes" : "no");
    return node;
}

static xml_node_t *add_enum (xml_node_t *parent, const char *name)
{
    xml_node_t *node = xml_add (parent, "enum");
    xml_set (node, "@name", name);
    return node;
}

//  Enumerations: where the values are in the table of elements, and how a value becomes a device of
//  the emulator, if it is one: at which path of an element of that name.
static const struct {
    const char *device, *name;
    const char *path, *attribute;
    const char *model; //  NULL: it is no device
} enums[] = {
    { "disk", "diskDevice", "domain/devices/disk", "device", NULL },
    { "disk", "bus", "domain/devices/disk/target", "bus", "target/@bus" },
    { "disk", "model", "domain/devices/disk", "model", NULL },
    { "graphics", "type", "domain/devices/graphics", "type", NULL },
    { "video", "modelType", "domain/devices/video/model", "type", "model/@type" },
    { "hostdev", "mode", "domain/devices/hostdev", "mode", NULL },
    { "hostdev", "startupPolicy", "domain/devices/hostdev/source", "startupPolicy", NULL },
    { "hostdev", "subsysType", "domain/devices/hostdev", "type", NULL },
    { "hostdev", "pciBackend", "domain/devices/hostdev/driver", "name", NULL },
    { "rng", "model", "domain/devices/rng", "model", "@model" },
    { "rng", "backendModel", "domain/devices/rng/backend", "model", NULL },
    { "filesystem", "driverType", "domain/devices/filesystem/driver", "type", NULL },
    { "tpm", "model", "domain/devices/tpm", "model", NULL },
    { "tpm", "backendModel", "domain/devices/tpm/backend", "type", NULL },
    { "tpm", "backendVersion", "domain/devices/tpm/backend", "version", NULL },
    { "redirdev", "bus", "domain/devices/redirdev", "bus", NULL },
    { "channel", "type", "domain/devices/channel", "type", NULL },
    { "crypto", "model", "domain/devices/crypto", "model", NULL },
};

//  Disks of other buses than virtio are devices on a controller.
static const struct {
    const char *bus, *device;
} disks[] = {
    { "ide", "ide-hd" },      { "sata", "ide-hd" }, { "scsi", "scsi-hd" },
    { "usb", "usb-storage" }, { "fdc", "floppy" },
};

static bool has_disk (const wanted_t *self, const char *bus)
{
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
        if (strcmp (disks[i].bus, bus) == 0)
            return qemu_caps_device (self->caps, disks[i].device);
    return true;
}

//  Can the emulator make an element DEVICE that has VALUE at the path MODEL?
static bool can_make (const wanted_t *self, const char *device, const char *model,
                      const char *value, error_t *err)
{
    static const char empty[] = "<devices/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "devices", err);
    xml_node_t *node = xml_add (xml_root (doc), device);
    xml_set (node, model, value);
    if (strcmp (device, "video") == 0)
        xml_set (node, "model/@primary", "yes");
    const qemu_model_t *found = qemu_model_of (node);
    if (!found)
        return strcmp (device, "disk") != 0 || has_disk (self, value);
    autofree char *driver = qemu_model_driver (found, node);
    return qemu_caps_device (self->caps, driver);
}

//  One value counts, but for those that say there is to be no device.
static void add_values (const wanted_t *self, xml_node_t *node, size_t index)
{
    error_t ignored; //  of a document of ours
    auto(strings_t) values = qemu_schema_values (enums[index].path, enums[index].attribute);
    xml_node_t *list = values ? add_enum (node, enums[index].name) : NULL;
    for (size_t i = 0; values && i < values->count; i++)
        if (!enums[index].model ||
            can_make (self, enums[index].device, enums[index].model, values->items[i], &ignored))
            xml_add_text (list, "value", values->items[i]);
}

static void add_devices (const wanted_t *self, xml_node_t *root)
{
    xml_node_t *devices = xml_add (root, "devices"), *node = NULL;
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++) {
        autofree char *path = text_format ("domain/devices/%s", enums[i].device);
        bool known = qemu_schema_has (path);
        if (!node || !xml_is (node, enums[i].device))
            node = add_supported (devices, enums[i].device, known);
        if (known)
            add_values (self, node, i);
    }
}

//  Firmware.

//  Where the distributions' packages put OVMF.
static const struct {
    const char *path;
    bool secure;
} firmwares[] = {
    { "/usr/share/OVMF/OVMF_CODE.fd", false },
    { "/usr/share/OVMF/OVMF_CODE_4M.fd", false },
    { "/usr/share/OVMF/OVMF_CODE.secboot.fd", true },
    { "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", true },
    { "/usr/share/edk2/ovmf/OVMF_CODE.fd", false },
    { "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", true },
    { "/usr/share/edk2/x64/OVMF_CODE.4m.fd", false },
    { "/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd", true },
};

static void add_choices (xml_node_t *node, const char *name, const char *path,
                         const char *attribute, const char *unless)
{
    auto(strings_t) values = qemu_schema_values (path, attribute);
    xml_node_t *list = values ? add_enum (node, name) : NULL;
    for (size_t i = 0; values && i < values->count; i++)
        if (!text_equals (values->items[i], unless))
            xml_add_text (list, "value", values->items[i]);
}

static void add_os (xml_node_t *root)
{
    xml_node_t *os = add_supported (root, "os", true);
    add_choices (os, "firmware", "domain/os", "firmware", NULL);
    xml_node_t *loader = add_supported (os, "loader", qemu_schema_has ("domain/os/loader"));
    bool secure = false;
    for (size_t i = 0; i < sizeof firmwares / sizeof *firmwares; i++) {
        if (access (firmwares[i].path, R_OK))
            continue;
        xml_add_text (loader, "value", firmwares[i].path);
        secure = secure || firmwares[i].secure;
    }
    add_choices (loader, "type", "domain/os/loader", "type", NULL);
    add_choices (loader, "readonly", "domain/os/loader", "readonly", NULL);
    add_choices (loader, "secure", "domain/os/loader", "secure", secure ? NULL : "yes");
}

//  Processors.

static xml_node_t *add_mode (xml_node_t *cpu, const char *name, bool supported)
{
    xml_node_t *mode = xml_add (cpu, "mode");
    xml_set (mode, "@name", name);
    xml_set (mode, "@supported", supported ? "yes" : "no");
    return mode;
}

//  MODEL +FEATURE -FEATURE ...
static void add_host_model (const wanted_t *self, xml_node_t *cpu)
{
    autofree char *words = qemu_caps_value (self->caps, "host-model", self->accel);
    xml_node_t *mode = add_mode (cpu, "host-model", words != NULL);
    char *rest = words;
    const char *name = rest ? strsep (&rest, " ") : NULL;
    if (!name)
        return;
    xml_set (xml_add_text (mode, "model", name), "@fallback", "forbid");
    for (char *word; (word = strsep (&rest, " "));) {
        if (word[0] != '+' && word[0] != '-')
            continue;
        xml_node_t *feature = xml_add (mode, "feature");
        xml_set (feature, "@policy", word[0] == '+' ? "require" : "disable");
        xml_set (feature, "@name", word + 1);
    }
}

//  NAME current|deprecated [FEATURE that is lacking ...]
static void add_models (const wanted_t *self, xml_node_t *cpu)
{
    xml_node_t *mode = add_mode (cpu, "custom", true);
    autofree char *fact = text_format ("cpu-model-%s", self->accel);
    for (const char *at = NULL;;) {
        autofree char *words = qemu_caps_next (self->caps, fact, &at);
        char *rest = words;
        if (!words)
            return;
        const char *name = strsep (&rest, " "), *state = strsep (&rest, " ");
        xml_node_t *model = xml_add_text (mode, "model", name);
        xml_set (model, "@usable", rest ? "no" : "yes");
        xml_set (model, "@deprecated", text_equals (state, "deprecated") ? "yes" : "no");
    }
}

static void add_cpu (const wanted_t *self, xml_node_t *root)
{
    xml_node_t *cpu = xml_add (root, "cpu");
    xml_node_t *mode = add_mode (cpu, "host-passthrough", self->kvm);
    if (self->kvm)
        add_choices (mode, "hostPassthroughMigratable", "domain/cpu", "migratable", NULL);
    add_choices (add_mode (cpu, "maximum", true), "maximumMigratable", "domain/cpu", "migratable",
                 NULL);
    add_host_model (self, cpu);
    add_models (self, cpu);
}

//  Features.

static void add_hyperv (const wanted_t *self, xml_node_t *features)
{
    static const char *const names[] = { "relaxed",     "vapic",           "spinlocks",
                                         "vpindex",     "runtime",         "synic",
                                         "stimer",      "reset",           "vendor_id",
                                         "frequencies", "reenlightenment", "tlbflush",
                                         "ipi",         "evmcs",           "avic" };
    xml_node_t *hyperv = add_supported (features, "hyperv", self->kvm);
    xml_node_t *list = self->kvm ? add_enum (hyperv, "features") : NULL;
    for (size_t i = 0; list && i < sizeof names / sizeof *names; i++) {
        autofree char *path = text_format ("domain/features/hyperv/%s", names[i]);
        if (qemu_schema_has (path))
            xml_add_text (list, "value", names[i]);
    }
}

static void add_features (const wanted_t *self, xml_node_t *root)
{
    xml_node_t *features = xml_add (root, "features");
    add_supported (features, "gic", false); //  of other processors than x86
    add_supported (features, "vmcoreinfo",
                   qemu_schema_has ("domain/features/vmcoreinfo") &&
                       qemu_caps_device (self->caps, "vmcoreinfo"));
    add_supported (features, "genid",
                   qemu_schema_has ("domain/genid") && qemu_caps_device (self->caps, "vmgenid"));
    add_supported (features, "backingStoreInput",
                   qemu_schema_has ("domain/devices/disk/backingStore"));
    add_supported (features, "backup", qemu_schema_has ("domainbackup"));
    if (!qemu_schema_has ("domain/launchSecurity"))
        add_supported (features, "sev", false);
    add_supported (features, "sgx", false);
    add_hyperv (self, features);
}

int qemu_domain_capabilities (job_t *job, const guest_kind_t *kind, xml_node_t *root, error_t *err)
{
    auto(qemu_caps_t) caps = NULL;
    wanted_t self;
    if (qemu_kind_choose (job, kind, &self, &caps, err))
        return err->code == ERR_INVALID_ARG ? error_prefix (err, "domain capabilities") : -1;
    xml_set (root, "path", self.emulator);
    xml_set (root, "domain", self.kvm ? "kvm" : "qemu");
    xml_set (root, "machine", self.machine.name);
    xml_set (root, "arch", self.arch);
    xml_setf (root, "vcpu/@max", "%d", self.machine.max_vcpus);
    add_supported (root, "iothreads", qemu_schema_has ("domain/iothreads"));
    add_os (root);
    add_cpu (&self, root);
    bool backed = qemu_schema_has ("domain/memoryBacking/source");
    xml_node_t *backing = add_supported (root, "memoryBacking", backed);
    if (backed)
        add_choices (backing, "sourceType", "domain/memoryBacking/source", "type", NULL);
    add_devices (&self, root);
    add_features (&self, root);
    return 0;
}
