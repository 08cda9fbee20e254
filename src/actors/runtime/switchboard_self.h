//  switchboard_self.h: the switchboard from inside, for its own files:
//
//      switchboard.c        its sockets, its loop, the shut-down
//      switchboard_life.c   how actors start, end, sleep and wake
//      switchboard_route.c  where a frame of each kind goes
//      switchboard_show.c   what it shows: `ps`, and the trace

#ifndef TROUPE_SWITCHBOARD_SELF_H
#define TROUPE_SWITCHBOARD_SELF_H

#include "actors/runtime/slot.h"
#include "actors/runtime/switchboard.h"
#include "actors/runtime/topics.h"

struct switchboard {
    void *context, *router;
    zhashx_t *slots;        //  slot_t by address
    zhashx_t *incarnations; //  slot_t by incarnation, while its thread exists
    requests_t requests;
    topics_t topics;
    uint64_t last_incarnation, traced_lost;
    int actors, max_actors;
    const char *root;
    bool root_ended;
    bool stopping; //  nobody is started any more
    error_t root_error;
};

//  switchboard.c
slot_t *board_slot_of (switchboard_t *self, uint64_t incarnation); //  NULL: it has ended
void board_send_to (switchboard_t *self, slot_t *slot, msg_t **msg_p);
//  To whoever asked, if that incarnation still lives.
void board_send_to_peer (switchboard_t *self, uint64_t peer, msg_t **msg_p);
void board_answer_error (switchboard_t *self, pair_key_t key, const char *from, const error_t *err);
void board_fail_request (switchboard_t *self, request_t **request_p, const error_t *err);
bool board_has_state (const char *address);
void board_set_nobody (error_t *err, const char *address);
//  Answers a request that was not entered into the table.
void board_refuse (switchboard_t *self, const msg_t *msg, const error_t *err);

//  switchboard_life.c
//  The slot for a new incarnation; NULL, and the requester has got its error, if the address is
//  taken.
slot_t *board_slot_for_spawn (switchboard_t *self, const msg_t *msg);
int board_start_actor (switchboard_t *self, slot_t *slot, msg_t **start_p, error_t *err);
//  The address is nobody's any more.
void board_release_slot (switchboard_t *self, slot_t *slot, const error_t *err);
void board_tell_watcher (switchboard_t *self, pair_key_t watcher, const char *address,
                         end_reason_t reason, const error_t *err);
void board_tell_watchers (switchboard_t *self, slot_t *slot, end_reason_t reason,
                          const error_t *err);
void board_wake (switchboard_t *self, slot_t *slot);
void board_route_hello (switchboard_t *self, slot_t *slot);
void board_route_bye (switchboard_t *self, slot_t *slot, msg_t **msg_p);
void board_route_doze (switchboard_t *self, slot_t *slot, msg_t **msg_p);

//  switchboard_route.c
void board_route (switchboard_t *self, slot_t *sender, msg_t **msg_p);
void board_route_stop (switchboard_t *self, slot_t *sender, msg_t **msg_p);
void board_deliver (switchboard_t *self, slot_t *slot, msg_t **msg_p);

//  switchboard_show.c
void board_trace (switchboard_t *self, const msg_t *msg, const char *to);
void board_answer_self (switchboard_t *self, slot_t *sender, msg_t **msg_p);

#endif
