//  disk.h: a disk actor makes files durable for everybody, so that nobody else waits for a disk.
//
//  `disk.write` {files: array of {path, text (nil: remove), mode (0600 if absent)}}, answered with
//  nil once all of it is durable. What came in meanwhile is done together, each step for all files
//  before the next step: write the temporary files, fsync them, rename, fsync each folder once.
//
//  What holds:
//    - a file has its old content or the new one, never a part or a mixture, also after a crash;
//    - if a file of a request can't be written (no such folder, no space), none of the request's
//      files is replaced or removed. After that only a rename or an fsync of a folder can fail;
//      then the error names the first that did, and the other files may be the new ones;
//    - requests fail one by one: what others wrote in the same round stands;
//    - the same path in several requests: in the order in which they came. Twice in one request:
//      the last one counts. This order is kept by each disk actor for itself, so whoever owns a
//      path always writes it through the same one;
//    - folders are never created: a missing one is an error, but for a removal;
//    - what lies in the daemon's run folder is replaced atomically as well, but not synced: it
//    tells
//      of processes, and has to outlive the daemon, not the host.
//
//  A request whose deadline passed while it waited is carried out all the same.

#ifndef TROUPE_DISK_H
#define TROUPE_DISK_H

#include "actors/runtime/actor.h"

extern const actor_class_t disk_class;

#endif
