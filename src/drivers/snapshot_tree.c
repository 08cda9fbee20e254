//  snapshot_tree.c: the document is the tree: each element names its parent.

#include "drivers/snapshot_tree.h"

#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX_BYTES (16u * 1024 * 1024)
#define ELEMENT "domainsnapshot"

struct snapshot_tree {
    xml_t *doc;
};

snapshot_tree_t *snapshot_tree_new (void)
{
    static const char empty[] = "<snapshots/>";
    error_t never;
    snapshot_tree_t *self = memory_new (1, sizeof *self);
    self->doc = xml_parse (empty, sizeof empty - 1, "snapshots", &never);
    return self;
}

void snapshot_tree_destroy (snapshot_tree_t **self_p)
{
    snapshot_tree_t *self = take (self_p);
    if (!self)
        return;
    xml_destroy (&self->doc);
    free (self);
}

//  The file.

char *snapshot_tree_path (const paths_t *paths, const char *driver, const char *uuid)
{
    return text_format ("%s/%s/snapshot/%s.xml", paths->lib, driver, uuid);
}

snapshot_tree_t *snapshot_tree_load (const char *path, error_t *err)
{
    autofree char *text = file_read (path, FILE_MAX_BYTES, NULL, err);
    if (!text && errno == ENOENT)
        return snapshot_tree_new ();
    if (!text)
        return NULL;
    snapshot_tree_t *self = snapshot_tree_parse (text, err);
    if (!self)
        error_prefix (err, "snapshots '%s'", path);
    errno = 0;
    return self;
}

char *snapshot_tree_text (const snapshot_tree_t *self)
{
    return xml_text (self->doc);
}

//  A chain of parents that is longer than there are snapshots is a ring.
static int check_chain (const snapshot_tree_t *self, const xml_node_t *snapshot, size_t count,
                        error_t *err)
{
    const char *name = snapshot_name (snapshot);
    for (const char *parent; (parent = snapshot_parent (snapshot)); count--) {
        snapshot = snapshot_tree_find (self, parent);
        if (!snapshot)
            return error_set (err, ERR_XML_ERROR, "snapshot '%s': its parent '%s' is not there",
                              name, parent);
        if (count == 0)
            return error_set (err, ERR_XML_ERROR, "snapshot '%s' is among its own parents", name);
    }
    return 0;
}

static int check_all (const snapshot_tree_t *self, error_t *err)
{
    size_t count = snapshot_tree_count (self);
    const char *current = xml_string (xml_root (self->doc), "@current");
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT) {
        const char *name = snapshot_name (snapshot);
        if (!name || !*name)
            return error_set (err, ERR_XML_ERROR, "a snapshot has no name");
        if (snapshot_tree_find (self, name) != snapshot)
            return error_set (err, ERR_XML_ERROR, "snapshot '%s' is there twice", name);
        if (check_chain (self, snapshot, count, err))
            return -1;
    }
    if (current && !snapshot_tree_find (self, current))
        return error_set (err, ERR_XML_ERROR, "the current snapshot '%s' is not there", current);
    return 0;
}

snapshot_tree_t *snapshot_tree_parse (const char *text, error_t *err)
{
    auto(snapshot_tree_t) self = memory_new (1, sizeof *self);
    self->doc = xml_parse_own (text, strlen (text), "snapshots", err);
    if (!self->doc)
        return NULL;
    if (!xml_is (xml_root (self->doc), "snapshots")) {
        error_set (err, ERR_XML_ERROR, "the root element is not <snapshots>");
        return NULL;
    }
    return check_all (self, err) ? NULL : take (&self);
}

//  Reading.

xml_node_t *snapshot_tree_first (const snapshot_tree_t *self)
{
    return xml_first (xml_root (self->doc), ELEMENT);
}

xml_node_t *snapshot_tree_next (const xml_node_t *snapshot)
{
    return xml_next (snapshot, ELEMENT);
}

