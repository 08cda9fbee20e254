//  mailbox.c: the only place in the daemon where a thread waits. In lockstep this is where it would
//  report that it is parked.

#include "actors/runtime/mailbox.h"

#include <limits.h>

static int64_t clock_read (clockid_t clock, int64_t per_second)
{
    struct timespec now;
    clock_gettime (clock, &now);
    return now.tv_sec * per_second + now.tv_nsec / (1000000000 / per_second);
}

int64_t mailbox_now (void)
{
    return clock_read (CLOCK_MONOTONIC, 1000);
}

int64_t mailbox_wall_clock (void)
{
    return clock_read (CLOCK_REALTIME, 1000000);
}

int mailbox_wait (zmq_pollitem_t *items, int count, int64_t until)
{
    long timeout = 0;
    if (until == INT64_MAX)
        timeout = -1;
    else if (until > 0) {
        int64_t left = until - mailbox_now ();
        timeout = left < 0 ? 0 : left > INT_MAX ? INT_MAX : (long) left;
    }
    int ready = zmq_poll (items, count, timeout);
    return ready < 0 ? 0 : ready;
}
