//  zmq_gateway.c: the native API's sockets: opening them, and what comes in.

#include "actors/gateway/zmq_gateway_parts.h"

#include "msg/frame.h"

#include <errno.h>

enum {
    BATCH = 64, //  questions from one socket before others get their turn
    //  Frames a connection that ZeroMQ keeps for us, and for the client. With the sizes below this
    //  bounds what a client can make us hold.
    HIGH_WATER = 512,
    LINGER_MS = 200,     //  for the last answers at shut-down
    HEARTBEAT_MS = 5000, //  over TCP: a host that is gone says nothing
    DEAD_MS = 15000,
    MAX_CALL_BYTES = 8 * 1024 * 1024,
    MAX_READ_CALL_BYTES = 64 * 1024, //  queries are small, and everybody may send them
    MAX_REQUESTS = 4096,
    ROUTING_ID_BYTES = 5
};

static const struct {
    const char *name;
    door_kind_t kind; //  of a local one
    access_t most;    //  what its clients may do, whoever they are
    size_t max_bytes;
} doors[SOCKETS] = {
    [SOCKET_WRITE] = { "troupe.sock", DOOR_WRITE, ACCESS_ADMIN, MAX_CALL_BYTES },
    [SOCKET_READ] = { "troupe-ro.sock", DOOR_READ, ACCESS_READ, MAX_READ_CALL_BYTES },
    [SOCKET_TCP] = { NULL, DOOR_WRITE, ACCESS_ADMIN, MAX_CALL_BYTES },
};

//  Who sends.

//  Answers somebody who has no session, and is not to get one.
static void refuse (gateway_t *gateway, void *socket, zmq_msg_t *id, const error_t *err)
{
    reply_error (&gateway->frame, false, 0, err);
    size_t size;
    autofree char *bytes = pack_take (&gateway->frame, &size);
    //  Whoever does not read what we say does not get it.
    frame_send (socket, zmq_msg_data (id), zmq_msg_size (id), &bytes, size);
}

//  ZeroMQ's own number of the connection. Clients may not choose their routing ids: the next one
//  with the same would get the answers of the last.
static int connection_of (zmq_msg_t *id, uint32_t *connection, error_t *err)
{
    const char *bytes = zmq_msg_data (id);
    if (zmq_msg_size (id) != ROUTING_ID_BYTES || bytes[0])
        return error_set (err, ERR_RPC, "read a request: set no routing id (ZMQ_ROUTING_ID)");
    memcpy (connection, bytes + 1, sizeof *connection);
    return 0;
}

static void tell_used (actor_t *self, const session_t *session)
{
    if (!session->peer.key[0])
        return;
    auto(msg_t) msg = msg_request ("key.used");
    pack_key_str (msg_args (msg), "user_id", session->user_id);
    actor_send (self, "zap", &msg);
}

static session_t *new_session (actor_t *self, uint64_t key, const char *user_id, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    peer_t peer;
    if (user_id && zhashx_lookup (gateway->revoked, user_id)) {
        error_set (err, ERR_AUTH_FAILED,
                   "read a request: the key of this connection is not known any more");
        return NULL;
    }
    if (!peer_from_user_id (user_id, &peer)) {
        error_set (err, ERR_AUTH_FAILED,
                   "read a request: who sends it is not known; connect again");
        err->retry = true;
        return NULL;
    }
    session_t *session = sessions_add (gateway->sessions, key, user_id, &peer,
                                       peer_role (&peer, doors[key >> 32].most));
    if (!session) {
        error_set (err, ERR_RESOURCE_BUSY, "read a request: there are %d sessions; try again later",
                   SESSIONS_MAX);
        err->retry = true;
        return NULL;
    }
    tell_used (self, session);
    gateway_sweep_soon (self);
    return session;
}

static session_t *session_of (actor_t *self, unsigned door, zmq_msg_t *id, zmq_msg_t *body,
                              error_t *err)
{
    gateway_t *gateway = actor_state (self);
    uint32_t connection = 0;
    if (connection_of (id, &connection, err))
        return NULL;
    uint64_t key = (uint64_t) door << 32 | connection;
    const char *user_id = zmq_msg_gets (body, "User-Id");
    session_t *session = sessions_find (gateway->sessions, key);
    if (session && (session->dead || !user_id || strcmp (session->user_id, user_id) != 0))
        gateway_drop (self, &session);
    if (!session)
        session = new_session (self, key, user_id, err);
    if (session)
        session->heard_ms = actor_now (self);
    return session;
}

//  What comes in.

static int check_frames (unsigned door, size_t frames, size_t size, error_t *err)
{
    if (frames != 1)
        return error_set (err, ERR_RPC,
                          "read a request: it has %zu frames, and has to have one (a DEALER's; REQ "
                          "sends two)",
                          frames);
    if (size > doors[door].max_bytes)
        return error_set (
            err, ERR_RPC,
            "read a request: it has %zu bytes, and may have %zu at most on this socket", size,
            doors[door].max_bytes);
    return 0;
}

