//  perf.c: see perf.h.

#include "util/perf.h"

#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>

static const struct {
    const char *name;
    uint32_t type;
    uint64_t config;
} events[] = {
    { "cpu_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
    { "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
    { "cache_references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES },
    { "cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
    { "branch_instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
    { "branch_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
    { "bus_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES },
    { "stalled_cycles_frontend", PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND },
    { "stalled_cycles_backend", PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND },
    { "ref_cpu_cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES },
    { "cpu_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
    { "task_clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK },
    { "page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
    { "context_switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES },
    { "cpu_migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS },
    { "page_faults_min", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN },
    { "page_faults_maj", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ },
    { "alignment_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_ALIGNMENT_FAULTS },
    { "emulation_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_EMULATION_FAULTS },
};

enum {
    EVENTS = sizeof events / sizeof *events
};

typedef struct {
    int *fds;
    size_t count; //  0: it is not counted
} counter_t;

struct perf {
    process_t process;
    counter_t counters[EVENTS];
};

const char *perf_event_name (size_t i)
{
    return i < EVENTS ? events[i].name : NULL;
}

bool perf_is_event (const char *name)
{
    for (size_t i = 0; i < EVENTS; i++)
        if (strcmp (events[i].name, name) == 0)
            return true;
    return false;
}

perf_t *perf_new (void)
{
    return memory_new (1, sizeof (perf_t));
}

static void counter_close (counter_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        close (self->fds[i]);
    free (self->fds);
    *self = (counter_t){ NULL, 0 };
}

static void close_all (perf_t *self)
{
    for (size_t i = 0; i < EVENTS; i++)
        counter_close (&self->counters[i]);
}

void perf_destroy (perf_t **self_p)
{
    perf_t *self = take (self_p);
    if (!self)
        return;
    close_all (self);
    free (self);
}

static int refused (size_t event, error_t *err)
{
    const char *name = events[event].name;
    if (errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP || errno == ENOSYS)
        return error_set (err, ERR_NO_SUPPORT,
                          "not supported: performance event '%s': the processor of this host does "
                          "not count it, or its hypervisor hides that",
                          name);
    if (errno == EACCES || errno == EPERM)
        return error_set (err, ERR_OPERATION_DENIED,
                          "count performance event '%s': the kernel does not let us: it needs "
                          "CAP_PERFMON, or kernel.perf_event_paranoid to be 1 at most",
                          name);
    return error_errno (err, ERR_SYSTEM_ERROR, "count performance event '%s'", name);
}

static int open_thread (size_t event, pid_t thread)
{
    struct perf_event_attr attr = { .type = events[event].type,
                                    .size = sizeof attr,
                                    .config = events[event].config,
                                    .inherit = 1 };
    return (int) syscall (SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

//  A thread that ends meanwhile is none to be counted.
static int open_event (counter_t *self, size_t event, const strings_t *threads, error_t *err)
{
    counter_close (self); //  all of its threads may have been gone before
    self->fds = memory_new (threads->count + 1, sizeof *self->fds);
    for (size_t i = 0; i < threads->count; i++) {
        uint64_t thread = 0;
        text_to_u64 (threads->items[i], &thread);
        int fd = open_thread (event, (pid_t) thread);
        if (fd >= 0)
            self->fds[self->count++] = fd;
        else if (errno != ESRCH) {
            refused (event, err);
            counter_close (self);
            return -1;
        }
    }
    return 0;
}

static int open_missing (perf_t *self, const strings_t *names, bool opened[EVENTS], error_t *err)
{
    autofree char *folder = text_format ("/proc/%d/task", self->process.pid);
    auto(strings_t) threads = file_list (folder, "", err);
    if (!threads)
        return -1;
    for (size_t i = 0; i < EVENTS; i++) {
        if (self->counters[i].count > 0 || !strings_contain (names, events[i].name))
            continue;
        if (open_event (&self->counters[i], i, threads, err))
            return -1;
        opened[i] = true;
    }
    return 0;
}

int perf_follow (perf_t *self, const process_t *process, const strings_t *names, error_t *err)
{
    bool opened[EVENTS] = { false };
    if (self->process.pid != process->pid || self->process.start_time != process->start_time)
        close_all (self);
    self->process = *process;
    bool failed = names->count > 0 && open_missing (self, names, opened, err);
    for (size_t i = 0; i < EVENTS; i++)
        if (failed ? opened[i] : !strings_contain (names, events[i].name))
            counter_close (&self->counters[i]);
    return failed ? -1 : 0;
}

bool perf_read (const perf_t *self, size_t i, uint64_t *value)
{
    const counter_t *counter = &self->counters[i];
    *value = 0;
    for (size_t n = 0; n < counter->count; n++) {
        uint64_t part;
        if (read (counter->fds[n], &part, sizeof part) == sizeof part)
            *value += part;
    }
    return counter->count > 0;
}
