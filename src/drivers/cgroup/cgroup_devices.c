//  cgroup_devices.c: limits and weights of single block devices. The kernel knows these by their
//  numbers, and keeps a line for each.

#include "drivers/cgroup/cgroup_plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

//  A value of <blkiotune><device>: the line in version 1 is "MAJOR:MINOR VALUE"; in version 2 the
//  same, or with KEY "MAJOR:MINOR KEY=VALUE". NONE: what is written where there is no value.
static const struct {
    const char *element;
    cgroup_knob_t knob;
    const char *key;
    const char *first_none, *second_none;
} values[] = {
    { "weight",
      { CGROUP_BLKIO, "blkio.bfq.weight_device|blkio.weight_device", "io.bfq.weight|io.weight" },
      NULL,
      "default",
      "default" },
    { "read_iops_sec",
      { CGROUP_BLKIO, "blkio.throttle.read_iops_device", "io.max" },
      "riops",
      "0",
      "max" },
    { "write_iops_sec",
      { CGROUP_BLKIO, "blkio.throttle.write_iops_device", "io.max" },
      "wiops",
      "0",
      "max" },
    { "read_bytes_sec",
      { CGROUP_BLKIO, "blkio.throttle.read_bps_device", "io.max" },
      "rbps",
      "0",
      "max" },
    { "write_bytes_sec",
      { CGROUP_BLKIO, "blkio.throttle.write_bps_device", "io.max" },
      "wbps",
      "0",
      "max" },
};

static const xml_node_t *find_device (const xml_node_t *domain, const char *path)
{
    xml_foreach (device, domain ? xml_find (domain, "blkiotune") : NULL, "device")
        if (xml_equals (device, "path", path))
            return device;
    return NULL;
}

static int number_of (const char *path, char number[32], error_t *err)
{
    struct stat status;
    if (stat (path, &status))
        return error_errno (err, ERR_CONFIG_UNSUPPORTED, "blkiotune: the device '%s'", path);
    if (!S_ISBLK (status.st_mode))
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "blkiotune: '%s' is no block device; name the one that the disk's file is "
            "on",
            path);
    snprintf (number, 32, "%u:%u", major (status.st_rdev), minor (status.st_rdev));
    return 0;
}

//  The value that TEXT, all lines of a file, has of NUMBER; NULL: none. The caller frees it.
static char *value_in (const char *text, const char *number, const char *key)
{
    size_t size = strlen (number);
    for (const char *line = text; line && *line; line = strchr (line, '\n')) {
        line += *line == '\n';
        if (strncmp (line, number, size) != 0 || line[size] != ' ')
            continue;
        autofree char *rest = text_copy_bytes (line + size, strcspn (line + size, "\n"));
        autofree char *word = key ? text_format (" %s=", key) : text_copy (" ");
        const char *at = strstr (rest, word);
        at = at ? at + strlen (word) : NULL;
        return at ? text_copy_bytes (at, strcspn (at, " ")) : NULL;
    }
    return NULL;
}

static int plan_value (cgroup_plan_t *self, size_t which, const char *number, const char *wanted,
                       error_t *err)
{
    bool first;
    autofree char *file = NULL;
    autofree char *path = text_format ("blkiotune/device/%s", values[which].element);
    const char *folder = cgroup_knob_find (self, &values[which].knob, &file, &first);
    if (!folder)
        return wanted ? cgroup_plan_refuse (self, &values[which].knob, path, err) : 0;
    autofree char *lines = cgroup_read (folder, file, err);
    if (!lines)
        return -1;
    const char *key = first ? NULL : values[which].key, *equals = key ? "=" : "";
    const char *none = first ? values[which].first_none : values[which].second_none;
    autofree char *now = value_in (lines, number, key);
    autofree char *text =
        text_format ("%s %s%s%s", number, key ? key : "", equals, wanted ? wanted : none);
    autofree char *before =
        text_format ("%s %s%s%s", number, key ? key : "", equals, now ? now : none);
    cgroup_plan_add (self, folder, file, text, before);
    return 0;
}

static int plan_device (cgroup_plan_t *self, const char *path, error_t *err)
{
    char number[32] = "";
    const xml_node_t *before = find_device (self->before, path);
    const xml_node_t *after = find_device (self->after, path);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const char *old = before ? xml_string (before, values[i].element) : NULL;
        const char *new = after ? xml_string (after, values[i].element) : NULL;
        if (text_equals (old, new))
            continue;
        if ((!*number && number_of (path, number, err)) || plan_value (self, i, number, new, err))
            return -1;
    }
    return 0;
}

static int plan_list (cgroup_plan_t *self, const xml_node_t *list, bool gone, error_t *err)
{
    xml_foreach (device, list ? xml_find (list, "blkiotune") : NULL, "device") {
        const char *path = xml_string (device, "path");
        if ((!gone || !find_device (self->after, path)) && plan_device (self, path, err))
            return -1;
    }
    return 0;
}

int cgroup_plan_devices (cgroup_plan_t *self, error_t *err)
{
    return plan_list (self, self->before, true, err) || plan_list (self, self->after, false, err)
               ? -1
               : 0;
}
