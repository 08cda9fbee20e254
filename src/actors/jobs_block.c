//  jobs_block.c: what is done with the disks of a running guest.

#include "actors/jobs.h"

static const block_driver_t *block_driver (const job_actor_t *self, const char *what, error_t *err)
{
    if (!self->driver->block)
        job_unsupported (self, what, err);
    return self->driver->block;
}

int job_run_block_resize (job_actor_t *self, error_t *err)
{
    uint64_t bytes = 0;
    const block_driver_t *driver = block_driver (self, "resize a disk of", err);
    value_u64 (job_arg (self, "size"), &bytes);
    return driver ? driver->resize (&self->base, value_str (job_arg (self, "disk")), bytes,
                                    value_bool (job_arg (self, "capacity"), false), err)
                  : -1;
}
