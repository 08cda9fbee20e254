//  process.c: the identity of a process.

#include "util/process.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STAT_MAX 4096

//  What we need of /proc/PID/stat (proc(5)).
typedef struct {
    char state;            //  field 3
    uint64_t user, system; //  fields 14, 15: clock ticks
    uint64_t start;        //  field 22
    uint64_t resident;     //  field 24: pages
} stat_t;

static int over (error_t *err, pid_t pid)
{
    return error_set (err, ERR_OPERATION_INVALID, "process %d is over", (int) pid);
}

//  Fields 3 and on, after the name in parentheses, which may hold any character.
static bool parse_stat (const char *text, stat_t *stat)
{
    const char *name_end = strrchr (text, ')');
    return name_end &&
           sscanf (name_end + 1,
                   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                   " %*d %*d %*d %*d %*d %*d %" SCNu64 " %*u %" SCNu64,
                   &stat->state, &stat->user, &stat->system, &stat->start, &stat->resident) == 5;
}

static int read_stat (pid_t pid, stat_t *stat, error_t *err)
{
    autofree char *path = text_format ("/proc/%d/stat", (int) pid);
    autofree char *text = file_read (path, STAT_MAX, NULL, err);
    if (!text)
        return errno == ENOENT || errno == ESRCH ? over (err, pid) : -1;
    if (!parse_stat (text, stat))
        return error_set (err, ERR_INTERNAL_ERROR, "read '%s': not in the form of proc(5)", path);
    return 0;
}

static int read_boot_id (char id[37], error_t *err)
{
    static const char path[] = "/proc/sys/kernel/random/boot_id";
    size_t size = 0;
    autofree char *text = file_read (path, 64, &size, err);
    if (!text)
        return -1;
    if (size < 36)
        return error_set (err, ERR_INTERNAL_ERROR, "read '%s': it holds no uuid", path);
    memcpy (id, text, 36);
    id[36] = 0;
    return 0;
}

int process_identify (pid_t pid, process_t *process, error_t *err)
{
    stat_t stat;
    //  The boot id first: where there is no /proc, that is the error, and not "is over".
    if (read_boot_id (process->boot_id, err) || read_stat (pid, &stat, err))
        return -1;
    process->pid = pid;
    process->start_time = stat.start;
    return 0;
}

static int check_boot (const process_t *process, error_t *err)
{
    char boot_id[37];
    if (read_boot_id (boot_id, err))
        return -1;
    return strcmp (boot_id, process->boot_id) == 0 ? 0 : over (err, process->pid);
}

bool process_is_stopped (const process_t *process)
{
    stat_t stat;
    error_t ignored;
    return check_boot (process, &ignored) == 0 && read_stat (process->pid, &stat, &ignored) == 0 &&
           stat.start == process->start_time && (stat.state == 'T' || stat.state == 't');
}

int process_open (const process_t *process, error_t *err)
{
    stat_t stat;
    if (check_boot (process, err))
        return -1;
    //  The pidfd first, the comparison after: if the pid still is this process now, then it was
    //  when the pidfd was opened, for a pid never comes back to the same process.
    autoclose int fd = (int) syscall (SYS_pidfd_open, process->pid, 0);
    //  EINVAL (ENOENT since Linux 6.15): the pid is that of some process's thread by now.
    if (fd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT))
        return over (err, process->pid);
    if (fd < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "open process %d", (int) process->pid);
    if (read_stat (process->pid, &stat, err))
        return -1;
    if (stat.start != process->start_time)
        return over (err, process->pid);
    const int result = fd;
    fd = -1;
    return result;
}

int process_times (const process_t *process, uint64_t *user_ns, uint64_t *system_ns,
                   uint64_t *rss_kib, error_t *err)
{
    stat_t stat;
    if (check_boot (process, err) || read_stat (process->pid, &stat, err))
        return -1;
    if (stat.start != process->start_time)
        return over (err, process->pid);
    const uint64_t ticks = (uint64_t) sysconf (_SC_CLK_TCK);
    *user_ns = stat.user * (1000000000 / ticks);
    *system_ns = stat.system * (1000000000 / ticks);
    *rss_kib = stat.resident * ((uint64_t) sysconf (_SC_PAGESIZE) / 1024);
    return 0;
}

