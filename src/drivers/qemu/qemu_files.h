//  qemu_files.h: the files of the host that a guest uses, and whom they belong to while it runs.

#ifndef TROUPE_QEMU_FILES_H
#define TROUPE_QEMU_FILES_H

#include "drivers/job.h"

typedef struct {
    const char *what; //  "disk 'vda'", "the kernel"
    const char *path;
    bool written;
} qemu_file_t;

//  Calls EACH for every file that DOCUMENT names; stops at the first -1.
int qemu_each_file (const xml_t *document, void *with,
                    int (*each) (void *with, const qemu_file_t *file, error_t *err), error_t *err);

//  Are they all there, and can this process use them? The error names object and cause.
int qemu_check_files (const xml_t *document, error_t *err);

//  Whom QEMU runs as. In system mode that is the user troupe-qemu, or libvirt-qemu, whichever there
//  is; if there is none, root, which is logged. With --root and in session mode it is the daemon's
//  own user (both 0 here): there nobody else could give the files back.
void qemu_identity (job_t *job, uid_t *uid, gid_t *gid);

//  Gives the guest's files to that user if it could not use them otherwise: the undo is pushed, and
//  <owner> entries in the guest's record say what to give back when the guest ends.
int qemu_take_files (job_t *job, uid_t uid, gid_t gid, error_t *err);
//  The same of one file that QEMU is to write from now on.
int qemu_take_file (job_t *job, const char *path, error_t *err);
//  The same of another file; WHAT it is, for errors.
int qemu_take_named (job_t *job, const char *what, const char *path, error_t *err);
//  The same of the node of a device NAME that others may have as well: NOTE, of the record, says
//  then that it is @shared, and whose the node was @before, if it was not QEMU's.
int qemu_take_shared (job_t *job, xml_node_t *note, const char *name, const char *path,
                      error_t *err);
//  The same of all that one device of a running guest needs, which has to be there: a disk's
//  images.
int qemu_take_device (job_t *job, const xml_node_t *device, error_t *err);
//  Gives back what the record says; what fails is logged.
void qemu_give_files_back (job_t *job);
//  Only the one that is PATH.
void qemu_give_file_back (job_t *job, const char *path);
//  Of that only what no device of the live document uses any more.
void qemu_give_unused_back (job_t *job);

#endif
