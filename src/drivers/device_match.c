//  device_match.c: see device_match.h.

#include "drivers/device_match.h"
#include "drivers/definition.h"
#include "util/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *element;
    const char *keys[2];
} keyed[] = {
    { "disk", { "target/@dev" } },
    { "interface", { "mac/@address" } },
    { "controller", { "@type", "@index" } },
    { "graphics", { "@type" } },
    { "shmem", { "@name" } },
};

//  NULL: it has none, or one of them is not there.
static const char *const *keys_of (const xml_node_t *device)
{
    for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++) {
        const char *const *keys = keyed[i].keys;
        if (xml_is (device, keyed[i].element))
            return xml_string (device, keys[0]) && (!keys[1] || xml_string (device, keys[1]))
                       ? keys
                       : NULL;
    }
    return NULL;
}

static bool same_text (const xml_node_t *device, const xml_node_t *wanted, const char *path)
{
    const char *text = xml_string (device, path);
    return text && strcasecmp (text, xml_string (wanted, path)) == 0;
}

static bool has_child (const xml_node_t *device, const xml_node_t *wanted)
{
    xml_foreach (child, device, xml_name (wanted))
        if (device_has_all (child, wanted))
            return true;
    return false;
}

bool device_has_all (const xml_node_t *device, const xml_node_t *wanted)
{
    const char *text = xml_string (wanted, "."), *name;
    for (size_t i = 0; (name = xml_attribute (wanted, i)); i++) {
        autofree char *path = text_format ("@%s", name);
        if (!same_text (device, wanted, path))
            return false;
    }
    if (text && *text && !xml_first (wanted, NULL) && !same_text (device, wanted, "."))
        return false;
    xml_foreach (child, wanted, NULL)
        if (!has_child (device, child))
            return false;
    return true;
}

//  What says which device of the host a hostdev of such a type is. Each that is wanted has to be
//  the same; the first of them, or the second, has to be wanted.
static const struct {
    const char *type;
    const char *paths[5];
} sources[] = {
    { "usb",
      { "source/vendor/@id", "source/address/@device", "source/product/@id",
        "source/address/@bus" } },
    { "scsi",
      { "source/adapter/@name", "source/address/@unit", "source/address/@bus",
        "source/address/@target" } },
    { "mdev", { "source/address/@uuid" } },
};

static const char *const *source_paths (const xml_node_t *wanted)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (xml_is (wanted, "hostdev") && xml_equals (wanted, "@type", sources[i].type))
            return sources[i].paths;
    return NULL;
}

//  Numbers can be written in several ways.
static bool same_value (const xml_node_t *device, const xml_node_t *wanted, const char *path)
{
    int own = 0, other = 0;
    error_t ignored; //  then they are texts
    if (!xml_string (device, path))
        return false;
    if (xml_int (device, path, 0, INT_MAX, &own, &ignored) ||
        xml_int (wanted, path, 0, INT_MAX, &other, &ignored))
        return same_text (device, wanted, path);
    return own == other;
}

static bool same_parts (const xml_node_t *device, const xml_node_t *wanted,
                        const char *const *paths)
{
    if (!xml_equals (device, "@type", xml_string (wanted, "@type")))
        return false;
    for (size_t i = 0; paths[i]; i++)
        if (xml_string (wanted, paths[i]) && !same_value (device, wanted, paths[i]))
            return false;
    return true;
}

static bool same_pci (const xml_node_t *own, const xml_node_t *other)
{
    autofree char *text = definition_pci_text (own);
    autofree char *other_text = definition_pci_text (other);
    return strcmp (text, other_text) == 0;
}

//  The same device of the host's PCI?
static bool same_source (const xml_node_t *device, const xml_node_t *wanted)
{
    const xml_node_t *own = xml_find (device, "source/address");
    const xml_node_t *other = xml_find (wanted, "source/address");
    return own && other && xml_string (other, "@bus") && !source_paths (device) &&
           same_pci (own, other);
}

static bool is_by_source (const xml_node_t *wanted)
{
    return (xml_is (wanted, "hostdev") || xml_is (wanted, "interface")) &&
           xml_string (wanted, "source/address/@bus");
}

//  Does it say which one, and not only of which kind?
static bool says_which (const xml_node_t *wanted, const char *const *paths)
{
    return paths && (xml_string (wanted, paths[0]) || (paths[1] && xml_string (wanted, paths[1])));
}

