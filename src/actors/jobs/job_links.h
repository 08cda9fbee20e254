//  job_links.h: the calls about network links that drivers make (drivers/job.h), as requests to the
//  links actor, in the name of the job's owner.

#ifndef TROUPE_JOB_LINKS_H
#define TROUPE_JOB_LINKS_H

#include "drivers/job.h"

int job_links_create (job_t *job, const char *key, const link_spec_t *spec, link_t *link,
                      error_t *err);
int job_links_set (job_t *job, const char *key, bool peer, const link_settings_t *settings,
                   link_t *link, error_t *err);
int job_links_get (job_t *job, const char *key, link_t *link, error_t *err);
int job_links_find (job_t *job, const char *name, link_t *link, error_t *err);
int job_links_take (job_t *job, const char *key, const char *process, const char *holder,
                    error_t *err);
int job_links_delete (job_t *job, const char *key, error_t *err);
int job_links_address (job_t *job, const char *key, const char *address, bool remove, error_t *err);
int job_links_route (job_t *job, const char *key, const link_route_t *route, bool remove,
                     error_t *err);
int job_links_bandwidth (job_t *job, const char *key, const link_bandwidth_t *bandwidth,
                         error_t *err);
int job_links_claim (job_t *job, const char *const *keys, error_t *err);
int job_links_release (job_t *job, error_t *err);

#endif
