//  calls.h: the requests of one client that wait for their answer.

#ifndef TROUPE_CALLS_H
#define TROUPE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct call call_t;
struct call {
    uint64_t id;
    char verb[64];
    int64_t limit; //  ms, monotonic: when we give up; INT64_MAX: never
    call_t *next;
};

enum {
    CALLS_BUCKETS = 1024
};

typedef struct {
    call_t *buckets[CALLS_BUCKETS];
    size_t count;
    int64_t soonest; //  no call's limit is earlier
} calls_t;

void calls_init (calls_t *self);
void calls_add (calls_t *self, uint64_t id, const char *verb, int64_t limit);
bool calls_has (const calls_t *self, uint64_t id);
//  Takes the call out; the caller frees it. NULL: none with this id.
call_t *calls_take (calls_t *self, uint64_t id);
//  Takes out one call whose limit has passed at NOW; NULL: none. INT64_MAX as NOW takes any.
call_t *calls_take_expired (calls_t *self, int64_t now);

#endif
