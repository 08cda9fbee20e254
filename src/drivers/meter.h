//  meter.h: the CPU time of a running guest, read from the kernel at once. A driver says where it
//  is counted; that is published with the domain's state, so whoever knows the state can read it,
//  and neither the owner nor the hypervisor is asked. Reading it never waits.

#ifndef TROUPE_METER_H
#define TROUPE_METER_H

#include "drivers/guest.h"
#include "msg/pack.h"
#include "msg/value.h"

void meter_pack (const meter_place_t *place, pack_t *pack);

//  What was packed, in use. It keeps a descriptor from the first reading on.
typedef struct meter meter_t;

meter_t *meter_new (const value_t *where); //  NULL: WHERE names no place
void meter_destroy (meter_t **self_p);

//  All that the guest used, ns. -1 and ERR: the guest is over, or the kernel did not say.
int meter_cpu_time (meter_t *self, uint64_t *ns, error_t *err);
int meter_cpu_times (meter_t *self, uint64_t *user_ns, uint64_t *system_ns, error_t *err);

#endif
