//  network_lease.c: see network_lease.h.

#include "drivers/net/network_lease.h"

#include "util/text.h"

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
    int end = 0, more = 0;
    *lease = (lease_t){ 0 };
    if (strlen (line) > LEASE_LINE_MAX || !is_plain (line) ||
        sscanf (line, "%" SCNu64 " %63s %47s %255s %511s%n %63s%n", &lease->expiry, lease->hardware,
                lease->address, lease->name, lease->client, &end, lease->mac, &more) < 5)
        return false;
    if (!lease_is_six (lease) && !more)
        snprintf (lease->mac, sizeof lease->mac, "%s", lease->hardware);
    return line[end] == 0 || (lease_is_six (lease) && more && line[more] == 0);
}

bool lease_is_six (const lease_t *self)
{
    return strchr (self->address, ':') != NULL;
}

char *lease_text (const lease_t *self, bool with_mac)
{
    bool more = with_mac && lease_is_six (self) && *self->mac;
    return text_format ("%" PRIu64 " %s %s %s %s%s%s", self->expiry, self->hardware, self->address,
                        self->name, self->client, more ? " " : "", more ? self->mac : "");
}
