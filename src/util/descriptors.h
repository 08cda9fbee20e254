//  descriptors.h: file descriptors that travel over UNIX sockets. (unix(7), SCM_RIGHTS.)

#ifndef TROUPE_DESCRIPTORS_H
#define TROUPE_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

#define DESCRIPTORS_MAX 64

//  Sends TEXT, and copies of COUNT descriptors with it. -1, and errno says why.
int descriptors_send (int socket, const char *text, const int *fds, size_t count);

//  What came, of SIZE bytes at most and as text, and the descriptors that came with it (*COUNT of
//  them, MAX at most; the caller closes them, others are closed). 0: the other side is closed; -1,
//  and errno says why. FLAGS are recvmsg's.
ssize_t descriptors_receive (int socket, char *text, size_t size, int *fds, size_t max,
                             size_t *count, int flags);

//  Closes all but the standard three and these COUNT (DESCRIPTORS_MAX at most; -1 stands for none).
void descriptors_close_others (const int *keep, size_t count);

#endif
