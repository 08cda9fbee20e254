//  qemu_schema.h: which elements, attributes and values of libvirt's domain XML this driver knows
//  what to do with. Nothing is read and then ignored: a definition that has anything else in it is
//  refused. What has no effect on the guest passes: metadata, comments, foreign namespaces.

#ifndef TROUPE_QEMU_SCHEMA_H
#define TROUPE_QEMU_SCHEMA_H

#include "util/xml.h"

//  ERR_CONFIG_UNSUPPORTED, "not supported: devices/disk/@bus 'xen'; ...", naming the first part of
//  DOMAIN that is not in the table.
int qemu_schema_check (const xml_node_t *domain, error_t *err);
//  The same of another document that the table has: NAME ("domainbackup") is its root element, WHAT
//  is what errors call it ("backup XML").
int qemu_schema_check_as (const xml_node_t *node, const char *name, const char *what, error_t *err);
//  schema_takes of domain XML (drivers/schema.h).
int qemu_schema_takes (const char *path, const char *value, error_t *err);

#endif
