//  node.c: see node.h; the kinds are in node_kinds.c, the documents in node_xml.c.

#include "drivers/nodedev/node_kind.h"

#include "drivers/pci/sysfs.h"

#include <ctype.h>
#include <string.h>

#define COMPUTER "computer"

void node_destroy (node_t **self_p)
{
    node_t *self = take (self_p);
    if (!self)
        return;
    free (self->name);
    free (self->parent);
    free (self->path);
    free (self->file);
    free (self->driver);
    strings_destroy (&self->capabilities);
    pci_device_destroy (&self->pci);
    free (self->interface);
    free (self->mac);
    free (self->wwnn);
    free (self->wwpn);
    free (self);
}

//  What is no letter or digit is '_' in a name.
static char *clean (char *name)
{
    for (char *at = name; *at; at++)
        if (!isalnum ((unsigned char) *at))
            *at = '_';
    return name;
}

char *node_pci_name (const char *address)
{
    return clean (text_format ("pci_%s", address));
}

char *node_pci_address (const char *name)
{
    static const char prefix[] = "pci_";
    if (pci_address_valid (name))
        return text_copy (name);
    if (!name || !text_starts (name, prefix))
        return NULL;
    char *address = text_copy (name + strlen (prefix));
    const char marks[] = "::.";
    char *at = address;
    for (const char *mark = marks; *mark && (at = strchr (at, '_')); mark++)
        *at = *mark;
    if (!at || !pci_address_valid (address))
        free (take (&address));
    return address;
}

static const node_kind_t *kind_at (const char *path)
{
    const node_kind_t *kind;
    autofree char *subsystem = sysfs_link (path, "subsystem");
    for (size_t i = 0; subsystem && (kind = node_kind_at (i)); i++)
        if (text_equals (kind->subsystem, subsystem) &&
            (!kind->matches || kind->matches (path, node_called (path))))
            return kind;
    return NULL;
}

static char *name_of (const node_kind_t *kind, const char *path)
{
    autofree char *suffix = kind->suffix ? kind->suffix (path) : NULL;
    return clean (text_format ("%s_%s%s%s", kind->subsystem, node_called (path), suffix ? "_" : "",
                               suffix ? suffix : ""));
}

//  The device nearest above PATH.
static char *parent_of (const char *sysfs, const char *path)
{
    autofree char *above = text_copy (path);
    char *slash;
    while ((slash = strrchr (above, '/')) && strlen (above) > strlen (sysfs)) {
        *slash = 0;
        const node_kind_t *kind = kind_at (above);
        if (kind)
            return name_of (kind, above);
    }
    return text_copy (COMPUTER);
}

static node_t *new_node (const node_kind_t *kind)
{
    node_t *self = memory_new (1, sizeof *self);
    self->kind = kind;
    self->capabilities = strings_new ();
    strings_add (self->capabilities, kind->capability);
    return self;
}

node_t *node_computer (void)
{
    node_t *self = new_node (node_kind_at (0));
    self->name = text_copy (COMPUTER);
    return self;
}

static node_t *read_node (const char *sysfs, const char *path, const node_kind_t *kind)
{
    node_t *self = new_node (kind);
    self->path = text_copy (path);
    self->name = name_of (kind, path);
    self->parent = parent_of (sysfs, path);
    self->driver = sysfs_link (path, "driver");
    if (kind->read)
        kind->read (sysfs, self);
    return self;
}

//  The kernel takes the folder of a device that goes apart piece by piece, its subsystem first:
//  what was read is whole if that is still there.
node_t *node_at (const char *sysfs, const char *path)
{
    const node_kind_t *kind = kind_at (path);
    node_t *self = kind ? read_node (sysfs, path, kind) : NULL;
    if (self && kind_at (path) != kind)
        node_destroy (&self);
    return self;
}

//  A folder that several kinds have is looked into once.
static bool is_first (size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (text_equals (node_kind_at (i)->folder, node_kind_at (index)->folder))
            return false;
    return true;
}

strings_t *node_paths (const char *sysfs)
{
    const node_kind_t *kind;
    strings_t *paths = strings_new ();
    for (size_t i = 0; (kind = node_kind_at (i)); i++) {
        if (!kind->folder || !is_first (i))
            continue;
        autofree char *folder = text_format ("%s/%s", sysfs, kind->folder);
        auto(strings_t) links = sysfs_names (folder);
        for (size_t k = 0; k < links->count; k++) {
            autofree char *link = text_format ("%s/%s", folder, links->items[k]);
            char *path = sysfs_real (link);
            if (path)
                strings_add_taken (paths, path);
        }
    }
    return paths;
}

node_t *node_again (const char *sysfs, const node_t *self)
{
    node_t *node = self->path ? node_at (sysfs, self->path) : node_computer ();
    if (node && strcmp (node->name, self->name) != 0)
        node_destroy (&node);
    return node;
}
