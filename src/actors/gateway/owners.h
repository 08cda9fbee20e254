//  owners.h: from a checked call to the message for whoever owns what it is about, and from the
//  answer to words that its client understands. The same for every gateway.

#ifndef TROUPE_OWNERS_H
#define TROUPE_OWNERS_H

#include "actors/gateway/view.h"
#include "actors/gateway/zap.h"
#include "msg/verbs.h"

//  Who asks, as a request's `by`: {uid, gid, pid (or, of another host, key), role, client, trace}.
//  CLIENT: a number of its connection. TRACE may be NULL.
void by_pack (const peer_t *peer, access_t role, uint64_t client, const char *trace, pack_t *pack);
//  The same, to which more can be added: an open map.
void by_open (const peer_t *peer, access_t role, uint64_t client, const char *trace, pack_t *pack);
//  What a process or key may do, but MOST at most.
access_t peer_role (const peer_t *peer, access_t most);

//  The domain, or network, that a call is about, as its client named it. The caller frees it; NULL:
//  none.
char *owner_named (const value_t *args);
//  The address of VERB's owner (not OWNER_GATEWAY); -1 if what ARGS name is not there.
int owner_find (const view_t *view, const verb_t *verb, const value_t *args,
                char address[MSG_ADDRESS_MAX], error_t *err);
//  The request itself. BY: as by_pack wrote it.
msg_t *owner_request (const verb_t *verb, const value_t *args, const pack_t *by);
//  A request to keyed_calls: the same call, which is carried out once for all that have KEY.
msg_t *owner_request_once (const view_t *view, const verb_t *verb, const value_t *args,
                           const char *key, const pack_t *by);
//  May it use the reserve of a busy address? What ends that others wait gets through.
bool owner_is_urgent (const verb_t *verb);
//  ERR, as it came with REPLY, in the words of who asked. NAMED: as owner_named said; may be NULL.
void owner_reword (const view_t *view, const verb_t *verb, const char *named, const msg_t *reply,
                   int64_t now_us, error_t *err);

#endif
