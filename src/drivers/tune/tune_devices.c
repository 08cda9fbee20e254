//  tune_devices.c: blkiotune's values of single block devices, which libvirt's API has in one text.

#include "drivers/tune/tune.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

//  A device's element that TUNE is about.
static const char *element_of (const tune_t *tune)
{
    return strrchr (tune->path, '/') + 1;
}

static xml_node_t *find_device (const xml_node_t *domain, const char *path)
{
    xml_foreach (device, xml_find (domain, "blkiotune"), "device")
        if (xml_equals (device, "path", path))
            return device;
    return NULL;
}

static bool is_in_range (const tune_t *tune, const char *text, uint64_t *value)
{
    return text_to_u64 (text, value) && *value >= tune->min && *value <= tune->max;
}

static int out_of_range (const tune_t *tune, const char *path, const char *text, error_t *err)
{
    return error_set (err, ERR_INVALID_ARG,
                      "%s '%s' of '%s': it has to be from %" PRIu64 " to %" PRIu64,
                      element_of (tune), text, path, tune->min, tune->max);
}

static void remove_value (xml_node_t *domain, const tune_t *tune, const char *path)
{
    xml_node_t *device = find_device (domain, path);
    if (!device)
        return;
    xml_remove_path (device, element_of (tune));
    if (!xml_next (xml_first (device, NULL), NULL)) //  its path alone
        xml_remove (device);
    tune_prune (domain, tune->path);
}

static void set_value (xml_node_t *domain, const tune_t *tune, const char *path, uint64_t value)
{
    xml_node_t *device = find_device (domain, path);
    if (!device) {
        device = xml_add (tune_ensure (domain, tune->path), "device");
        xml_set (device, "path", path);
    }
    xml_set_u64 (device, element_of (tune), value);
}

//  With DOMAIN NULL it is only checked.
static int apply (xml_node_t *domain, const tune_t *tune, const char *text, error_t *err)
{
    autofree char *copy = text_copy (text);
    char *rest = copy;
    for (char *path; rest && *rest;) {
        uint64_t value = 0;
        path = strsep (&rest, ",");
        const char *number = strsep (&rest, ",");
        if (path[0] != '/' || !number)
            return error_set (err, ERR_INVALID_ARG,
                              "%s '%s': it is a list of absolute paths and values, as in "
                              "/dev/sda,500,/dev/sdb,300",
                              tune->field, text);
        bool none = text_to_u64 (number, &value) && value == 0;
        if (!none && !is_in_range (tune, number, &value))
            return out_of_range (tune, path, number, err);
        if (domain && none)
            remove_value (domain, tune, path);
        else if (domain)
            set_value (domain, tune, path, value);
    }
    return 0;
}

int tune_devices_set (xml_node_t *domain, const tune_t *tune, const char *text, error_t *err)
{
    return apply (NULL, tune, text, err) || apply (domain, tune, text, err) ? -1 : 0;
}

static int check_device (const xml_node_t *device, error_t *err)
{
    const char *path = xml_string (device, "path");
    if (!path || path[0] != '/' || strchr (path, ','))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: blkiotune/device/path '%s' is not absolute, or has a comma",
                          path ? path : "");
    for (const tune_t *tune = tunes; tune->field; tune++) {
        uint64_t value;
        const char *text =
            tune->kind == TUNE_DEVICES ? xml_string (device, element_of (tune)) : NULL;
        if (text && !is_in_range (tune, text, &value)) {
            out_of_range (tune, path, text, err);
            err->code = ERR_XML_ERROR;
            return error_prefix (err, "domain XML: blkiotune");
        }
    }
    return 0;
}

int tune_devices_check (const xml_node_t *domain, error_t *err)
{
    auto(strings_t) paths = strings_new ();
    xml_foreach (device, xml_find (domain, "blkiotune"), "device") {
        if (check_device (device, err))
            return -1;
        if (strings_contain (paths, xml_string (device, "path")))
            return error_set (err, ERR_XML_ERROR, "domain XML: blkiotune: '%s' stands there twice",
                              xml_string (device, "path"));
        strings_add (paths, xml_string (device, "path"));
    }
    return 0;
}

char *tune_devices_text (const xml_node_t *domain, const tune_t *tune)
{
    auto(text_t) text = text_new ();
    xml_foreach (device, xml_find (domain, "blkiotune"), "device") {
        const char *value = xml_string (device, element_of (tune));
        if (value)
            text_addf (text, "%s%s,%s", text->size ? "," : "", xml_string (device, "path"), value);
    }
    return text->size ? text_finish (&text) : NULL;
}
