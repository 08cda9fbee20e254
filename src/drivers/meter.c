//  meter.c: see meter.h.

#include "drivers/meter.h"

#include "drivers/cgroup/cgroup.h"
#include "drivers/cgroup/cgroup_files.h"

#include <stdlib.h>
#include <unistd.h>

struct meter {
    process_t process;
    int pidfd;    //  -1: not opened yet
    char *cgroup; //  its folder; NULL: PROCESS counts
};

void meter_pack (const meter_place_t *place, pack_t *pack)
{
    pack_map (pack);
    pack_key_str (pack, "process", place->process);
    pack_key_str (pack, "cgroup", place->cgroup);
    pack_end (pack);
}

meter_t *meter_new (const value_t *where)
{
    const char *identity = value_get_str (where, "process");
    const char *folder = value_get_str (where, "cgroup");
    process_t process = { 0 };
    if (!folder && (!identity || !process_from_text (identity, &process)))
        return NULL;
    meter_t *self = memory_new (1, sizeof *self);
    self->process = process;
    self->pidfd = -1;
    self->cgroup = text_copy (folder);
    return self;
}

void meter_destroy (meter_t **self_p)
{
    meter_t *self = take (self_p);
    if (!self)
        return;
    if (self->pidfd >= 0)
        close (self->pidfd);
    free (self->cgroup);
    free (self);
}

int meter_cpu_times (meter_t *self, uint64_t *user_ns, uint64_t *system_ns, error_t *err)
{
    uint64_t rss_kib;
    return self->cgroup ? cgroup_folder_times (self->cgroup, user_ns, system_ns, err)
                        : process_times (&self->process, user_ns, system_ns, &rss_kib, err);
}

int meter_cpu_time (meter_t *self, uint64_t *ns, error_t *err)
{
    uint64_t user_ns, system_ns;
    if (!self->cgroup) {
        if (self->pidfd < 0 && (self->pidfd = process_open (&self->process, err)) < 0)
            return -1;
        return process_cpu_time (self->pidfd, self->process.pid, ns, err);
    }
    if (meter_cpu_times (self, &user_ns, &system_ns, err))
        return -1;
    *ns = user_ns + system_ns;
    return 0;
}
