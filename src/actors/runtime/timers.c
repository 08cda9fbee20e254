//  timers.c: the heap of what is due.

#include "actors/runtime/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool before (const timer_node_t *a, const timer_node_t *b)
{
    return a->due != b->due ? a->due < b->due : a->sequence < b->sequence;
}

static void place (timers_t *self, timer_node_t *node, size_t index)
{
    self->heap[index] = node;
    node->index = index + 1;
}

static void sift_up (timers_t *self, size_t index)
{
    timer_node_t *node = self->heap[index];
    while (index > 0 && before (node, self->heap[(index - 1) / 2])) {
        place (self, self->heap[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    place (self, node, index);
}

static void sift_down (timers_t *self, size_t index)
{
    timer_node_t *node = self->heap[index];
    for (;;) {
        size_t child = index * 2 + 1;
        if (child + 1 < self->count && before (self->heap[child + 1], self->heap[child]))
            child++;
        if (child >= self->count || !before (self->heap[child], node))
            break;
        place (self, self->heap[child], index);
        index = child;
    }
    place (self, node, index);
}

void timers_close (timers_t *self)
{
    free (self->heap);
    memset (self, 0, sizeof *self);
}

void timers_set (timers_t *self, timer_node_t *node, int64_t due)
{
    timers_remove (self, node);
    if (self->count == self->room) {
        self->room = self->room * 2 + 8;
        self->heap = realloc (self->heap, self->room * sizeof *self->heap);
        assert (self->heap);
    }
    node->due = due;
    node->sequence = self->sequence++;
    place (self, node, self->count++);
    sift_up (self, self->count - 1);
}

void timers_remove (timers_t *self, timer_node_t *node)
{
    if (!node->index)
        return;
    size_t index = node->index - 1;
    node->index = 0;
    timer_node_t *last = self->heap[--self->count];
    if (last == node)
        return;
    place (self, last, index);
    sift_up (self, index);
    sift_down (self, last->index - 1);
}

timer_node_t *timers_first (const timers_t *self)
{
    return self->count > 0 ? self->heap[0] : NULL;
}

timer_node_t *timers_pop (timers_t *self, int64_t now)
{
    timer_node_t *first = timers_first (self);
    if (!first || first->due > now)
        return NULL;
    timers_remove (self, first);
    return first;
}
