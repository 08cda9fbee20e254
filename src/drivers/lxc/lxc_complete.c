//  lxc_complete.c: checks and completes a container's definition.

#include "drivers/definition.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/schema.h"
#include "drivers/tune/tune.h"
#include "container/container_protocol.h"
#include "util/size.h"

#include <inttypes.h>
#include <string.h>

static const schema_element_t elements[] = {
#define ELEMENT(path, attributes) { path, attributes },
#include "drivers/lxc/lxc_schema.def"
#undef ELEMENT
    { NULL, NULL },
};

static const char *const passing[] = { "domain/metadata", NULL };

static const schema_t schema = { .elements = elements,
                                 .passing = passing,
                                 .space = LXC_SPACE,
                                 .space_name = "LXC",
                                 .known = "namespace" };

int lxc_takes (const char *path, const char *value, error_t *err)
{
    return schema_takes (&schema, "domain", path, value, err);
}

//  A path inside or outside that is what it says.
static bool is_plain (const char *path)
{
    return path && path[0] == '/' && !strstr (path, "/../") && !text_ends (path, "/..");
}

static int check_path (const char *what, const char *path, error_t *err)
{
    if (is_plain (path))
        return 0;
    return error_set (err, ERR_XML_ERROR, "%s '%s': the path is not absolute, or has '..' in it",
                      what, path ? path : "");
}

static int check_environment (const xml_node_t *os, error_t *err)
{
    xml_foreach (own, os, "initenv") {
        const char *name = xml_string (own, "@name");
        if (!name || !*name || strchr (name, '='))
            return error_set (err, ERR_XML_ERROR,
                              "os/initenv: '%s' can't be the name of a variable", name ? name : "");
    }
    return 0;
}

static int check_init (const xml_node_t *os, error_t *err)
{
    size_t count = 0;
    for (const xml_node_t *init = xml_first (os, "init"); init; init = xml_next (init, "init"))
        count++;
    return count <= 1
               ? 0
               : error_set (err, ERR_XML_ERROR,
                            "domain XML: there are %zu <init>; a container has one, and more "
                            "words for it in <initarg>",
                            count);
}

static int complete_os (xml_node_t *domain, error_t *err)
{
    xml_node_t *os = xml_find (domain, "os");
    if (!os || !xml_string (os, "type"))
        return error_set (err, ERR_NO_OS, "domain XML: <os><type>exe</type></os> is missing");
    definition_default (os, "type/@arch", "x86_64");
    if (!xml_find (os, "init"))
        xml_set (os, "init", "/sbin/init");
    if (check_init (os, err) || check_path ("os/init", xml_string (os, "init"), err) ||
        (xml_string (os, "initdir") && check_path ("os/initdir", xml_string (os, "initdir"), err)))
        return -1;
    return check_environment (os, err);
}

static int check_features (const xml_node_t *domain, error_t *err)
{
    xml_foreach (own, xml_find (domain, "features/capabilities"), NULL)
        if (!lxc_capability_known (xml_name (own)))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: features/capabilities/%s; there is no capability of "
                              "this name",
                              xml_name (own));
    return 0;
}

//  <emulator> is libvirt's program for containers: troupe has its own. Any other is a mistake.
static int check_emulator (const xml_node_t *devices, error_t *err)
{
    const char *emulator = xml_string (devices, "emulator");
    if (!emulator || text_ends (emulator, "/libvirt_lxc"))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: devices/emulator '%s'; a container has none, remove it from "
                      "the definition",
                      emulator);
}

//  In KiB, whatever unit the user wrote.
static int complete_ram (xml_node_t *fs, const char *target, error_t *err)
{
    uint64_t usage = 0, bytes;
    const char *unit = xml_string (fs, "source/@units");
    if (xml_u64 (fs, "source/@usage", &usage, err))
        return error_prefix (err, "filesystem '%s'", target);
    if (!usage)
        return error_set (err, ERR_XML_ERROR,
                          "filesystem '%s': <source usage='...' units='...'/> is missing or 0",
                          target);
    const uint64_t scale = size_unit (unit ? unit : "KiB");
    if (!scale || __builtin_mul_overflow (usage, scale, &bytes) || bytes > INT64_MAX)
        return error_set (err, ERR_XML_ERROR,
                          "filesystem '%s': <source usage='%" PRIu64 "' units='%s'/>: %s", target,
                          usage, unit ? unit : "KiB",
                          scale ? "more than can be counted in bytes"
                                : "the unit is not known; b, KiB, MiB, GiB and TiB are");
    xml_set_u64 (fs, "source/@usage", bytes / 1024 + (bytes % 1024 != 0));
    xml_set (fs, "source/@units", "KiB");
    return 0;
}

//  Where each type has its source.
static const struct {
    const char *type, *path;
} sources[] = {
    { "mount", "source/@dir" },
    { "bind", "source/@dir" },
    { "file", "source/@file" },
    { "block", "source/@dev" },
};

#define SOURCE_COUNT (sizeof sources / sizeof *sources)

static const char *source_path (const xml_node_t *fs)
{
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        if (xml_equals (fs, "@type", sources[i].type))
            return sources[i].path;
    return NULL;
}

const char *lxc_filesystem_source (const xml_node_t *fs)
{
    const char *path = source_path (fs);
    return path ? xml_string (fs, path) : NULL;
}

