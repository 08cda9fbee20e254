//  timers.h: what is due when: a binary heap ordered by (time, sequence), so that equal times fire
//  in the order in which they were set. A node is part of the caller's own struct and may be
//  removed at any time.

#ifndef TROUPE_TIMERS_H
#define TROUPE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t due; //  ms, monotonic
    uint64_t sequence;
    size_t index; //  place in the heap + 1; 0: not in it
} timer_node_t;

typedef struct {
    timer_node_t **heap;
    size_t count, room;
    uint64_t sequence;
} timers_t;

void timers_close (timers_t *self);
void timers_set (timers_t *self, timer_node_t *node, int64_t due); //  moves it if it is set already
void timers_remove (timers_t *self, timer_node_t *node);
//  The node that is due first, or NULL; and the same, removed, if it is due at NOW.
timer_node_t *timers_first (const timers_t *self);
timer_node_t *timers_pop (timers_t *self, int64_t now);

#endif
