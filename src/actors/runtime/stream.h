//  stream.h: the sending end of a one-way stream with a window: chunks that the receiver's runtime
//  acknowledges. When the window is full the sender stops reading its source, so that the pressure
//  reaches the source and not our memory.
//
//      if (stream_has_space (&stream))
//          stream_send (&stream, self, &msg);
//      else
//          ...stop watching the source; on_space goes on

#ifndef TROUPE_STREAM_H
#define TROUPE_STREAM_H

#include "actors/runtime/actor.h"

#define STREAM_WINDOW 16
//  A gateway acknowledges when its client took the bytes, and a person may hold a console for long.
#define STREAM_ACK_MS (60 * 60 * 1000)

typedef struct {
    //  The window was full, and has space again.
    void (*on_space) (actor_t *self, void *arg);
    //  A chunk was not taken: the receiver ended (told once). What was in flight may be lost, and
    //  stream_send drops what comes.
    void (*on_broken) (actor_t *self, const error_t *err, void *arg);
} stream_events_t;

//  Part of its owner's state. It may not move, nor be opened again, while chunks are in flight.
typedef struct {
    char to[MSG_ADDRESS_MAX];
    int window, in_flight;
    bool full, broken;
    stream_events_t events;
    void *arg;
} stream_t;

//  WINDOW 0: STREAM_WINDOW.
void stream_open (stream_t *self, const char *to, int window, stream_events_t events, void *arg);
//  Nothing more will be sent and nobody told; acknowledgements on their way are still counted.
void stream_close (stream_t *self);
bool stream_has_space (const stream_t *self);
bool stream_is_idle (const stream_t *self); //  nothing in flight
//  Gives *MSG_P up. The window must have space, unless the stream is broken or closed.
void stream_send (stream_t *self, actor_t *actor, msg_t **msg_p);

#endif
