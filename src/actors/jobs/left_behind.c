//  left_behind.c: see left_behind.h.

#include "actors/jobs/left_behind.h"

#include "util/text.h"

#include <string.h>

static bool job_number (const char *address, const char *prefix, uint64_t *number)
{
    return address && text_starts (address, prefix) &&
           text_to_u64 (address + strlen (prefix), number);
}

int left_behind_watch (actor_t *self, const char *uuid, const msg_t *ps, uint64_t *job_count,
                       actor_down_fn *on_down)
{
    int count = 0;
    error_t err;
    if (msg_failed (ps, &err))
        actor_panic (self, "see who lives: %s", err.message);
    const value_t *actors = msg_value (ps);
    autofree char *prefix = text_format ("job/%s/", uuid);
    for (size_t i = 0; i < value_count (actors); i++) {
        const char *address = value_get_str (value_at (actors, i), "address");
        uint64_t number;
        if (!job_number (address, prefix, &number))
            continue;
        if (number > *job_count)
            *job_count = number;
        actor_watch (self, address, on_down, NULL);
        count++;
    }
    return count;
}
