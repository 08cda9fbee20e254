//  json.c: values as JSON.

#include "cli/json.h"
#include "util/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>

void json_indent (FILE *file, int indent)
{
    if (indent < 0)
        return;
    fputc ('\n', file);
    for (int i = 0; i < indent; i++)
        fputs ("  ", file);
}

void json_text (FILE *file, const char *text)
{
    fputc ('"', file);
    for (const unsigned char *c = (const unsigned char *) text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf (file, "\\%c", *c);
        else if (*c == '\n')
            fputs ("\\n", file);
        else if (*c < ' ' || *c == 0x7f)
            fprintf (file, "\\u%04x", *c);
        else
            fputc (*c, file);
    }
    fputc ('"', file);
}

static void json_base64 (FILE *file, const uint8_t *bytes, size_t size)
{
    autofree char *text = text_base64 (bytes, size);
    fprintf (file, "\"%s\"", text);
}

static void json_integer (FILE *file, const troupe_value_t *value)
{
    uint64_t number = troupe_u64 (value, 0);
    if (number > 0)
        fprintf (file, "%" PRIu64, number);
    else
        fprintf (file, "%" PRId64, troupe_i64 (value, 0));
}

static void json_float (FILE *file, double number)
{
    if (isfinite (number))
        fprintf (file, "%.17g", number);
    else
        fputs ("null", file);
}

static void json_collection (FILE *file, const troupe_value_t *value, int indent)
{
    bool map = troupe_type (value) == TROUPE_MAP;
    int inner = indent < 0 ? -1 : indent + 1;
    fputc (map ? '{' : '[', file);
    for (size_t i = 0; i < troupe_count (value); i++) {
        if (i > 0)
            fputs (indent < 0 ? ", " : ",", file);
        json_indent (file, inner);
        if (map) {
            json_text (file, troupe_key_at (value, i));
            fputs (": ", file);
        }
        json_value (file, troupe_at (value, i), inner);
    }
    if (troupe_count (value) > 0)
        json_indent (file, indent);
    fputc (map ? '}' : ']', file);
}

void json_value (FILE *file, const troupe_value_t *value, int indent)
{
    size_t size;
    switch (troupe_type (value)) {
    case TROUPE_NIL:
        fputs ("null", file);
        return;
    case TROUPE_BOOL:
        fputs (troupe_bool (value, false) ? "true" : "false", file);
        return;
    case TROUPE_INT:
        json_integer (file, value);
        return;
    case TROUPE_FLOAT:
        json_float (file, troupe_float (value, 0));
        return;
    case TROUPE_STR:
        json_text (file, troupe_str (value));
        return;
    case TROUPE_BIN: {
        const void *bytes = troupe_bin (value, &size);
        json_base64 (file, bytes, size);
        return;
    }
    case TROUPE_ARRAY:
    case TROUPE_MAP:
        json_collection (file, value, indent);
        return;
    }
}

void json_print (FILE *file, const troupe_value_t *value)
{
    json_value (file, value, 0);
    fputc ('\n', file);
}

void json_print_line (FILE *file, const troupe_value_t *value)
{
    json_value (file, value, -1);
    fputc ('\n', file);
}

//  One character of JSON outside strings.
static int pretty_char (FILE *file, char c, char next, int indent)
{
    if (c == '{' || c == '[') {
        fputc (c, file);
        if (next != '}' && next != ']')
            json_indent (file, indent + 1);
        return indent + 1;
    }
    if (c == '}' || c == ']') {
        fputc (c, file);
        return indent > 0 ? indent - 1 : 0;
    }
    fputc (c, file);
    if (c == ',')
        json_indent (file, indent);
    else if (c == ':')
        fputc (' ', file);
    return indent;
}

static const char *skip_blanks (const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

void json_pretty (FILE *file, const char *text)
{
    int indent = 0;
    bool quoted = false;
    for (const char *at = skip_blanks (text); *at;) {
        char c = *at++;
        if (quoted) {
            fputc (c, file);
            if (c == '\\' && *at)
                fputc (*at++, file);
            else
                quoted = c != '"';
        } else {
            quoted = c == '"';
            indent = pretty_char (file, c, *skip_blanks (at), indent);
        }
        if (quoted)
            continue;
        at = skip_blanks (at);
        if ((*at == '}' || *at == ']') && c != '{' && c != '[')
            json_indent (file, indent - 1);
    }
    fputc ('\n', file);
}