static void take_call (actor_t *self, unsigned door, zmq_msg_t *id, zmq_msg_t *body, size_t frames)
{
    gateway_t *gateway = actor_state (self);
    error_t err;
    session_t *session = session_of (self, door, id, body, &err);
    if (!session)
        refuse (gateway, gateway->doors[door].socket, id, &err);
    else if (check_frames (door, frames, zmq_msg_size (body), &err))
        gateway_error (self, session, false, 0, &err);
    else
        gateway_call (self, session, zmq_msg_data (body), zmq_msg_size (body));
}

//  Throws the frames behind the first two away; how many there were.
static size_t skip_rest (void *socket, zmq_msg_t *body)
{
    size_t frames = 1;
    for (bool more = zmq_msg_more (body); more; frames++) {
        zmq_msg_t rest;
        zmq_msg_init (&rest);
        zmq_msg_recv (&rest, socket, ZMQ_DONTWAIT);
        more = zmq_msg_more (&rest);
        zmq_msg_close (&rest);
    }
    return frames;
}

typedef struct {
    zmq_msg_t id, body;
    size_t frames;
} question_t;

typedef struct {
    question_t questions[BATCH];
    size_t opened, count; //  the first COUNT of those that are opened were received
} batch_t;

static void batch_close (batch_t *self)
{
    for (size_t i = 0; i < self->opened; i++) {
        zmq_msg_close (&self->questions[i].body);
        zmq_msg_close (&self->questions[i].id);
    }
}

static bool receive (void *socket, batch_t *batch)
{
    question_t *question = &batch->questions[batch->opened++];
    zmq_msg_init (&question->id);
    zmq_msg_init (&question->body);
    if (zmq_msg_recv (&question->id, socket, ZMQ_DONTWAIT) < 0 ||
        zmq_msg_recv (&question->body, socket, ZMQ_DONTWAIT) < 0)
        return false;
    question->frames = skip_rest (socket, &question->body);
    return ++batch->count < BATCH;
}

static void on_readable (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) events;
    gateway_t *gateway = actor_state (self);
    unsigned door = (unsigned) (uintptr_t) arg;
    __attribute__ ((cleanup (batch_close))) batch_t batch = { .count = 0 };
    while (receive (gateway->doors[door].socket, &batch))
        ;
    //  Before somebody asks whether there is anything to do here.
    if (batch.count > 0)
        gateway->heard_ms = actor_now (self);
    actor_catch_up (self);
    //  One that is told to end leaves what it has read as it leaves what it has not read.
    for (size_t i = 0; i < batch.count && !actor_stopping (self); i++) {
        question_t *question = &batch.questions[i];
        take_call (self, door, &question->id, &question->body, question->frames);
    }
}

//  Opening.

static void set_options (void *socket, size_t max_bytes, const char *domain)
{
    int high_water = HIGH_WATER, linger = LINGER_MS, mandatory = 1;
    //  Twice, so that what is a little too large gets an answer, not an end.
    int64_t most = (int64_t) max_bytes * 2;
    zmq_setsockopt (socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt (socket, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
    zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    zmq_setsockopt (socket, ZMQ_ZAP_DOMAIN, domain, strlen (domain));
}

static int new_socket (actor_t *self, unsigned number, const char *domain, const char *endpoint,
                       error_t *err)
{
    gateway_t *gateway = actor_state (self);
    door_t *door = &gateway->doors[number];
    door->socket = zmq_socket (actor_context (self), ZMQ_ROUTER);
    if (!door->socket)
        return error_set (err, ERR_RESOURCE_BUSY, "open %s: %s", endpoint, zmq_strerror (errno));
    set_options (door->socket, doors[number].max_bytes, domain);
    return 0;
}

static int bind_socket (void *socket, const char *endpoint, error_t *err)
{
    return zmq_bind (socket, endpoint) == -1
               ? error_set (err, ERR_OPEN_FAILED, "open %s: %s", endpoint, zmq_strerror (errno))
               : 0;
}

static int open_tcp (actor_t *self, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    const char *endpoint = gateway->config->listen;
    curve_t curve;
    if (!endpoint)
        return 0;
    if (keys_own (gateway->config->paths->keys, &curve, err) ||
        new_socket (self, SOCKET_TCP, ZAP_DOMAIN_TCP, endpoint, err))
        return -1;
    void *socket = gateway->doors[SOCKET_TCP].socket;
    int yes = 1, interval = HEARTBEAT_MS, dead = DEAD_MS;
    zmq_setsockopt (socket, ZMQ_IPV6, &yes, sizeof yes);
    zmq_setsockopt (socket, ZMQ_HEARTBEAT_IVL, &interval, sizeof interval);
    zmq_setsockopt (socket, ZMQ_HEARTBEAT_TIMEOUT, &dead, sizeof dead);
    //  Without encryption nobody may come in.
    if (zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) ||
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, curve.secret, KEY_TEXT_SIZE))
        return error_set (err, ERR_NO_SUPPORT, "open %s: libzmq: %s", endpoint,
                          zmq_strerror (errno));
    return bind_socket (socket, endpoint, err);
}

