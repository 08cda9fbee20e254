//  link_traffic.h: bandwidth as traffic control of a link: what leaves it is queued (htb,
//  tc-htb(8)), what comes in is dropped above its rate (police, tc-police(8)). Pure.

#ifndef TROUPE_LINK_TRAFFIC_H
#define TROUPE_LINK_TRAFFIC_H

#include "drivers/net/link_request.h"

enum {
    LINK_TRAFFIC_STEPS = 8
};

//  The steps that give this link BANDWIDTH, instead of any that it has; NULL: no limits. Towards a
//  guest is what leaves its tap, but what comes in at its macvtap. Returns how many there are.
//  Those that the kernel is more likely not to support come first.
size_t link_traffic_steps (uint32_t ifindex, link_kind_t kind, const link_bandwidth_t *bandwidth,
                           link_step_t steps[LINK_TRAFFIC_STEPS]);

#endif