//  What is there goes with the type.
static int check_parts (const xml_node_t *fs, const char *target, error_t *err)
{
    const char *own = source_path (fs);
    bool ram = xml_equals (fs, "@type", "ram");
    for (size_t i = 0; i < SOURCE_COUNT; i++)
        if (xml_string (fs, sources[i].path) && (!own || strcmp (own, sources[i].path) != 0))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: filesystem '%s': a %s does not go with type '%s'",
                              target, sources[i].path, xml_string (fs, "@type"));
    if (!ram && (xml_string (fs, "source/@usage") || xml_string (fs, "source/@units")))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: filesystem '%s': a usage goes with type 'ram' only",
                          target);
    if (xml_find (fs, "driver") && !xml_equals (fs, "@type", "file"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: filesystem '%s': a <driver> goes with type 'file' only",
                          target);
    return 0;
}

//  Each place has one name, "/a/b", so that two filesystems at one place are found, and the root.
static void complete_target (xml_node_t *fs)
{
    auto(text_t) path = text_new ();
    for (const char *at = xml_string (fs, "target/@dir"); *at;) {
        size_t slashes = strspn (at, "/"), size = strcspn (at + slashes, "/");
        if (size && !(size == 1 && at[slashes] == '.')) {
            text_add_char (path, '/');
            text_add_bytes (path, at + slashes, size);
        }
        at += slashes + size;
    }
    xml_set (fs, "target/@dir", path->size ? path->data : "/");
}

//  Init itself needs what is there.
static int check_target (const char *target, error_t *err)
{
    static const char *const own[] = { "/proc", "/sys", "/dev", "/dev/pts" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp (target, own[i]) == 0)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: filesystem '%s': a container has a '%s' of its own",
                              target, target);
    return 0;
}

static int complete_filesystem (xml_node_t *fs, error_t *err)
{
    definition_default (fs, "@type", "mount");
    if (check_path ("filesystem: target", xml_string (fs, "target/@dir"), err))
        return -1;
    complete_target (fs);
    const char *target = xml_string (fs, "target/@dir");
    if (check_target (target, err) || check_parts (fs, target, err))
        return -1;
    if (xml_equals (fs, "@type", "ram"))
        return complete_ram (fs, target, err);
    definition_default (fs, "@accessmode", "passthrough");
    if (xml_equals (fs, "@type", "file")) {
        definition_default (fs, "driver/@type", "loop");
        definition_default (fs, "driver/@format", "raw");
    }
    if (check_path ("source", lxc_filesystem_source (fs), err))
        return error_prefix (err, "filesystem '%s'", target);
    return 0;
}

static int check_filesystems (const xml_node_t *devices, error_t *err)
{
    auto(strings_t) targets = strings_new ();
    xml_foreach (fs, devices, "filesystem") {
        const char *target = xml_string (fs, "target/@dir");
        if (strings_contain (targets, target))
            return error_set (err, ERR_XML_ERROR, "filesystem '%s': there are two of this target",
                              target);
        bool whole = xml_equals (fs, "@type", "mount") || xml_equals (fs, "@type", "file") ||
                     xml_equals (fs, "@type", "block");
        if (strcmp (target, "/") == 0 && !whole)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: filesystem '/' of type '%s'; the root has to be of "
                              "type 'mount', 'file' or 'block'",
                              xml_string (fs, "@type"));
        strings_add (targets, target);
    }
    if (!strings_contain (targets, "/"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a container without a root of its own; add <filesystem "
                          "type='mount'><source dir='...'/><target dir='/'/></filesystem>");
    if (targets->count <= CONTAINER_LISTS_MAX)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: more than %d filesystems",
                      CONTAINER_LISTS_MAX);
}

static int complete_consoles (xml_node_t *devices, error_t *err)
{
    int port = 0;
    xml_foreach (console, devices, "console") {
        definition_drop_alias (console);
        xml_remove_path (console, "@tty");
        xml_remove_path (console, "source");
        definition_default (console, "@type", "pty");
        definition_default (console, "target/@type", "lxc");
        xml_setf (console, "target/@port", "%d", port++);
    }
    if (port <= CONTAINER_CONSOLES_MAX)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: more than %d consoles",
                      CONTAINER_CONSOLES_MAX);
}

static int complete_devices (job_t *job, xml_node_t *devices, error_t *err)
{
    xml_foreach (interface, devices, "interface")
        if (lxc_interface_complete (job, interface, err))
            return -1;
    xml_foreach (fs, devices, "filesystem") {
        definition_drop_alias (fs);
        if (complete_filesystem (fs, err))
            return -1;
    }
    return check_emulator (devices, err) || lxc_hostdev_complete (devices, err) ||
                   check_filesystems (devices, err) || lxc_interface_check_all (devices, err) ||
                   complete_consoles (devices, err)
               ? -1
               : 0;
}

int lxc_validate (const xml_node_t *domain, error_t *err)
{
    return schema_check (&schema, domain, "domain", "domain XML", err);
}

int lxc_complete (job_t *job, xml_t *document, error_t *err)
{
    xml_node_t *domain = xml_root (document);
    if (lxc_validate (domain, err) || definition_complete_identity (job, domain, err) ||
        definition_complete_memory (domain, err) || definition_complete_vcpus (domain, err) ||
        tune_check (domain, err) || complete_os (domain, err) || check_features (domain, err) ||
        lxc_idmap_check (domain, err) || lxc_share_check (domain, err) ||
        complete_devices (job, xml_find (domain, "devices"), err))
        return -1;
    definition_complete_lifecycle (domain);
    return 0;
}
