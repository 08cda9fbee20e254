//  job.c: the calls of job.h, each passed on to the runtime that the job stands on.

#include "drivers/job.h"

#include <stdarg.h>
#include <stdio.h>

#define JOB_LOG_MAX 1024

int64_t job_now (job_t *self)
{
    return self->ops->now (self);
}

void job_random (job_t *self, void *bytes, size_t size)
{
    self->ops->random (self, bytes, size);
}

int job_wait (job_t *self, int ms, error_t *err)
{
    return self->ops->wait (self, ms, err);
}

int job_undo (job_t *self, const char *kind, const char *argument, error_t *err)
{
    return self->ops->undo (self, kind, argument, err);
}

int job_record (job_t *self, error_t *err)
{
    return self->ops->record (self, err);
}

int job_commit (job_t *self, error_t *err)
{
    return self->ops->commit (self, err);
}

int job_finish (job_t *self, error_t *err)
{
    return self->ops->finish (self, err);
}

int job_spawn (job_t *self, const spawn_t *spawn, process_t *process, error_t *err)
{
    return self->ops->spawn (self, spawn, process, err);
}

int job_go (job_t *self, const process_t *process, error_t *err)
{
    return self->ops->go (self, process, err);
}

int job_kill (job_t *self, const process_t *process, int signal, error_t *err)
{
    return self->ops->kill (self, process, signal, err);
}

int job_wait_exit (job_t *self, const process_t *process, int ms, error_t *err)
{
    return self->ops->wait_exit (self, process, ms, err);
}

int job_run (job_t *self, const process_t *process, int ms, int *code, error_t *err)
{
    *code = -1;
    return self->ops->run (self, process, ms, code, err);
}

int job_watch_exit (job_t *self, const process_t *process, error_t *err)
{
    return self->ops->watch_exit (self, process, err);
}

int job_monitor_open (job_t *self, const char *path, int ms, error_t *err)
{
    return self->ops->monitor_open (self, path, ms, err);
}

int job_monitor_close (job_t *self, error_t *err)
{
    return self->ops->monitor_close (self, err);
}

json_t *job_qmp (job_t *self, const char *execute, json_t *arguments, int ms, error_t *err)
{
    return self->ops->qmp (self, execute, arguments, ms, err);
}

json_t *job_qmp_file (job_t *self, const char *execute, json_t *arguments, const job_file_t *file,
                      int ms, error_t *err)
{
    return self->ops->qmp_file (self, execute, arguments, file, ms, err);
}

json_t *job_agent (job_t *self, const char *execute, json_t *arguments, unsigned how, int ms,
                   error_t *err)
{
    return self->ops->agent (self, execute, arguments, how, ms, err);
}

char *job_emulator (job_t *self, const char *path, error_t *err)
{
    return self->ops->emulator (self, path, err);
}

int job_write_file (job_t *self, const char *path, const char *text, error_t *err)
{
    return self->ops->write_file (self, path, text, err);
}

int job_remove_file (job_t *self, const char *path, error_t *err)
{
    return self->ops->remove_file (self, path, err);
}

int job_write_definition (job_t *self, error_t *err)
{
    return self->ops->write_definition (self, err);
}

int job_link_create (job_t *self, const char *key, const link_spec_t *spec, link_t *link,
                     error_t *err)
{
    return self->ops->link_create (self, key, spec, link, err);
}

int job_link_set (job_t *self, const char *key, bool peer, const link_settings_t *settings,
                  link_t *link, error_t *err)
{
    return self->ops->link_set (self, key, peer, settings, link, err);
}

int job_link_get (job_t *self, const char *key, link_t *link, error_t *err)
{
    return self->ops->link_get (self, key, link, err);
}

int job_link_find (job_t *self, const char *name, link_t *link, error_t *err)
{
    return self->ops->link_find (self, name, link, err);
}

int job_link_take (job_t *self, const char *key, const char *process, const char *holder,
                   error_t *err)
{
    return self->ops->link_take (self, key, process, holder, err);
}

int job_link_delete (job_t *self, const char *key, error_t *err)
{
    return self->ops->link_delete (self, key, err);
}

int job_link_address (job_t *self, const char *key, const char *address, bool remove, error_t *err)
{
    return self->ops->link_address (self, key, address, remove, err);
}

int job_link_route (job_t *self, const char *key, const link_route_t *route, bool remove,
                    error_t *err)
{
    return self->ops->link_route (self, key, route, remove, err);
}

int job_link_bandwidth (job_t *self, const char *key, const link_bandwidth_t *bandwidth,
                        error_t *err)
{
    return self->ops->link_bandwidth (self, key, bandwidth, err);
}

int job_link_claim (job_t *self, const char *const *keys, error_t *err)
{
    return self->ops->link_claim (self, keys, err);
}

int job_link_release (job_t *self, error_t *err)
{
    return self->ops->link_release (self, err);
}

int job_domain (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    return self->ops->domain (self, name, uuid, err);
}

int job_network (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    return self->ops->network (self, name, uuid, err);
}

int job_port_create (job_t *self, const port_request_t *request, port_grant_t *grant, error_t *err)
{
    return self->ops->port_create (self, request, grant, err);
}

int job_port_delete (job_t *self, const char *network, const char *port, error_t *err)
{
    return self->ops->port_delete (self, network, port, err);
}

int job_device_take (job_t *self, const char *address, bool managed, const char *settings,
                     error_t *err)
{
    return self->ops->device_take (self, address, managed, settings, err);
}

int job_device_check (job_t *self, const char *address, unsigned *group, error_t *err)
{
    return self->ops->device_check (self, address, group, err);
}

int job_device_hold (job_t *self, const char *name, bool shared, error_t *err)
{
    return self->ops->device_hold (self, name, shared, err);
}

int job_device_leave (job_t *self, const char *name, const char *before, char **back, error_t *err)
{
    return self->ops->device_leave (self, name, before, back, err);
}

int job_device_give (job_t *self, const char *address, error_t *err)
{
    return self->ops->device_give (self, address, err);
}

int job_wait_device (job_t *self, const char *alias, int ms, device_fate_t *fate, error_t *err)
{
    *fate = FATE_UNKNOWN;
    return self->ops->wait_device (self, alias, ms, fate, err);
}

void job_progress (job_t *self, const job_progress_t *progress)
{
    self->ops->progress (self, progress);
}

void job_written (job_t *self, bool status)
{
    self->written = true;
    self->ops->written (self, status);
}

void job_log (job_t *self, const char *format, ...)
{
    char text[JOB_LOG_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->ops->log (self, text);
}
