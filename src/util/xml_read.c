//  xml_read.c: finding things in a document, as strings and numbers.

#include "util/size.h"
#include "util/text.h"
#include "util/xml.h"
#include "util/xml_path.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <libxml/dict.h>
#include <string.h>
#include <strings.h>

bool xml_path_step (const char **path, char step[XML_STEP_MAX])
{
    while (true) {
        if (**path == '@')
            ++*path;
        else if (**path) {
            const size_t size = strcspn (*path, "/");
            assert (size > 0 && size < XML_STEP_MAX);
            memcpy (step, *path, size);
            step[size] = 0;
            *path += size + ((*path)[size] == '/');
            if (strcmp (step, ".") == 0)
                continue;
            return true;
        }
        return false;
    }
}

bool xml_path_has_attribute (const char *path)
{
    const char *slash = strrchr (path, '/');
    return (slash ? slash[1] : path[0]) == '@';
}

bool xml_is (const xml_node_t *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !node->ns && xmlStrEqual (node->name, BAD_CAST name);
}

const char *xml_name (const xml_node_t *node)
{
    return (const char *) node->name;
}

const char *xml_namespace (const xml_node_t *node)
{
    return node->ns ? (const char *) node->ns->href : NULL;
}

static xml_node_t *matching (xml_node_t *node, const char *name)
{
    while (node && (node->type != XML_ELEMENT_NODE || (name && !xml_is (node, name))))
        node = node->next;
    return node;
}

xml_node_t *xml_first (const xml_node_t *node, const char *name)
{
    return node ? matching (node->children, name) : NULL;
}

xml_node_t *xml_next (const xml_node_t *sibling, const char *name)
{
    return matching (sibling->next, name);
}

//  The element that PATH names or, if it ends in an attribute, the one that has it; *ATTRIBUTE is
//  then the attribute's name, else "".
static xml_node_t *walk (const xml_node_t *node, const char *path, const char **attribute)
{
    char step[XML_STEP_MAX];
    while (node && xml_path_step (&path, step))
        node = xml_first (node, step);
    *attribute = path;
    return (xml_node_t *) node;
}

xml_node_t *xml_find (const xml_node_t *node, const char *path)
{
    assert (!xml_path_has_attribute (path));
    const char *rest = NULL;
    return walk (node, path, &rest);
}

static bool is_text (const xml_node_t *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

//  The text of these siblings as a string of the document. The dictionary gives the same string
//  again when it is asked again, so reading often does not let it grow.
static const char *joined (const xml_node_t *node, bool trim)
{
    const xml_node_t *first = node;
    auto(text_t) text = text_new ();
    for (; node; node = node->next)
        if (is_text (node) && node->content)
            text_add (text, (const char *) node->content);
    const char *start = text->data;
    size_t size = text->size;
    if (trim) {
        start += strspn (start, " \t\r\n");
        size -= (size_t) (start - text->data);
        while (size > 0 && strchr (" \t\r\n", start[size - 1]))
            size--;
    }
    const xmlChar *string = xmlDictLookup (first->doc->dict, BAD_CAST start, (int) size);
    assert (string);
    return (const char *) string;
}

static bool is_trimmed (const char *text)
{
    const size_t size = strlen (text);
    return size == 0 || (!strchr (" \t\r\n", text[0]) && !strchr (" \t\r\n", text[size - 1]));
}

static const char *text_of (const xml_node_t *children, bool trim)
{
    if (!children)
        return "";
    if (!children->next && is_text (children)) {
        const char *text = children->content ? (const char *) children->content : "";
        if (!trim || is_trimmed (text))
            return text;
    }
    return joined (children, trim);
}

const char *xml_string (const xml_node_t *node, const char *path)
{
    const char *name = NULL;
    node = walk (node, path, &name);
    if (!node)
        return NULL;
    if (!*name)
        return text_of (node->children, true);
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (!attribute->ns && xmlStrEqual (attribute->name, BAD_CAST name))
            return text_of (attribute->children, false);
    return NULL;
}

const char *xml_attribute (const xml_node_t *node, size_t index)
{
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (!attribute->ns && index-- == 0)
            return (const char *) attribute->name;
    return NULL;
}

bool xml_equals (const xml_node_t *node, const char *path, const char *value)
{
    return text_equals (xml_string (node, path), value);
}

//  "a" in "a|b".
static bool is_in (const char *value, const char *values)
{
    const size_t length = strlen (value);
    for (const char *at = values; at; at = strchr (at, '|')) {
        at += *at == '|';
        if (strncmp (at, value, length) == 0 && (at[length] == '|' || !at[length]))
            return true;
    }
    return false;
}

bool xml_fits (const xml_node_t *node, const char *element, const char *path, const char *values)
{
    if (element && !xml_is (node, element))
        return false;
    const char *value = path ? xml_string (node, path) : NULL;
    return !path || (value && is_in (value, values));
}

static bool is_one_of (const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp (text, *words) == 0)
            return true;
    return false;
}

