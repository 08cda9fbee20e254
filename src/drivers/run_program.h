//  run_program.h: small programs that a job runs to their end, and what they said.

#ifndef TROUPE_RUN_PROGRAM_H
#define TROUPE_RUN_PROGRAM_H

#include "drivers/job.h"

//  SPAWN->log is the file for what it says, removed before and after. *OUTPUT (may be NULL) is
//  that; the caller frees it. An exit status that is not 0 is ERR_OPERATION_FAILED with the
//  program's own words behind NAME. Pushes the undo "process".
int run_program (job_t *job, const spawn_t *spawn, const char *name, int ms, char **output,
                 error_t *err);
//  The same of one whose output is no text: it has *SIZE bytes, 4 MiB at most. Its words, in the
//  error, begin with its name (argv[0]). SIZE may be NULL: it is text.
int run_program_bytes (job_t *job, const spawn_t *spawn, const char *name, int ms, char **output,
                       size_t *size, error_t *err);
//  The first of PLACES (NULL at the end) that can be executed; NULL: none.
const char *find_program (const char *const *places);

#endif
