//  slot.h: what the switchboard knows of one address: who lives there, what is parked, who waits.

#ifndef TROUPE_SLOT_H
#define TROUPE_SLOT_H

#include "actors/runtime/actor_thread.h"
#include "actors/runtime/table.h"
#include "actors/runtime/timers.h"

typedef enum {
    SLOT_STARTING, //  its thread has not said hello
    SLOT_LIVE,
    SLOT_DOZING, //  was told to sleep, has not said bye
    SLOT_ASLEEP,
    SLOT_DOWN //  supervised and panicked: waits to be spawned again
} slot_state_t;

typedef struct request request_t;

typedef struct slot {
    char address[MSG_ADDRESS_MAX];
    slot_state_t state;
    const actor_class_t *class;
    bool supervised;
    uint64_t incarnation;
    actor_t *actor;
    msg_t *start;        //  for the new incarnation
    msg_t *sleep_args;   //  with which it wakes
    zlistx_t *parked;    //  msg_t
    zlistx_t *watchers;  //  pair_key_t: who watches, under which id
    request_t *requests; //  open ones that have to be answered here
    int open_requests;
    uint64_t sent, handled; //  frames
    uint32_t longest_us;
    unsigned restarts;
    bool admitted; //  the request that it admitted last was open
} slot_t;

slot_t *slot_new (const char *address);
void slot_destroy (slot_t **self_p);

//  An open request: who asks whom, until when.
struct request {
    timer_node_t node;          //  first: the heap's nodes are our requests
    pair_key_t key;             //  incarnation of the requester, its id
    slot_t *slot;               //  who has to answer
    uint64_t incarnation;       //  0 while it is parked
    bool stream;                //  bounded by its window, so not counted in open_requests
    bool admitted;              //  whoever has to answer said that it begins with it
    request_t *next, *previous; //  of the same slot
};

//  The table of open requests.
typedef struct {
    zhashx_t *by_key;
    timers_t deadlines;
} requests_t;

void requests_open (requests_t *self);
void requests_close (requests_t *self);
//  NULL if this key is open already.
request_t *request_add (requests_t *self, pair_key_t key, slot_t *slot, int64_t deadline,
                        bool stream);
request_t *request_find (requests_t *self, pair_key_t key);
void request_move (request_t *request, slot_t *slot);
void request_remove (requests_t *self, request_t **request_p);

#endif