bool xml_flag (const xml_node_t *node, const char *path, bool otherwise)
{
    static const char *const yes[] = { "yes", "on", "true", "1", NULL };
    static const char *const no[] = { "no", "off", "false", "0", NULL };
    const char *text = xml_string (node, path);
    if (text && is_one_of (text, yes))
        return true;
    return text && is_one_of (text, no) ? false : otherwise;
}

static int value_error (const xml_node_t *node, const char *path, error_t *err, const char *format,
                        ...) __attribute__ ((format (printf, 4, 5)));

//  "/domain/devices/disk[2]/driver/@queues is 'x': REASON".
static int value_error (const xml_node_t *node, const char *path, error_t *err, const char *format,
                        ...)
{
    va_list args;
    va_start (args, format);
    autofree char *reason = text_format_args (format, args);
    va_end (args);
    xmlChar *place = xmlGetNodePath (node);
    const char *text = xml_string (node, path);
    error_set (err, ERR_XML_ERROR, "%s/%s is '%s': %s", (const char *) place, path,
               text ? text : "", reason);
    xmlFree (place);
    return -1;
}

int xml_u64 (const xml_node_t *node, const char *path, uint64_t *value, error_t *err)
{
    const char *text = xml_string (node, path);
    if (text && !text_to_u64 (text, value))
        return value_error (node, path, err, "not a whole number from 0 to %" PRIu64, UINT64_MAX);
    return 0;
}

int xml_int (const xml_node_t *node, const char *path, int min, int max, int *value, error_t *err)
{
    const char *text = xml_string (node, path);
    if (!text)
        return 0;
    const bool negative = *text == '-';
    uint64_t size = 0;
    if (text_to_u64 (text + negative, &size) && size <= (uint64_t) INT32_MAX) {
        const int number = negative ? -(int) size : (int) size;
        if (number >= min && number <= max) {
            *value = number;
            return 0;
        }
    }
    return value_error (node, path, err, "not a whole number from %d to %d", min, max);
}

int xml_size (const xml_node_t *node, const char *path, const char *otherwise, uint64_t *bytes,
              error_t *err)
{
    uint64_t number = 0;
    if (!xml_string (node, path))
        return 0;
    if (xml_u64 (node, path, &number, err))
        return -1;
    const char *name = NULL;
    const char *unit = xml_string (walk (node, path, &name), "@unit");
    unit = unit ? unit : otherwise;
    const uint64_t scale = size_unit (unit);
    if (scale == 0)
        return value_error (node, path, err,
                            "its unit '%s' is not known; b, KiB, MiB, GiB and TiB are", unit);
    if (__builtin_mul_overflow (number, scale, bytes))
        return value_error (node, path, err, "in %s, more than 64 bits can count in bytes", unit);
    return 0;
}
