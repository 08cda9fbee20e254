//  qemu_abi.c: see qemu_abi.h. What is not in the table is hardware.

#include "drivers/qemu/command/qemu_abi.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <string.h>

//  Paths below <domain> that only the host sees, with everything below them; "#" is the text of an
//  element, and a "*" stands for one element.
static const char *const host_side[] = {
    "title",
    "description",
    "metadata",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "perf",
    "memtune",
    "memoryBacking",
    "cpu/numa/cell/@memAccess",
    "cpu/numa/cell/@discard",
    "blkiotune",
    "cputune",
    "numatune",
    "resource",
    "seclabel",
    "vcpu/@cpuset",
    "vcpu/@placement",
    "vcpus",
    "iothreads",
    "iothreadids",
    "memory/@dumpCore",
    "os/kernel/#",
    "os/initrd/#",
    "os/loader/#",
    "os/nvram",
    "devices/emulator",
    "devices/*/alias",
    "devices/disk/@type",
    "devices/disk/source",
    "devices/disk/backingStore",
    "devices/disk/shareable",
    "devices/disk/iotune",
    "devices/disk/driver/@name",
    "devices/disk/driver/@type",
    "devices/disk/driver/@cache",
    "devices/disk/driver/@io",
    "devices/disk/driver/@discard",
    "devices/disk/driver/@detect_zeroes",
    "devices/disk/driver/@error_policy",
    "devices/disk/driver/@rerror_policy",
    "devices/disk/driver/@iothread",
    "devices/interface/@type",
    "devices/interface/source",
    "devices/interface/target",
    "devices/interface/ip",
    "devices/interface/link",
    "devices/interface/driver/@name",
    "devices/interface/driver/@txmode",
    "devices/serial/@type",
    "devices/serial/source",
    "devices/serial/protocol",
    "devices/serial/log",
    "devices/parallel/@type",
    "devices/parallel/source",
    "devices/parallel/protocol",
    "devices/parallel/log",
    "devices/console/@type",
    "devices/console/@tty",
    "devices/console/source",
    "devices/console/protocol",
    "devices/console/log",
    "devices/channel/@type",
    "devices/channel/source",
    "devices/channel/protocol",
    "devices/channel/log",
    "devices/channel/target/@state",
    "devices/graphics",
    "devices/audio",
    "devices/redirdev/@type",
    "devices/redirdev/source",
    "devices/redirdev/protocol",
    "devices/redirdev/log",
    "devices/redirfilter",
    "devices/memory/@access",
    "devices/memory/@discard",
    "devices/memory/source",
    "devices/memory/target/current",
    "devices/memballoon/stats",
    "devices/hostdev/@managed",
    "devices/hostdev/source",
    "devices/hostdev/shareable",
    "devices/rng/backend",
    "devices/rng/rate",
};

typedef struct {
    char device[128]; //  "disk 'vda': ", or ""
    error_t *err;
} comparison_t;

//  It is chosen at each start, and the guest is told of another one.
static bool is_chosen (const char *path, const xml_node_t *before, const xml_node_t *after)
{
    return text_equals (path, "devices/vsock/cid/@address") &&
           xml_equals (before, "@auto", "yes") && xml_equals (after, "@auto", "yes");
}

static bool matches (const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '*') {
            pattern++;
            path += strcspn (path, "/");
        } else if (*pattern++ != *path++)
            return false;
    }
    return !*pattern && !*path;
}

static bool is_host_side (const char *path)
{
    for (size_t i = 0; i < sizeof host_side / sizeof *host_side; i++)
        if (matches (host_side[i], path))
            return true;
    return false;
}

static int refuse (const comparison_t *self, const char *path, const char *how, const char *before)
{
    return error_set (
        self->err, ERR_CONFIG_UNSUPPORTED,
        "the changed XML describes other hardware than the saved guest's: %s%s %s%s%s%s",
        self->device, path, how, before ? " '" : "", before ? before : "", before ? "'" : "");
}

static int compare_values (const comparison_t *self, const char *path, const char *before,
                           const char *after)
{
    if (text_equals (before, after) || is_host_side (path))
        return 0;
    if (!before || !after)
        return refuse (self, path, after ? "is new:" : "is missing, and was",
                       after ? after : before);
    autofree char *how = text_format ("is '%s', and was", after);
    return refuse (self, path, how, before);
}

