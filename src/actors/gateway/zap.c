//  zap.c: ZeroMQ's authentication requests.
//
//      request: routing id, empty, "1.0", request id, domain, address, identity, mechanism, ...
//      answer:  routing id, empty, "1.0", request id, status, text, User-Id, metadata

#include "actors/gateway/zap.h"

#include "actors/config.h"

#include <czmq.h>
#include <errno.h>
#include <string.h>
#include <zmq.h>

DEFINE_AUTO (zlistx_t, zlistx_destroy)

enum {
    LOOK_MS = 1000,
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
    FRAMES_LEAST,
    FRAME_KEY = FRAMES_LEAST //  CURVE's only credential
};

enum {
    KEY_BYTES = 32
};

typedef struct {
    void *socket;
    const char *keys; //  the folder; NULL: no other hosts
    zhashx_t *let_in; //  User-Ids of keys
    unsigned revoked; //  so far
} zap_t;

typedef struct {
    zmq_msg_t frames[MAX_FRAMES];
    size_t count; //  kept; more than MAX_FRAMES is cut off
    bool cut;
} zap_request_t;

typedef struct {
    const char *status, *text;
    char user_id[USER_ID_SIZE];
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

static bool read_word (const char **at, char *word, size_t room)
{
    size_t size = strcspn (*at, ":");
    if (size == 0 || size >= room || (*at)[size] != ':')
        return false;
    snprintf (word, room, "%.*s", (int) size, *at);
    *at += size + 1;
    return true;
}

static bool peer_from_key (const char *text, peer_t *peer)
{
    char role[8], number[16];
    *peer = (peer_t){ .most = ACCESS_READ };
    if (!read_word (&text, number, sizeof number) || !read_word (&text, role, sizeof role) ||
        !read_word (&text, peer->key, sizeof peer->key) || strlen (text) != KEY_TEXT_SIZE - 1)
        return false;
    for (access_t each = ACCESS_READ; each <= ACCESS_ADMIN; each++)
        if (strcmp (access_name (each), role) == 0) {
            peer->most = each;
            return true;
        }
    return false;
}

bool peer_from_user_id (const char *user_id, peer_t *peer)
{
    static const char of_key[] = "key:";
    uint64_t uid, gid, pid;
    if (user_id && strncmp (user_id, of_key, sizeof of_key - 1) == 0)
        return peer_from_key (user_id + sizeof of_key - 1, peer);
    if (!user_id || !read_number (&user_id, UINT32_MAX, ':', &uid) ||
        !read_number (&user_id, UINT32_MAX, ':', &gid) ||
        !read_number (&user_id, INT32_MAX, 0, &pid))
        return false;
    *peer = (peer_t){
        .uid = (uint32_t) uid, .gid = (uint32_t) gid, .pid = (int32_t) pid, .most = ACCESS_ADMIN
    };
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

//  Keys are few, and their folder is small: it is read each time, so that what an administrator
//  does there counts at once.
static bool user_from_key (zap_t *zap, const char *key, char *user_id, size_t room)
{
    error_t ignored;
    known_key_t known;
    peer_t peer;
    auto(strings_t) names = zap->keys ? keys_list (zap->keys, &ignored) : NULL;
    for (size_t i = 0; names && i < names->count; i++) {
        if (keys_read (zap->keys, names->items[i], &known, &ignored) ||
            strcmp (known.public, key) != 0)
            continue;
        int size =
            snprintf (user_id, room, "key:%u:%s:%s:%s", zap->revoked, known.role, known.name, key);
        return size > 0 && (size_t) size < room && peer_from_user_id (user_id, &peer);
    }
    return false;
}

static bool user_from_credential (zap_t *zap, zap_request_t *request, char *user_id, size_t room)
{
    char key[KEY_TEXT_SIZE];
    zmq_msg_t *frame = &request->frames[FRAME_KEY];
    if (request->count <= FRAME_KEY || zmq_msg_size (frame) != KEY_BYTES)
        return false;
    zmq_z85_encode (key, zmq_msg_data (frame), KEY_BYTES);
    if (!user_from_key (zap, key, user_id, room))
        return false;
    zhashx_insert (zap->let_in, user_id, "");
    return true;
}

static void judge (zap_t *zap, zap_request_t *request, verdict_t *verdict)
{
    *verdict = (verdict_t){ "500", "malformed request", "" };
    if (request->cut || request->count < FRAMES_LEAST ||
        !frame_is (&request->frames[FRAME_VERSION], "1.0"))
        return;
    zmq_msg_t *mechanism = &request->frames[FRAME_MECHANISM];
    zmq_msg_t *domain = &request->frames[FRAME_DOMAIN];
    bool known = false;
    *verdict = (verdict_t){ "400", "neither a local peer nor a key that is known", "" };
    if (frame_is (mechanism, "NULL") && frame_is (domain, ZAP_DOMAIN_IPC))
        known = user_from_address (&request->frames[FRAME_ADDRESS], verdict->user_id,
                                   sizeof verdict->user_id);
    else if (frame_is (mechanism, "CURVE") && frame_is (domain, ZAP_DOMAIN_TCP))
        known = user_from_credential (zap, request, verdict->user_id, sizeof verdict->user_id);
    if (known) {
        verdict->status = "200";
        verdict->text = "OK";
    } else
        verdict->user_id[0] = 0;
}

static void send_text (void *socket, const char *text, int flags)
{
    zmq_send (socket, text, strlen (text), ZMQ_DONTWAIT | flags);
}

//  A lost answer ends the peer's handshake, and it connects again: nothing to do about it here.
static void answer (zap_t *zap, zap_request_t *request)
{
    void *socket = zap->socket;
    //  Without routing id, delimiter and request id there is nobody to answer.
    if (request->count <= FRAME_REQUEST_ID)
        return;
    verdict_t verdict;
    judge (zap, request, &verdict);
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
        answer (zap, &request);
        for (size_t frame = 0; frame < request.count; frame++)
            zmq_msg_close (&request.frames[frame]);
    }
}

//  Keys that were let in, and are not known any more.

//  The number in front may be another by now.
static bool is_still_known (zap_t *zap, const char *user_id)
{
    char now[USER_ID_SIZE];
    const char *key = user_id + strlen (user_id) - (KEY_TEXT_SIZE - 1);
    const char *rest = strchr (user_id + strlen ("key:"), ':');
    return user_from_key (zap, key, now, sizeof now) &&
           strcmp (strchr (now + strlen ("key:"), ':'), rest) == 0;
}

static void revoke_key (actor_t *self, const char *user_id)
{
    zap_t *zap = actor_state (self);
    auto(msg_t) msg = msg_request ("key.revoked");
    pack_key_str (msg_args (msg), "user_id", user_id);
    actor_send (self, "zmq_gateway", &msg);
    zap->revoked++;
    zhashx_delete (zap->let_in, user_id);
}

static void look_at_keys (actor_t *self, void *arg)
{
    (void) arg;
    zap_t *zap = actor_state (self);
    auto(zlistx_t) all = zhashx_keys (zap->let_in);
    for (const char *user_id = zlistx_first (all); user_id; user_id = zlistx_next (all))
        if (!is_still_known (zap, user_id))
            revoke_key (self, user_id);
    actor_timer (self, LOOK_MS, look_at_keys, NULL);
}

//  Another zap may have let it in, before this one was started in its place.
static void take_used (actor_t *self, const msg_t *msg)
{
    zap_t *zap = actor_state (self);
    const char *user_id = msg_str (msg, "user_id");
    peer_t peer;
    if (peer_from_user_id (user_id, &peer) && peer.key[0])
        zhashx_insert (zap->let_in, user_id, "");
}

static int zap_start (actor_t *self, const msg_t *args, error_t *err)
{
    zap_t *zap = actor_state (self);
    const config_t *config = config_of (args);
    int none = 0;
    zap->let_in = zhashx_new ();
    actor_random (self, &zap->revoked, sizeof zap->revoked);
    if (config && config->listen) {
        zap->keys = config->paths->keys;
        actor_timer (self, LOOK_MS, look_at_keys, NULL);
        auto(msg_t) msg = msg_request ("keys.wanted");
        actor_send (self, "zmq_gateway", &msg);
    }
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
    zhashx_destroy (&zap->let_in);
}

static void zap_handle (actor_t *self, msg_t **msg)
{
    if (msg_is (*msg, "key.used"))
        take_used (self, *msg);
}

const actor_class_t zap_class = { .kind = "zap",
                                  .state_size = sizeof (zap_t),
                                  .stop_rank = 1,
                                  .start = zap_start,
                                  .handle = zap_handle,
                                  .stop = zap_stop };
