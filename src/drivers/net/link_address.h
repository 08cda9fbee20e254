//  link_address.h: addresses and routes of a link, as rtnetlink's messages (rtnetlink(7)). Pure.

#ifndef TROUPE_LINK_ADDRESS_H
#define TROUPE_LINK_ADDRESS_H

#include "drivers/net/link_request.h"

//  TEXT is "192.168.122.1/24" or "fd00::1/64". -1 and ERR_INVALID_ARG if it is not.
int link_address_step (uint32_t ifindex, const char *text, bool remove, link_step_t *step,
                       error_t *err);
int link_route_step (uint32_t ifindex, const link_route_t *route, bool remove, link_step_t *step,
                     error_t *err);

#endif
