//  host_memory.c: see host_memory.h.

#include "actors/host/host_memory.h"

#include "util/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_BYTES = 1024 * 1024
};

#define NODES "/sys/devices/system/node"

//  The number behind "KEY:"; a cell's lines have "Node 0 " before it.
static uint64_t field_of (const char *text, const char *key)
{
    size_t length = strlen (key);
    for (const char *at = strstr (text, key); at; at = strstr (at + 1, key)) {
        bool begins = at == text || at[-1] == '\n' || at[-1] == ' ';
        if (begins && at[length] == ':')
            return strtoull (at + length + 1, NULL, 10);
    }
    return 0;
}

static bool is_there (const char *root, const char *path)
{
    autofree char *full = text_format ("%s%s", root, path);
    return access (full, F_OK) == 0;
}

static char *memory_file (const char *root, int64_t cell)
{
    if (cell < 0 || (cell == 0 && !is_there (root, NODES "/node0")))
        return text_format ("%s/proc/meminfo", root);
    return text_format ("%s" NODES "/node%" PRIi64 "/meminfo", root, cell);
}

int host_memory_read (const char *root, int64_t cell, host_memory_t *memory, error_t *err)
{
    autofree char *path = memory_file (root, cell);
    if (file_is_missing (path))
        return error_set (err, ERR_INVALID_ARG,
                          "this host has no NUMA cell %" PRIi64 "; 'troupe freecell --all' shows "
                          "its cells",
                          cell);
    autofree char *text = file_read (path, MAX_BYTES, NULL, err);
    if (!text)
        return -1;
    memory->total_kib = field_of (text, "MemTotal");
    memory->free_kib = field_of (text, "MemFree");
    memory->buffers_kib = cell < 0 ? field_of (text, "Buffers") : 0;
    memory->cached_kib = cell < 0 ? field_of (text, "Cached") : 0;
    return 0;
}

static int by_number (const void *a, const void *b)
{
    const unsigned *one = a, *other = b;
    return *one < *other ? -1 : *one > *other;
}

unsigned *host_cells (const char *root, size_t *count, error_t *err)
{
    autofree char *folder = text_format ("%s" NODES, root);
    auto(strings_t) names = file_list (folder, "", err);
    if (!names)
        return NULL;
    unsigned *cells = memory_new (names->count + 1, sizeof *cells);
    *count = 0;
    for (size_t i = 0; i < names->count; i++) {
        uint64_t number;
        if (text_starts (names->items[i], "node") &&
            text_to_u64 (names->items[i] + strlen ("node"), &number) && number <= UINT16_MAX)
            cells[(*count)++] = (unsigned) number;
    }
    qsort (cells, *count, sizeof *cells, by_number);
    if (*count == 0)
        *count = 1;
    return cells;
}

//  0 if it can't be read: there are none then.
static uint64_t read_number (const char *folder, const char *name)
{
    error_t ignored;
    autofree char *path = text_format ("%s/%s", folder, name);
    autofree char *text = file_read (path, 64, NULL, &ignored);
    return text ? strtoull (text, NULL, 10) : 0;
}

static int by_size (const void *a, const void *b)
{
    const host_pages_t *one = a, *other = b;
    return one->size_kib < other->size_kib ? -1 : one->size_kib > other->size_kib;
}

//  What is not of the usual size is in a pool: "hugepages-2048kB".
static char *pools_of (const char *root, unsigned cell)
{
    char *folder = text_format ("%s" NODES "/node%u/hugepages", root, cell);
    if (cell > 0 || !file_is_missing (folder))
        return folder;
    free (folder);
    return text_format ("%s/sys/kernel/mm/hugepages", root);
}

host_pages_t *host_pages_read (const char *root, unsigned cell, size_t *count, error_t *err)
{
    host_memory_t memory;
    autofree char *folder = pools_of (root, cell);
    auto(strings_t) names = NULL;
    if (host_memory_read (root, cell, &memory, err) || !(names = file_list (folder, "kB", err)))
        return NULL;
    host_pages_t *pages = memory_new (names->count + 1, sizeof *pages);
    uint64_t page_kib = (uint64_t) sysconf (_SC_PAGESIZE) / 1024;
    pages[0] = (host_pages_t){ page_kib, memory.free_kib / page_kib, memory.total_kib / page_kib };
    *count = 1;
    for (size_t i = 0; i < names->count; i++) {
        if (!text_starts (names->items[i], "hugepages-"))
            continue;
        autofree char *pool = text_format ("%s/%s", folder, names->items[i]);
        uint64_t kib = strtoull (names->items[i] + strlen ("hugepages-"), NULL, 10);
        pages[(*count)++] = (host_pages_t){ kib, read_number (pool, "free_hugepages"),
                                            read_number (pool, "nr_hugepages") };
    }
    qsort (pages, *count, sizeof *pages, by_size);
    return pages;
}

int host_shared_read (const char *root, host_shared_t values[HOST_SHARED_MAX], size_t *count,
                      error_t *err)
{
    static const char *const names[HOST_SHARED_MAX] = {
        "pages_to_scan",  "sleep_millisecs", "pages_shared", "pages_sharing",
        "pages_unshared", "pages_volatile",  "full_scans",   "merge_across_nodes",
    };
    autofree char *folder = text_format ("%s/sys/kernel/mm/ksm", root);
    *count = 0;
    for (size_t i = 0; i < HOST_SHARED_MAX; i++) {
        autofree char *path = text_format ("%s/%s", folder, names[i]);
        if (access (path, R_OK) == 0)
            values[(*count)++] = (host_shared_t){ names[i], read_number (folder, names[i]) };
    }
    if (*count == 0)
        return error_set (err, ERR_NO_SUPPORT,
                          "not supported: this host's kernel does not merge equal pages (there is "
                          "no %s)",
                          folder);
    return 0;
}
