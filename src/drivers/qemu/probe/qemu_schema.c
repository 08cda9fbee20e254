//  qemu_schema.c: the table of what this driver knows.

#include "drivers/qemu/probe/qemu_schema.h"
#include "drivers/schema.h"

#include <stddef.h>
#include <string.h>

static const schema_element_t elements[] = {
#define ELEMENT(path, attributes) { path, attributes },
#include "drivers/qemu/probe/qemu_schema.def"
#undef ELEMENT
    { NULL, NULL },
};

//  A mirror is of a running guest's document; it is dropped.
static const char *const passing[] = { "domain/metadata", "domain/devices/disk/mirror", NULL };

static const schema_t schema = { .elements = elements,
                                 .passing = passing,
                                 .space = "http://libvirt.org/schemas/domain/qemu/1.0",
                                 .space_name = "QEMU" };

int qemu_schema_check_as (const xml_node_t *node, const char *name, const char *what, error_t *err)
{
    return schema_check (&schema, node, name, what, err);
}

int qemu_schema_check (const xml_node_t *domain, error_t *err)
{
    return qemu_schema_check_as (domain, "domain", "domain XML", err);
}

int qemu_schema_takes (const char *path, const char *value, error_t *err)
{
    return schema_takes (&schema, "domain", path, value, err);
}

strings_t *qemu_schema_values (const char *path, const char *attribute)
{
    return schema_values (&schema, path, attribute);
}

bool qemu_schema_has (const char *path)
{
    for (const schema_element_t *element = elements; element->path; element++)
        if (strcmp (element->path, path) == 0)
            return true;
    return false;
}
