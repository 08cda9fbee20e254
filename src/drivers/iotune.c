//  iotune.c: see iotune.h.

#include "drivers/iotune.h"

#include "util/text.h"

#include <string.h>

enum {
    BYTES,
    IOPS,
    BYTES_MAX,
    IOPS_MAX,
    SIZE,
    BYTES_LENGTH,
    IOPS_LENGTH,
    KINDS
};

const iotune_t iotunes[] = {
    { "total_bytes_sec", "iotune/total_bytes_sec", "bps", BYTES },
    { "read_bytes_sec", "iotune/read_bytes_sec", "bps_rd", BYTES },
    { "write_bytes_sec", "iotune/write_bytes_sec", "bps_wr", BYTES },
    { "total_iops_sec", "iotune/total_iops_sec", "iops", IOPS },
    { "read_iops_sec", "iotune/read_iops_sec", "iops_rd", IOPS },
    { "write_iops_sec", "iotune/write_iops_sec", "iops_wr", IOPS },
    { "total_bytes_sec_max", "iotune/total_bytes_sec_max", "bps_max", BYTES_MAX },
    { "read_bytes_sec_max", "iotune/read_bytes_sec_max", "bps_rd_max", BYTES_MAX },
    { "write_bytes_sec_max", "iotune/write_bytes_sec_max", "bps_wr_max", BYTES_MAX },
    { "total_iops_sec_max", "iotune/total_iops_sec_max", "iops_max", IOPS_MAX },
    { "read_iops_sec_max", "iotune/read_iops_sec_max", "iops_rd_max", IOPS_MAX },
    { "write_iops_sec_max", "iotune/write_iops_sec_max", "iops_wr_max", IOPS_MAX },
    { "size_iops_sec", "iotune/size_iops_sec", "iops_size", SIZE },
    { "total_bytes_sec_max_length", "iotune/total_bytes_sec_max_length", "bps_max_length",
      BYTES_LENGTH },
    { "read_bytes_sec_max_length", "iotune/read_bytes_sec_max_length", "bps_rd_max_length",
      BYTES_LENGTH },
    { "write_bytes_sec_max_length", "iotune/write_bytes_sec_max_length", "bps_wr_max_length",
      BYTES_LENGTH },
    { "total_iops_sec_max_length", "iotune/total_iops_sec_max_length", "iops_max_length",
      IOPS_LENGTH },
    { "read_iops_sec_max_length", "iotune/read_iops_sec_max_length", "iops_rd_max_length",
      IOPS_LENGTH },
    { "write_iops_sec_max_length", "iotune/write_iops_sec_max_length", "iops_wr_max_length",
      IOPS_LENGTH },
    { NULL, NULL, NULL, 0 },
};

uint64_t iotune_get (const xml_node_t *disk, const iotune_t *limit)
{
    error_t ignored; //  checked
    uint64_t value = 0;
    return xml_u64 (disk, limit->document, &value, &ignored) ? 0 : value;
}

const char *iotune_group (const xml_node_t *disk)
{
    const char *name = xml_string (disk, "iotune/group_name");
    return name && *name ? name : NULL;
}

//  Checks.

static const iotune_t *find (const char *field)
{
    const iotune_t *limit = iotunes;
    while (limit->field && strcmp (limit->field, field) != 0)
        limit++;
    return limit;
}

static int check_range (const xml_node_t *disk, error_t *err)
{
    for (const iotune_t *limit = iotunes; limit->field; limit++) {
        uint64_t value = 0;
        if (xml_u64 (disk, limit->document, &value, err))
            return -1;
        if (value > IOTUNE_MAX)
            return error_set (err, ERR_XML_ERROR, "%s: it can be at most %llu", limit->field,
                              (unsigned long long) IOTUNE_MAX);
    }
    const char *group = iotune_group (disk);
    return group && strlen (group) > IOTUNE_GROUP_MAX
               ? error_set (err, ERR_XML_ERROR, "group_name: it is longer than %d bytes",
                            IOTUNE_GROUP_MAX)
               : 0;
}

//  One limit for all, or one for each of reading and writing.
static int check_total (const xml_node_t *disk, const char *what, const char *suffix, error_t *err)
{
    uint64_t values[3];
    static const char *const of[] = { "total", "read", "write" };
    for (int i = 0; i < 3; i++) {
        autofree char *field = text_format ("%s_%s%s", of[i], what, suffix);
        values[i] = iotune_get (disk, find (field));
    }
    return values[0] && (values[1] || values[2])
               ? error_set (err, ERR_XML_ERROR,
                            "total_%s%s excludes those of reading and of writing", what, suffix)
               : 0;
}

//  Bursts are above a limit, and last a while.
static int check_burst (const xml_node_t *disk, const char *field, error_t *err)
{
    autofree char *burst = text_format ("%s_max", field);
    autofree char *length = text_format ("%s_max_length", field);
    uint64_t limit = iotune_get (disk, find (field)), max = iotune_get (disk, find (burst));
    if (max && (limit == 0 || max < limit))
        return error_set (err, ERR_XML_ERROR, "%s: it has to be more than %s, which is %s", burst,
                          field, limit ? "larger" : "not set");
    if (iotune_get (disk, find (length)) > 1 && max == 0)
        return error_set (err, ERR_XML_ERROR, "%s: it goes with %s, which is not set", length,
                          burst);
    return 0;
}

