//  node_xml.c: the documents of node devices, as libvirt has them
//  (https://libvirt.org/formatnode.html).

#include "drivers/nodedev/node_kind.h"
#include "drivers/nodedev/udev_facts.h"

static void add_file (xml_node_t *root, const char *type, const char *path)
{
    xml_node_t *file = xml_add_text (root, "devnode", path);
    xml_set (file, "@type", type);
}

//  Its special file, and the links to it that udev has made.
static void add_files (xml_node_t *root, const node_t *self)
{
    autofree char *path = self->file ? text_format ("/dev/%s", self->file) : NULL;
    if (!path)
        return;
    auto(strings_t) links = udev_links (self->path);
    add_file (root, "dev", path);
    for (size_t i = 0; i < links->count; i++)
        add_file (root, "link", links->items[i]);
}

xml_t *node_xml (const char *sysfs, const node_t *self, error_t *err)
{
    static const char empty[] = "<device/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "node device", err);
    if (!doc)
        return NULL;
    xml_node_t *root = xml_root (doc);
    xml_set (root, "name", self->name);
    if (self->path)
        xml_set (root, "path", self->path);
    add_files (root, self);
    if (self->parent)
        xml_set (root, "parent", self->parent);
    if (self->driver)
        xml_set (root, "driver/name", self->driver);
    xml_node_t *capability = xml_add (root, "capability");
    xml_set (capability, "@type", self->kind->capability);
    self->kind->describe (sysfs, self, capability);
    return take (&doc);
}
