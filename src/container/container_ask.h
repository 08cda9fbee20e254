//  container_ask.h: how init is asked to end.

#ifndef TROUPE_CONTAINER_ASK_H
#define TROUPE_CONTAINER_ASK_H

#include "container/container_init.h"

//  MODE: "initctl", "signal", or NULL: the first that it understands. REBOOT: it is to start again.
//  ERR_OPERATION_FAILED if it would not hear.
int container_ask (const container_init_t *init, const char *mode, bool reboot, error_t *err);

#endif