static int open_door (actor_t *self, unsigned number, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    const config_t *config = gateway->config;
    door_t *door = &gateway->doors[number];
    autofree char *endpoint = paths_endpoint (config->paths, doors[number].name, err);
    if (!endpoint)
        return -1;
    door->listener = door_open (config, endpoint + strlen ("ipc://"), doors[number].kind, err);
    if (!door->listener)
        return -1;
    if (new_socket (self, number, ZAP_DOMAIN_IPC, endpoint, err))
        return -1;
    int fd = listener_take (door->listener);
    zmq_setsockopt (door->socket, ZMQ_USE_FD, &fd, sizeof fd);
    if (bind_socket (door->socket, endpoint, err)) {
        close (fd);
        return -1;
    }
    return 0;
}

//  The actor.

static int gateway_start (actor_t *self, const msg_t *args, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    gateway->config = config_of (args);
    gateway->sessions = sessions_new ();
    gateway->revoked = zhashx_new ();
    gateway->history = history_new ();
    gateway_open_stats (self);
    uint64_t epoch;
    actor_random (self, &epoch, sizeof epoch);
    snprintf (gateway->epoch, sizeof gateway->epoch, "%016llx", (unsigned long long) epoch);
    gateway->streams = table_by_u64 ();
    gateway->heard_ms = actor_now (self);
    pack_init (&gateway->frame);
    //  Who can connect to the local socket may take it that all the others are open.
    if (open_tcp (self, err) || open_door (self, SOCKET_READ, err) ||
        open_door (self, SOCKET_WRITE, err))
        return -1;
    view_open (&gateway->view, self, gateway_emit);
    //  Comes back behind the snapshots that are there already: then we know what to answer.
    auto(msg_t) msg = msg_request ("gateway.listen");
    actor_send (self, actor_address (self), &msg);
    return 0;
}

static void listen_to_clients (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    for (uintptr_t door = 0; door < SOCKETS; door++)
        if (gateway->doors[door].socket)
            actor_watch_socket (self, gateway->doors[door].socket, on_readable, (void *) door);
}

static void answer_idle (actor_t *self, msg_t **msg_p)
{
    gateway_t *gateway = actor_state (self);
    uint64_t busy = 0;
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next)
        busy += session_listens (each) || each->open_requests > 0;
    auto(msg_t) reply = view_idle (&gateway->view, actor_now (self) - gateway->heard_ms, busy);
    actor_reply (self, msg_p, &reply);
}

//  A connection can't be ended from here, but nothing is heard on it any more.
static void revoke_key (actor_t *self, const char *user_id)
{
    gateway_t *gateway = actor_state (self);
    error_t err;
    zhashx_insert (gateway->revoked, user_id, "");
    error_set (&err, ERR_AUTH_FAILED, "the key of this connection is not known any more");
    session_t *next;
    for (session_t *each = sessions_first (gateway->sessions); each; each = next) {
        next = each->next;
        if (strcmp (each->user_id, user_id) != 0)
            continue;
        gateway_error (self, each, false, 0, &err);
        gateway_drop (self, &each);
    }
}

static void tell_all_used (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next)
        tell_used (self, each);
}

static void gateway_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "console.data"))
        gateway_console_data (self, msg_p);
    else if (msg_is (*msg_p, "console.end"))
        gateway_console_end (self, *msg_p);
    else if (msg_is (*msg_p, "key.revoked"))
        revoke_key (self, msg_str (*msg_p, "user_id"));
    else if (msg_is (*msg_p, "keys.wanted"))
        tell_all_used (self);
    else if (msg_is (*msg_p, "gateway.idle"))
        answer_idle (self, msg_p);
    else if (msg_is (*msg_p, "gateway.listen") && msg_kind (*msg_p) == MSG_SEND)
        listen_to_clients (self);
}

static void gateway_stop (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    session_t *session;
    while (gateway->sessions && (session = sessions_first (gateway->sessions)))
        gateway_drop (self, &session);
    for (unsigned door = 0; door < SOCKETS; door++) {
        listener_destroy (&gateway->doors[door].listener);
        if (gateway->doors[door].socket)
            zmq_close (gateway->doors[door].socket);
    }
    gateway_forget_requests (self);
    gateway_forget_stats (self);
    sessions_destroy (&gateway->sessions);
    zhashx_destroy (&gateway->revoked);
    history_destroy (&gateway->history);
    zhashx_destroy (&gateway->streams);
    view_close (&gateway->view);
    pack_close (&gateway->frame);
}

const actor_class_t zmq_gateway_class = { .kind = "zmq_gateway",
                                          .state_size = sizeof (gateway_t),
                                          .max_requests = MAX_REQUESTS,
                                          .stop_rank = 0,
                                          .start = gateway_start,
                                          .handle = gateway_handle,
                                          .stop = gateway_stop };
