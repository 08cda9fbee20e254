//  jobs_iothreads.c: a guest's I/O threads come, go and change.

#include "actors/jobs/jobs.h"

#include "drivers/iothreads.h"

static int number_of (const job_actor_t *self)
{
    uint64_t number = 0;
    value_u64 (job_arg (self, "iothread"), &number);
    return number > IOTHREAD_MOST ? IOTHREAD_MOST + 1 : (int) number;
}

static int edit_add (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    return iothreads_add (domain, number_of (self), err);
}

static int edit_delete (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    return iothreads_remove (domain, number_of (self), err);
}

static int check_setting (const iothread_setting_t *setting, const value_t *value, error_t *err)
{
    uint64_t number = 0;
    if (value_u64 (value, &number) && number <= setting->max)
        return 0;
    return error_set (err, ERR_INVALID_ARG, "%s: it can be from 0 to %llu", setting->field,
                      (unsigned long long) setting->max);
}

static int edit_set (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    xml_node_t *thread = iothreads_ensure (domain, number_of (self), err);
    bool any = false;
    if (!thread)
        return -1;
    for (const iothread_setting_t *setting = iothread_settings; setting->path; setting++) {
        const value_t *value = job_arg (self, setting->field);
        uint64_t number = 0;
        if (!value)
            continue;
        if (check_setting (setting, value, err))
            return -1;
        value_u64 (value, &number);
        xml_set_u64 (thread, setting->path, number);
        any = true;
    }
    if (!any)
        return error_set (err, ERR_INVALID_ARG, "the request names nothing that is to be set");
    if (iothreads_complete (domain, err) == 0)
        return 0;
    err->code = ERR_INVALID_ARG;
    return -1;
}

int job_run_iothread_add (job_actor_t *self, error_t *err)
{
    return job_change (self, "add an I/O thread", edit_add, err);
}

int job_run_iothread_delete (job_actor_t *self, error_t *err)
{
    return job_change (self, "delete an I/O thread", edit_delete, err);
}

int job_run_iothread_set (job_actor_t *self, error_t *err)
{
    return job_change (self, "set parameters of an I/O thread", edit_set, err);
}