static int check_size (const xml_node_t *disk, error_t *err)
{
    bool any = !iotune_get (disk, find ("size_iops_sec"));
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        any = any || (limit->kind == IOPS && iotune_get (disk, limit));
    return any ? 0
               : error_set (err, ERR_XML_ERROR,
                            "size_iops_sec: it goes with a limit of operations, and none is set");
}

static int check (const xml_node_t *disk, error_t *err)
{
    static const char *const whats[] = { "bytes_sec", "iops_sec" };
    if (check_range (disk, err) || check_size (disk, err))
        return -1;
    for (int i = 0; i < 2; i++)
        if (check_total (disk, whats[i], "", err) || check_total (disk, whats[i], "_max", err))
            return -1;
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        if ((limit->kind == BYTES || limit->kind == IOPS) && check_burst (disk, limit->field, err))
            return -1;
    return 0;
}

int iotune_check (const xml_node_t *disk, error_t *err)
{
    if (!xml_find (disk, "iotune") || check (disk, err) == 0)
        return 0;
    return error_prefix (err, "domain XML: <iotune> of disk '%s'",
                         xml_string (disk, "target/@dev"));
}

//  Changes.

xml_node_t *iotune_disk (const xml_node_t *domain, const char *name, error_t *err)
{
    static const char *const paths[] = { "target/@dev", "source/@file", "source/@dev" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        xml_foreach (disk, xml_find (domain, "devices"), "disk")
            if (xml_equals (disk, paths[i], name))
                return disk;
    error_set (err, ERR_INVALID_ARG,
               "there is no disk '%s'; 'troupe domblklist' shows their targets and sources", name);
    return NULL;
}

static void set_one (xml_node_t *disk, const iotune_t *limit, uint64_t value)
{
    if (value)
        xml_set_u64 (disk, limit->document, value);
    else
        xml_remove_path (disk, limit->document);
}

//  A limit that goes takes its bursts with it, unless the request says something of them.
static void drop_bursts (xml_node_t *disk, const bool *given)
{
    for (const iotune_t *limit = iotunes; limit->field; limit++) {
        bool burst = limit->kind == BYTES_MAX || limit->kind == IOPS_MAX;
        bool length = limit->kind == BYTES_LENGTH || limit->kind == IOPS_LENGTH;
        if ((!burst && !length) || given[limit->kind])
            continue;
        const char *suffix = strstr (limit->field, "_max");
        autofree char *field =
            text_copy_bytes (limit->field, (size_t) (suffix - limit->field) + (length ? 4 : 0));
        if (!iotune_get (disk, find (field)))
            set_one (disk, limit, 0);
    }
}

static int set_limits (xml_node_t *disk, const value_t *args, error_t *err)
{
    bool given[KINDS] = { false };
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        given[limit->kind] = given[limit->kind] || value_get (args, limit->field);
    for (const iotune_t *limit = iotunes; limit->field; limit++) {
        const value_t *value = value_get (args, limit->field);
        uint64_t number = 0;
        if (value && !value_u64 (value, &number))
            return error_set (err, ERR_INVALID_ARG, "%s: it is no number from 0 on", limit->field);
        if (given[limit->kind])
            set_one (disk, limit, number);
    }
    drop_bursts (disk, given);
    const char *group = value_get_str (args, "group_name");
    if (group && *group)
        xml_set (disk, "iotune/group_name", group);
    else if (group)
        xml_remove_path (disk, "iotune/group_name");
    if (check (disk, err) == 0)
        return 0;
    err->code = ERR_INVALID_ARG;
    return -1;
}

static void replace (xml_node_t *disk, const xml_node_t *source)
{
    const xml_node_t *limits = xml_find (source, "iotune");
    xml_remove_path (disk, "iotune");
    if (limits)
        xml_add_copy (disk, limits);
}

static bool has_any (const value_t *args)
{
    bool any = value_get (args, "group_name");
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        any = any || value_get (args, limit->field);
    return any;
}

int iotune_set (xml_node_t *domain, const char *name, const value_t *args, error_t *err)
{
    xml_node_t *disk = iotune_disk (domain, name, err);
    if (!disk)
        return -1;
    if (!has_any (args))
        return error_set (err, ERR_INVALID_ARG, "the request names nothing that is to be set");
    if (set_limits (disk, args, err))
        return error_prefix (err, "disk '%s'", xml_string (disk, "target/@dev"));
    if (xml_find (disk, "iotune") && !xml_first (xml_find (disk, "iotune"), NULL))
        xml_remove_path (disk, "iotune");
    xml_foreach (other, xml_find (domain, "devices"), "disk")
        if (other != disk && iotune_group (disk) &&
            text_equals (iotune_group (other), iotune_group (disk)))
            replace (other, disk);
    return 0;
}
