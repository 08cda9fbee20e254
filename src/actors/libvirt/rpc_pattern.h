//  rpc_pattern.h: which of QEMU's events a client asked for, by their names. Pure.

#ifndef TROUPE_RPC_PATTERN_H
#define TROUPE_RPC_PATTERN_H

#include "util/auto.h"
#include "util/error.h"

#include <stdbool.h>
#include <stdint.h>

//  virConnectDomainQemuMonitorEventRegisterFlags
enum {
    RPC_PATTERN_REGEX = 1,
    RPC_PATTERN_NOCASE = 2
};

enum {
    RPC_PATTERN_MAX = 256 //  bytes
};

typedef struct rpc_pattern rpc_pattern_t;

//  TEXT is the name, or with RPC_PATTERN_REGEX a regular expression (POSIX extended) that is found
//  anywhere in it. No repetition with bounds, no reference back, and few '+': glibc spends memory
//  and time without end on some of those. ERR_INVALID_ARG: it is none. The caller owns the result.
rpc_pattern_t *rpc_pattern_new (const char *text, uint32_t flags, error_t *err);
void rpc_pattern_destroy (rpc_pattern_t **self_p);
DEFINE_AUTO (rpc_pattern_t, rpc_pattern_destroy)

bool rpc_pattern_fits (const rpc_pattern_t *self, const char *name);

#endif
