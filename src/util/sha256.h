//  sha256.h: the digest of FIPS 180-4, for telling whether two things are the same.

#ifndef TROUPE_SHA256_H
#define TROUPE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_TEXT_SIZE 65 //  hexadecimal digits, and the NUL

typedef struct {
    uint32_t state[8];
    uint64_t size;          //  bytes so far
    unsigned char rest[64]; //  those that do not fill a block yet
} sha256_t;

void sha256_begin (sha256_t *self);
void sha256_add (sha256_t *self, const void *bytes, size_t size);
void sha256_end (sha256_t *self, char text[SHA256_TEXT_SIZE]);

#endif
