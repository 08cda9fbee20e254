//  pending_file.h: a large file that somebody else writes over minutes. It has its name only once
//  it is complete and on disk; what stood there before stays until then.

#ifndef TROUPE_PENDING_FILE_H
#define TROUPE_PENDING_FILE_H

#include "drivers/job.h"

typedef struct {
    char *path;    //  what it is to be called
    char *partial; //  what it is called while it is written, beside it; unique to the domain
    int fd;        //  for reading and writing
} pending_file_t;

//  Pushes and records the undo, then creates the file, mode 0600. PATH is absolute, and no file or
//  a regular one. The caller owns the result.
pending_file_t *pending_file_new (job_t *job, const char *path, error_t *err);
//  Syncs and renames.
int pending_file_commit (pending_file_t *self, error_t *err);
//  Closes it; removing what is not complete is the undo's business.
void pending_file_destroy (pending_file_t **self_p);
DEFINE_AUTO (pending_file_t, pending_file_destroy)

#endif
