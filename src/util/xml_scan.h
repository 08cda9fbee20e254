//  xml_scan.h: the linear look at a document from outside, before libxml2 may see it.

#ifndef TROUPE_XML_SCAN_H
#define TROUPE_XML_SCAN_H

#include "util/error.h"

#include <stddef.h>

//  0 when TEXT is UTF-8 and keeps the limits of xml.h. Time is linear in SIZE, whatever it holds.
//  Whether tags match and entities are known is left to libxml2, but the outline of every tag is
//  checked strictly: both readers see the same tags, so nothing that this one did not count gets to
//  the other one.
int xml_scan (const char *text, size_t size, const char *what, error_t *err);
//  The same with the limits of xml_parse_own.
int xml_scan_own (const char *text, size_t size, const char *what, error_t *err);

//  The bytes of the character at AT: 1 to 4, or 0 if it is not UTF-8 or not a character of XML 1.0.
size_t xml_scan_char (const char *at, const char *end);

#endif
