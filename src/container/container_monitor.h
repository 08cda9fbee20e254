//  container_monitor.h: the supervisor's side of its monitor: one connection of a daemon, its
//  lines, and what it is answered.

#ifndef TROUPE_CONTAINER_MONITOR_H
#define TROUPE_CONTAINER_MONITOR_H

#include "util/error.h"
#include "util/text.h"

#include <jansson.h>
#include <poll.h>

//  Runs one command. The caller owns the result; NULL and ERR if it failed.
typedef json_t *container_command_fn (void *arg, const char *name, const json_t *arguments,
                                      error_t *err);

typedef struct {
    int listener, fd; //  fd -1: nobody is connected
    bool agreed;      //  qmp_capabilities was sent
    text_t *input, *output;
    container_command_fn *run;
    void *arg;
} monitor_t;

void container_monitor_open (monitor_t *self, int listener, container_command_fn *run, void *arg);

//  What it waits for: two entries. And what has come: commands run in it.
void container_monitor_wait (const monitor_t *self, struct pollfd polls[2]);
void container_monitor_move (monitor_t *self, const struct pollfd polls[2]);
//  Takes DATA over. A daemon that connects later asks.
void container_monitor_event (monitor_t *self, const char *name, json_t *data);

#endif
