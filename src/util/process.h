//  process.h: the identity of a process: what the kernel returned, never a bare pid.

#ifndef TROUPE_PROCESS_H
#define TROUPE_PROCESS_H

#include "util/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    uint64_t start_time; //  clock ticks since boot: field 22 of /proc/PID/stat (proc(5))
    char boot_id[37];    //  /proc/sys/kernel/random/boot_id
} process_t;

//  Whoever asks about a process that is over, or whose pid another has now, gets
//  ERR_OPERATION_INVALID; any other code means that the kernel did not say (no descriptors left,
//  for example), and that the process may well be there.

//  Fills in the identity of the process that PID is now. -1 if there is none.
int process_identify (pid_t pid, process_t *process, error_t *err);

//  A pidfd of exactly this process (the caller closes it), or -1: it ended, or another has its pid.
//  A zombie still gives a pidfd, which is readable at once.
int process_open (const process_t *process, error_t *err);

//  Is exactly this process there, and stopped (SIGSTOP, or by a debugger)? It takes no signal but
//  SIGKILL and SIGCONT then.
bool process_is_stopped (const process_t *process);

//  CPU time (user and system, all threads) in ns, and resident memory in KiB.
int process_times (const process_t *process, uint64_t *user_ns, uint64_t *system_ns,
                   uint64_t *rss_kib, error_t *err);
int process_usage (const process_t *process, uint64_t *cpu_ns, uint64_t *rss_kib, error_t *err);

//  The same to the ns, at once, of the process PID whose pidfd (process_open) FD is.
int process_cpu_time (int fd, pid_t pid, uint64_t *ns, error_t *err);

//  What the scheduler counts of one thread, ns. What the kernel does not say is not there.
typedef struct {
    uint64_t run_ns;   //  on a processor
    uint64_t delay_ns; //  ready to run, while others ran
    uint64_t
        wait_ns;  //  the same as /proc/PID/task/TID/sched has it (schedstats are off by default)
    unsigned cpu; //  the processor that it is on, or was last
    bool has_delay, has_wait, has_cpu;
} thread_times_t;

void process_thread_times (pid_t pid, uint64_t thread, thread_times_t *times);
//  From the texts of /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst),
//  .../sched and .../stat (proc(5)); NULL: there is none.
void thread_times_parse (thread_times_t *times, const char *schedstat, const char *sched,
                         const char *stat);

//  As text, "PID:START:BOOTID", for status files and undo entries.
#define PROCESS_TEXT_SIZE 96
void process_to_text (const process_t *process, char text[PROCESS_TEXT_SIZE]);
bool process_from_text (const char *text, process_t *process);

#endif
