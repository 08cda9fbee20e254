//  domain_seen.c: see domain_seen.h.

#include "actors/domain/domain_seen.h"

#include "drivers/state.h"

bool domain_may_run (const msg_t *domain)
{
    const value_t *job = msg_arg (domain, "job");
    bool busy = job && job->type != MSGPACK_OBJECT_NIL;
    bool known = msg_i64 (domain, "state", STATE_NOSTATE) != STATE_NOSTATE;
    return busy || !known || msg_i64 (domain, "id", -1) > 0;
}
