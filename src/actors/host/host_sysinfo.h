//  host_sysinfo.h: what this machine's firmware says of it (SMBIOS), as libvirt's sysinfo XML. Most
//  is in /sys/class/dmi/id; processors, memory modules and the maker's own texts are in the tables
//  at /sys/firmware/dmi/tables/DMI, which root may read. What can't be read is left out.

#ifndef TROUPE_HOST_SYSINFO_H
#define TROUPE_HOST_SYSINFO_H

#include "util/xml.h"

//  ROOT goes before each path: "", but for tests. ERR_NO_SUPPORT: the machine has no SMBIOS. The
//  caller owns the document.
xml_t *host_sysinfo (const char *root, error_t *err);

#endif
