//  tree.h: lists of things that came from one another, in virsh's layout: snapshots, checkpoints.
//  Each is a map with name, parent (or nil) and creation_time (s).

#ifndef TROUPE_TREE_H
#define TROUPE_TREE_H

#include "cli/columns.h"

//  As a tree; FROM: what is below that name, which is not in LIST. NULL: all.
void tree_print (const troupe_value_t *list, const char *from);
void tree_print_names (const troupe_value_t *list);
//  A cell with the time of ITEM.
void tree_add_time (columns_t *table, const troupe_value_t *item);

#endif
