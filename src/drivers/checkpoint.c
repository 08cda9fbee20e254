//  checkpoint.c: see checkpoint.h.

#include "drivers/checkpoint.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>

#define ELEMENT "domaincheckpoint"

char *checkpoints_path (const paths_t *paths, const char *driver, const char *uuid)
{
    return text_format ("%s/%s/checkpoint/%s.xml", paths->lib, driver, uuid);
}

xml_t *checkpoints_new (void)
{
    static const char empty[] = "<checkpoints/>";
    error_t never;
    return xml_parse (empty, sizeof empty - 1, "checkpoints", &never);
}

static const xml_node_t *root_of (const xml_t *all)
{
    return all ? xml_root (all) : NULL;
}

//  Reading.

const char *checkpoint_name (const xml_node_t *checkpoint)
{
    return xml_string (checkpoint, "name");
}

const char *checkpoint_parent (const xml_node_t *checkpoint)
{
    return xml_string (checkpoint, "parent/name");
}

bool checkpoint_has_disk (const xml_node_t *checkpoint, const char *disk)
{
    xml_foreach (each, xml_find (checkpoint, "disks"), "disk")
        if (xml_equals (each, "@name", disk))
            return xml_equals (each, "@checkpoint", "bitmap");
    return false;
}

xml_node_t *checkpoint_find (const xml_t *all, const char *name)
{
    xml_foreach (each, root_of (all), ELEMENT)
        if (text_equals (checkpoint_name (each), name))
            return each;
    return NULL;
}

const char *checkpoint_last (const xml_t *all)
{
    const char *last = NULL;
    xml_foreach (each, root_of (all), ELEMENT)
        last = checkpoint_name (each);
    return last;
}

size_t checkpoints_count (const xml_t *all)
{
    size_t count = 0;
    xml_foreach (each, root_of (all), ELEMENT)
        count++;
    return count;
}

//  A ring, which a document by hand may have, has an end here too.
bool checkpoint_is_below (const xml_t *all, const xml_node_t *checkpoint, const char *ancestor)
{
    for (size_t i = checkpoints_count (all) + 1; checkpoint && i > 0; i--) {
        const char *parent = checkpoint_parent (checkpoint);
        if (parent && strcmp (parent, ancestor) == 0)
            return true;
        checkpoint = parent ? checkpoint_find (all, parent) : NULL;
    }
    return false;
}

//  Checking.

static int check_one (const xml_t *all, const xml_node_t *checkpoint, error_t *err)
{
    const char *name = checkpoint_name (checkpoint), *parent = checkpoint_parent (checkpoint);
    if (!name || !*name)
        return error_set (err, ERR_XML_ERROR, "a checkpoint has no name");
    if (checkpoint_find (all, name) != checkpoint)
        return error_set (err, ERR_XML_ERROR, "checkpoint '%s' is there twice", name);
    if (parent && !checkpoint_find (all, parent))
        return error_set (err, ERR_XML_ERROR, "checkpoint '%s': its parent '%s' is not there", name,
                          parent);
    if (checkpoint_is_below (all, checkpoint, name))
        return error_set (err, ERR_XML_ERROR, "checkpoint '%s' is among its own parents", name);
    return 0;
}

static int check_all (const xml_t *all, error_t *err)
{
    xml_foreach (each, root_of (all), ELEMENT)
        if (check_one (all, each, err))
            return -1;
    return 0;
}

xml_t *checkpoints_parse (const char *text, error_t *err)
{
    auto(xml_t) all = xml_parse_own (text, strlen (text), "checkpoints", err);
    if (!all)
        return NULL;
    if (!xml_is (xml_root (all), "checkpoints")) {
        error_set (err, ERR_XML_ERROR, "the root element is not <checkpoints>");
        return NULL;
    }
    return check_all (all, err) ? NULL : take (&all);
}

//  Changing.

static void replace (xml_node_t *old, const xml_node_t *new)
{
    for (xml_node_t *child; (child = xml_first (old, NULL));)
        xml_remove (child);
    for (xml_node_t *child = xml_first (new, NULL); child; child = xml_next (child, NULL))
        xml_add_copy (old, child);
}

int checkpoint_add (xml_t **all_p, const xml_node_t *checkpoint, error_t *err)
{
    auto(xml_t) all = *all_p ? xml_copy (*all_p) : checkpoints_new ();
    xml_node_t *old = checkpoint_find (all, checkpoint_name (checkpoint));
    if (!old && checkpoints_count (all) >= CHECKPOINTS_MAX)
        return error_set (err, ERR_OPERATION_INVALID,
                          "there are %d checkpoints already, and no more are admitted; delete some",
                          CHECKPOINTS_MAX);
    if (old)
        replace (old, checkpoint);
    else
        xml_add_copy (xml_root (all), checkpoint);
    if (check_all (all, err))
        return -1;
    xml_destroy (all_p);
    *all_p = take (&all);
    return 0;
}

void checkpoint_remove (xml_t *all, const char *name)
{
    xml_node_t *gone = checkpoint_find (all, name);
    if (!gone)
        return;
    autofree char *own = text_copy (name);
    autofree char *parent = text_copy (checkpoint_parent (gone));
    xml_remove (gone);
    xml_foreach (each, xml_root (all), ELEMENT) {
        if (!text_equals (checkpoint_parent (each), own))
            continue;
        if (parent)
            xml_set (each, "parent/name", parent);
        else
            xml_remove_path (each, "parent");
    }
}

int checkpoints_save (job_t *job, const char *driver, error_t *err)
{
    const guest_t *guest = job->guest;
    autofree char *path = checkpoints_path (job->paths, driver, guest->uuid);
    autofree char *folder = file_folder (path);
    if (checkpoints_count (guest->checkpoints) == 0)
        return job_remove_file (job, path, err);
    autofree char *text = xml_text (guest->checkpoints);
    return file_make_folders (folder, 0700, err) || job_write_file (job, path, text, err) ? -1 : 0;
}
