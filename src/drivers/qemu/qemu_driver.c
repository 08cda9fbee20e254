//  qemu_driver.c: the table of what QEMU can do.

#include "drivers/qemu/qemu_driver.h"
#include "drivers/qemu/qemu_complete.h"

static const char *const qemu_types[] = { "qemu", "kvm", NULL };

const driver_t qemu_driver = {
    .name = "qemu",
    .types = qemu_types,
    .complete = qemu_complete,
};
