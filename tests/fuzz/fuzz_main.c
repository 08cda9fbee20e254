//  fuzz_main.c: feeds a fuzz target where libFuzzer is not: files that are named, or random bytes
//  of which the interesting ones (small numbers, as lengths are) are many. Usage: fuzz_X [FILE...],
//  with TROUPE_FUZZ_ROUNDS and TROUPE_FUZZ_SEED.

#include "unit/xdr_random.h"

#include "util/file.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 200000,
    MAX_BYTES = 400,
    MAX_FILE = 64 * 1024 * 1024
};

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static uint64_t from_environment (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    uint64_t value;
    return text && text_to_u64 (text, &value) ? value : otherwise;
}

static int feed_file (const char *path)
{
    size_t size;
    error_t err;
    autofree char *bytes = file_read (path, MAX_FILE, &size, &err);
    if (!bytes) {
        fprintf (stderr, "%s\n", err.message);
        return 1;
    }
    return LLVMFuzzerTestOneInput ((const uint8_t *) bytes, size);
}

//  In a buffer of exactly that size, so that a sanitizer sees what is read behind it.
static void feed_random (uint64_t *seed)
{
    size_t size = 3 + random_u64 (seed) % MAX_BYTES;
    autofree uint8_t *data = memory_new (size, 1);
    for (size_t i = 0; i < size; i++) {
        uint64_t dice = random_u64 (seed);
        //  Numbers of XDR: three bytes are mostly zero.
        bool high = i >= 3 && (i - 3) % 4 != 3;
        data[i] = (uint8_t) (i < 3 || dice % 16 == 0 ? dice >> 8 : high ? 0 : (dice >> 8) % 5);
    }
    LLVMFuzzerTestOneInput (data, size);
}

int main (int argc, char **argv)
{
    int rc = 0;
    uint64_t seed = from_environment ("TROUPE_FUZZ_SEED", 1);
    uint64_t rounds = from_environment ("TROUPE_FUZZ_ROUNDS", ROUNDS);
    for (int i = 1; i < argc; i++)
        rc |= feed_file (argv[i]);
    for (uint64_t i = 0; argc == 1 && i < rounds; i++)
        feed_random (&seed);
    return rc;
}
