//  spawn_spec.h: what `process.spawn` asks for, as the bytes that the launcher is sent.

#ifndef TROUPE_SPAWN_SPEC_H
#define TROUPE_SPAWN_SPEC_H

#include "msg/msg.h"

//  The caller frees it; ERR_INVALID_ARG or ERR_CONFIG_UNSUPPORTED if it can't be made.
char *spawn_spec (const msg_t *request, size_t *size, error_t *err);

#endif
