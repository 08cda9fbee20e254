//  container_enter.h: programs that are run inside a running container, for who asks from the host.
//  The daemon is told what program, and gets a ticket for it; whoever brings that to the
//  supervisor's second socket, with the program's stdin, stdout and stderr, has it run, with
//  no more rights than init was given, and is told how it ended (container_protocol.h).

#ifndef TROUPE_CONTAINER_ENTER_H
#define TROUPE_CONTAINER_ENTER_H

#include "container/container_spec.h"

#include <poll.h>

#define CONTAINER_VISITS_MAX 16
#define CONTAINER_TICKET_SIZE 33

typedef struct {
    int fd;    //  to who asked; -1: this place is free
    pid_t pid; //  0: what is to be run was not said yet
} container_visit_t;

typedef struct {
    char text[CONTAINER_TICKET_SIZE]; //  "": none
    json_t *argv;
} container_ticket_t;

typedef struct {
    int listener;
    container_visit_t visits[CONTAINER_VISITS_MAX];
    container_ticket_t tickets[CONTAINER_VISITS_MAX]; //  the oldest makes room
    size_t next;
} container_entrance_t;

void container_entrance_open (container_entrance_t *self, int listener);

//  A ticket for ARGV, an array of texts: valid once. NULL and ERR.
const char *container_entrance_ticket (container_entrance_t *self, json_t *argv, error_t *err);

//  What it waits for: so many entries. And what has come; INIT is whose container is entered, 0:
//  there is none.
#define CONTAINER_ENTRANCE_POLLS (1 + CONTAINER_VISITS_MAX)
void container_entrance_wait (const container_entrance_t *self, struct pollfd *polls);
void container_entrance_move (container_entrance_t *self, const struct pollfd *polls,
                              const container_spec_t *spec, pid_t init);
//  A child of the supervisor, perhaps one of these, ended with STATUS (waitpid's).
void container_entrance_ended (container_entrance_t *self, pid_t pid, int status);

//  container_visit.c: what runs in the program's process, up to its program.
typedef struct {
    const container_spec_t *spec;
    pid_t init;
    int fds[3];        //  its stdin, stdout and stderr; -1: a terminal of the container
    int control;       //  to who asked, who is sent the terminal's other side, or what failed
    const char **argv; //  NULL at the end
    bool terminal;     //  it has one
    int go;            //  at its end, the program may run
} container_program_t;

//  Runs it. The process, or -1 and ERR.
pid_t container_program_run (container_program_t *self, error_t *err);

#endif
