//  interrupt.h: Ctrl+C while a command waits for a job, as virsh has it: the job is aborted, and
//  its undoing is waited for. A second one ends the command, and leaves the rest to the daemon.

#ifndef TROUPE_INTERRUPT_H
#define TROUPE_INTERRUPT_H

#include "cli/cli.h"
#include "cli/signals.h"

typedef struct {
    cli_t *cli;
    signals_t signals;
    bool listening;
    bool wanted; //  it came, and the job does not know yet
} interrupt_t;

//  Listens if CLI's present call may be aborted (cli->abortable).
void interrupt_open (interrupt_t *self, cli_t *cli);
void interrupt_look (interrupt_t *self); //  a few times a second
void interrupt_close (interrupt_t *self);

#endif
