//  container_state.h: one container, from its description to its end.

#ifndef TROUPE_CONTAINER_STATE_H
#define TROUPE_CONTAINER_STATE_H

#include "container/container_console.h"
#include "container/container_enter.h"
#include "container/container_given.h"
#include "container/container_init.h"
#include "container/container_monitor.h"
#include "container/container_spec.h"

typedef enum {
    CONTAINER_NONE,
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_ENDED
} container_stage_t;

//  What it was asked for last: whichever way init ends then, it counts as that.
typedef enum {
    WISH_NONE,
    WISH_SHUTDOWN,
    WISH_REBOOT
} container_wish_t;

typedef struct {
    container_stage_t stage;
    container_wish_t wish;
    container_spec_t spec;
    container_init_t init;
    container_given_t given;
    int user; //  descriptor of its user namespace, which outlives init; -1: the host's
    console_t consoles[CONTAINER_CONSOLES_MAX];
    size_t console_count;
    int watcher; //  inotify: of who opens consoles
    const char *how;
    int code;
    error_t failure; //  why it could not be started again
    monitor_t monitor;
    container_entrance_t entrance;
} container_t;

//  The commands of container_protocol.h.
container_command_fn container_command;

//  Children ended, or may have.
void container_reap (container_t *self);

#endif
