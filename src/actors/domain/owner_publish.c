//  owner_publish.c: see owner_publish.h.

#include "actors/domain/owner_publish.h"

void owner_tell_host (const owner_t *self, const char *verb)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "uuid", self->uuid);
    pack_key_str (msg_args (msg), "noun", self->noun);
    actor_send (self->actor, "host", &msg);
}

void owner_publish (const owner_t *self, msg_t **snapshot_p, bool last, bool *filled)
{
    const char *topic = actor_address (self->actor);
    if (last) {
        //  First the host: who sees that it is gone may want the name at once.
        owner_tell_host (self, "host.empty");
        if (*snapshot_p)
            actor_publish_last (self->actor, topic, snapshot_p);
    } else {
        actor_publish (self->actor, topic, snapshot_p);
        if (!*filled)
            owner_tell_host (self, "host.filled");
    }
    *filled = !last;
}
