//  xml_text.c: the canonical text of a document.
//
//  Not libxml2's own formatting, which indents only what had no white space before, so that its
//  result depends on how often a document was printed.

#include "util/text.h"
#include "util/xml.h"

#include <string.h>

typedef enum {
    CONTENT_EMPTY,  //  nothing, or white space that was layout
    CONTENT_NESTED, //  elements, comments, instructions: a line each
    CONTENT_EXACT   //  text, or a mix: every byte as it is
} content_t;

static bool is_blank (const char *text)
{
    return text[strspn (text, " \t\r\n")] == 0;
}

static const char *content_of (const xml_node_t *node)
{
    return node->content ? (const char *) node->content : "";
}

static bool keeps_space (const xml_node_t *node)
{
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
        if (attribute->ns && xmlStrEqual (attribute->ns->href, XML_XML_NAMESPACE) &&
            xmlStrEqual (attribute->name, BAD_CAST "space"))
            return attribute->children &&
                   strcmp (content_of (attribute->children), "preserve") == 0;
    return false;
}

static content_t content_kind (const xml_node_t *node)
{
    bool text = false, nodes = false, blank = false, lines = false;
    for (const xml_node_t *child = node->children; child; child = child->next) {
        if (child->type == XML_TEXT_NODE && is_blank (content_of (child))) {
            blank = true;
            lines = lines || strchr (content_of (child), '\n');
        } else if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
            text = true;
        else
            nodes = true;
    }
    if (text || (node->children && keeps_space (node)))
        return CONTENT_EXACT;
    if (nodes)
        return CONTENT_NESTED;
    //  White space alone is a value if it is on one line, layout otherwise.
    return blank && !lines ? CONTENT_EXACT : CONTENT_EMPTY;
}

//  What stands for C, or NULL if it stands for itself. White space in an attribute would come back
//  as a space, a CR anywhere as a newline.
static const char *escape_of (char c, bool attribute)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    case '\'':
        return attribute ? "&apos;" : NULL;
    case '\n':
        return attribute ? "&#10;" : NULL;
    case '\t':
        return attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void print_escaped (text_t *text, const char *value, bool attribute)
{
    const char *start = value;
    for (const char *c = value; *c; c++) {
        const char *escape = escape_of (*c, attribute);
        if (escape) {
            text_add_bytes (text, start, (size_t) (c - start));
            text_add (text, escape);
            start = c + 1;
        }
    }
    text_add (text, start);
}

static void print_name (text_t *text, const xmlNs *ns, const xmlChar *name)
{
    if (ns && ns->prefix) {
        text_add (text, (const char *) ns->prefix);
        text_add_char (text, ':');
    }
    text_add (text, (const char *) name);
}

static void print_attributes (text_t *text, const xml_node_t *node)
{
    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
        text_add (text, ns->prefix ? " xmlns:" : " xmlns");
        text_add (text, ns->prefix ? (const char *) ns->prefix : "");
        text_add (text, "='");
        print_escaped (text, ns->href ? (const char *) ns->href : "", true);
        text_add_char (text, '\'');
    }
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        text_add_char (text, ' ');
        print_name (text, attribute->ns, attribute->name);
        text_add (text, "='");
        for (const xml_node_t *part = attribute->children; part; part = part->next)
            print_escaped (text, content_of (part), true);
        text_add_char (text, '\'');
    }
}

static void print_end_tag (text_t *text, const xml_node_t *node)
{
    text_add (text, "</");
    print_name (text, node->ns, node->name);
    text_add_char (text, '>');
}

static void print_exactly (text_t *text, const xml_node_t *node);

//  Everything that is not an element.
static void print_leaf (text_t *text, const xml_node_t *node)
{
    const char *content = content_of (node);
    switch (node->type) {
    case XML_TEXT_NODE:
        print_escaped (text, content, false);
        break;
    case XML_CDATA_SECTION_NODE:
        text_add (text, "<![CDATA[");
        text_add (text, content);
        text_add (text, "]]>");
        break;
    case XML_COMMENT_NODE:
        text_add (text, "<!--");
        text_add (text, content);
        text_add (text, "-->");
        break;
    case XML_PI_NODE:
        text_add (text, "<?");
        text_add (text, (const char *) node->name);
        text_add (text, *content ? " " : "");
        text_add (text, content);
        text_add (text, "?>");
        break;
    default: //  declarations and entities: the scan lets none pass
        abort ();
    }
}

static void print_children_exactly (text_t *text, const xml_node_t *node)
{
    for (const xml_node_t *child = node->children; child; child = child->next)
        print_exactly (text, child);
}

static void print_exactly (text_t *text, const xml_node_t *node)
{
    if (node->type != XML_ELEMENT_NODE) {
        print_leaf (text, node);
        return;
    }
    text_add_char (text, '<');
    print_name (text, node->ns, node->name);
    print_attributes (text, node);
    text_add (text, node->children ? ">" : "/>");
    print_children_exactly (text, node);
    if (node->children)
        print_end_tag (text, node);
}

static void print_indent (text_t *text, unsigned level)
{
    for (unsigned i = 0; i < level; i++)
        text_add (text, "  ");
}

//  NODE on lines of its own.
static void print_line (text_t *text, const xml_node_t *node, unsigned level)
{
    print_indent (text, level);
    const content_t kind = node->type == XML_ELEMENT_NODE ? content_kind (node) : CONTENT_EXACT;
    if (kind == CONTENT_EXACT) {
        print_exactly (text, node);
        text_add_char (text, '\n');
        return;
    }
    text_add_char (text, '<');
    print_name (text, node->ns, node->name);
    print_attributes (text, node);
    if (kind == CONTENT_EMPTY) {
        text_add (text, "/>\n");
        return;
    }
    text_add (text, ">\n");
    for (const xml_node_t *child = node->children; child; child = child->next)
        if (child->type != XML_TEXT_NODE)
            print_line (text, child, level + 1);
    print_indent (text, level);
    print_end_tag (text, node);
    text_add_char (text, '\n');
}

char *xml_text (const xml_t *self)
{
    auto(text_t) text = text_new ();
    for (const xml_node_t *node = self->children; node; node = node->next)
        print_line (text, node, 0);
    return text_finish (&text);
}

char *xml_node_text (const xml_node_t *node)
{
    auto(xml_t) alone = xml_from_node (node);
    return xml_text (alone);
}
