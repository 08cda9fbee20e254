//  xml.h: libvirt's XML documents, behind limits.
//
//  The document is the model (a definition is never torn into structs): drivers read it, and
//  complete it, through these typed accessors. A tree lives only while a handler or job needs it.
//
//  PATHS are the plain ones that libvirt's format needs, and no XPath: element names parted by '/',
//  the last one may be "@attribute"; "." is the node itself: "name", "os/type/@arch", "@type".
//  The first matching element counts.

#ifndef TROUPE_XML_H
#define TROUPE_XML_H

#include "util/auto.h"
#include "util/error.h"

#include <libxml/tree.h>
#include <stddef.h>
#include <stdint.h>

//  What a linear scan admits before libxml2 sees a document from outside.
#define XML_MAX_BYTES (4u * 1024 * 1024)
#define XML_MAX_DEPTH 64
#define XML_MAX_ATTRIBUTES 64         //  of one tag
#define XML_MAX_ELEMENTS 100000       //  elements, comments, CDATA sections and instructions
#define XML_MAX_ALL_ATTRIBUTES 200000 //  of the document
#define XML_MAX_NAMESPACES 64         //  declared by an element and those around it

typedef xmlDoc xml_t;       //  a document; only the functions here touch it
typedef xmlNode xml_node_t; //  one element of it, owned by the document

//  libxml2 wants this called once, by main, before there is a second thread.
void xml_init (void);

//  Parses TEXT (SIZE bytes, UTF-8). No DOCTYPE, no entities but the five, no network. WHAT names
//  the document in errors ("domain XML"). ERR_XML_DETAIL with line and column when malformed (a
//  prefix that is not declared included), ERR_XML_ERROR when over a limit. The caller owns the
//  result.
xml_t *xml_parse (const char *text, size_t size, const char *what, error_t *err);
//  The same of a document that this daemon made from one that xml_parse took, such as a status
//  file: with aliases, and around it what we know of the guest, so it may be four times as large
//  and a little deeper.
xml_t *xml_parse_own (const char *text, size_t size, const char *what, error_t *err);
xml_t *xml_copy (const xml_t *self);
//  A new document that holds a copy of NODE as its root.
xml_t *xml_from_node (const xml_node_t *node);
void xml_destroy (xml_t **self_p);
DEFINE_AUTO (xml_t, xml_destroy)

xml_node_t *xml_root (const xml_t *self);
//  Canonical text: two spaces a level, attributes in single quotes and in their order, no XML
//  declaration, newline at the end; what the user wrote is all there, comments, CDATA and foreign
//  namespaces included; where text and elements are mixed, white space is kept too. Parsing and
//  printing it again changes nothing. The caller frees it.
char *xml_text (const xml_t *self);
//  NODE alone, with the namespace declarations that it needs from those around it.
char *xml_node_text (const xml_node_t *node);

//  Reading. Strings belong to the document and live until it is changed. Paths match elements and
//  attributes in no namespace only.
xml_node_t *xml_find (const xml_node_t *node, const char *path); //  NULL if there is none
const char *xml_name (const xml_node_t *node);                   //  element name without prefix
const char *xml_namespace (const xml_node_t *node);              //  namespace URI or NULL
bool xml_is (const xml_node_t *node, const char *name);          //  NAME, in no namespace
//  An element's own text, trimmed, or an attribute's value as it is; "" if empty, NULL if absent.
const char *xml_string (const xml_node_t *node, const char *path);
//  The name of an element's attribute number INDEX (those in a namespace are not counted), NULL
//  after the last.
const char *xml_attribute (const xml_node_t *node, size_t index);
bool xml_equals (const xml_node_t *node, const char *path, const char *value);
//  Is it an ELEMENT whose PATH has one of VALUES ("a|b")? NULL: any element; of any such one. What
//  tables of "which one" ask.
bool xml_fits (const xml_node_t *node, const char *element, const char *path, const char *values);
bool xml_flag (const xml_node_t *node, const char *path,
               bool otherwise); //  yes/on/true/1, no/off/..

//  0 with *VALUE filled (untouched if absent), or -1 with ERR_XML_ERROR naming path and text when
//  it is not a number of this range. Decimal, or hexadecimal after 0x.
int xml_u64 (const xml_node_t *node, const char *path, uint64_t *value, error_t *err);
int xml_int (const xml_node_t *node, const char *path, int min, int max, int *value, error_t *err);
//  A size with libvirt's unit attribute ("KiB" when OTHERWISE is "KiB"; b, bytes, KB, k, KiB, MB,
//  M, MiB, GB, G, GiB, TB, T, TiB ...), in bytes.
int xml_size (const xml_node_t *node, const char *path, const char *otherwise, uint64_t *bytes,
              error_t *err);

//  The child elements: with NAME, or all of them with NULL; none of a NODE that is not there.
//      xml_foreach (disk, xml_find (domain, "devices"), "disk") ...
xml_node_t *xml_first (const xml_node_t *node, const char *name);
xml_node_t *xml_next (const xml_node_t *sibling, const char *name);
#define xml_foreach(child, node, name)                                                             \
    for (xml_node_t *child = xml_first (node, name); child; child = xml_next (child, name))

//  Changing. In texts from outside, what XML can't hold (control characters, broken UTF-8) becomes
//  U+FFFD, so that a document can always be read again; xml_valid lets a caller refuse it instead.
bool xml_valid (const char *text);
xml_node_t *xml_add (xml_node_t *node, const char *name); //  a new last child
xml_node_t *xml_add_text (xml_node_t *node, const char *name, const char *text);
xml_node_t *xml_add_before (xml_node_t *sibling, const char *name);
xml_node_t *xml_ensure (xml_node_t *node, const char *path); //  finds or adds each step
void xml_set (xml_node_t *node, const char *path,
              const char *value); //  ensures, sets text or attribute
void xml_setf (xml_node_t *node, const char *path, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
void xml_set_u64 (xml_node_t *node, const char *path, uint64_t value);
//  Parses TEXT (one element) and appends it; NULL and ERR when it can't.
xml_node_t *xml_add_fragment (xml_node_t *node, const char *text, error_t *err);
//  Puts the element (not its children) into the namespace URI, under PREFIX.
int xml_set_namespace (xml_node_t *node, const char *prefix, const char *uri, error_t *err);
//  The element's ATTRIBUTE, if it has it, before all others.
void xml_put_first (xml_node_t *node, const char *attribute);
//  Takes NODE and all elements below it out of the namespace URI. Attributes stay in it.
void xml_leave_namespace (xml_node_t *node, const char *uri);
//  A copy of SOURCE (of any document) as the last child of NODE.
xml_node_t *xml_add_copy (xml_node_t *node, const xml_node_t *source);
//  ... and before SIBLING.
xml_node_t *xml_copy_before (xml_node_t *sibling, const xml_node_t *source);
void xml_remove (xml_node_t *node);                        //  and frees it
void xml_remove_path (xml_node_t *node, const char *path); //  if there is one

#endif
