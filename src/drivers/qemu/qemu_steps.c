//  qemu_steps.c: see qemu_steps.h.

#include "drivers/qemu/qemu_steps.h"

#include "drivers/qemu/qemu_answer.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000

void qemu_steps_add (qemu_steps_t *self, const char *execute, json_t *arguments, const char *undo,
                     json_t *undo_arguments)
{
    if (!self->list)
        self->list = json_array ();
    json_array_append_new (self->list, json_pack ("{s:s, s:o, s:{s:s, s:o}}", "execute", execute,
                                                  "arguments", arguments, "undo", "execute", undo,
                                                  "arguments", undo_arguments));
}

void qemu_steps_close (qemu_steps_t *self)
{
    json_decref (self->list);
    self->list = NULL;
}

static int tell (job_t *job, const json_t *step, error_t *err)
{
    return qemu_tell (job, answer_string (step, "execute"),
                      json_incref (json_object_get (step, "arguments")), QMP_MS, err);
}

static int push_undo (job_t *job, const json_t *step, error_t *err)
{
    autofree char *text =
        json_dumps (json_object_get (step, "undo"), JSON_COMPACT | JSON_SORT_KEYS);
    return job_undo (job, "qemu.command", text, err);
}

int qemu_steps_run (const qemu_steps_t *self, job_t *job, error_t *err)
{
    size_t i;
    json_t *step;
    json_array_foreach (self->list, i, step) if (push_undo (job, step, err)) return -1;
    if (json_array_size (self->list) > 0 && job_record (job, err))
        return -1;
    json_array_foreach (self->list, i, step) if (tell (job, step, err)) return -1;
    return 0;
}

static bool is_so_already (const error_t *err)
{
    return err->code == ERR_OPERATION_FAILED &&
           (strstr (err->message, "not found") || strstr (err->message, "duplicate"));
}

int qemu_undo_command (job_t *job, const char *command, error_t *err)
{
    json_auto_t *step = json_loads (command, 0, NULL);
    error_t why = { 0 };
    if (!step || !*answer_string (step, "execute"))
        return error_set (err, ERR_INVALID_ARG, "undo qemu.command '%s': no command", command);
    if (tell (job, step, &why) == 0 || is_so_already (&why))
        return 0;
    *err = why;
    return -1;
}
