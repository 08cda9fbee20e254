//  network_lease.c: see network_lease.h.

#include "drivers/net/network_lease.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

//  It is shown to people and put into messages: plain characters only.
static bool is_plain (const char *line)
{
    for (; *line; line++)
        if (!isprint ((unsigned char) *line))
            return false;
    return true;
}

bool lease_read (const char *line, lease_t *lease)
{
    int end = 0;
    *lease = (lease_t){ 0 };
    return strlen (line) <= LEASE_LINE_MAX && is_plain (line) &&
           sscanf (line, "%" SCNu64 " %63s %47s %255s %511s%n", &lease->expiry, lease->hardware,
                   lease->address, lease->name, lease->client, &end) == 5 &&
           line[end] == 0;
}

bool lease_is_six (const lease_t *self)
{
    return strchr (self->address, ':') != NULL;
}