//  Sizes can be written in several units.
static bool same_size (const xml_node_t *device, const xml_node_t *wanted, const char *path)
{
    uint64_t own = 0, other = 0;
    error_t ignored; //  what is no size is none that a device has
    return xml_size (device, path, "KiB", &own, &ignored) == 0 &&
           xml_size (wanted, path, "KiB", &other, &ignored) == 0 && own == other;
}

//  Of memory devices: what does not change while they are there, as far as WANTED says it.
static bool same_memory (const xml_node_t *device, const xml_node_t *wanted)
{
    static const char *const paths[] = { "@model", "target/node", "target/address/@base" };
    const xml_node_t *address = xml_first (wanted, "address");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (xml_string (wanted, paths[i]) && !same_text (device, wanted, paths[i]))
            return false;
    return same_size (device, wanted, "target/size") && (!address || has_child (device, address));
}

//  A guest has one. The CID of an automatic one is another one in the definition, or none.
static bool same_vsock (const xml_node_t *device, const xml_node_t *wanted)
{
    return xml_equals (wanted, "cid/@auto", "yes") ? same_text (device, wanted, "cid/@auto")
                                                   : device_has_all (device, wanted);
}

//  A MAC may be there twice, a place in the guest may not.
static bool same_place (const xml_node_t *device, const xml_node_t *wanted)
{
    const xml_node_t *own = xml_find (device, "address"), *other = xml_find (wanted, "address");
    if (!other || !xml_equals (other, "@type", "pci") || !xml_string (other, "@slot"))
        return true;
    return own && xml_equals (own, "@type", "pci") && same_pci (own, other);
}

static bool is_alike (const xml_node_t *device, const xml_node_t *wanted)
{
    const char *const *keys = keys_of (wanted), *const *paths = source_paths (wanted);
    if (xml_string (wanted, "alias/@name") && xml_string (device, "alias/@name"))
        return same_text (device, wanted, "alias/@name");
    if (says_which (wanted, paths))
        return same_parts (device, wanted, paths);
    if (xml_is (wanted, "memory"))
        return same_memory (device, wanted);
    if (xml_is (wanted, "vsock"))
        return same_vsock (device, wanted);
    if (!keys && is_by_source (wanted))
        return same_source (device, wanted);
    if (!keys)
        return device_has_all (device, wanted);
    return same_text (device, wanted, keys[0]) && (!keys[1] || same_text (device, wanted, keys[1]));
}

static bool matches (const xml_node_t *device, const xml_node_t *wanted)
{
    return is_alike (device, wanted) &&
           (!xml_is (wanted, "interface") || same_place (device, wanted));
}

//  Two of them that are alike are the same to the guest, and nothing in the definition tells them
//  apart.
static bool is_any_good (const xml_node_t *wanted)
{
    static const char *const kinds[] = { "memory", "rng", "input", "redirdev", "hub" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (xml_is (wanted, kinds[i]))
            return true;
    return false;
}

xml_node_t *device_match (const xml_node_t *devices, const xml_node_t *wanted, bool any,
                          error_t *err)
{
    xml_node_t *found = NULL;
    const char *const *keys = keys_of (wanted);
    xml_foreach (device, devices, xml_name (wanted)) {
        if (!matches (device, wanted))
            continue;
        if (found && !(any && is_any_good (wanted))) {
            error_set (err, ERR_OPERATION_FAILED,
                       "several devices (%s) are like that; say which by %s", xml_name (wanted),
                       xml_is (wanted, "interface") ? "its PCI <address>" : "<alias name='...'/>");
            return NULL;
        }
        if (!found)
            found = device;
    }
    if (!found)
        error_set (err, ERR_DEVICE_MISSING, "there is no device (%s) %s%s", xml_name (wanted),
                   keys ? "with " : "like that", keys ? xml_string (wanted, keys[0]) : "");
    return found;
}

xml_node_t *device_by_alias (const xml_node_t *devices, const char *alias, error_t *err)
{
    xml_foreach (device, devices, NULL)
        if (xml_equals (device, "alias/@name", alias))
            return device;
    error_set (err, ERR_DEVICE_MISSING, "there is no device with the alias '%s'", alias);
    return NULL;
}
