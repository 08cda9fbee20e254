//  frame.c: bytes that go through ZeroMQ without being copied.

#include "msg/frame.h"

#include <assert.h>
#include <stdlib.h>

static void free_bytes (void *bytes, void *hint)
{
    (void) hint;
    FRAME_TAKEN (bytes);
    free (bytes);
}

void frame_init (zmq_msg_t *frame, char *bytes, size_t size)
{
    int rc = zmq_msg_init_data (frame, bytes, size, free_bytes, NULL);
    assert (rc == 0);
}

int frame_send (void *router, const void *id, size_t id_size, char **bytes_p, size_t size)
{
    //  Whether the peer takes it is decided with the first frame; the second goes where it went.
    if (zmq_send (router, id, id_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1)
        return -1;
    zmq_msg_t frame;
    frame_init (&frame, *bytes_p, size);
    FRAME_GIVEN (*bytes_p);
    *bytes_p = NULL;
    if (zmq_msg_send (&frame, router, ZMQ_DONTWAIT) == -1)
        zmq_msg_close (&frame);
    return 0;
}
