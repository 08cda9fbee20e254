//  emulator_cache.c: what an emulator can do, as it is kept on disk.

#include "actors/services/emulator_cache.h"

#include "drivers/qemu/probe/qemu_caps.h"
#include "util/file.h"
#include "util/process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_MAX_BYTES (1024 * 1024)

int emulator_file_look (const char *path, emulator_file_t *file, error_t *err)
{
    struct stat status;
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "use emulator '%s': the path is not absolute",
                          path);
    if (stat (path, &status))
        return error_errno (err, ERR_OPEN_FAILED, "use emulator '%s'", path);
    if (!S_ISREG (status.st_mode))
        return error_set (err, ERR_OPEN_FAILED, "use emulator '%s': it is not a regular file",
                          path);
    if (access (path, X_OK))
        return error_errno (err, ERR_OPEN_FAILED, "use emulator '%s': execute it", path);
    file->size = (uint64_t) status.st_size;
    file->mtime_ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    return 0;
}

bool emulator_file_equals (const emulator_file_t *a, const emulator_file_t *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns;
}

void emulator_hash (const char *path, char hash[EMULATOR_HASH_SIZE])
{
    uint64_t sum = 0xcbf29ce484222325; //  FNV-1a
    for (; *path; path++)
        sum = (sum ^ (unsigned char) *path) * 0x100000001b3;
    snprintf (hash, EMULATOR_HASH_SIZE, "%016" PRIx64, sum);
}

char *emulator_cache_path (const char *cache, const char *path)
{
    char hash[EMULATOR_HASH_SIZE];
    emulator_hash (path, hash);
    return text_format ("%s/qemu/%s.caps", cache, hash);
}

static char *cache_head (const char *path, const emulator_file_t *file)
{
    //  What KVM gives depends on kernel, microcode and modules too: no longer than until the next
    //  boot.
    process_t self = { .boot_id = "" };
    error_t ignored; //  then it is probed again after a restart
    process_identify (getpid (), &self, &ignored);
    return text_format ("troupe-emulator 1\npath %s\nsize %" PRIu64 "\nmtime_ns %" PRId64
                        "\nboot %s\n",
                        path, file->size, file->mtime_ns, self.boot_id);
}

char *emulator_cache_text (const char *path, const emulator_file_t *file, const char *capabilities)
{
    autofree char *head = cache_head (path, file);
    return text_format ("%sbytes %zu\ncapabilities\n%s", head, strlen (capabilities), capabilities);
}

//  TEXT is what stands behind the head: 0 if all of it is there, and is what the driver reads.
static int check_body (const char *text, const char **capabilities, error_t *err)
{
    size_t bytes = 0;
    int end = 0;
    if (sscanf (text, "bytes %zu\ncapabilities%n", &bytes, &end) != 1 || text[end] != '\n' ||
        strlen (text + end + 1) != bytes)
        return error_set (err, ERR_PARSE_FAILED, "it is cut off or damaged");
    *capabilities = text + end + 1;
    auto(qemu_caps_t) caps = qemu_caps_parse (*capabilities, err);
    return caps ? 0 : -1;
}

char *emulator_cache_read (const char *name, const char *path, const emulator_file_t *file,
                           error_t *err)
{
    *err = (error_t){ 0 };
    autofree char *text = file_read (name, CACHE_MAX_BYTES, NULL, err);
    if (!text) {
        if (errno == ENOENT)
            err->code = ERR_OK;
        return NULL;
    }
    autofree char *head = cache_head (path, file);
    const char *capabilities = NULL;
    if (!text_starts (text, "troupe-emulator 1\npath /"))
        error_set (err, ERR_PARSE_FAILED, "'%s' is not in this version's format", name);
    else if (text_starts (text, head) && check_body (text + strlen (head), &capabilities, err))
        error_prefix (err, "'%s'", name);
    else if (text_starts (text, head))
        return text_copy (capabilities);
    return NULL;
}
