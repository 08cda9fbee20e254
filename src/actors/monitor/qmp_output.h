//  qmp_output.h: what goes to QEMU and is not written yet: bytes, and the descriptors that go with
//  some of them (SCM_RIGHTS, for getfd and add-fd).

#ifndef TROUPE_QMP_OUTPUT_H
#define TROUPE_QMP_OUTPUT_H

#include "util/error.h"
#include "util/text.h"

typedef struct {
    text_t *bytes;
    size_t written; //  of them
    //  QEMU keeps the last descriptor that came until a command takes it: the next one must wait
    //  for the answer to the one before, so there is one at most.
    int fd;
    size_t fd_at; //  the byte with which it goes
    bool deaf;    //  QEMU takes no more; what it said before is still to be read
} qmp_output_t;

void qmp_output_open (qmp_output_t *self);
void qmp_output_close (qmp_output_t *self);
size_t qmp_output_left (const qmp_output_t *self);
//  LINE, and with its first byte the descriptor FD unless that is -1; it is taken over.
void qmp_output_add (qmp_output_t *self, const char *line, int fd);
//  Writes what SOCKET takes without waiting.
void qmp_output_flush (qmp_output_t *self, int socket);

//  The descriptor of a regular file that is there, for QEMU to read or write from OFFSET on; the
//  caller closes it. Whoever asks for it has opened the file before, so that a file system that
//  hangs holds them up and not the monitor.
int qmp_output_open_file (const char *path, bool write, uint64_t offset, error_t *err);

#endif
