//  incoming.h: waiting for what comes without having been asked for.

#ifndef TROUPE_INCOMING_H
#define TROUPE_INCOMING_H

#include "cli/options.h"
#include "cli/signals.h"

typedef enum {
    CAME_MESSAGE,
    CAME_SIGNAL,
    CAME_END //  of the time
} came_t;

int64_t incoming_now (void); //  ms, monotonic
//  When the option "timeout" (seconds) ends the wait; INT64_MAX: never.
int64_t incoming_end (const options_t *options);
//  Waits for the next message, which the caller owns, a signal, or UNTIL.
came_t incoming_next (cli_t *cli, const signals_t *signals, int64_t until,
                      troupe_message_t **message);

#endif
