//  text.c: strings that grow, and lists of strings.

#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_ROOM 64

static void *checked (void *memory)
{
    if (!memory) {
        fputs ("troupe: out of memory\n", stderr);
        abort ();
    }
    return memory;
}

void *memory_new (size_t count, size_t size)
{
    return checked (calloc (count ? count : 1, size));
}

void *memory_grow (void *memory, size_t count, size_t size)
{
    return checked (reallocarray (memory, count ? count : 1, size));
}

char *text_copy (const char *text)
{
    return text ? checked (strdup (text)) : NULL;
}

char *text_copy_bytes (const void *bytes, size_t size)
{
    char *copy = memory_new (size + 1, 1);
    if (size)
        memcpy (copy, bytes, size);
    return copy;
}

const char *text_last_lines (const char *text, size_t size, unsigned lines)
{
    const char *at = text + size;
    if (at > text && at[-1] == '\n')
        at--; //  the end of the last line, not the beginning of another
    while (at > text && (at[-1] != '\n' || --lines > 0))
        at--;
    return at;
}

char *text_format_args (const char *format, va_list args)
{
    char *text = NULL;
    return vasprintf (&text, format, args) < 0 ? checked (NULL) : text;
}

char *text_format (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    char *text = text_format_args (format, args);
    va_end (args);
    return text;
}

bool text_equals (const char *a, const char *b)
{
    return a == b || (a && b && strcmp (a, b) == 0);
}

bool text_starts (const char *text, const char *prefix)
{
    return strncmp (text, prefix, strlen (prefix)) == 0;
}

bool text_ends (const char *text, const char *suffix)
{
    size_t size = strlen (text), end = strlen (suffix);
    return end <= size && strcmp (text + size - end, suffix) == 0;
}

bool text_to_u64 (const char *text, uint64_t *value)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    //  strtoull alone would take white space, signs and "".
    if (!*digits || digits[strspn (digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
        return false;
    errno = 0;
    const unsigned long long number = strtoull (digits, NULL, hex ? 16 : 10);
    if (errno)
        return false;
    *value = number;
    return true;
}

text_t *text_new (void)
{
    text_t *self = memory_new (1, sizeof *self);
    self->data = memory_new (FIRST_ROOM, 1);
    self->room = FIRST_ROOM;
    return self;
}

void text_destroy (text_t **self_p)
{
    if (*self_p) {
        free ((*self_p)->data);
        free (*self_p);
        *self_p = NULL;
    }
}

void text_add_bytes (text_t *self, const void *bytes, size_t size)
{
    if (size >= self->room - self->size) {
        if (size > SIZE_MAX / 4 - self->room)
            checked (NULL);
        while (size >= self->room - self->size)
            self->room *= 2;
        self->data = memory_grow (self->data, self->room, 1);
    }
    if (size)
        memcpy (self->data + self->size, bytes, size);
    self->size += size;
    self->data[self->size] = 0;
}

void text_add (text_t *self, const char *text)
{
    text_add_bytes (self, text, strlen (text));
}

void text_add_char (text_t *self, char c)
{
    text_add_bytes (self, &c, 1);
}

void text_addf (text_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *text = text_format_args (format, args);
    va_end (args);
    text_add (self, text);
}

void text_cut_front (text_t *self, size_t size)
{
    memmove (self->data, self->data + size, self->size - size + 1);
    self->size -= size;
}

char *text_finish (text_t **self_p)
{
    char *data = take (&(*self_p)->data);
    text_destroy (self_p);
    return data;
}

strings_t *strings_new (void)
{
    strings_t *self = memory_new (1, sizeof *self);
    self->room = 8;
    self->items = memory_new (self->room, sizeof *self->items);
    return self;
}

void strings_destroy (strings_t **self_p)
{
    strings_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free (self->items[i]);
    free (self->items);
    free (self);
    *self_p = NULL;
}

void strings_add_taken (strings_t *self, char *text)
{
    if (self->count + 1 == self->room) {
        self->room *= 2;
        self->items = memory_grow (self->items, self->room, sizeof *self->items);
    }
    self->items[self->count++] = text;
    self->items[self->count] = NULL;
}

void strings_add (strings_t *self, const char *text)
{
    strings_add_taken (self, text_copy (text));
}

void strings_addf (strings_t *self, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    strings_add_taken (self, text_format_args (format, args));
    va_end (args);
}

void strings_add_all (strings_t *self, const char *const *strings)
{
    for (; *strings; strings++)
        strings_add (self, *strings);
}

static int compare (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

void strings_sort (strings_t *self)
{
    qsort (self->items, self->count, sizeof *self->items, compare);
}

strings_t *strings_sort_once (strings_t *self)
{
    strings_sort (self);
    strings_t *once = strings_new ();
    for (size_t i = 0; i < self->count; i++)
        if (i == 0 || strcmp (self->items[i - 1], self->items[i]) != 0)
            strings_add (once, self->items[i]);
    return once;
}

bool strings_contain (const strings_t *self, const char *text)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->items[i], text) == 0)
            return true;
    return false;
}

const char *const *strings_list (const strings_t *self)
{
    return (const char *const *) self->items;
}

char *text_base64 (const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    auto(text_t) text = text_new ();
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t) from[i] << 16;
        three |= left > 1 ? (uint32_t) from[i + 1] << 8 : 0;
        three |= left > 2 ? from[i + 2] : 0;
        text_add_char (text, digits[three >> 18]);
        text_add_char (text, digits[three >> 12 & 63]);
        text_add_char (text, left > 1 ? digits[three >> 6 & 63] : '=');
        text_add_char (text, left > 2 ? digits[three & 63] : '=');
    }
    return text_finish (&text);
}
