//  json.h: values as JSON (RFC 8259). Bytes become base64.

#ifndef TROUPE_JSON_H
#define TROUPE_JSON_H

#include "troupe.h"

#include <stdio.h>

//  One document over several lines, with a newline at the end. NULL is null.
void json_print (FILE *file, const troupe_value_t *value);
//  The same in one line, as in a stream of documents.
void json_print_line (FILE *file, const troupe_value_t *value);

//  For documents that are put together here.
void json_text (FILE *file, const char *text); //  a string, with its quotes
//  A value inside a document, indented by INDENT levels (-1: in one line).
void json_value (FILE *file, const troupe_value_t *value, int indent);
void json_indent (FILE *file, int indent); //  a newline and two spaces a level; nothing for -1

//  TEXT, which is JSON, over several lines. What is not JSON comes out as it is.
void json_pretty (FILE *file, const char *text);

#endif
