//  save_image.h: the file of a saved guest. In this order, numbers in little-endian:
//
//      page 0      magic, format, whether it is complete, a checksum of header and documents,
//      whether
//                  the guest ran, a token, where the documents and the stream are
//      documents   XML: the one to restore from, then the definition of that time; there is room
//      for
//                  two of each, so that they can be replaced without touching those in use
//      stream      the hypervisor's own, page-aligned, up to the end of the file
//
//  The header says "complete" only after all the rest is on disk, so an interrupted saving is known
//  as one. Nothing in a file is believed before it was checked.

#ifndef TROUPE_SAVE_IMAGE_H
#define TROUPE_SAVE_IMAGE_H

#include "drivers/job.h"

#define SAVE_IMAGE_TOKEN_SIZE 33

typedef struct {
    bool running;                      //  it ran, and does again once it is restored
    char token[SAVE_IMAGE_TOKEN_SIZE]; //  32 hexadecimal digits: tells this file from all others
    xml_t *live;                       //  completed, without what belongs to one start only
    xml_t *definition;                 //  NULL: the domain was transient
    uint64_t documents_at, stream_at, stream_size;
} save_image_t;

void save_image_destroy (save_image_t **self_p);
DEFINE_AUTO (save_image_t, save_image_destroy)

//  A token that no other file has.
void save_image_make_token (job_t *job, char token[SAVE_IMAGE_TOKEN_SIZE]);

//  Writes documents and an incomplete header to the empty file FD; the stream goes to
//  self->stream_at.
int save_image_begin (save_image_t *self, int fd, error_t *err);
//  The stream is there, up to the end of the file: syncs it, and makes the header complete.
int save_image_finish (save_image_t *self, int fd, error_t *err);

//  Reads all but the stream. ERR_OPERATION_FAILED when it is no saved guest, incomplete, damaged,
//  or of a later format. The caller owns the result.
save_image_t *save_image_open (const char *path, error_t *err);
//  Whether PATH is complete and has this token: no error otherwise.
bool save_image_is (const char *path, const char *token);
//  Whether the guest's record (<save path='...' token='...'/>) says that it is saved, and the file
//  that it names proves it.
bool save_image_recorded (const guest_t *guest);
//  Makes LIVE what PATH is restored from, and RUNNING how; the old ones stay valid until the last
//  write. That LIVE fits the stream is for the driver to check.
int save_image_replace (const char *path, const xml_t *live, bool running, error_t *err);

//  LIB/DRIVER/save/UUID.save: where a managed save is. The caller frees it.
char *save_image_managed_path (const paths_t *paths, const char *driver, const char *uuid);

#endif
