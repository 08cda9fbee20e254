//  table.h: values for people: tables in virsh's layout, and lines of "Name:   value".

#ifndef TROUPE_TABLE_H
#define TROUPE_TABLE_H

#include "troupe.h"
#include "util/text.h"

#include <stdio.h>

typedef struct {
    strings_t *cells; //  row by row, the titles first
    size_t columns;
} table_t;

//  TITLES, of which the last is followed by NULL. The caller owns the result.
table_t *table_new (const char *const *titles);
void table_destroy (table_t **self_p);
DEFINE_AUTO (table_t, table_destroy)

//  One cell after another, row by row. NULL: an empty one.
void table_add (table_t *self, const char *cell);
void table_addf (table_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void table_print (const table_t *self, FILE *file);

//  A value of any kind as well as it can be shown without knowing it: XML as it is, an array of
//  maps as a table, a map line by line.
void table_show (FILE *file, const troupe_value_t *value);

#endif
