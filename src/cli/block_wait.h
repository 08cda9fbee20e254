//  block_wait.h: a block job that a command began is waited for, shown, and ended.

#ifndef TROUPE_BLOCK_WAIT_H
#define TROUPE_BLOCK_WAIT_H

#include "cli/incoming.h"

//  What is done with a job once it is ready.
typedef enum {
    WHEN_READY_LEAVE,
    WHEN_READY_PIVOT,
    WHEN_READY_END
} when_ready_t;

typedef struct {
    cli_t *cli;
    const options_t *options; //  domain, path, verbose, timeout, async
    when_ready_t when_ready;
    bool ready; //  it was
} block_wait_t;

//  Before the job begins: its events are asked for.
int block_wait_begin (block_wait_t *self, error_t *err);
//  Until it is over, or ready and to be left so. A signal and the timeout abort it. -1 and ERR: it
//  did not do what it was to do.
int block_wait (block_wait_t *self, error_t *err);
//  How many percent of a job are done: 100 only when it is ready.
int block_percent (const troupe_value_t *job);

#endif
