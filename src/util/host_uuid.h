//  host_uuid.h: who this host is, to others: the SMBIOS uuid of its hardware where there is one,
//  else the digits of the machine id (machine-id(5)).

#ifndef TROUPE_HOST_UUID_H
#define TROUPE_HOST_UUID_H

#include "util/uuid.h"

//  False, and "", if it has neither.
bool host_uuid_read (char uuid[UUID_TEXT_SIZE]);

#endif
