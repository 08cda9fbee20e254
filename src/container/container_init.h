//  container_init.h: a container's init: made with all its namespaces, it waits, and only then
//  executes its program.

#ifndef TROUPE_CONTAINER_INIT_H
#define TROUPE_CONTAINER_INIT_H

#include "container/container_cgroup.h"
#include "container/container_privileges.h"
#include "util/process.h"

typedef struct {
    pid_t pid; //  0: there is none
    int control;
    process_t identity;
    int masters[CONTAINER_CONSOLES_MAX]; //  of its ptys, as many as the spec has consoles
    int slaves[CONTAINER_CONSOLES_MAX];  //  kept open, so that a pty that nobody uses stays
} container_init_t;

//  Makes it, in its cgroups and namespaces, with its file systems. USER: the descriptor of its user
//  namespace; -1: the host's. -1: nothing is left of it.
int container_init_create (container_init_t *self, const container_spec_t *spec, int user,
                           error_t *err);
//  Executes its program. -1: nothing is left of it.
int container_init_run (container_init_t *self, const container_spec_t *spec, error_t *err);
//  It has ended, or is to. The ptys stay the caller's.
void container_init_end (container_init_t *self);

//  container_child.c: what runs in init itself, up to the program.
_Noreturn void container_child_run (const container_spec_t *spec,
                                    const container_cgroups_t *cgroups, int control);
//  What any program in the container needs of that. A terminal of the container's, USER's: its
//  master, which the caller closes, or -1.
int container_child_terminal (const container_user_t *user, int *slave, error_t *err);
void container_child_reset_signals (void);
//  FDS become its stdin, stdout and stderr, and with TERMINAL the first of them that is one
//  its controlling terminal; all others are closed when a program is executed.
int container_child_set_output (const int fds[3], bool terminal, error_t *err);

//  Between the two, on a socket that keeps messages apart. The supervisor says PLACED once it
//  has done its part of init's cgroups, and GO; init says READY, with the ptys' descriptors, or one
//  line of what failed.
#define CONTAINER_PLACED "placed"
#define CONTAINER_READY "ready"
#define CONTAINER_GO "go"

#endif
