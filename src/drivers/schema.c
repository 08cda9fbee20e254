//  schema.c: walks a definition beside the table of what is known.

#include "drivers/schema.h"
#include "util/text.h"

#include <string.h>

//  Errors name paths below the root: "devices/disk", as the user's document has them.
static const char *shown (const char *path)
{
    return text_starts (path, "domain/") ? path + strlen ("domain/") : path;
}

//  "*" in PATTERN takes one step of PATH.
static bool path_matches (const char *pattern, const char *path)
{
    for (; *pattern && *path; pattern++, path++) {
        if (*pattern == '*')
            path += strcspn (path, "/") - 1;
        else if (*pattern != *path)
            return false;
    }
    return *pattern == *path;
}

static const schema_element_t *find_element (const schema_t *schema, const char *path)
{
    const schema_element_t *wild = NULL;
    for (const schema_element_t *element = schema->elements; element->path; element++) {
        if (strcmp (element->path, path) == 0)
            return element;
        if (!wild && path_matches (element->path, path))
            wild = element;
    }
    return wild;
}

//  The token of NAME in a row of attributes: where it begins, and its length.
static const char *find_attribute (const char *row, const char *name, size_t *size)
{
    size_t length = strlen (name);
    for (; *row; row += *size, row += strspn (row, " ")) {
        *size = strcspn (row, " ");
        if (strncmp (row, name, length) == 0 && (length == *size || row[length] == '='))
            return row;
    }
    return NULL;
}

static bool value_in (const char *values, size_t size, const char *value)
{
    size_t length = strlen (value);
    for (const char *at = values, *end = values + size; at < end;) {
        const char *bar = memchr (at, '|', (size_t) (end - at));
        size_t part = (size_t) ((bar ? bar : end) - at);
        if (part == length && strncmp (at, value, length) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

static int check_value (const schema_element_t *element, const char *path, const char *name,
                        const char *value, error_t *err)
{
    const char *at = name[0] == '#' ? "" : "/@";
    const char *what = name[0] == '#' ? "" : name;
    size_t size;
    const char *token = find_attribute (element->attributes, name, &size);
    if (!token)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: %s%s%s '%s'; remove it from the definition", shown (path),
                          at, what, value);
    size_t name_size = strlen (name);
    if (size == name_size || value_in (token + name_size + 1, size - name_size - 1, value))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: %s%s%s '%s'; it can be %.*s",
                      shown (path), at, what, value, (int) (size - name_size - 1),
                      token + name_size + 1);
}

static int check_attributes (const schema_element_t *element, const char *path,
                             const xml_node_t *node, error_t *err)
{
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        const char *name = (const char *) attribute->name;
        autofree char *step = text_format ("@%s", name);
        const char *value = xml_string (node, step);
        if (!attribute->ns && check_value (element, path, name, value ? value : "", err))
            return -1;
    }
    size_t size;
    const char *text = xml_string (node, ".");
    bool has_text = find_attribute (element->attributes, "#", &size) != NULL;
    return has_text && text && *text ? check_value (element, path, "#", text, err) : 0;
}

//  A chain of images is as deep as it is.
static char *path_of (const char *path, const xml_node_t *child)
{
    bool deeper = xml_is (child, "backingStore") && text_ends (path, "/backingStore");
    return deeper ? text_copy (path) : text_format ("%s/%s", path, xml_name (child));
}

//  In the driver's own namespace, and nothing that it has a use for?
static bool is_strange (const schema_t *schema, const xml_node_t *child)
{
    const char *space = xml_namespace (child);
    if (!space || strcmp (space, schema->space) != 0)
        return false;
    bool top = child->parent && child->parent->parent == (xmlNode *) child->doc;
    return !top || !schema->known || strcmp (xml_name (child), schema->known) != 0;
}

//  Is CHILD no part of what the driver has to know?
static bool passes (const schema_t *schema, const xml_node_t *child, const char *path)
{
    if (xml_namespace (child))
        return true;
    for (const char *const *passing = schema->passing; *passing; passing++)
        if (strcmp (path, *passing) == 0)
            return true;
    return false;
}

static int check_element (const schema_t *schema, const char *path, const xml_node_t *node,
                          error_t *err)
{
    const schema_element_t *element = find_element (schema, path);
    if (!element)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <%s>; remove it from the definition", shown (path));
    if (check_attributes (element, path, node, err))
        return -1;
    xml_foreach (child, node, NULL) {
        if (is_strange (schema, child))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: <%s> of %s's namespace; remove it from the "
                              "definition",
                              xml_name (child), schema->space_name);
        autofree char *child_path = path_of (path, child);
        if (!passes (schema, child, child_path) && check_element (schema, child_path, child, err))
            return -1;
    }
    return 0;
}

int schema_check (const schema_t *schema, const xml_node_t *node, const char *name,
                  const char *what, error_t *err)
{
    if (!xml_is (node, name))
        return error_set (err, ERR_XML_ERROR, "%s: the root element is <%s>, not <%s>", what,
                          xml_name (node), name);
    return check_element (schema, name, node, err);
}

strings_t *schema_values (const schema_t *schema, const char *path, const char *attribute)
{
    const schema_element_t *element = find_element (schema, path);
    size_t size = 0, length = strlen (attribute);
    const char *token = element ? find_attribute (element->attributes, attribute, &size) : NULL;
    if (!token)
        return NULL;
    strings_t *values = strings_new ();
    for (const char *at = token + length, *end = token + size; at < end;) {
        at++; //  the '=' or the '|' before it
        const char *bar = memchr (at, '|', (size_t) (end - at));
        const char *stop = bar ? bar : end;
        strings_add_taken (values, text_copy_bytes (at, (size_t) (stop - at)));
        at = stop;
    }
    return values;
}

int schema_takes (const schema_t *schema, const char *name, const char *path, const char *value,
                  error_t *err)
{
    const char *attribute = strstr (path, "/@");
    size_t size = attribute ? (size_t) (attribute - path) : strlen (path);
    autofree char *full = text_format ("%s/%.*s", name, (int) size, path);
    const char *what = attribute ? attribute + strlen ("/@") : "#";
    const schema_element_t *element = find_element (schema, full);
    size_t token;
    if (!element || !find_attribute (element->attributes, what, &token))
        return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: %s", path);
    return value ? check_value (element, full, what, value, err) : 0;
}
