//  jobs_control.c: what is done to a running guest, without a change of its documents.

#include "actors/jobs/jobs.h"

#include <string.h>

//  The kind of the job is "control." and what is to be done.
int job_run_control (job_actor_t *self, error_t *err)
{
    const char *what = strchr (self->kind->name, '.') + 1;
    if (!self->driver->control)
        return error_set (
            err, ERR_NO_SUPPORT,
            "not supported: '%s' for domain '%s'; the driver '%s' has nothing of this "
            "kind",
            what, self->base.guest->name, self->driver->name);
    json_auto_t *args = job_arguments_json (self);
    if (job_lent (self, 0))
        json_object_set_new (args, "lent", json_string (job_lent (self, 0)));
    json_auto_t *result = self->driver->control (&self->base, what, args, err);
    if (!result)
        return -1;
    job_pack_json (&self->value, result);
    return 0;
}
