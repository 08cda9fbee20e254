//  text.h: strings that grow, and lists of strings: command lines, environments, lists of files.
//
//  There is no error for "no memory" here: a daemon that can't allocate a string can't report it
//  either, so it aborts, is started again and adopts what runs.

#ifndef TROUPE_TEXT_H
#define TROUPE_TEXT_H

#include "util/auto.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  A copy; NULL of NULL. The caller frees it.
char *text_copy (const char *text);
//  A copy of SIZE bytes, with a NUL after them.
char *text_copy_bytes (const void *bytes, size_t size);
//  Where the last LINES lines of SIZE bytes of TEXT begin.
const char *text_last_lines (const char *text, size_t size, unsigned lines);
//  As asprintf. The caller frees the result.
char *text_format (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
char *text_format_args (const char *format, va_list args) __attribute__ ((format (printf, 1, 0)));

bool text_equals (const char *a, const char *b); //  NULL equals NULL only
bool text_starts (const char *text, const char *prefix);
bool text_ends (const char *text, const char *suffix);

//  True with *VALUE filled if all of TEXT is a number: decimal digits, or hexadecimal ones after
//  0x.
bool text_to_u64 (const char *text, uint64_t *value);

//  SIZE bytes in base64 (RFC 4648). The caller frees it.
char *text_base64 (const void *bytes, size_t size);

//  COUNT zeroed things of SIZE bytes.
void *memory_new (size_t count, size_t size);
//  As reallocarray.
void *memory_grow (void *memory, size_t count, size_t size);

//  A growing string; always NUL-terminated.
typedef struct {
    char *data;
    size_t size; //  without the NUL
    size_t room; //  allocated
} text_t;

text_t *text_new (void);
void text_destroy (text_t **self_p);
DEFINE_AUTO (text_t, text_destroy)

void text_add (text_t *self, const char *text);
void text_add_bytes (text_t *self, const void *bytes, size_t size);
void text_add_char (text_t *self, char c);
void text_addf (text_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

//  Removes its first SIZE bytes.
void text_cut_front (text_t *self, size_t size);

//  Destroys the text_t and gives its string to the caller, who frees it.
char *text_finish (text_t **self_p);

//  A list of strings, with a NULL after the last: ready for execve.
typedef struct {
    char **items;
    size_t count;
    size_t room;
} strings_t;

strings_t *strings_new (void);
void strings_destroy (strings_t **self_p);
DEFINE_AUTO (strings_t, strings_destroy)

void strings_add (strings_t *self, const char *text); //  a copy of it
void strings_addf (strings_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
void strings_add_taken (strings_t *self, char *text);               //  takes TEXT over
void strings_add_all (strings_t *self, const char *const *strings); //  NULL at its end
void strings_sort (strings_t *self);                                //  by bytes
strings_t *strings_sort_once (strings_t *self); //  the same; a new list, each text once
bool strings_contain (const strings_t *self, const char *text);
//  As an argv; valid until the list changes.
const char *const *strings_list (const strings_t *self);

#endif
