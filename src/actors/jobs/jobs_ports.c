//  jobs_ports.c: what a guest does when its network comes back.

#include "actors/jobs/job_ports.h"
#include "actors/jobs/jobs.h"

int job_run_plug_again (job_actor_t *self, error_t *err)
{
    port_grant_t grant;
    const value_t *map = job_arg (self, "grant");
    const char *port = value_get_str (map, "port");
    if (!self->driver->plug_again)
        return job_unsupported (self, "plug the links in again of", err);
    if (job_ports_read (map, &grant, err))
        return -1;
    self->parts = 0;
    return self->driver->plug_again (&self->base, port ? port : "", &grant, err);
}
