//  disk_group.h: replacements and removals of files that share their fsyncs. An order is what one
//  requester wants done; see disk.h for what holds.

#ifndef TROUPE_DISK_GROUP_H
#define TROUPE_DISK_GROUP_H

#include "msg/value.h"
#include "util/error.h"

//  Each is an open descriptor for a moment; also the most that one order may have.
#define DISK_GROUP_MAX 64

typedef struct disk_group disk_group_t;

//  The caller owns it. What lies below PASSING_FOLDER (may be NULL) is replaced as atomically, but
//  not synced. The text has to live as long.
disk_group_t *disk_group_new (const char *passing_folder);
void disk_group_destroy (disk_group_t **self_p);
DEFINE_AUTO (disk_group_t, disk_group_destroy)

//  Is FILES what `disk.write` takes? ERR_INVALID_ARG, naming the path, if not.
int disk_group_check (const value_t *files, error_t *err);
//  False while the group has no room for FILES, or does one of the paths already: run it first.
bool disk_group_fits (const disk_group_t *self, const value_t *files);
//  Adds FILES, checked and fitting, which must live until the group has run; the order's number.
size_t disk_group_add (disk_group_t *self, const value_t *files);
size_t disk_group_orders (const disk_group_t *self);
//  Does it all; afterwards disk_group_result tells what became of each order.
void disk_group_run (disk_group_t *self);
int disk_group_result (const disk_group_t *self, size_t order, error_t *err);

#endif
