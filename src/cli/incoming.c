//  incoming.c: see incoming.h.

#include "cli/incoming.h"

#include <poll.h>
#include <time.h>

int64_t incoming_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t incoming_end (const options_t *options)
{
    uint64_t seconds = options_u64 (options, "timeout", 0);
    return seconds > 0 && seconds < 1000000000 ? incoming_now () + (int64_t) seconds * 1000
                                               : INT64_MAX;
}

came_t incoming_next (cli_t *cli, const signals_t *signals, int64_t until,
                      troupe_message_t **message)
{
    troupe_error_t ignored; //  it says that nothing came
    struct pollfd items[] = { { .fd = signals->fd, .events = POLLIN },
                              { .fd = troupe_fd (cli->troupe), .events = POLLIN } };
    fflush (stdout);
    for (;;) {
        *message = troupe_receive (cli->troupe, 0, &ignored);
        if (*message)
            return CAME_MESSAGE;
        int64_t left = until == INT64_MAX ? -1 : until - incoming_now ();
        if (until != INT64_MAX && left <= 0)
            return CAME_END;
        poll (items, 2, left > INT32_MAX ? INT32_MAX : (int) left);
        if (items[0].revents)
            return CAME_SIGNAL;
    }
}
