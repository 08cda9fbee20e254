//  qemu_img.h: images that no QEMU has open, through the program qemu-img. It runs as the image's
//  owner and without capabilities: an image may have been made by a guest to do harm.

#ifndef TROUPE_QEMU_IMG_H
#define TROUPE_QEMU_IMG_H

#include "drivers/job.h"

//  Runs qemu-img with ARGS (NULL at the end), of which PATH is the image. What it printed is the
//  caller's (*OUTPUT, may be NULL); its words are the error's when it fails. It may take MS.
int qemu_img_run (job_t *job, const char *path, const char *const *args, int ms, char **output,
                  error_t *err);

//  What "qemu-img info" says of PATH: JSON. The caller drops the reference. A guest may have the
//  image open: then it is what is on disk by now.
json_t *qemu_img_info (job_t *job, const char *path, error_t *err);

//  The same of an image in FORMAT (NULL: as it says itself), so that what a guest wrote into a raw
//  image is not taken for another one.
json_t *qemu_img_info_as (job_t *job, const char *path, const char *format, error_t *err);

//  How many bytes the guest sees in PATH, an image in FORMAT.
int qemu_img_capacity (job_t *job, const char *path, const char *format, uint64_t *bytes,
                       error_t *err);

//  The id of the internal snapshot NAME in PATH: -1 and ERR_NO_DOMAIN_SNAPSHOT if there is none.
int qemu_img_find_snapshot (job_t *job, const char *path, const char *name, char id[32],
                            error_t *err);

//  The name of a bitmap that PATH has, of however many; the caller frees it. NULL without an error:
//  it has none. What a guest that runs records since it started may not be in it yet.
int qemu_img_find_bitmap (job_t *job, const char *path, char **name, error_t *err);

//  Takes one, goes back to one, or removes one; that there is none to remove is no error.
int qemu_img_snapshot (job_t *job, const char *path, const char *name, error_t *err);
int qemu_img_apply (job_t *job, const char *path, const char *name, error_t *err);
int qemu_img_remove_snapshot (job_t *job, const char *path, const char *name, error_t *err);

//  Writes what PATH (qcow2) holds into the image that it stands on.
int qemu_img_commit (job_t *job, const char *path, error_t *err);
//  PATH (qcow2) names BACKING, in FORMAT, as what it stands on; nothing is copied, so that has to
//  hold the same as what it named before.
int qemu_img_rebase (job_t *job, const char *path, const char *backing, const char *format,
                     error_t *err);

#endif
