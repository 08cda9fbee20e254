//  host_measures.c: what is asked of the host's processors and memory.

#include "actors/host/host_cpus.h"
#include "actors/host/host_memory.h"
#include "actors/host/host_self.h"
#include "util/text.h"

#include <inttypes.h>

#define ROOT ""

typedef int (measure_fn) (const msg_t *request, pack_t *pack, error_t *err);

//  The argument NAME, which is a number, or OTHERWISE. A number that no CPU or cell has is refused
//  by whoever looks for it.
static int64_t number_of (const msg_t *request, const char *name, int64_t otherwise)
{
    int64_t number = msg_i64 (request, name, otherwise);
    return number < 0 ? INT64_MAX : number;
}

static int64_t cell_of (const msg_t *request)
{
    return msg_arg (request, "cell") ? number_of (request, "cell", 0) : HOST_ALL_CELLS;
}

static int measure_cpu_stats (const msg_t *request, pack_t *pack, error_t *err)
{
    host_cpu_times_t times;
    int64_t cpu = msg_arg (request, "cpu") ? number_of (request, "cpu", 0) : HOST_ALL_CPUS;
    if (host_cpu_times (ROOT, cpu, &times, err))
        return -1;
    pack_map (pack);
    pack_key_u64 (pack, "user_ns", times.user_ns);
    pack_key_u64 (pack, "system_ns", times.system_ns);
    pack_key_u64 (pack, "idle_ns", times.idle_ns);
    pack_key_u64 (pack, "iowait_ns", times.iowait_ns);
    pack_end (pack);
    return 0;
}

static int measure_cpu_map (const msg_t *request, pack_t *pack, error_t *err)
{
    (void) request;
    unsigned present, online;
    autofree char *map = host_cpu_map (ROOT, &present, &online, err);
    if (!map)
        return -1;
    pack_map (pack);
    pack_key_u64 (pack, "present", present);
    pack_key_u64 (pack, "online", online);
    pack_key_str (pack, "map", map);
    pack_end (pack);
    return 0;
}

static int measure_memory (const msg_t *request, pack_t *pack, error_t *err)
{
    host_memory_t memory;
    int64_t cell = cell_of (request);
    if (host_memory_read (ROOT, cell, &memory, err))
        return -1;
    pack_map (pack);
    pack_key_u64 (pack, "total_kib", memory.total_kib);
    pack_key_u64 (pack, "free_kib", memory.free_kib);
    if (cell == HOST_ALL_CELLS) {
        pack_key_u64 (pack, "buffers_kib", memory.buffers_kib);
        pack_key_u64 (pack, "cached_kib", memory.cached_kib);
    }
    pack_end (pack);
    return 0;
}

static int measure_cells (const msg_t *request, pack_t *pack, error_t *err)
{
    (void) request;
    size_t count;
    autofree unsigned *cells = host_cells (ROOT, &count, err);
    if (!cells)
        return -1;
    pack_array (pack);
    for (size_t i = 0; i < count; i++) {
        host_memory_t memory;
        if (host_memory_read (ROOT, cells[i], &memory, err))
            return -1;
        pack_map (pack);
        pack_key_u64 (pack, "cell", cells[i]);
        pack_key_u64 (pack, "total_kib", memory.total_kib);
        pack_key_u64 (pack, "free_kib", memory.free_kib);
        pack_end (pack);
    }
    pack_end (pack);
    return 0;
}

static int pack_pages (pack_t *pack, unsigned cell, uint64_t size_kib, error_t *err)
{
    size_t count;
    bool found = size_kib == 0;
    autofree host_pages_t *pages = host_pages_read (ROOT, cell, &count, err);
    if (!pages)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (size_kib > 0 && pages[i].size_kib != size_kib)
            continue;
        found = true;
        pack_map (pack);
        pack_key_u64 (pack, "cell", cell);
        pack_key_u64 (pack, "size_kib", pages[i].size_kib);
        pack_key_u64 (pack, "free", pages[i].free);
        pack_key_u64 (pack, "total", pages[i].total);
        pack_end (pack);
    }
    return found ? 0
                 : error_set (err, ERR_INVALID_ARG,
                              "NUMA cell %u of this host has no pages of %" PRIu64 " KiB; 'troupe "
                              "freepages --all' shows the sizes",
                              cell, size_kib);
}

static int measure_pages (const msg_t *request, pack_t *pack, error_t *err)
{
    size_t count;
    int64_t wanted = cell_of (request);
    uint64_t size_kib = msg_u64 (request, "page_size", 0);
    autofree unsigned *cells = host_cells (ROOT, &count, err);
    if (!cells)
        return -1;
    if (wanted != HOST_ALL_CELLS) {
        host_memory_t memory; //  is there such a cell?
        if (host_memory_read (ROOT, wanted, &memory, err))
            return -1;
        cells[0] = (unsigned) wanted;
        count = 1;
    }
    pack_array (pack);
    for (size_t i = 0; i < count; i++)
        if (pack_pages (pack, cells[i], size_kib, err))
            return -1;
    pack_end (pack);
    return 0;
}

static int measure_shared (const msg_t *request, pack_t *pack, error_t *err)
{
    (void) request;
    host_shared_t values[HOST_SHARED_MAX];
    size_t count;
    if (host_shared_read (ROOT, values, &count, err))
        return -1;
    pack_map (pack);
    for (size_t i = 0; i < count; i++)
        pack_key_u64 (pack, values[i].name, values[i].value);
    pack_end (pack);
    return 0;
}

static const struct {
    const char *verb;
    measure_fn *measure;
} measures[] = {
    { "host.cpu_stats", measure_cpu_stats }, { "host.cpu_map", measure_cpu_map },
    { "host.memory_stats", measure_memory }, { "host.cells", measure_cells },
    { "host.pages", measure_pages },         { "host.shared_memory", measure_shared },
};

//  What was packed before something failed goes with the answer that nobody gets.
void host_measure (host_t *self, msg_t **msg_p)
{
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (!msg_is (*msg_p, measures[i].verb))
            continue;
        error_t err;
        auto(msg_t) reply = msg_reply ();
        if (measures[i].measure (*msg_p, msg_result (reply), &err))
            actor_reply_error (self->actor, msg_p, &err);
        else
            actor_reply (self->actor, msg_p, &reply);
        return;
    }
}
