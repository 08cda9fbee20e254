//  qemu_schema.h: which elements, attributes and values of libvirt's domain XML this driver knows
//  what to do with. Nothing is read and then ignored: a definition that has anything else in it is
//  refused. What has no effect on the guest passes: metadata, comments, foreign namespaces.

#ifndef TROUPE_QEMU_SCHEMA_H
#define TROUPE_QEMU_SCHEMA_H

#include "util/text.h"
#include "util/xml.h"

//  ERR_CONFIG_UNSUPPORTED, "not supported: devices/disk/@bus 'xen'; ...", naming the first part of
//  DOMAIN that is not in the table.
int qemu_schema_check (const xml_node_t *domain, error_t *err);
//  The same of another document that the table has: NAME ("domainbackup") is its root element, WHAT
//  is what errors call it ("backup XML").
int qemu_schema_check_as (const xml_node_t *node, const char *name, const char *what, error_t *err);
//  schema_takes of domain XML (drivers/schema.h).
int qemu_schema_takes (const char *path, const char *value, error_t *err);
//  What the table has for an attribute ("#": the text) of the element PATH ("domain/devices/disk"):
//  its values, none if it takes any. NULL: it takes none. The caller owns the result.
strings_t *qemu_schema_values (const char *path, const char *attribute);
//  Is the element in the table?
bool qemu_schema_has (const char *path);

#endif
