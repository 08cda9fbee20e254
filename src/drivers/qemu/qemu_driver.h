//  qemu_driver.h: QEMU as a driver: domains of type 'qemu' (emulated) and 'kvm'.

#ifndef TROUPE_QEMU_DRIVER_H
#define TROUPE_QEMU_DRIVER_H

#include "drivers/driver.h"

extern const driver_t qemu_driver;

#endif
