//  host_cpus.c: see host_cpus.h.

#include "actors/host/host_cpus.h"

#include "util/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_BYTES = 16 * 1024 * 1024,
    MAX_CPU = 65535 //  a list that has more is none
};

#define NS_PER_S UINT64_C (1000000000)

//  The line of /proc/stat that begins with NAME and a blank.
static const char *find_line (const char *text, const char *name)
{
    size_t length = strlen (name);
    for (const char *at = text; at; at = strchr (at, '\n'), at += at != NULL)
        if (strncmp (at, name, length) == 0 && at[length] == ' ')
            return at + length;
    return NULL;
}

static uint64_t ticks_to_ns (uint64_t ticks)
{
    long per_second = sysconf (_SC_CLK_TCK);
    return ticks * (NS_PER_S / (uint64_t) (per_second > 0 ? per_second : 100));
}

int host_cpu_times (const char *root, int64_t cpu, host_cpu_times_t *times, error_t *err)
{
    autofree char *path = text_format ("%s/proc/stat", root);
    autofree char *text = file_read (path, MAX_BYTES, NULL, err);
    autofree char *name = cpu < 0 ? text_copy ("cpu") : text_format ("cpu%" PRIi64, cpu);
    if (!text)
        return -1;
    const char *line = find_line (text, name);
    uint64_t user, nice, system, idle, iowait = 0, irq = 0, softirq = 0;
    if (!line && cpu >= 0)
        return error_set (err, ERR_INVALID_ARG,
                          "no CPU %" PRIi64 " is online on this host; 'troupe nodecpumap' shows "
                          "those that are",
                          cpu);
    if (!line ||
        sscanf (line,
                "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                &user, &nice, &system, &idle, &iowait, &irq, &softirq) < 4)
        return error_set (err, ERR_PARSE_FAILED, "'%s' has no times of '%s'", path, name);
    times->user_ns = ticks_to_ns (user + nice);
    times->system_ns = ticks_to_ns (system + irq + softirq);
    times->idle_ns = ticks_to_ns (idle);
    times->iowait_ns = ticks_to_ns (iowait);
    return 0;
}

static void set_bits (text_t *map, unsigned first, unsigned last, unsigned *count)
{
    while (map->size <= last)
        text_add_char (map, '-');
    for (unsigned i = first; i <= last; i++) {
        *count += map->data[i] == '-';
        map->data[i] = 'y';
    }
}

char *host_list_map (const char *list, unsigned *count)
{
    auto(text_t) map = text_new ();
    *count = 0;
    for (const char *at = list; at && *at >= '0' && *at <= '9';) {
        unsigned first = 0, last = 0;
        int fields = sscanf (at, "%u-%u", &first, &last);
        last = fields == 2 ? last : first;
        if (last < first || last > MAX_CPU)
            break;
        set_bits (map, first, last, count);
        at = strchr (at, ',');
        at += at != NULL;
    }
    return text_finish (&map);
}

static char *read_map (const char *root, const char *name, unsigned *count, error_t *err)
{
    autofree char *path = text_format ("%s/sys/devices/system/cpu/%s", root, name);
    autofree char *list = file_read (path, MAX_BYTES, NULL, err);
    return list ? host_list_map (list, count) : NULL;
}

char *host_cpu_map (const char *root, unsigned *present, unsigned *online, error_t *err)
{
    autofree char *all = read_map (root, "present", present, err);
    autofree char *map = all ? read_map (root, "online", online, err) : NULL;
    if (!map)
        return NULL;
    auto(text_t) both = text_new ();
    text_add (both, map);
    while (both->size < strlen (all))
        text_add_char (both, '-');
    return text_finish (&both);
}
