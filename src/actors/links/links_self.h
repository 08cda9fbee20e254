//  links_self.h: the state of the links actor, for its own files:
//
//      links.c          its life; requests in, answers out; what waits for a key
//      links_wire.c     the sockets; the steps of an operation; the kernel's links as we know them
//      links_file.c     the records on disk
//      links_create.c   making a link
//      links_change.c   settings, addresses, routes, bandwidth; looking
//      links_host.c     links that the host lends
//      links_remove.c   removing links: one, an owner's, what nobody owns
//
//  An operation (op_t) is one request on its way. It goes from wait to wait; each function that
//  waits takes what comes THEN, and is the last thing that its caller does.

#ifndef TROUPE_LINKS_SELF_H
#define TROUPE_LINKS_SELF_H

#include "actors/config.h"
#include "actors/links/links.h"
#include "drivers/net/link_record.h"
#include "drivers/net/link_traffic.h"
#include "drivers/net/link_words.h"

#include <czmq.h>

enum {
    LINKS_STEPS = 8,      //  of one operation
    LINKS_IN_FLIGHT = 64, //  so that the kernel's answers always have room in the socket
    LINKS_ATTEMPTS = 8,   //  to get a name from the kernel
    LINKS_QUEUE = 32      //  requests for one key
};

typedef struct links links_t;
typedef struct op op_t;
//  ERR NULL: it went well.
typedef void (op_then_fn) (links_t *self, op_t *op, const error_t *err);
typedef void (op_start_fn) (links_t *self, op_t *op);

//  A key of an owner: its link, and who wants something of it.
typedef struct {
    link_record_t record;
    bool exists; //  the record counts: it is in the file, or on its way there
    bool gone;   //  it vanished while an operation was under way
    op_t *active;
    zlistx_t *queue; //  op_t
    char *name;      //  in the table
} owned_t;

//  A link of the kernel.
typedef struct {
    uint64_t ifindex;
    link_news_t news;
    uint64_t round; //  of the list in which it was seen
    owned_t *owned; //  NULL: not ours
} known_t;

//  A request that is about several links.
typedef struct {
    msg_t *request; //  NULL: nobody asked
    size_t open;
    error_t err; //  the first
} batch_t;

struct op {
    owned_t *owned; //  NULL: it is about no key
    msg_t *request; //  NULL: it is a batch's, or our own
    batch_t *batch;
    op_start_fn *start;
    op_then_fn *then;
    char what[80]; //  "make tap 'vnet%d'"
    link_step_t steps[LINKS_STEPS];
    size_t step_count, step;
    uint64_t seq;        //  of the step that the kernel has
    uint64_t generation; //  of the file, in which its record has to be

    //  link.create; their strings are the request's
    link_spec_t spec;
    link_birth_t birth;
    link_targets_t targets, peer_targets; //  link.set uses the first
    link_settings_t settings;             //  link.set
    unsigned attempts;
    bool collided;   //  the last step failed because a name exists
    error_t failure; //  what the answer will be when all is undone

    //  link.set: what it was like before
    link_t was;
    char was_alias[256], was_mac[LINK_MAC_SIZE]; //  on record

    //  op_remove
    op_then_fn *removed;
    error_t unremoved; //  why the kernel did not
};

struct links {
    actor_t *actor;
    const config_t *config;
    error_t unusable; //  code ERR_OK: the sockets are there
    int fd, news_fd;  //  -1: none
    uint64_t last_seq;
    zhashx_t *in_flight; //  op_t by seq
    zlistx_t *crowd;     //  op_t that will be sent when there is room
    zhashx_t *known;     //  known_t by ifindex
    uint64_t round;
    uint64_t list_seq; //  0: no list of all links is on its way
    bool list_again;   //  what it shows changed meanwhile
    zlistx_t *lookers; //  op_t that wait for it
    bool ready;        //  records and kernel agree
    zlistx_t *early;   //  msg_t: requests before that

