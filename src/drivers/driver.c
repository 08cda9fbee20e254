//  driver.c: the table of hypervisors.

#include "drivers/driver.h"
#include "drivers/lxc/lxc_driver.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/test/test_driver.h"

#include <string.h>

const driver_t *const drivers[] = {
    &qemu_driver,
    &lxc_driver,
    &test_driver,
    NULL,
};

const driver_t *driver_for_type (const char *type)
{
    for (const driver_t *const *driver = drivers; *driver; driver++)
        for (const char *const *known = (*driver)->types; *known; known++)
            if (strcmp (*known, type) == 0)
                return *driver;
    return NULL;
}

const driver_t *driver_by_name (const char *name)
{
    for (const driver_t *const *driver = drivers; *driver; driver++)
        if (strcmp ((*driver)->name, name) == 0)
            return *driver;
    return NULL;
}
