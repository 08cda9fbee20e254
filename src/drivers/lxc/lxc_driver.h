//  lxc_driver.h: containers: Linux namespaces, with a supervisor (src/container) for each.

#ifndef TROUPE_LXC_DRIVER_H
#define TROUPE_LXC_DRIVER_H

#include "drivers/driver.h"

extern const driver_t lxc_driver;

#endif