const char *snapshot_name (const xml_node_t *snapshot)
{
    return xml_string (snapshot, "name");
}

const char *snapshot_parent (const xml_node_t *snapshot)
{
    return xml_string (snapshot, "parent/name");
}

size_t snapshot_tree_count (const snapshot_tree_t *self)
{
    size_t count = 0;
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT)
        count++;
    return count;
}

xml_node_t *snapshot_tree_find (const snapshot_tree_t *self, const char *name)
{
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT)
        if (text_equals (snapshot_name (snapshot), name))
            return snapshot;
    return NULL;
}

xml_node_t *snapshot_tree_current (const snapshot_tree_t *self)
{
    const char *current = xml_string (xml_root (self->doc), "@current");
    return current ? snapshot_tree_find (self, current) : NULL;
}

bool snapshot_tree_is_below (const snapshot_tree_t *self, const xml_node_t *snapshot,
                             const char *ancestor)
{
    for (const char *parent; snapshot && (parent = snapshot_parent (snapshot));
         snapshot = snapshot_tree_find (self, parent))
        if (text_equals (parent, ancestor))
            return true;
    return false;
}

size_t snapshot_tree_children (const snapshot_tree_t *self, const char *name)
{
    size_t count = 0;
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT)
        count += text_equals (snapshot_parent (snapshot), name);
    return count;
}

size_t snapshot_tree_descendants (const snapshot_tree_t *self, const char *name)
{
    size_t count = 0;
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT)
        count += snapshot_tree_is_below (self, snapshot, name);
    return count;
}

//  Changing.

int snapshot_tree_add (snapshot_tree_t *self, const xml_node_t *snapshot, bool replace,
                       error_t *err)
{
    auto(snapshot_tree_t) changed = memory_new (1, sizeof *changed);
    changed->doc = xml_copy (self->doc);
    xml_node_t *old = snapshot_tree_find (changed, snapshot_name (snapshot));
    if (old && !replace)
        return error_set (err, ERR_OPERATION_INVALID, "there is a snapshot '%s' already",
                          snapshot_name (snapshot));
    if (!old && snapshot_tree_count (self) >= SNAPSHOTS_MAX)
        return error_set (err, ERR_OPERATION_INVALID,
                          "there are %d snapshots already, and no more are admitted; delete some",
                          SNAPSHOTS_MAX);
    if (old)
        xml_remove (old);
    xml_add_copy (xml_root (changed->doc), snapshot);
    autofree char *text = xml_text (changed->doc);
    //  What is written has to be readable.
    auto(snapshot_tree_t) readable = snapshot_tree_parse (text, err);
    if (!readable)
        return -1;
    if (strlen (text) > FILE_MAX_BYTES)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the snapshots together would take more than %u MiB of metadata; delete "
                          "some",
                          FILE_MAX_BYTES >> 20);
    xml_t *doc = self->doc;
    self->doc = readable->doc;
    readable->doc = doc;
    return 0;
}

static void set_parent (xml_node_t *snapshot, const char *parent)
{
    xml_remove_path (snapshot, "parent");
    if (parent)
        xml_set (snapshot, "parent/name", parent);
}

void snapshot_tree_remove (snapshot_tree_t *self, const char *name)
{
    xml_node_t *gone = snapshot_tree_find (self, name);
    if (!gone)
        return;
    autofree char *own = text_copy (name);
    autofree char *parent = text_copy (snapshot_parent (gone));
    bool current = xml_equals (xml_root (self->doc), "@current", own);
    xml_remove (gone);
    xml_foreach (snapshot, xml_root (self->doc), ELEMENT)
        if (text_equals (snapshot_parent (snapshot), own))
            set_parent (snapshot, parent);
    if (current)
        snapshot_tree_set_current (self, parent);
}

void snapshot_tree_set_current (snapshot_tree_t *self, const char *name)
{
    if (name)
        xml_set (xml_root (self->doc), "@current", name);
    else
        xml_remove_path (xml_root (self->doc), "@current");
}
