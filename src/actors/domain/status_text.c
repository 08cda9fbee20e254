//  status_text.c: see status_text.h.

#include "actors/domain/status_text.h"

#include <libxml/tree.h>

void status_add_attribute (text_t *text, const char *name, const char *value)
{
    xmlChar *safe = xmlEncodeSpecialChars (NULL, BAD_CAST value);
    text_addf (text, " %s=\"", name);
    //  As they are, who reads an attribute takes both for blanks.
    for (const char *c = (const char *) safe; *c; c++)
        if (*c == '\n' || *c == '\t')
            text_addf (text, "&#%d;", *c);
        else
            text_add_char (text, *c);
    text_add_char (text, '"');
    xmlFree (safe);
}

void status_add_undo (text_t *text, const value_t *undo)
{
    text_add (text, "  <undo>\n");
    for (size_t i = 0; i < value_count (undo); i++) {
        const value_t *entry = value_at (undo, i);
        text_add (text, "    <effect");
        status_add_attribute (text, "kind", value_str (value_at (entry, 0)));
        status_add_attribute (text, "argument", value_str (value_at (entry, 1)));
        text_add (text, "/>\n");
    }
    text_add (text, "  </undo>\n");
}
