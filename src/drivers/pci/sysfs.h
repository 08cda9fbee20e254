//  sysfs.h: reading what the kernel shows of devices. ROOT is where sysfs is mounted, "/sys"; a
//  unit test has a folder of its own. Nothing here waits: attributes for which the kernel would
//  have to ask a device, or to wait for its driver, are not read.

#ifndef TROUPE_SYSFS_H
#define TROUPE_SYSFS_H

#include "util/text.h"

#define SYSFS "/sys"

//  The text of an attribute without the newline at its end; NULL: there is none. The caller frees
//  it. FORMAT is its path.
char *sysfs_text (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
//  The number in it, in base 0; OTHERWISE if there is none.
long sysfs_number (const char *folder, const char *name, long otherwise);
//  The last part of what the link FOLDER/NAME points at; NULL: there is no such link. The caller
//  frees it.
char *sysfs_link (const char *folder, const char *name);
//  Where the link at PATH leads to, without any link; NULL: nowhere. The caller frees it.
char *sysfs_real (const char *path);
//  The names in a folder, sorted; none if it is not there. The caller owns the result.
strings_t *sysfs_names (const char *folder);

#endif
