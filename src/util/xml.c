//  xml.c: documents: parsed behind the scan of xml_scan.c, copied, destroyed.
//
//  No handler or setting of libxml2 that its threads share is touched: errors are taken from the
//  parser's own context.

#include "util/xml.h"
#include "util/text.h"
#include "util/xml_scan.h"

#include <assert.h>
#include <libxml/parser.h>

#define PARSE_OPTIONS                                                                              \
    (XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES)

#if LIBXML_VERSION >= 21200
typedef const xmlError xml_error_t;
#else
typedef xmlError xml_error_t;
#endif

typedef struct {
    const char *what;
    bool failed;
    error_t *err;
} parse_t;

void xml_init (void)
{
    xmlInitParser ();
}

//  Called for each error of a parse; the first one is the cause, the rest follow from it.
static void note_error (void *context, xml_error_t *error)
{
    parse_t *parse = ((xmlParserCtxt *) context)->_private;
    if (error->level < XML_ERR_ERROR || parse->failed)
        return;
    parse->failed = true;
    error_set (parse->err, ERR_XML_DETAIL, "%s, line %d, column %d: %s", parse->what, error->line,
               error->int2, error->message ? error->message : "malformed");
}

static void parser_free (xmlParserCtxt **parser)
{
    xmlFreeParserCtxt (*parser);
}

static xml_t *parse_scanned (const char *text, size_t size, const char *what, error_t *err)
{
    __attribute__ ((cleanup (parser_free))) xmlParserCtxt *parser = xmlNewParserCtxt ();
    assert (parser);
    parse_t parse = { .what = what, .err = err };
    parser->_private = &parse;
    parser->sax->serror = note_error;
    auto(xml_t) doc = xmlCtxtReadMemory (parser, text, (int) size, NULL, NULL, PARSE_OPTIONS);
    if (doc && !parse.failed && xmlDocGetRootElement (doc)) {
        xmlDictSetLimit (doc->dict, 0); //  the limit of the parser's input; see xml_string
        return take (&doc);
    }
    if (!parse.failed)
        error_set (err, ERR_XML_DETAIL, "%s: it holds no element", what);
    return NULL;
}

xml_t *xml_parse (const char *text, size_t size, const char *what, error_t *err)
{
    return xml_scan (text, size, what, err) ? NULL : parse_scanned (text, size, what, err);
}

xml_t *xml_parse_own (const char *text, size_t size, const char *what, error_t *err)
{
    return xml_scan_own (text, size, what, err) ? NULL : parse_scanned (text, size, what, err);
}

//  With a dictionary: names and the strings that xml_string made live in it.
static xml_t *document_new (void)
{
    xml_t *doc = xmlNewDoc (BAD_CAST "1.0");
    assert (doc);
    if (!doc->dict)
        doc->dict = xmlDictCreate ();
    assert (doc->dict);
    return doc;
}

static void add_copy (xml_t *doc, const xml_node_t *node)
{
    xml_node_t *copy = xmlDocCopyNode ((xml_node_t *) node, doc, 1);
    assert (copy);
    xmlAddChild ((xml_node_t *) doc, copy);
}

xml_t *xml_copy (const xml_t *self)
{
    xml_t *doc = document_new ();
    for (const xml_node_t *node = self->children; node; node = node->next)
        add_copy (doc, node);
    return doc;
}

xml_t *xml_from_node (const xml_node_t *node)
{
    xml_t *doc = document_new ();
    add_copy (doc, node);
    return doc;
}

void xml_destroy (xml_t **self_p)
{
    if (*self_p) {
        xmlFreeDoc (*self_p);
        *self_p = NULL;
    }
}

xml_node_t *xml_root (const xml_t *self)
{
    return xmlDocGetRootElement ((xml_t *) self);
}
