//  cpuset.c: sets of cpus, read and applied.

#include "drivers/cpuset.h"

#include "util/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

//  The number at *AT, which moves behind it; -1 if there is none.
static long read_cpu (const char **at)
{
    char *end;
    if (**at < '0' || **at > '9')
        return -1;
    long cpu = strtol (*at, &end, 10);
    *at = end;
    return cpu < CPU_SETSIZE ? cpu : -1;
}

//  "5", "1-4" or, to take it out again, "^3".
static bool read_part (const char **at, cpu_set_t *cpus)
{
    bool out = **at == '^';
    *at += out;
    long first = read_cpu (at), last = first;
    if (first >= 0 && **at == '-' && !out) {
        (*at)++;
        last = read_cpu (at);
    }
    for (long cpu = first; first >= 0 && cpu <= last; cpu++) {
        if (out)
            CPU_CLR ((size_t) cpu, cpus);
        else
            CPU_SET ((size_t) cpu, cpus);
    }
    return first >= 0 && last >= first;
}

int cpuset_parse (const char *text, cpu_set_t *cpus, error_t *err)
{
    const char *at = text;
    CPU_ZERO (cpus);
    bool good = read_part (&at, cpus);
    while (good && *at == ',') {
        at++;
        good = read_part (&at, cpus);
    }
    if (!good || *at || CPU_COUNT (cpus) == 0)
        return error_set (err, ERR_XML_ERROR,
                          "cpuset '%s': not a set of cpus from 0 to %d like 0-3,^2,6", text,
                          CPU_SETSIZE - 1);
    return 0;
}

char *cpuset_text (const cpu_set_t *cpus)
{
    auto(text_t) text = text_new ();
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        size_t last = cpu;
        if (!CPU_ISSET (cpu, cpus))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET (last + 1, cpus))
            last++;
        text_addf (text, last > cpu ? "%s%zu-%zu" : "%s%zu", text->size ? "," : "", cpu, last);
        cpu = last;
    }
    return text_finish (&text);
}

int cpuset_apply (const char *text, pid_t pid, error_t *err)
{
    cpu_set_t cpus;
    if (cpuset_parse (text, &cpus, err))
        return -1;
    if (sched_setaffinity (pid, sizeof cpus, &cpus) == 0)
        return 0;
    if (errno == EINVAL)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: vcpu/@cpuset '%s'; this host has none of these cpus",
                          text);
    return error_errno (err, ERR_SYSTEM_ERROR, "bind the guest to the cpus '%s'", text);
}
