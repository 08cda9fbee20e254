//  admission.h: which requests a domain admits beside what it is doing. Data, tested cell by cell.

#ifndef TROUPE_ADMISSION_H
#define TROUPE_ADMISSION_H

#include "msg/verbs.h"

//  The job that concerns the whole guest, at most one at a time.
typedef enum {
    ASYNC_NONE,
    ASYNC_START, //  also of a guest that goes on from a file or from a snapshot
    ASYNC_SAVE,
    ASYNC_DUMP,
    ASYNC_SNAPSHOT,         //  while the guest's memory is being written
    ASYNC_SNAPSHOT_WRITTEN, //  after that
    ASYNC_MIGRATE_OUT,
    ASYNC_MIGRATE_IN,
    ASYNC_MIGRATE_HANDED, //  the other side may run the guest: it is not known yet
    ASYNC_BACKUP,         //  and block jobs
    ASYNC_BACKUP_BEGIN,   //  before it goes on in the background
    ASYNC_COUNT
} async_kind_t;

typedef enum {
    ADMIT_YES,
    ADMIT_WAIT, //  in the owner's queue, first come first served, until its deadline
    ADMIT_REFUSE,
    ADMIT_CANCEL //  at once: what runs is cancelled first, and its undo runs
} verdict_t;

//  RUNNING is the async job; CHANGING: a synchronous change is under way (they pass one at a time).
verdict_t admission_verdict (async_kind_t running, bool changing, verb_class_t class);

const char *async_kind_name (async_kind_t kind); //  "start"; "" for none

#endif
