//  host_tune.c: see host_tune.h.

#include "actors/host/host_tune.h"

#include "util/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    NUMBER_BYTES = 64
};

//  Numbers in files of the kernel.

static int read_number (const char *path, uint64_t *number, error_t *err)
{
    autofree char *text = file_read (path, NUMBER_BYTES, NULL, err);
    if (!text)
        return -1;
    *number = strtoull (text, NULL, 10);
    return 0;
}

static int write_number (const char *path, uint64_t number, error_t *err)
{
    char text[24];
    int size = snprintf (text, sizeof text, "%" PRIu64, number);
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write (fd, text, (size_t) size) != size)
        return error_errno (err, ERR_OPERATION_FAILED, "write %s to '%s'", text, path);
    return 0;
}

//  Files that were written, with what they had before.
typedef struct {
    char **paths;
    uint64_t *before;
    size_t count;
} written_t;

static void written_open (written_t *self, size_t room)
{
    self->paths = memory_new (room + 1, sizeof *self->paths);
    self->before = memory_new (room + 1, sizeof *self->before);
    self->count = 0;
}

static void written_close (written_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free (self->paths[i]);
    free (self->paths);
    free (self->before);
}

static void add_words (error_t *err, const char *words)
{
    autofree char *said = text_copy (err->message);
    error_set (err, err->code, "%s; %s", said, words);
}

static void write_back (const written_t *self, error_t *err)
{
    for (size_t i = self->count; i-- > 0;) {
        error_t trouble;
        if (write_number (self->paths[i], self->before[i], &trouble))
            add_words (err, trouble.message);
    }
}

//  Takes PATH over.
static int write_noted (written_t *self, char *path, uint64_t number, error_t *err)
{
    uint64_t before;
    if (read_number (path, &before, err)) {
        free (path);
        return -1;
    }
    self->paths[self->count] = path;
    self->before[self->count++] = before;
    return write_number (path, number, err);
}

//  Equal pages.

static int set_shared (const char *root, const host_shared_t *value, written_t *written,
                       error_t *err)
{
    char *path = text_format ("%s/sys/kernel/mm/ksm/%s", root, value->name);
    if (access (path, F_OK) == 0) {
        int rc = write_noted (written, path, value->value, err);
        if (rc && text_equals (value->name, "merge_across_nodes"))
            add_words (err, "it can be changed only while no pages are merged");
        return rc;
    }
    error_set (err, ERR_NO_SUPPORT, "not supported: %s of equal pages: this host has no %s",
               value->name, path);
    free (path);
    return -1;
}

int host_shared_set (const char *root, const host_shared_t *values, size_t count, error_t *err)
{
    written_t written;
    int rc = 0;
    written_open (&written, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = set_shared (root, &values[i], &written, err);
    if (rc)
        write_back (&written, err);
    written_close (&written);
    return rc;
}

//  Huge pages.

static char *pool_path (const char *root, const host_pool_t *pool)
{
    if (pool->cell < 0)
        return text_format ("%s/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages", root,
                            pool->size_kib);
    return text_format ("%s/sys/devices/system/node/node%" PRIi64 "/hugepages/hugepages-%" PRIu64
                        "kB/nr_hugepages",
                        root, pool->cell, pool->size_kib);
}

static int find_pool (const char *root, const host_pool_t *pool, error_t *err)
{
    host_memory_t memory;
    autofree char *path = pool_path (root, pool);
    if (host_memory_read (root, pool->cell, &memory, err))
        return -1;
    if (access (path, F_OK) == 0)
        return 0;
    return error_set (err, ERR_INVALID_ARG,
                      "this host keeps no pages of %" PRIu64 " KiB in a pool; 'troupe freepages "
                      "--all' shows the sizes, of which the smallest is never in one",
                      pool->size_kib);
}

//  The kernel takes any number, and keeps as many as it finds.
static int set_pool (const char *root, const host_pool_t *pool, written_t *written, error_t *err)
{
    autofree char *path = pool_path (root, pool);
    uint64_t before, wanted = pool->count, got;
    if (read_number (path, &before, err))
        return -1;
    if (pool->add && __builtin_add_overflow (before, pool->count, &wanted))
        return error_set (err, ERR_OVERFLOW, "more pages than can be counted");
    if (write_noted (written, text_copy (path), wanted, err) || read_number (path, &got, err))
        return -1;
    if (got == wanted)
        return 0;
    if (got < wanted)
        return error_set (err, ERR_NO_MEMORY,
                          "this host's memory has room for %" PRIu64 " of the %" PRIu64
                          " pages of %" PRIu64 " KiB that are to be there; it keeps the %" PRIu64
                          " that it had",
                          got, wanted, pool->size_kib, before);
    return error_set (err, ERR_RESOURCE_BUSY,
                      "%" PRIu64 " pages of %" PRIu64 " KiB are in use, and can't be given back: "
                      "the pool can't have %" PRIu64,
                      got, pool->size_kib, wanted);
}

int host_pools_set (const char *root, const host_pool_t *pools, size_t count, error_t *err)
{
    written_t written;
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        if (find_pool (root, &pools[i], err))
            return -1;
    written_open (&written, count);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = set_pool (root, &pools[i], &written, err);
    if (rc)
        write_back (&written, err);
    written_close (&written);
    return rc;
}
