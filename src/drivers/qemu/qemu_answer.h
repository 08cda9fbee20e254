//  qemu_answer.h: reading QEMU's answers, and commands whose answer says nothing.

#ifndef TROUPE_QEMU_ANSWER_H
#define TROUPE_QEMU_ANSWER_H

#include "drivers/job.h"

//  As job_qmp, for a command that returns nothing of use.
int qemu_tell (job_t *job, const char *execute, json_t *arguments, int ms, error_t *err);

//  The same of one that takes something away; it is no error if QEMU does not have it.
int qemu_tell_away (job_t *job, const char *execute, json_t *arguments, error_t *err);

//  The strings belong to the answer. What is not there is "" or 0.
const char *answer_string (const json_t *object, const char *key);
uint64_t answer_number (const json_t *object, const char *key);
//  The object of an array that has VALUE as its KEY; NULL: none has.
const json_t *answer_entry (const json_t *list, const char *key, const char *value);

#endif
