//  node.c: see node.h; the documents are in node_xml.c.

#include "drivers/pci/node.h"

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
    free (self->driver);
    pci_device_destroy (&self->pci);
    free (self->interface);
    free (self->mac);
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

node_t *node_computer (void)
{
    node_t *self = memory_new (1, sizeof *self);
    self->capability = "system";
    self->name = text_copy (COMPUTER);
    return self;
}

node_t *node_pci (const char *sysfs, const char *address)
{
    error_t ignored; //  then there is none
    auto(pci_device_t) pci = pci_device_read (sysfs, address, &ignored);
    if (!pci)
        return NULL;
    node_t *self = memory_new (1, sizeof *self);
    self->capability = "pci";
    self->name = node_pci_name (address);
    self->parent = pci->parent ? node_pci_name (pci->parent) : text_copy (COMPUTER);
    self->path = text_copy (pci->path);
    self->driver = text_copy (pci->driver);
    self->pci = take (&pci);
    return self;
}

//  The PCI device nearest above PATH.
static char *parent_above (const char *path)
{
    autofree char *above = text_copy (path);
    char *slash;
    while ((slash = strrchr (above, '/'))) {
        *slash = 0;
        const char *last = strrchr (above, '/');
        if (last && pci_address_valid (last + 1))
            return node_pci_name (last + 1);
    }
    return text_copy (COMPUTER);
}

node_t *node_net (const char *sysfs, const char *interface)
{
    autofree char *folder = text_format ("%s/class/net/%s", sysfs, interface);
    autofree char *path = sysfs_real (folder);
    autofree char *mac = path ? sysfs_text ("%s/address", folder) : NULL;
    if (!mac)
        return NULL;
    node_t *self = memory_new (1, sizeof *self);
    self->capability = "net";
    self->name = clean (text_format ("net_%s_%s", interface, mac));
    self->parent = parent_above (path);
    self->path = take (&path);
    self->interface = text_copy (interface);
    self->mac = take (&mac);
    return self;
}

node_t *node_again (const char *sysfs, const node_t *self)
{
    node_t *node = self->pci         ? node_pci (sysfs, self->pci->address)
                   : self->interface ? node_net (sysfs, self->interface)
                                     : node_computer ();
    if (node && strcmp (node->name, self->name) != 0)
        node_destroy (&node);
    return node;
}
