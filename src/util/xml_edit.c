//  xml_edit.c: changing a document.

#include "util/text.h"
#include "util/xml.h"
#include "util/xml_path.h"
#include "util/xml_scan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

bool xml_valid (const char *text)
{
    const char *end = text + strlen (text);
    size_t size = 1;
    for (; text < end && size > 0; text += size)
        size = xml_scan_char (text, end);
    return size > 0;
}

//  A copy of TEXT, with U+FFFD for what XML can't hold. The caller frees it.
static char *cleaned (const char *text)
{
    auto(text_t) clean = text_new ();
    const char *end = text + strlen (text);
    while (text < end) {
        const size_t size = xml_scan_char (text, end);
        if (size > 0)
            text_add_bytes (clean, text, size);
        else
            text_add (clean, "\xef\xbf\xbd");
        text += size > 0 ? size : 1;
    }
    return text_finish (&clean);
}

static xml_node_t *element_new (xml_node_t *beside, const char *name)
{
    xml_node_t *node = xmlNewDocNode (beside->doc, NULL, BAD_CAST name, NULL);
    assert (node);
    return node;
}

xml_node_t *xml_add (xml_node_t *node, const char *name)
{
    return xmlAddChild (node, element_new (node, name));
}

xml_node_t *xml_add_before (xml_node_t *sibling, const char *name)
{
    return xmlAddPrevSibling (sibling, element_new (sibling, name));
}

static void remove_children (xml_node_t *node)
{
    while (node->children)
        xml_remove (node->children);
}

static void set_text (xml_node_t *node, const char *value)
{
    remove_children (node);
    autofree char *clean = cleaned (value);
    if (*clean) {
        xml_node_t *text = xmlNewDocText (node->doc, BAD_CAST clean);
        assert (text);
        xmlAddChild (node, text);
    }
}

xml_node_t *xml_add_text (xml_node_t *node, const char *name, const char *text)
{
    xml_node_t *child = xml_add (node, name);
    set_text (child, text);
    return child;
}

//  Finds or adds each step; *ATTRIBUTE is what is left of the path.
static xml_node_t *ensure (xml_node_t *node, const char *path, const char **attribute)
{
    char step[XML_STEP_MAX];
    while (xml_path_step (&path, step)) {
        xml_node_t *child = xml_first (node, step);
        node = child ? child : xml_add (node, step);
    }
    *attribute = path;
    return node;
}

xml_node_t *xml_ensure (xml_node_t *node, const char *path)
{
    assert (!xml_path_has_attribute (path));
    const char *rest = NULL;
    return ensure (node, path, &rest);
}

void xml_set (xml_node_t *node, const char *path, const char *value)
{
    const char *attribute = NULL;
    node = ensure (node, path, &attribute);
    if (!*attribute) {
        set_text (node, value);
        return;
    }
    autofree char *clean = cleaned (value);
    const xmlAttr *set = xmlSetNsProp (node, NULL, BAD_CAST attribute, BAD_CAST clean);
    assert (set);
}

void xml_setf (xml_node_t *node, const char *path, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *value = text_format_args (format, args);
    va_end (args);
    xml_set (node, path, value);
}

void xml_set_u64 (xml_node_t *node, const char *path, uint64_t value)
{
    xml_setf (node, path, "%" PRIu64, value);
}

xml_node_t *xml_add_copy (xml_node_t *node, const xml_node_t *source)
{
    xml_node_t *copy = xmlDocCopyNode ((xml_node_t *) source, node->doc, 1);
    assert (copy);
    return xmlAddChild (node, copy);
}

xml_node_t *xml_copy_before (xml_node_t *sibling, const xml_node_t *source)
{
    xml_node_t *copy = xmlDocCopyNode ((xml_node_t *) source, sibling->doc, 1);
    assert (copy);
    return xmlAddPrevSibling (sibling, copy);
}

xml_node_t *xml_add_fragment (xml_node_t *node, const char *text, error_t *err)
{
    auto(xml_t) fragment = xml_parse (text, strlen (text), "XML fragment", err);
    return fragment ? xml_add_copy (node, xml_root (fragment)) : NULL;
}

int xml_set_namespace (xml_node_t *node, const char *prefix, const char *uri, error_t *err)
{
    if (!*uri || !xml_valid (uri) || !xml_valid (prefix))
        return error_set (err, ERR_INVALID_ARG,
                          "put <%s> into the namespace '%s': it is empty, or has a character that "
                          "XML does not admit",
                          xml_name (node), uri);
    xmlNs *namespace = xmlSearchNsByHref (node->doc, node, BAD_CAST uri);
    if (!namespace && xmlValidateNCName (BAD_CAST prefix, 0) == 0)
    namespace = xmlNewNs (node, BAD_CAST uri, BAD_CAST prefix);
    if (!namespace)
        return error_set (
            err, ERR_INVALID_ARG,
            "put <%s> into the namespace '%s': the prefix '%s' is taken or is no name",
            xml_name (node), uri, prefix);
    xmlSetNs (node, namespace);
    return 0;
}

void xml_put_first (xml_node_t *node, const char *attribute)
{
    xmlAttr *moved = xmlHasProp (node, BAD_CAST attribute);
    if (!moved || moved == node->properties)
        return;
    moved->prev->next = moved->next;
    if (moved->next)
        moved->next->prev = moved->prev;
    moved->prev = NULL;
    moved->next = node->properties;
    node->properties->prev = moved;
    node->properties = moved;
}

//  An attribute keeps its namespace, and with it the declaration.
static bool attributes_use (const xml_node_t *node, const xmlNs *namespace)
{
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (attribute->ns == namespace)
            return true;
    xml_foreach (child, node, NULL)
        if (attributes_use (child, namespace))
            return true;
    return false;
}

static void leave (xml_node_t *node, const char *uri)
{
    if (text_equals (xml_namespace (node), uri))
        xmlSetNs (node, NULL);
    xml_foreach (child, node, NULL)
        leave (child, uri);
}

static void drop_declarations (xml_node_t *node, const char *uri)
{
    for (xmlNs **at = &node->nsDef; *at;) {
        xmlNs *namespace = *at;
        if (!text_equals ((const char *) namespace->href, uri) ||
            attributes_use (node, namespace)) {
            at = &namespace->next;
            continue;
        }
        *at = namespace->next;
        xmlFreeNs (namespace);
    }
    xml_foreach (child, node, NULL)
        drop_declarations (child, uri);
}

void xml_leave_namespace (xml_node_t *node, const char *uri)
{
    leave (node, uri);
    drop_declarations (node, uri);
}

void xml_remove (xml_node_t *node)
{
    xml_node_t *parent = node->parent;
    xmlUnlinkNode (node);
    xmlFreeNode (node);
    //  White space that was layout between children must not become the parent's value.
    const xml_node_t *left = parent->children;
    while (left && xmlIsBlankNode (left))
        left = left->next;
    if (!left && parent->children) {
        xmlFreeNodeList (parent->children);
        parent->children = parent->last = NULL;
    }
}

static void remove_attribute (xml_node_t *node, const char *name)
{
    xmlAttr *attribute = xmlHasNsProp (node, BAD_CAST name, NULL);
    if (attribute)
        xmlRemoveProp (attribute);
}

void xml_remove_path (xml_node_t *node, const char *path)
{
    char step[XML_STEP_MAX];
    while (node && xml_path_step (&path, step))
        node = xml_first (node, step);
    if (node && *path)
        remove_attribute (node, path);
    else if (node)
        xml_remove (node);
}
