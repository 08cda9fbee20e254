//  tree.h: lists of things that came from one another, in virsh's layout: snapshots, checkpoints.
//  Each is a map with name, parent (or nil) and creation_time (s).

#ifndef TROUPE_TREE_H
#define TROUPE_TREE_H

#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/options.h"

//  As a tree; FROM: what is below that name, which is not in LIST. NULL: all.
void tree_print (const troupe_value_t *list, const char *from);
void tree_print_names (const troupe_value_t *list);
//  As the options tree and name say; else PRINT_TABLE does it, with the parents if they are asked
//  for.
typedef void (tree_table_fn) (const troupe_value_t *list, bool parents);
void tree_show (const options_t *options, const troupe_value_t *list, const char *from,
                tree_table_fn *print_table);
//  A cell with the time of ITEM.
void tree_add_time (columns_t *table, const troupe_value_t *item);

//  Of one of them, a line each. TEXT NULL: "-".
void tree_print_line (const char *title, const char *text);
//  Parent, and how many came from it.
void tree_print_relatives (const troupe_value_t *item);
//  Prints the parent's name. -1, and ERR with CODE, if there is none; WHAT "snapshot".
int tree_print_parent (cli_t *cli, const troupe_value_t *item, const char *what, error_code_t code,
                       error_t *err);

#endif
