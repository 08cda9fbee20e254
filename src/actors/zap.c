//  zap.c: ZeroMQ's authentication requests.
//
//      request: routing id, empty, "1.0", request id, domain, address, identity, mechanism, ...
//      answer:  routing id, empty, "1.0", request id, status, text, User-Id, metadata

#include "actors/zap.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

enum {
    MAX_FRAMES = 16,
    DRAIN = 64 //  requests handled at one wake-up
};

enum {
    FRAME_ROUTING_ID,
    FRAME_EMPTY,
    FRAME_VERSION,
    FRAME_REQUEST_ID,
    FRAME_DOMAIN,
    FRAME_ADDRESS,
    FRAME_IDENTITY,
    FRAME_MECHANISM,
    FRAMES_LEAST
};

typedef struct {
    void *socket;
} zap_t;

typedef struct {
    zmq_msg_t frames[MAX_FRAMES];
    size_t count; //  kept; more than MAX_FRAMES is cut off
    bool cut;
} zap_request_t;

typedef struct {
    const char *status, *text;
    char user_id[64];
} verdict_t;

static bool read_number (const char **at, uint64_t most, char end, uint64_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; **at >= '0' && **at <= '9' && *number <= most; (*at)++)
        *number = *number * 10 + (uint64_t) (**at - '0');
    bool good = *at > start && *number <= most && **at == end;
    *at += good && end;
    return good;
}

bool peer_from_user_id (const char *user_id, peer_t *peer)
{
    uint64_t uid, gid, pid;
    if (!user_id || !read_number (&user_id, UINT32_MAX, ':', &uid) ||
        !read_number (&user_id, UINT32_MAX, ':', &gid) ||
        !read_number (&user_id, INT32_MAX, 0, &pid))
        return false;
    *peer = (peer_t){ (uint32_t) uid, (uint32_t) gid, (int32_t) pid };
    return true;
}

static bool frame_is (zmq_msg_t *frame, const char *text)
{
    return zmq_msg_size (frame) == strlen (text) &&
           memcmp (zmq_msg_data (frame), text, strlen (text)) == 0;
}

//  "HOST:UID:GID:PID" to "UID:GID:PID".
static bool user_from_address (zmq_msg_t *frame, char *user_id, size_t room)
{
    char address[128];
    size_t size = zmq_msg_size (frame);
    if (size >= sizeof address)
        return false;
    memcpy (address, zmq_msg_data (frame), size);
    address[size] = 0;
    const char *credentials = strchr (address, ':');
    peer_t peer;
    if (!credentials || !peer_from_user_id (credentials + 1, &peer))
        return false;
    snprintf (user_id, room, "%u:%u:%d", peer.uid, peer.gid, peer.pid);
    return true;
}

static void judge (zap_request_t *request, verdict_t *verdict)
{
    *verdict = (verdict_t){ "500", "malformed request", "" };
    if (request->cut || request->count < FRAMES_LEAST ||
        !frame_is (&request->frames[FRAME_VERSION], "1.0"))
        return;
    *verdict = (verdict_t){ "400", "not a local peer", "" };
    if (frame_is (&request->frames[FRAME_MECHANISM], "NULL") &&
        frame_is (&request->frames[FRAME_DOMAIN], ZAP_DOMAIN_IPC) &&
        user_from_address (&request->frames[FRAME_ADDRESS], verdict->user_id,
                           sizeof verdict->user_id)) {
        verdict->status = "200";
        verdict->text = "OK";
    }
}

static void send_text (void *socket, const char *text, int flags)
{
    zmq_send (socket, text, strlen (text), ZMQ_DONTWAIT | flags);
}

//  A lost answer ends the peer's handshake, and it connects again: nothing to do about it here.
static void answer (void *socket, zap_request_t *request)
{
    //  Without routing id, delimiter and request id there is nobody to answer.
    if (request->count <= FRAME_REQUEST_ID)
        return;
    verdict_t verdict;
    judge (request, &verdict);
    zmq_msg_send (&request->frames[FRAME_ROUTING_ID], socket, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    zmq_msg_send (&request->frames[FRAME_EMPTY], socket, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    send_text (socket, "1.0", ZMQ_SNDMORE);
    zmq_msg_send (&request->frames[FRAME_REQUEST_ID], socket, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    send_text (socket, verdict.status, ZMQ_SNDMORE);
    send_text (socket, verdict.text, ZMQ_SNDMORE);
    send_text (socket, verdict.user_id, ZMQ_SNDMORE);
    send_text (socket, "", 0);
}

static bool receive (void *socket, zap_request_t *request)
{
    request->count = 0;
    request->cut = false;
    for (bool more = true; more;) {
        zmq_msg_t spill;
        request->cut = request->count == MAX_FRAMES;
        zmq_msg_t *frame = request->cut ? &spill : &request->frames[request->count];
        zmq_msg_init (frame);
        if (zmq_msg_recv (frame, socket, ZMQ_DONTWAIT) == -1)
            return false;
        more = zmq_msg_more (frame);
        if (request->cut)
            zmq_msg_close (frame);
        else
            request->count++;
    }
    return true;
}

static void on_requests (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) events, (void) arg;
    zap_t *zap = actor_state (self);
    zap_request_t request;
    for (int i = 0; i < DRAIN && receive (zap->socket, &request); i++) {
        answer (zap->socket, &request);
        for (size_t frame = 0; frame < request.count; frame++)
            zmq_msg_close (&request.frames[frame]);
    }
}

static int zap_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args;
    zap_t *zap = actor_state (self);
    int none = 0;
    zap->socket = zmq_socket (actor_context (self), ZMQ_ROUTER);
    if (!zap->socket)
        return error_set (err, ERR_RESOURCE_BUSY, "start %s: no more sockets: %s",
                          actor_address (self), zmq_strerror (errno));
    zmq_setsockopt (zap->socket, ZMQ_LINGER, &none, sizeof none);
    if (zmq_bind (zap->socket, "inproc://zeromq.zap.01") == -1)
        return error_set (err, ERR_SYSTEM_ERROR, "start %s: bind inproc://zeromq.zap.01: %s",
                          actor_address (self), zmq_strerror (errno));
    actor_watch_socket (self, zap->socket, on_requests, NULL);
    return 0;
}

static void zap_stop (actor_t *self)
{
    zap_t *zap = actor_state (self);
    if (zap->socket)
        zmq_close (zap->socket);
}

static void zap_handle (actor_t *self, msg_t **msg)
{
    (void) self, (void) msg; //  it knows no verbs: the runtime says so
}

const actor_class_t zap_class = { .kind = "zap",
                                  .state_size = sizeof (zap_t),
                                  .stop_rank = 1,
                                  .start = zap_start,
                                  .handle = zap_handle,
                                  .stop = zap_stop };
