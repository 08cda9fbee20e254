//  domain_seen.h: what owners of other things read from what a domain publishes.

#ifndef TROUPE_DOMAIN_SEEN_H
#define TROUPE_DOMAIN_SEEN_H

#include "msg/msg.h"

#include <stdbool.h>

//  One that has a job may be starting, or undoing a start; of one that could not be loaded nobody
//  knows whether it runs.
bool domain_may_run (const msg_t *domain);

#endif
