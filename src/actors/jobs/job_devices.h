//  job_devices.h: the calls about host devices that drivers make (drivers/job.h), as requests to
//  the devices' owners, in the name of the job's domain.

#ifndef TROUPE_JOB_DEVICES_H
#define TROUPE_JOB_DEVICES_H

#include "drivers/job.h"

int job_devices_take (job_t *job, const char *address, bool managed, const char *settings,
                      error_t *err);
int job_devices_check (job_t *job, const char *address, unsigned *group, error_t *err);
int job_devices_hold (job_t *job, const char *name, bool shared, error_t *err);
int job_devices_leave (job_t *job, const char *name, const char *before, char **back, error_t *err);
int job_devices_give (job_t *job, const char *address, error_t *err);

#endif
