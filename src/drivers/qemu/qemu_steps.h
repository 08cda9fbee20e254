//  qemu_steps.h: commands to a running guest's QEMU that belong together, each with the one that
//  takes it back. They are collected, and so checked, first; then all that undoes them is on disk
//  before the first is given.

#ifndef TROUPE_QEMU_STEPS_H
#define TROUPE_QEMU_STEPS_H

#include "drivers/job.h"

typedef struct {
    json_t *list;
} qemu_steps_t;

//  An empty one is { 0 }. Takes both arguments over.
void qemu_steps_add (qemu_steps_t *self, const char *execute, json_t *arguments, const char *undo,
                     json_t *undo_arguments);
int qemu_steps_run (const qemu_steps_t *self, job_t *job, error_t *err);
void qemu_steps_close (qemu_steps_t *self);

//  Undo "qemu.command": a command as JSON. What is there, or gone, already is no error.
int qemu_undo_command (job_t *job, const char *command, error_t *err);

#endif
