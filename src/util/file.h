//  file.h: files, read within bounds and replaced atomically.
//
//  All of these may wait for a disk, so owners don't call them on a file system that can be slow:
//  they ask a disk actor, which uses the phases below one by one to group fsyncs.

#ifndef TROUPE_FILE_H
#define TROUPE_FILE_H

#include "util/error.h"
#include "util/text.h"

#include <sys/types.h>

//  The whole of a regular file, NUL-terminated; *SIZE (may be NULL) is its length. ERR_OPEN_FAILED
//  or ERR_READ_FAILED, with errno saying why (ENOENT, EFBIG above MAX_BYTES, ...). The caller frees
//  the result.
char *file_read (const char *path, size_t max_bytes, size_t *size, error_t *err);

//  The last LINES lines of a file, looking at its last MAX_BYTES only; a line that begins before
//  those is left out, unless it is the only one. The caller frees the result.
char *file_tail (const char *path, unsigned lines, size_t max_bytes, error_t *err);

//  Replaces PATH atomically and durably, mode 0600.
int file_write (const char *path, const void *data, size_t size, error_t *err);

//  The same in phases. The new content is written to a temporary file beside PATH, whose name
//  follows from PATH's, so what a crash leaves is overwritten by the next attempt and never piles
//  up; the owner of PATH has one replacement under way at a time. The order:
//
//      file_write_begin    creates and writes the temporary file
//      file_write_push     starts its way to the disk, without waiting; may be left out
//      file_write_sync     fsyncs it
//      file_write_commit   renames it
//      file_sync_folder    once for all that were renamed in a folder
typedef struct file_write file_write_t;

file_write_t *file_write_begin (const char *path, mode_t mode, const void *data, size_t size,
                                error_t *err);
void file_write_push (file_write_t *self);
int file_write_sync (file_write_t *self, error_t *err);
int file_write_commit (file_write_t *self, error_t *err);
//  Removes the temporary file unless it was committed.
void file_write_destroy (file_write_t **self_p);
DEFINE_AUTO (file_write_t, file_write_destroy)

int file_sync_folder (const char *folder, error_t *err);
//  The folder part of PATH ("/" of "/a", "." of "a"). The caller frees it.
char *file_folder (const char *path);
//  How a file in FOLDER names PATH: "../base.img". Both are absolute, and plain: no "." or "..".
//  The caller frees it.
char *file_relative (const char *folder, const char *path);

//  True only if the kernel says that nothing is at PATH. What can't be looked at now (no right to,
//  storage that does not answer) may well be there.
bool file_is_missing (const char *path);

//  Removes PATH; that there is none is no error. Durable after file_sync_folder.
int file_remove (const char *path, error_t *err);

//  The names in FOLDER that end in SUFFIX (all if it is ""), sorted, hidden ones left out; none if
//  there is no such folder. The caller owns the result.
strings_t *file_list (const char *folder, const char *suffix, error_t *err);

//  Removes the files of FOLDER whose names, hidden ones too, begin with PREFIX and end in SUFFIX:
//  what a crash left there. A missing folder has none.
int file_sweep (const char *folder, const char *prefix, const char *suffix, error_t *err);

//  Removes FOLDER with the files in it that are not hidden; that there is none is no error.
int file_remove_folder (const char *folder, error_t *err);

//  Creates FOLDER and the ones above it that are missing, each with exactly MODE.
int file_make_folders (const char *folder, mode_t mode, error_t *err);

#endif
