//  pci_users.h: which processes use a PCI device through vfio: they have its IOMMU group open, or
//  the device itself.

#ifndef TROUPE_PCI_USERS_H
#define TROUPE_PCI_USERS_H

#include "util/error.h"

//  ERR_RESOURCE_BUSY, naming the process, if one other than OWN (process_to_text; "": none) uses
//  the device whose folder in sysfs FOLDER is.
int pci_users_check (const char *folder, const char *own, error_t *err);
//  Waits until nobody uses it, MS at most; then ERR_RESOURCE_BUSY.
int pci_users_await_none (const char *folder, int ms, error_t *err);

#endif
