//  job_files.h: files of an earlier daemon, for jobs that load them (jobs_load.c has the
//  functions).

#ifndef TROUPE_JOB_FILES_H
#define TROUPE_JOB_FILES_H

#include "actors/jobs/job.h"

enum {
    JOB_FILE_MAX_BYTES = 16 * 1024 * 1024
};

typedef enum {
    FILE_ABSENT,
    FILE_GOOD,
    FILE_BROKEN,    //  and always will be
    FILE_UNREADABLE //  now: no descriptors are left, or the disk fails
} found_t;

found_t job_read_document (const char *path, const char *what, xml_t **doc, error_t *err);
//  A file that holds nothing readable is set aside, so that the rest works and nothing is
//  overwritten.
void job_set_aside (job_actor_t *self, const char *path, const error_t *why);
//  <undo> of a status file, onto the job's stack.
void job_read_undo (job_actor_t *self, const xml_node_t *status);
//  Tells the host that what the job loads has this name; the error says who has it. NOUN:
//  "network", or NULL for a domain, of which ID is told too.
int job_tell_loaded (job_actor_t *self, const char *noun, const char *name, int id, error_t *err);

#endif
