//  qemu_checkpoint_xml.c: see qemu_checkpoint_xml.h.

#include "drivers/qemu/storage/qemu_checkpoint_xml.h"
#include "drivers/qemu/storage/qemu_backup_xml.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/probe/qemu_schema.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define NAME_MAX_BYTES 200 //  an image takes longer ones; a command line and a table do not

static const char empty[] = "<domaincheckpoint/>";

//  The <domain> inside, which others write, says nothing that we need.
static xml_t *parse (const char *text, error_t *err)
{
    auto(xml_t) doc = xml_parse (text, strlen (text), "checkpoint XML", err);
    if (!doc)
        return NULL;
    xml_remove_path (xml_root (doc), "domain");
    if (qemu_schema_check_as (xml_root (doc), "domaincheckpoint", "checkpoint XML", err))
        return NULL;
    return take (&doc);
}

static int check_name (const char *name, error_t *err)
{
    if (!*name || strlen (name) > NAME_MAX_BYTES || strchr (name, '/'))
        return error_set (err, ERR_XML_ERROR,
                          "the name '%s': 1 to %d bytes, and no slash among them", name,
                          NAME_MAX_BYTES);
    return 0;
}

//  Its disks.

static bool has_bitmaps (const xml_node_t *source)
{
    return qemu_backup_possible (source) && strcmp (qemu_block_format (source), "qcow2") == 0;
}

static const xml_node_t *find_disk (const xml_node_t *disks, const char *name)
{
    xml_foreach (disk, disks, "disk")
        if (xml_equals (disk, "@name", name))
            return disk;
    return NULL;
}

static void add_disk (xml_node_t *disks, const char *disk, const char *bitmap)
{
    xml_node_t *added = xml_add (disks, "disk");
    xml_set (added, "@name", disk);
    xml_set (added, "@checkpoint", bitmap ? "bitmap" : "no");
    if (bitmap)
        xml_set (added, "@bitmap", bitmap);
}

static int check_disk (const xml_t *live, const xml_node_t *disk, const char *name, error_t *err)
{
    const char *target = xml_string (disk, "@name"), *bitmap = xml_string (disk, "@bitmap");
    if (!target)
        return error_set (err, ERR_XML_ERROR, "a <disk> has no name='...', the target of a disk");
    const xml_node_t *source = live ? qemu_backup_source (live, target) : NULL;
    if (live && !source)
        return error_set (err, ERR_INVALID_ARG, "the domain has no disk '%s'", target);
    if (bitmap && strcmp (bitmap, name) != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s': a bitmap '%s' that does not have the "
                          "checkpoint's name",
                          target, bitmap);
    if (live && !xml_equals (disk, "@checkpoint", "no") && !has_bitmaps (source))
        return error_set (err, ERR_INVALID_ARG,
                          "disk '%s' can't have a bitmap: it has no qcow2 image that is written to",
                          target);
    for (const xml_node_t *next = xml_next (disk, "disk"); next; next = xml_next (next, "disk"))
        if (xml_equals (next, "@name", target))
            return error_set (err, ERR_XML_ERROR, "disk '%s' is named twice", target);
    return 0;
}

static int check_disks (const xml_t *live, const xml_node_t *asked, const char *name, error_t *err)
{
    xml_foreach (disk, xml_find (asked, "disks"), "disk")
        if (check_disk (live, disk, name, err))
            return -1;
    return 0;
}

//  With no list at all every disk takes part that can; with one only those that are named.
static bool takes_part (const xml_node_t *asked, const xml_node_t *source)
{
    const xml_node_t *disks = xml_find (asked, "disks");
    const xml_node_t *disk = disks ? find_disk (disks, xml_string (source, "target/@dev")) : NULL;
    return disk ? !xml_equals (disk, "@checkpoint", "no") : !disks && has_bitmaps (source);
}

static int add_disks (xml_node_t *made, const xml_t *live, const xml_node_t *asked, error_t *err)
{
    bool any = false;
    xml_node_t *disks = xml_add (made, "disks");
    xml_foreach (source, xml_find (xml_root (live), "devices"), "disk") {
        bool takes = takes_part (asked, source);
        add_disk (disks, xml_string (source, "target/@dev"), takes ? checkpoint_name (made) : NULL);
        any = any || takes;
    }
    return any ? 0
               : error_set (err, ERR_INVALID_ARG,
                            "no disk takes part in it; a bitmap needs a qcow2 image");
}

//  All of it.

static void add_head (xml_node_t *made, const char *name, const xml_node_t *asked,
                      const char *parent, const char *time)
{
    const char *description = xml_string (asked, "description");
    xml_add_text (made, "name", name);
    if (description)
        xml_add_text (made, "description", description);
    if (parent)
        xml_set (made, "parent/name", parent);
    if (time)
        xml_add_text (made, "creationTime", time);
}

xml_t *qemu_checkpoint_complete (const xml_t *live, const xml_t *all, const char *text,
                                 int64_t now_s, error_t *err)
{
    auto(xml_t) doc = parse (text ? text : empty, err);
    auto(xml_t) made = doc ? xml_parse (empty, sizeof empty - 1, "checkpoint XML", err) : NULL;
    if (!made)
        return NULL;
    autofree char *now = text_format ("%" PRId64, now_s);
    const xml_node_t *asked = xml_root (doc);
    const char *name = checkpoint_name (asked) ? checkpoint_name (asked) : now;
    add_head (xml_root (made), name, asked, checkpoint_last (all), now);
    if (check_name (name, err) || check_disks (live, asked, name, err) ||
        add_disks (xml_root (made), live, asked, err)) {
        error_prefix (err, "checkpoint XML");
        return NULL;
    }
    if (checkpoint_find (all, name)) {
        error_set (err, ERR_OPERATION_INVALID, "the domain has a checkpoint '%s' already", name);
        return NULL;
    }
    return take (&made);
}

static int redefine (xml_node_t *made, const xml_node_t *asked, error_t *err)
{
    const char *name = checkpoint_name (asked);
    uint64_t time = 0;
    if (!name || !xml_find (asked, "creationTime") || !xml_find (asked, "disks"))
        return error_set (err, ERR_XML_ERROR,
                          "to redefine one, it has to say name, creationTime and disks");
    if (check_name (name, err) || xml_u64 (asked, "creationTime", &time, err) ||
        check_disks (NULL, asked, name, err))
        return -1;
    add_head (made, name, asked, checkpoint_parent (asked), xml_string (asked, "creationTime"));
    xml_node_t *disks = xml_add (made, "disks");
    xml_foreach (disk, xml_find (asked, "disks"), "disk")
        add_disk (disks, xml_string (disk, "@name"),
                  xml_equals (disk, "@checkpoint", "no") ? NULL : name);
    return 0;
}

xml_t *qemu_checkpoint_redefine (const char *text, error_t *err)
{
    auto(xml_t) doc = parse (text, err);
    auto(xml_t) made = doc ? xml_parse (empty, sizeof empty - 1, "checkpoint XML", err) : NULL;
    if (!made)
        return NULL;
    if (redefine (xml_root (made), xml_root (doc), err)) {
        error_prefix (err, "checkpoint XML");
        return NULL;
    }
    return take (&made);
}
