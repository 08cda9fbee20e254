//  emulator_cache.h: what an emulator can do, as it is kept in CACHE/qemu/HASH.caps, so that a
//  restarted daemon does not probe again:
//
//      troupe-emulator 1
//      path /usr/bin/qemu-system-x86_64
//      size 24001232                          of the emulator's file
//      mtime_ns 1700000000000000000
//      bytes 30211                            of what follows the next line, for qemu_caps_parse
//      capabilities

#ifndef TROUPE_EMULATOR_CACHE_H
#define TROUPE_EMULATOR_CACHE_H

#include "util/error.h"

#include <stdint.h>

//  By which a replaced emulator is noticed.
typedef struct {
    uint64_t size;
    int64_t mtime_ns;
} emulator_file_t;

//  -1 unless PATH is a file that may be executed: what an emulator's path must be.
int emulator_file_look (const char *path, emulator_file_t *file, error_t *err);
bool emulator_file_equals (const emulator_file_t *a, const emulator_file_t *b);

//  16 hexadecimal digits, which follow from PATH.
#define EMULATOR_HASH_SIZE 17
void emulator_hash (const char *path, char hash[EMULATOR_HASH_SIZE]);

//  The file for PATH below the folder CACHE. The caller frees it.
char *emulator_cache_path (const char *cache, const char *path);
//  The capabilities in the file NAME, if they are those of PATH as FILE is now (the caller frees
//  them). NULL if there is none, or it is of another FILE (ERR is ERR_OK then); otherwise ERR says
//  what is wrong with it.
char *emulator_cache_read (const char *name, const char *path, const emulator_file_t *file,
                           error_t *err);
//  The content of that file. The caller frees it.
char *emulator_cache_text (const char *path, const emulator_file_t *file, const char *capabilities);

#endif