static int compare_attributes (const comparison_t *self, const char *path, const xml_node_t *before,
                               const xml_node_t *after)
{
    const xml_node_t *const both[] = { before, after };
    for (size_t i = 0; i < 2; i++) {
        const char *name;
        for (size_t n = 0; (name = xml_attribute (both[i], n)); n++) {
            autofree char *attribute = text_format ("@%s", name);
            autofree char *whole = text_format ("%s%s%s", path, *path ? "/" : "", attribute);
            if (!is_chosen (whole, before, after) &&
                compare_values (self, whole, xml_string (before, attribute),
                                xml_string (after, attribute)))
                return -1;
        }
    }
    autofree char *text = text_format ("%s/#", path);
    return compare_values (self, text, xml_string (before, "."), xml_string (after, "."));
}

//  The one of OTHERS' children that CHILD is to be compared with: as many of its name are before.
static const xml_node_t *counterpart (const xml_node_t *parent, const xml_node_t *child,
                                      const xml_node_t *others)
{
    const char *name = xml_name (child);
    const xml_node_t *other = xml_first (others, name);
    for (const xml_node_t *one = xml_first (parent, name); one && one != child && other;
         one = xml_next (one, name))
        other = xml_next (other, name);
    return other;
}

//  It holds something, and only what the host sees: <driver cache='none'/>.
static bool is_host_only (const char *path, const xml_node_t *node)
{
    size_t parts = 0;
    const char *name;
    for (; (name = xml_attribute (node, parts)); parts++) {
        autofree char *attribute = text_format ("%s/@%s", path, name);
        if (!is_host_side (attribute))
            return false;
    }
    xml_foreach (child, node, NULL) {
        autofree char *below = text_format ("%s/%s", path, xml_name (child));
        if (!is_host_side (below) && !is_host_only (below, child))
            return false;
        parts++;
    }
    return parts > 0 && !*xml_string (node, ".");
}

static int compare (comparison_t *self, const char *path, const xml_node_t *before,
                    const xml_node_t *after);

static int compare_child (comparison_t *self, const char *path, const xml_node_t *before,
                          const xml_node_t *after)
{
    bool device = text_starts (path, "devices/") && !strchr (path + strlen ("devices/"), '/');
    if (is_host_side (path) || (!before != !after && is_host_only (path, before ? before : after)))
        return 0;
    if (device) {
        char name[128];
        qemu_device_name (before ? before : after, name);
        snprintf (self->device, sizeof self->device, "%.124s: ", name);
    }
    if (!before || !after)
        return refuse (self, path, before ? "is missing" : "is new", NULL);
    int rc = compare (self, path, before, after);
    if (device && rc == 0)
        self->device[0] = 0;
    return rc;
}

static int compare (comparison_t *self, const char *path, const xml_node_t *before,
                    const xml_node_t *after)
{
    if (compare_attributes (self, path, before, after))
        return -1;
    xml_foreach (child, before, NULL) {
        autofree char *below = text_format ("%s%s%s", path, *path ? "/" : "", xml_name (child));
        if (compare_child (self, below, child, counterpart (before, child, after)))
            return -1;
    }
    xml_foreach (child, after, NULL) {
        autofree char *below = text_format ("%s%s%s", path, *path ? "/" : "", xml_name (child));
        if (!counterpart (after, child, before) && compare_child (self, below, NULL, child))
            return -1;
    }
    return 0;
}

int qemu_abi_check (const xml_t *before, const xml_t *after, error_t *err)
{
    comparison_t self = { .err = err };
    if (compare (&self, "", xml_root (before), xml_root (after)))
        return -1;
    for (int id = 0; id < vcpus_most (xml_root (before)); id++)
        if (vcpus_has (xml_root (before), id) != vcpus_has (xml_root (after), id))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "the changed XML describes other hardware than the saved guest's: "
                              "vcpu %d is %s",
                              id, vcpus_has (xml_root (after), id) ? "new" : "missing");
    return 0;
}
