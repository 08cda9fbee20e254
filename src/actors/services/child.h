//  child.h: one process that the spawner knows: the launcher and the program that it becomes, or a
//  process that somebody else started. Kernel only: no messages.

#ifndef TROUPE_CHILD_H
#define TROUPE_CHILD_H

#include "actors/runtime/table.h"
#include "msg/msg.h"
#include "util/process.h"

typedef enum {
    CHILD_PREPARING, //  the launcher was started; it gets and applies its spec
    CHILD_WAITING,   //  for go
    CHILD_GOING,     //  was told to go
    CHILD_RUNNING,   //  the program was executed; or we did not start it
    CHILD_LEAVING    //  it will not become the program; its end is not seen yet
} child_state_t;

typedef struct {
    uint64_t id;
    child_state_t state;
    process_t process;
    char text[PROCESS_TEXT_SIZE]; //  its address for others; "" if it has none
    char *program;                //  for messages
    int pidfd, socket;            //  -1: none; the socket is there up to CHILD_GOING
    char *spec, *answer;          //  what the launcher is sent, and what it said
    size_t spec_size, spec_sent, answer_size;

    //  The spawner's, not touched here but to release them.
    bool spawned; //  by us
    bool told;    //  somebody knows its text: its owner hears of its end
    char requester[MSG_ADDRESS_MAX], owner[MSG_ADDRESS_MAX];
    msg_t *spawn_request, *go_request;
    zlistx_t *waits; //  msg_t
    uint64_t timer;
} child_t;

void child_destroy (child_t **self_p);
DEFINE_AUTO (child_t, child_destroy)

//  Starts LAUNCHER, which waits for SPEC (taken over). When it was started but can't be identified,
//  the result is CHILD_LEAVING and ERR says why; NULL if it was not started.
child_t *child_spawn (const char *launcher, char **spec_p, size_t spec_size, error_t *err);
//  A process that is there already. NULL: see process_open.
child_t *child_adopt (const process_t *process, error_t *err);

//  Sends what the socket takes of the spec; true when that was all, or nobody listens any more.
bool child_send_spec (child_t *self);
//  Says "go". False if nobody listens any more.
bool child_send_go (child_t *self);

typedef enum {
    HEARD_NOTHING,
    HEARD_READY,
    HEARD_ERROR, //  ERR has the launcher's words
    HEARD_END,   //  of the stream: after "go", the program was executed
    HEARD_DEATH  //  the same, but it had not read all that it was sent
} child_heard_t;

//  What the launcher says next.
child_heard_t child_hear (child_t *self, error_t *err);
//  Closes the socket: a launcher that waits exits.
void child_hang_up (child_t *self);

int child_kill (const child_t *self, int signal, error_t *err);

typedef struct {
    int code;   //  -1: unknown, or a signal ended it
    int signal; //  0: none, or unknown
} child_end_t;

//  Takes the end of a process whose pidfd is readable. False: it is not over yet.
bool child_reap (child_t *self, child_end_t *end);

#endif
