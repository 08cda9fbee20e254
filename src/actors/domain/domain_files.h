//  domain_files.h: where the files of a domain are.

#ifndef TROUPE_DOMAIN_FILES_H
#define TROUPE_DOMAIN_FILES_H

#include "drivers/driver.h"
#include "util/text.h"

typedef enum {
    FILE_DEFINITION, //  ETC/DRIVER/UUID.xml
    FILE_AUTOSTART,  //  ETC/DRIVER/autostart/UUID: its being there counts
    FILE_STATUS,     //  RUN/DRIVER/UUID.status
    FILE_PAST,       //  RUN/jobs/UUID
    FILE_SNAPSHOTS,  //  LIB/DRIVER/snapshot/UUID.xml
    FILE_CHECKPOINTS //  LIB/DRIVER/checkpoint/UUID.xml: jobs write it
} domain_file_t;

//  The caller frees it.
char *domain_path (const paths_t *paths, const driver_t *driver, const char *uuid,
                   domain_file_t file);

//  Creates the folders of all drivers.
int domain_make_folders (const paths_t *paths, error_t *err);
//  Removes what a killed daemon left in them: files half written, the socket and the log of a
//  probe, histories of domains that are gone, folders for the memory of guests that do not run. The
//  folders have to be ours alone (trouped.c locks them).
int domain_sweep (const paths_t *paths, error_t *err);

//  Adds the uuids that are the names, before SUFFIX, of files in FOLDER.
int files_add_uuids (strings_t *uuids, const char *folder, const char *suffix, error_t *err);

//  The uuids that have a definition or a status file, sorted, each once. The caller owns the
//  result.
strings_t *domain_list_files (const paths_t *paths, const driver_t *driver, error_t *err);

#endif
