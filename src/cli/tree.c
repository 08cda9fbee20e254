//  tree.c: see tree.h.

#include "cli/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void tree_add_time (columns_t *table, const troupe_value_t *item)
{
    time_t time = (time_t) troupe_get_i64 (item, "creation_time", 0);
    struct tm local;
    char text[64];
    strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S %z", localtime_r (&time, &local));
    columns_add (table, text);
}

void tree_print_names (const troupe_value_t *list)
{
    for (size_t i = 0; i < troupe_count (list); i++)
        puts (troupe_get_str (troupe_at (list, i), "name"));
}

void tree_show (const options_t *options, const troupe_value_t *list, const char *from,
                tree_table_fn *print_table)
{
    if (options_flag (options, "tree"))
        tree_print (list, from);
    else if (options_flag (options, "name"))
        tree_print_names (list);
    else
        print_table (list, options_flag (options, "parent"));
}

static bool is_child (const troupe_value_t *item, const char *parent)
{
    const char *own = troupe_get_str (item, "parent");
    return own && strcmp (own, parent) == 0;
}

static const troupe_value_t *next_child (const troupe_value_t *list, size_t *at, const char *parent)
{
    while (*at < troupe_count (list)) {
        const troupe_value_t *item = troupe_at (list, (*at)++);
        if (is_child (item, parent))
            return item;
    }
    return NULL;
}

//  What is below NAME, each line behind INDENT.
static void print_below (const troupe_value_t *list, const char *name, const char *indent)
{
    size_t at = 0;
    const troupe_value_t *child = next_child (list, &at, name);
    while (child) {
        const troupe_value_t *next = next_child (list, &at, name);
        const char *own = troupe_get_str (child, "name");
        autofree char *deeper = text_format ("%s%s", indent, next ? "  | " : "    ");
        printf ("%s  |\n%s  +- %s\n", indent, indent, own);
        print_below (list, own, deeper);
        child = next;
    }
}

static bool is_top (const troupe_value_t *list, const troupe_value_t *item)
{
    const char *parent = troupe_get_str (item, "parent");
    for (size_t i = 0; parent && i < troupe_count (list); i++)
        if (strcmp (troupe_get_str (troupe_at (list, i), "name"), parent) == 0)
            return false;
    return true;
}

void tree_print (const troupe_value_t *list, const char *from)
{
    if (from) {
        puts (from);
        print_below (list, from, "");
        putchar ('\n');
        return;
    }
    for (size_t i = 0; i < troupe_count (list); i++)
        if (is_top (list, troupe_at (list, i))) {
            const char *name = troupe_get_str (troupe_at (list, i), "name");
            puts (name);
            print_below (list, name, "");
            putchar ('\n');
        }
}

//  One of them.

void tree_print_line (const char *title, const char *text)
{
    printf ("%-15s %s\n", title, text ? text : "-");
}

void tree_print_relatives (const troupe_value_t *item)
{
    tree_print_line ("Parent:", troupe_get_str (item, "parent"));
    printf ("%-15s %" PRIu64 "\n", "Children:", troupe_get_u64 (item, "children", 0));
    printf ("%-15s %" PRIu64 "\n", "Descendants:", troupe_get_u64 (item, "descendants", 0));
}

int tree_print_parent (cli_t *cli, const troupe_value_t *item, const char *what, error_code_t code,
                       error_t *err)
{
    const char *parent = troupe_get_str (item, "parent");
    if (!parent)
        return error_set (err, code, "%s '%s' has no parent", what, troupe_get_str (item, "name"));
    if (!cli_json (cli, item))
        puts (parent);
    return 0;
}
