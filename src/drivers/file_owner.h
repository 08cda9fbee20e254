//  file_owner.h: whose a file of the host was before a guest's process got it. That is noted as
//  text, before it is changed, with what the kernel says the file is: another one at its path, by
//  then, is left alone.
//
//      UID:GID:DEVICE:INODE:BORN:PATH   BORN: ns, since inodes' numbers are used again; 0: the file
//                                       system does not know
//      UID:GID:PATH                     as an earlier daemon wrote it

#ifndef TROUPE_FILE_OWNER_H
#define TROUPE_FILE_OWNER_H

#include "util/error.h"

//  The note of the file that FD has open (O_PATH does), which is at PATH, without links. The caller
//  frees it; NULL and ERR: it can't be read.
char *file_owner_note (int fd, const char *path, error_t *err);
//  The PATH in it; NULL: it is no note.
const char *file_owner_path (const char *note);
//  Gives the file back, if it is there. 1: another one is, and stays as it is. ERR_INVALID_ARG:
//  NOTE is none.
int file_owner_restore (const char *note, error_t *err);

#endif
