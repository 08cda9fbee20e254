//  columns.h: values for people: tables in virsh's layout, and lines of "Name:   value".

#ifndef TROUPE_COLUMNS_H
#define TROUPE_COLUMNS_H

#include "troupe.h"
#include "util/text.h"

#include <stdio.h>

typedef struct {
    strings_t *cells; //  row by row, the titles first
    size_t columns;
} columns_t;

//  TITLES, of which the last is followed by NULL. The caller owns the result.
columns_t *columns_new (const char *const *titles);
void columns_destroy (columns_t **self_p);
DEFINE_AUTO (columns_t, columns_destroy)

//  One cell after another, row by row. NULL: an empty one.
void columns_add (columns_t *self, const char *cell);
void columns_addf (columns_t *self, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));
//  At most WIDEST characters of it (0: all), the last three of which say that there is more.
void columns_add_short (columns_t *self, const char *cell, size_t widest);
void columns_print (const columns_t *self, FILE *file);

//  A value of any kind as well as it can be shown without knowing it: XML as it is, an array of
//  maps as a table, a map line by line.
void columns_show (FILE *file, const troupe_value_t *value);

#endif
