//  columns.c: values for people.

#include "cli/columns.h"
#include "cli/json.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

columns_t *columns_new (const char *const *titles)
{
    columns_t *self = memory_new (1, sizeof *self);
    self->cells = strings_new ();
    for (; titles[self->columns]; self->columns++)
        strings_add (self->cells, titles[self->columns]);
    return self;
}

void columns_destroy (columns_t **self_p)
{
    columns_t *self = take (self_p);
    if (!self)
        return;
    strings_destroy (&self->cells);
    free (self);
}

void columns_add (columns_t *self, const char *cell)
{
    strings_add (self->cells, cell ? cell : "");
}

void columns_addf (columns_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    strings_add_taken (self->cells, text_format_args (format, args));
    va_end (args);
}

//  Characters, not bytes: the bytes of UTF-8 that do not continue a character.
static size_t width (const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char) *text & 0xc0) != 0x80;
    return count;
}

//  Where its character number COUNT begins; its end if it has no more.
static size_t offset_of (const char *text, size_t count)
{
    size_t at = 0;
    for (; text[at]; at++)
        if (((unsigned char) text[at] & 0xc0) != 0x80 && count-- == 0)
            break;
    return at;
}

void columns_add_short (columns_t *self, const char *cell, size_t widest)
{
    if (widest < 3 || width (cell) <= widest)
        columns_add (self, cell);
    else
        columns_addf (self, "%.*s...", (int) offset_of (cell, widest - 3), cell);
}

static size_t column_width (const columns_t *self, size_t column)
{
    size_t widest = 0;
    for (size_t i = column; i < self->cells->count; i += self->columns) {
        size_t wide = width (self->cells->items[i]);
        widest = wide > widest ? wide : widest;
    }
    return widest;
}

static void print_cell (FILE *file, const char *text, size_t padding)
{
    fprintf (file, " %s%*s", text, (int) padding, "");
}

//  As virsh has it: one space before each cell, two behind all but the last; a line of dashes
//  below the titles; an empty line at the end.
void columns_print (const columns_t *self, FILE *file)
{
    size_t *widths = memory_new (self->columns, sizeof *widths), total = 0;
    for (size_t c = 0; c < self->columns; c++) {
        widths[c] = column_width (self, c);
        total += widths[c] + 3;
    }
    for (size_t i = 0; i < self->cells->count; i++) {
        size_t c = i % self->columns;
        bool last = c == self->columns - 1;
        const char *cell = self->cells->items[i];
        print_cell (file, cell, last ? 0 : widths[c] - width (cell) + 2);
        if (!last)
            continue;
        fputc ('\n', file);
        if (i < self->columns) {
            for (size_t dash = 0; dash < total; dash++)
                fputc ('-', file);
            fputc ('\n', file);
        }
    }
    fputc ('\n', file);
    free (widths);
}

//  "memory_kib" as "Memory kib".
static char *title_of (const char *key)
{
    char *title = text_copy (key);
    title[0] = (char) toupper ((unsigned char) title[0]);
    for (char *c = title; *c; c++)
        if (*c == '_')
            *c = ' ';
    return title;
}

static char *cell_of (const troupe_value_t *value)
{
    switch (troupe_type (value)) {
    case TROUPE_NIL:
        return text_copy ("-");
    case TROUPE_BOOL:
        return text_copy (troupe_bool (value, false) ? "yes" : "no");
    case TROUPE_STR:
        return text_copy (troupe_str (value));
    default: {
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream (&text, &size);
        json_value (file, value, -1);
        fclose (file);
        return text;
    }
    }
}

static void show_rows (FILE *file, const troupe_value_t *rows)
{
    const troupe_value_t *first = troupe_at (rows, 0);
    auto(strings_t) titles = strings_new ();
    for (size_t c = 0; c < troupe_count (first); c++)
        strings_add_taken (titles, title_of (troupe_key_at (first, c)));
    auto(columns_t) table = columns_new (strings_list (titles));
    for (size_t i = 0; i < troupe_count (rows); i++)
        for (size_t c = 0; c < troupe_count (first); c++) {
            const char *key = troupe_key_at (first, c);
            strings_add_taken (table->cells, cell_of (troupe_get (troupe_at (rows, i), key)));
        }
    columns_print (table, file);
}

static void show_map (FILE *file, const troupe_value_t *map)
{
    for (size_t i = 0; i < troupe_count (map); i++) {
        autofree char *title = title_of (troupe_key_at (map, i));
        autofree char *cell = cell_of (troupe_at (map, i));
        fprintf (file, "%s:%*s%s\n", title, (int) (width (title) < 18 ? 18 - width (title) : 1), "",
                 cell);
    }
}

void columns_show (FILE *file, const troupe_value_t *value)
{
    troupe_type_t type = troupe_type (value);
    const char *xml = troupe_get_str (value, "xml");
    if (xml) {
        fputs (xml, file);
        if (!text_ends (xml, "\n"))
            fputc ('\n', file);
    } else if (type == TROUPE_ARRAY && troupe_type (troupe_at (value, 0)) == TROUPE_MAP)
        show_rows (file, value);
    else if (type == TROUPE_MAP)
        show_map (file, value);
    else if (type != TROUPE_NIL) {
        autofree char *cell = cell_of (value);
        fprintf (file, "%s\n", cell);
    }
}
