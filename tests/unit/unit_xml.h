//  unit_xml.h: documents that a test has as text, which must be right, else the test fails. The
//  caller destroys them.

#ifndef TROUPE_UNIT_XML_H
#define TROUPE_UNIT_XML_H

#include "unit.h"
#include "util/text.h"
#include "util/xml.h"

static inline xml_t *unit_xml (const char *text)
{
    error_t err = { 0 };
    xml_t *document = xml_parse (text, strlen (text), "test", &err);
    if (!document)
        fail_msg ("%s", err.message);
    return document;
}

__attribute__ ((format (printf, 1, 2))) static inline xml_t *unit_xmlf (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *text = text_format_args (format, args);
    va_end (args);
    return unit_xml (text);
}

#endif
