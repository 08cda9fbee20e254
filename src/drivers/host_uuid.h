//  host_uuid.h: which host this is.

#ifndef TROUPE_HOST_UUID_H
#define TROUPE_HOST_UUID_H

#include "util/uuid.h"

//  The one that SMBIOS has, below SYSFS ("/sys"); without it the digits of the machine id
//  (machine-id(5)); "" if there is neither.
void host_uuid_read (const char *sysfs, char uuid[UUID_TEXT_SIZE]);

#endif
