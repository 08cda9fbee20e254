//  host_facts.c: see host_facts.h.

#include "actors/host/host_facts.h"

#include "actors/host/host_cpus.h"
#include "util/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    MAX_BYTES = 4 * 1024 * 1024
};

//  The text behind "KEY :" on the first line that begins so.
static void find_field (const char *text, const char *key, char *value, size_t size)
{
    const char *at = text;
    size_t length = strlen (key);
    *value = 0;
    while (at && strncmp (at, key, length) != 0) {
        at = strchr (at, '\n');
        at += at != NULL;
    }
    at = at ? strchr (at, ':') : NULL;
    if (!at)
        return;
    at += 1 + strspn (at + 1, " \t");
    snprintf (value, size, "%.*s", (int) strcspn (at, "\n"), at);
}

static unsigned count_folders (const char *folder, const char *prefix)
{
    error_t ignored; //  then there is none
    unsigned count = 0;
    auto(strings_t) names = file_list (folder, "", &ignored);
    for (size_t i = 0; names && i < names->count; i++) {
        const char *rest = names->items[i] + strlen (prefix);
        if (text_starts (names->items[i], prefix) && *rest >= '0' && *rest <= '9')
            count++;
    }
    return count;
}

//  How many CPUs are in the list in PATH.
static unsigned count_list (const char *path)
{
    error_t ignored;
    autofree char *text = file_read (path, MAX_BYTES, NULL, &ignored);
    unsigned count;
    autofree char *map = host_list_map (text, &count);
    return count;
}

static void read_topology (host_facts_t *facts)
{
    unsigned threads = count_list ("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
    unsigned package = count_list ("/sys/devices/system/cpu/cpu0/topology/core_siblings_list");
    facts->numa_nodes = count_folders ("/sys/devices/system/node", "node");
    if (facts->numa_nodes == 0)
        facts->numa_nodes = 1;
    facts->threads = threads ? threads : 1;
    facts->cores = package / facts->threads ? package / facts->threads : 1;
    facts->sockets = facts->cpus / (facts->cores * facts->threads * facts->numa_nodes);
    if (facts->sockets == 0)
        facts->sockets = 1;
}

static void read_cpu (host_facts_t *facts)
{
    error_t ignored;
    autofree char *text = file_read ("/proc/cpuinfo", MAX_BYTES, NULL, &ignored);
    char mhz[32];
    find_field (text ? text : "", "model name", facts->model, sizeof facts->model);
    find_field (text ? text : "", "cpu MHz", mhz, sizeof mhz);
    sscanf (mhz, "%u", &facts->mhz);
}

static void read_memory (host_facts_t *facts)
{
    error_t ignored;
    autofree char *text = file_read ("/proc/meminfo", MAX_BYTES, NULL, &ignored);
    char total[32];
    unsigned long long kib = 0;
    find_field (text ? text : "", "MemTotal", total, sizeof total);
    sscanf (total, "%llu", &kib);
    facts->memory_kib = kib;
}

void host_facts_read (host_facts_t *facts)
{
    memset (facts, 0, sizeof *facts);
    struct utsname name;
    if (uname (&name) == 0)
        snprintf (facts->arch, sizeof facts->arch, "%s", name.machine);
    gethostname (facts->hostname, sizeof facts->hostname - 1);
    long cpus = sysconf (_SC_NPROCESSORS_ONLN);
    facts->cpus = cpus > 0 ? (unsigned) cpus : 1;
    read_topology (facts);
    read_cpu (facts);
    read_memory (facts);
}
