//  tree.h: files below a test's folder that stand for those of another machine.

#ifndef TROUPE_TREE_H
#define TROUPE_TREE_H

#include "util/file.h"

#include "unit.h"

static inline void tree_put_bytes (const char *root, const char *path, const void *bytes,
                                   size_t size)
{
    error_t err;
    autofree char *full = text_format ("%s%s", root, path);
    autofree char *folder = file_folder (full);
    assert_int_equal (file_make_folders (folder, 0755, &err), 0);
    FILE *file = fopen (full, "w");
    assert_non_null (file);
    assert_int_equal (fwrite (bytes, 1, size, file), size);
    assert_int_equal (fclose (file), 0);
}

static inline void tree_put (const char *root, const char *path, const char *text)
{
    tree_put_bytes (root, path, text, strlen (text));
}

#endif
