//  schema.h: which elements, attributes and values of a document a driver knows what to do with.
//  Nothing is read and then ignored: a definition that has anything else in it is refused. What has
//  no effect on the guest passes: metadata, comments, foreign namespaces.

#ifndef TROUPE_SCHEMA_H
#define TROUPE_SCHEMA_H

#include "util/text.h"
#include "util/xml.h"

//  A row of a table (NAME_schema.def). Attributes without "=" take any value, others one of those
//  between '|'; "#" is the element's text. A "*" in a path stands for one element of any name; a
//  row with the exact path goes before.
typedef struct {
    const char *path;
    const char *attributes;
} schema_element_t;

typedef struct {
    const schema_element_t *elements; //  path NULL at the end
    const char *const *passing;       //  paths that are not looked into, NULL at the end
    const char *space, *space_name;   //  the namespace that is the driver's own, and is refused
    const char *known; //  but for this child of the root, which the driver checks itself; or NULL
} schema_t;

//  ERR_CONFIG_UNSUPPORTED, "not supported: devices/disk/@bus 'xen'; ...", naming the first part of
//  NODE that is not in the table. NAME is what the root element has to be ("domain"), WHAT is what
//  errors call the document ("domain XML").
int schema_check (const schema_t *schema, const xml_node_t *node, const char *name,
                  const char *what, error_t *err);

//  The values that an attribute ("#": the text) of the element PATH may have; an empty list: any.
//  NULL: the element, or the attribute of it, is not in the table. The caller owns the result.
strings_t *schema_values (const schema_t *schema, const char *path, const char *attribute);

//  Does it take VALUE at PATH of the root element NAME ("memtune/hard_limit", "vcpu/@cpuset")?
//  NULL: some value. The same error.
int schema_takes (const schema_t *schema, const char *name, const char *path, const char *value,
                  error_t *err);

#endif
