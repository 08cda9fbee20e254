//  job_ports.h: the calls about virtual networks, and other domains, that drivers make
//  (drivers/job.h), as requests to their owners, in the name of the job's domain.

#ifndef TROUPE_JOB_PORTS_H
#define TROUPE_JOB_PORTS_H

#include "drivers/job.h"
#include "msg/value.h"

//  GRANT is read from the map that a network granted.
int job_ports_read (const value_t *map, port_grant_t *grant, error_t *err);
int job_ports_domain (job_t *job, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);
int job_ports_network (job_t *job, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);
int job_ports_create (job_t *job, const port_request_t *request, port_grant_t *grant, error_t *err);
int job_ports_delete (job_t *job, const char *network, const char *port, error_t *err);

#endif
