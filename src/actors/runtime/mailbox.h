//  mailbox.h: the one function that waits, for actors and for the switchboard.

#ifndef TROUPE_MAILBOX_H
#define TROUPE_MAILBOX_H

#include <stdint.h>
#include <time.h>
#include <zmq.h>

//  Waits until an item is ready or until UNTIL (ms, monotonic; INT64_MAX: no limit; 0: does not
//  wait). The number of ready items, whose revents are set; interrupted waits are 0.
int mailbox_wait (zmq_pollitem_t *items, int count, int64_t until);

int64_t mailbox_now (void);        //  ms, monotonic
int64_t mailbox_wall_clock (void); //  us since 1970

#endif
