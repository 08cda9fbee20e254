//  frame.h: bytes that go through ZeroMQ without being copied.

#ifndef TROUPE_FRAME_H
#define TROUPE_FRAME_H

#include <stddef.h>
#include <zmq.h>

//  ThreadSanitizer does not see into libzmq: tell it that a frame's bytes change hands.
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire (void *address);
void __tsan_release (void *address);
#define FRAME_GIVEN(bytes) __tsan_release (bytes)
#define FRAME_TAKEN(bytes) __tsan_acquire (bytes)
#else
#define FRAME_GIVEN(bytes) ((void) (bytes))
#define FRAME_TAKEN(bytes) ((void) (bytes))
#endif

//  FRAME (not initialised) takes over BYTES, which malloc made and ZeroMQ will free.
void frame_init (zmq_msg_t *frame, char *bytes, size_t size);

//  Sends BYTES to the peer of a ROUTER with routing id ID; never waits. 0, and *BYTES_P is given up
//  (NULL); or -1 with errno (EAGAIN, EHOSTUNREACH), and it is not.
int frame_send (void *router, const void *id, size_t id_size, char **bytes_p, size_t size);

#endif