int process_usage (const process_t *process, uint64_t *cpu_ns, uint64_t *rss_kib, error_t *err)
{
    uint64_t user_ns, system_ns;
    if (process_times (process, &user_ns, &system_ns, rss_kib, err))
        return -1;
    *cpu_ns = user_ns + system_ns;
    return 0;
}

//  The clock is the pid's. That this is still the same process, alive or not reaped, is looked at
//  afterwards: then it was so before.
int process_cpu_time (int fd, pid_t pid, uint64_t *ns, error_t *err)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid (pid, &clock) || clock_gettime (clock, &time) ||
        (syscall (SYS_pidfd_send_signal, fd, 0, NULL, 0) && errno != EPERM))
        return over (err, pid);
    *ns = (uint64_t) time.tv_sec * 1000000000 + (uint64_t) time.tv_nsec;
    return 0;
}

//  "se.statistics.wait_sum  :   12.345678", later without "se.statistics.": ms.
static bool find_wait (const char *sched, uint64_t *wait_ns)
{
    const char *at = sched ? strstr (sched, "wait_sum") : NULL;
    unsigned long long ms = 0, part = 0;
    if (!at || sscanf (at, "wait_sum : %llu.%6llu", &ms, &part) != 2)
        return false;
    *wait_ns = ms * 1000000 + part;
    return true;
}

//  Field 39; 3 is the first behind the name in parentheses.
static bool find_cpu (const char *stat, unsigned *cpu)
{
    const char *at = stat ? strrchr (stat, ')') : NULL;
    for (int field = 3; at && field <= 39; field++)
        at = strchr (at + 1, ' ');
    return at && sscanf (at, " %u", cpu) == 1;
}

void thread_times_parse (thread_times_t *times, const char *schedstat, const char *sched,
                         const char *stat)
{
    unsigned long long run = 0, delay = 0;
    int count = schedstat ? sscanf (schedstat, "%llu %llu", &run, &delay) : 0;
    *times = (thread_times_t){ .run_ns = run, .delay_ns = delay, .has_delay = count == 2 };
    times->has_wait = find_wait (sched, &times->wait_ns);
    times->has_cpu = find_cpu (stat, &times->cpu);
}

void process_thread_times (pid_t pid, uint64_t thread, thread_times_t *times)
{
    error_t ignored;
    autofree char *folder = text_format ("/proc/%d/task/%" PRIu64, (int) pid, thread);
    autofree char *schedstat_path = text_format ("%s/schedstat", folder);
    autofree char *sched_path = text_format ("%s/sched", folder);
    autofree char *stat_path = text_format ("%s/stat", folder);
    autofree char *schedstat = file_read (schedstat_path, 256, NULL, &ignored);
    autofree char *sched = file_read (sched_path, 64 * 1024, NULL, &ignored);
    autofree char *stat = file_read (stat_path, STAT_MAX, NULL, &ignored);
    thread_times_parse (times, schedstat, sched, stat);
}

void process_to_text (const process_t *process, char text[PROCESS_TEXT_SIZE])
{
    snprintf (text, PROCESS_TEXT_SIZE, "%d:%" PRIu64 ":%s", (int) process->pid, process->start_time,
              process->boot_id);
}

bool process_from_text (const char *text, process_t *process)
{
    char pid[16], start[24], boot_id[37];
    int end = 0;
    uint64_t number = 0, ticks = 0;
    if (sscanf (text, "%15[0-9]:%23[0-9]:%36[0-9a-f-]%n", pid, start, boot_id, &end) != 3 ||
        text[end] || strlen (boot_id) != 36 || !text_to_u64 (pid, &number) || number == 0 ||
        number > INT32_MAX || !text_to_u64 (start, &ticks))
        return false;
    process->pid = (pid_t) number;
    process->start_time = ticks;
    memcpy (process->boot_id, boot_id, sizeof boot_id);
    return true;
}
