//  lent.h: a descriptor that one thread owns and another one of this process makes its own copy of.
//  What passes between them is a text, so a message that is dropped leaks nothing: the number, and
//  what the kernel says it is (device and inode). An owner that has closed it meanwhile is noticed,
//  even if the number stands for something else by then.

#ifndef TROUPE_LENT_H
#define TROUPE_LENT_H

#include "util/error.h"

#include <stdbool.h>

//  For FD, whose owner stays who it was. The caller frees it; NULL: it is no descriptor.
char *lent_text (int fd);
//  Is TEXT such a text?
bool lent_is (const char *text);
//  A copy of the descriptor, close-on-exec, which is the caller's. -1 and ERR_OPERATION_ABORTED:
//  its owner has closed it.
int lent_open (const char *text, error_t *err);

#endif