    zhashx_t *owned; //  owned_t by "OWNER KEY"

    char *path, *boot_id;
    char disk[MSG_ADDRESS_MAX];
    uint64_t netns;
    uint64_t generation, writing, written; //  of the file; writing 0: not being written
    zlistx_t *savers;                      //  op_t that wait for it

    uint32_t group;   //  the next one to be removed
    size_t joining;   //  operations whose link is not in it yet
    zlistx_t *doomed; //  op_t: of this group
    zlistx_t *going;  //  op_t: of the one that the kernel is removing; NULL: none
};

//  links.c
void op_end (links_t *self, op_t *op, const error_t *err);
//  The answer is RESULT, an open msg_reply.
void op_answer (links_t *self, op_t *op, msg_t **result_p);
//  The answer is {link}.
void op_answer_link (links_t *self, op_t *op);
//  Has OWNED removed; BATCH is told when it was.
void links_remove (links_t *self, owned_t *owned, batch_t *batch);
void batch_close (links_t *self, batch_t *batch);
//  From now on requests are carried out, first those that came before.
void links_serve (links_t *self);

//  links_wire.c
int links_open (links_t *self, error_t *err);
void links_close (links_t *self);
void links_list (links_t *self);
//  Hears what the kernel has to tell.
void links_hear (links_t *self);
known_t *links_known (links_t *self, uint32_t ifindex);
known_t *links_by_name (links_t *self, const char *name);
//  The link of OWNED, if it is there, and is it.
known_t *links_of (links_t *self, owned_t *owned);
//  The same; where its ifindex is not on record yet, it is found by what it was made with.
known_t *links_born (links_t *self, owned_t *owned);
//  The other end of a veth that is here; NULL: it is not.
known_t *links_peer (links_t *self, const known_t *known);
void links_tell_gone (links_t *self, const owned_t *owned, const char *name);
void links_describe (links_t *self, owned_t *owned, link_t *link);
void op_add_step (op_t *op, link_step_t step); //  none if its message is NULL
void op_run (links_t *self, op_t *op, op_then_fn *then);
void op_clear_steps (op_t *op);
//  Goes on when we know what the kernel did until now.
void op_look (links_t *self, op_t *op, op_then_fn *then);

//  links_file.c
int links_load (links_t *self, error_t *err);
void links_save (links_t *self);
//  The same, and goes on when it is durable.
void op_save (links_t *self, op_t *op, op_then_fn *then);
owned_t *links_owned (links_t *self, const char *owner, const char *key, bool make);
void owned_destroy (void **item_p);
//  All of them, in a list that the caller destroys. Whoever begins an operation hears news first,
//  and any of them may be forgotten then: who does that goes by their names.
zlistx_t *links_owned_list (links_t *self);
strings_t *links_owned_names (links_t *self);
void links_forget (links_t *self, owned_t *owned);
//  The kernel's links are known for the first time: which of them are ours, and which are wanted?
void links_reconcile (links_t *self);

//  links_create.c
op_start_fn op_create;
//  What the names in SETTINGS stand for.
int links_resolve (links_t *self, const link_settings_t *settings, const char *what,
                   link_targets_t *targets, error_t *err);
void links_let_go (link_targets_t *targets);

//  links_change.c
op_start_fn op_set, op_get, op_find, op_address, op_route, op_bandwidth;
//  link.list.
void links_show (links_t *self, msg_t **msg_p);

//  links_host.c
op_start_fn op_take;
//  op_delete, of a link that was taken.
op_start_fn op_end_loan;

//  links_remove.c
op_start_fn op_delete;
//  Removes the link of the operation's key; its record stays.
void op_remove (links_t *self, op_t *op, op_then_fn *then);
//  link.release and link.claim.
void links_batch (links_t *self, msg_t **msg_p);
void links_settle (links_t *self, msg_t **msg_p);
uint32_t links_new_group (links_t *self);

#endif
