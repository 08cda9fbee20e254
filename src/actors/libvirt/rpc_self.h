//  rpc_self.h: what the files of the libvirt gateway share. All of it is its own state, touched by
//  its thread only.
//
//      libvirt_gateway.c   the sockets, new clients, the actor
//      rpc_client.c        one client's bytes: what comes in becomes messages, what goes out waits
//      rpc_check.c         which calls a client may make
//      rpc_call.c          one call: carried out, answered
//      rpc_fds.c           descriptors that go with calls and answers
//      rpc_events.c        who wants which events; rpc_event_kinds.c: what they carry
//      rpc_pattern.c       which names of QEMU's own events
//      rpc_streams.c       consoles, and data for clients
//      rpc_rows.c          which procedure is served by what
//      rpc_lists.c         answers that are lists
//      rpc_params.c        typed parameters
//      rpc_wishes.c        what is asked of a migration; rpc_cookie.c: what clients carry for it
//      rows_*.c            the rows, by what they are about

#ifndef TROUPE_RPC_SELF_H
#define TROUPE_RPC_SELF_H

#include "actors/config.h"
#include "actors/domain/domain_filter.h"
#include "actors/gateway/door.h"
#include "actors/gateway/outbox.h"
#include "actors/gateway/owners.h"
#include "actors/libvirt/libvirt_gateway.h"
#include "actors/libvirt/rpc_event_kinds.h"
#include "actors/libvirt/rpc_pattern.h"
#include "actors/libvirt/rpc_rows.h"
#include "util/text.h"

#include <czmq.h>

enum {
    RPC_HEADER = 28,                        //  bytes of length word and header
    RPC_MAX_MESSAGE = 33554436,             //  bytes, the length word included
    RPC_MAX_READ_MESSAGE = 4 * 1024 * 1024, //  of those on the read-only socket
    RPC_MAX_CLIENTS = 2000,                 //  of libvirt's sockets, unless an administrator
    RPC_MAX_ADMINS = 100,                   //  ... said otherwise; of the administrators' own
    RPC_MAX_CALLS = 64,                     //  open calls of a client: then it is read no more
    RPC_MAX_READS = 128,                    //  of all read-only ones that wait for an owner
    RPC_MAX_WAITING = 1024 * 1024,          //  bytes for it to read: then neither
    RPC_MAX_OUTBOX = 48 * 1024 * 1024,      //  then it is disconnected
    RPC_MAX_CALL_FDS = 32,                  //  descriptors that go with one message
    RPC_MAX_FDS = 512,                      //  of all clients, that are not closed
    RPC_LIBVIRT_VERSION =
        9000000 //  whose protocol this is: major * 1000000 + minor * 1000 + release
};

typedef enum {
    RPC_SOCKET_WRITE,
    RPC_SOCKET_READ,
    RPC_SOCKET_ADMIN,
    RPC_SOCKETS
} rpc_socket_t;

//  Whose clients are counted together.
typedef enum {
    RPC_SERVER_LIBVIRT,
    RPC_SERVER_ADMIN,
    RPC_SERVERS
} rpc_server_t;

//  The `type` of a message, and its `status`.
enum {
    RPC_CALL,
    RPC_REPLY,
    RPC_MESSAGE,
    RPC_STREAM,
    RPC_CALL_WITH_FDS,
    RPC_REPLY_WITH_FDS,
    RPC_STREAM_HOLE
};
enum {
    RPC_OK,
    RPC_ERROR,
    RPC_CONTINUE
};

typedef struct {
    uint32_t program, version, procedure, type, serial, status;
} rpc_header_t;

typedef struct rpc_stream rpc_stream_t;

//  What a client asked to be told.
typedef struct rpc_callback {
    struct rpc_callback *next;
    int number, event; //  its own, and the event's (virDomainEventID and its like)
    rpc_object_t object;
    bool legacy;            //  asked for in the old way, and told in the old words
    char *about;            //  only of this one (rpc_event_about); NULL: of all
    rpc_pattern_t *pattern; //  only with such names (RPC_OF_MONITOR); NULL: all
} rpc_callback_t;

typedef struct rpc_client {
    struct rpc_client *next, *previous;
    uint64_t number; //  never used again
    int fd;
    rpc_socket_t socket;
    peer_t peer;
    access_t role;
    bool read_only;
    bool known;         //  it was told how to authenticate
    const char *driver; //  whose domains it sees; NULL until it has opened a connection
    const char *uri;
    bool closing, dead;        //  once all is sent; to be freed
    bool in_handler;           //  its input is being looked at
    text_t *in;                //  what is no whole message yet, or waits for others to be answered
    int fds[RPC_MAX_CALL_FDS]; //  that came and are no call's yet
    size_t fd_count;
    outbox_t outbox;
    size_t sent;   //  bytes of the first that waits
    short watched; //  poll's bits
    int open_calls;
    int64_t since_ms; //  when it came
    int64_t since_us; //  the same by the wall clock
    int64_t heard_ms; //  when it last sent something
    int64_t moved_ms; //  when it last took something, or nothing waited
    bool keepalive;   //  it answers pings
    bool new_order;   //  of NETWORK_UPDATE's arguments (rows_network.c)
    int pings;        //  without an answer
    rpc_callback_t *callbacks;
    int callback_count, last_callback;
    bool close_callback;
    rpc_stream_t *streams;
    int stream_count;
    char *definition;      //  whose (offline) migration it is about to finish; NULL: none
    strings_t *migrations; //  "UUID TOKEN": it has begun, and not ended; NULL: none
    strings_t *mortals;    //  "UUID ID": domains that end with it; NULL: none
    size_t typed;          //  bytes that guests have not taken from their consoles
} rpc_client_t;

typedef struct {
    const config_t *config;
    struct {
        listener_t *listener;
        int fd;
        int clients;
        bool watched;
    } sockets[RPC_SOCKETS];
    int max_clients[RPC_SERVERS];
    int reads; //  calls of read-only clients that wait for an owner
    view_t view;
    rpc_table_t *table;
    rpc_client_t *clients;
    rpc_call_t *calls;
    zlistx_t *gathers; //  of gather.h: calls under way
    uint64_t last_client;
    zhashx_t *streams; //  rpc_stream_t by number
    uint64_t last_stream;
    char *scratch;           //  what a client just sent
    size_t fd_count;         //  descriptors of clients and of calls
    text_t *out;             //  the message that is being written
    uint64_t monitor_events; //  the subscription to QEMU's own events; 0: nobody asked for any
    uint64_t sweep_timer, bury_timer;
    int64_t heard_ms; //  when a client last sent something
} rpc_gateway_t;

//  A call. It lives until it is answered, or would have been: its client may go before.
struct rpc_call {
    rpc_call_t *next, *previous;
    actor_t *actor;
    rpc_gateway_t *gateway;
    rpc_client_t *client; //  NULL: it is gone
    rpc_header_t header;
    const rpc_entry_t *entry;
    document_t *document;
    const value_t *args;       //  the procedure's
    const verb_t *verb;        //  that is asked: the row's, unless it said otherwise
    rpc_answer_fn *answer;     //  the same
    char *named;               //  as owner_named says
    bool reads;                //  it is one of the gateway's
    int fds[RPC_MAX_CALL_FDS]; //  that came with it
    size_t fd_count;
    int given[RPC_MAX_CALL_FDS]; //  that go with its answer
    size_t given_count;
    uint64_t host_cpus;        //  once it was asked (rows_pin.c)
    char uuid[UUID_TEXT_SIZE]; //  of the domain that it is about; "": none
};

//  rpc_client.c

rpc_client_t *rpc_client_new (actor_t *self, int fd, rpc_socket_t socket, const peer_t *peer);
//  At the end of the actor; else rpc_client_end.
void rpc_client_destroy (actor_t *self, rpc_client_t **client_p);
//  It is disconnected now, and freed once nobody holds a pointer to it. REASON goes to the log;
//  NULL: it wanted to.
void rpc_client_end (actor_t *self, rpc_client_t *client, const char *reason);
//  Frees those that have ended, once nobody handles one (libvirt_gateway.c).
void rpc_bury_soon (actor_t *self);
//  Lets in who waits, if there is room now; or nobody any more (libvirt_gateway.c).
void rpc_watch_doors (actor_t *self);
rpc_server_t rpc_server_of (rpc_socket_t socket);
int rpc_count_clients (const rpc_gateway_t *gateway, rpc_server_t server);
//  Looks at what it sent so far, if it was left alone because of a bound.
void rpc_client_go_on (actor_t *self, rpc_client_t *client);
//  What is in the gateway's OUT.
void rpc_client_send (actor_t *self, rpc_client_t *client);
//  If it has to wait, and HELD_P is not NULL, *HELD_P (a stream's message) is taken over and
//  acknowledged when the client read all.
void rpc_client_send_held (actor_t *self, rpc_client_t *client, msg_t **held_p);
//  Writes a header to the gateway's OUT, empty before; rpc_out_end completes the length.
void rpc_out_begin (rpc_gateway_t *gateway, const rpc_header_t *header);
void rpc_out_end (rpc_gateway_t *gateway);
//  Pings, and disconnects who does not answer, read or open a connection.
void rpc_client_look_after (actor_t *self, rpc_client_t *client);

//  Sends FD, which is taken over, with the byte that carries it.
void rpc_client_send_fd (actor_t *self, rpc_client_t *client, int fd);

//  rpc_fds.c

//  As recv, with room for a 0 behind what came; descriptors are the client's then, up to the
//  bounds.
ssize_t rpc_fds_receive (rpc_gateway_t *gateway, rpc_client_t *client, char *bytes, size_t size);
//  Closes those that no call took.
void rpc_fds_drop (rpc_gateway_t *gateway, rpc_client_t *client);
//  The client's first ANNOUNCED become the call's. ERR_RPC: not so many came.
int rpc_fds_take (rpc_call_t *call, size_t announced, error_t *err);
//  Closes the call's.
void rpc_fds_close (rpc_call_t *call);
//  Two sockets that are connected: the last of the call's own, and one that goes with its answer.
int rpc_fds_pair (rpc_call_t *call, error_t *err);
//  What a verb's owner is lent (util/lent.h), in `by`, an open map: clients can't write there.
void rpc_fds_pack (const rpc_call_t *call, pack_t *by);

//  rpc_events.c

//  Tells the clients that want it (a view_event_fn).
void rpc_emit (actor_t *self, const view_event_t *event);
//  Of WANTED, `event`, `object`, `legacy` and `pattern`, which is taken over, count; the call says
//  which one.
int rpc_register (rpc_call_t *call, const rpc_callback_t *wanted, int *number, error_t *err);
//  Removes the first of which IS_IT (callback, WHICH) says so; false: there is none.
bool rpc_unregister (rpc_client_t *client, bool (*is_it) (const rpc_callback_t *, int), int which);
void rpc_unregister_all (rpc_client_t *client);
//  An event's message: its payload goes between these into the gateway's OUT.
void rpc_event_begin (rpc_gateway_t *gateway, const procedure_t *procedure);
void rpc_event_send (actor_t *self, rpc_client_t *client);

//  rows_migrate.c: the client is gone, and will not go on with what it has begun.
void rpc_migrations_close (actor_t *self, rpc_client_t *client);

//  rpc_streams.c

//  From a row's `answer`: the call opens a stream with these bytes for the client.
int rpc_stream_data (rpc_call_t *call, const void *bytes, size_t size, error_t *err);
//  The same: one that is the console at ADDRESS; what it returns is the row's to return.
int rpc_stream_console (rpc_call_t *call, const char *address, bool force, error_t *err);
void rpc_console_data (actor_t *self, msg_t **msg_p);
void rpc_console_end (actor_t *self, const msg_t *msg);
//  A packet of one of CLIENT's streams.
void rpc_take_packet (actor_t *self, rpc_client_t *client, const rpc_header_t *header,
                      const char *bytes, size_t size);
//  Sends more of what waits, now that the client has read.
void rpc_streams_go_on (actor_t *self, rpc_client_t *client);
void rpc_streams_close (actor_t *self, rpc_client_t *client);

//  rpc_autodestroy.c

//  RESULT of CALL, which may have started a domain that is to end with its client.
void rpc_autodestroy_started (rpc_call_t *call, const value_t *result);
//  CLIENT is gone.
void rpc_autodestroy_close (actor_t *self, rpc_client_t *client);

//  rpc_check.c

//  Before its arguments are looked at. ENTRY: NULL if there is none with the header's numbers.
int rpc_check_call (const rpc_client_t *client, const rpc_header_t *header,
                    const rpc_entry_t *entry, error_t *err);
int rpc_check_arguments (const rpc_call_t *call, error_t *err);

//  rpc_call.c

//  virErrorDomain that goes with ERR.
int rpc_error_domain (const rpc_client_t *client, const error_t *err);
//  One message of CLIENT; SIZE bytes from the length word on.
//  Its descriptors have come, too.
void rpc_take_message (actor_t *self, rpc_client_t *client, const char *bytes, size_t size);
//  How many descriptors the message announces that begins with BYTES, a whole one.
uint32_t rpc_announced (const char *bytes, size_t size);
//  Answers, and destroys the call. RET: a map with the procedure's fields; NULL if it has none.
void rpc_reply (rpc_call_t **call_p, const value_t *ret);
void rpc_fail (rpc_call_t **call_p, const error_t *err);
//  The payload of an error, to OUT. DOMAIN: virErrorDomain.
void rpc_add_error (rpc_gateway_t *gateway, const error_t *err, int domain);
//  From a row's `serve` or `answer`, which returns what this does: asks VERB with ARGS (a map) for
//  CALL. ANSWER gets the result, then the row's `ret` counts.
int rpc_ask (rpc_call_t *call, const char *verb, const pack_t *args, rpc_answer_fn *answer,
             error_t *err);
//  Asks the owner of the domain that CALL is about, which has to run, what it measures: ANSWER gets
//  {stats, ...} (drivers/driver.h), its last known values if its hypervisor does not answer.
int rpc_measure (rpc_call_t *call, rpc_answer_fn *answer, error_t *err);
//  What VERB, of the state that gateways know, says with ARGS; the caller owns it. NULL and ERR.
document_t *rpc_query (const rpc_call_t *call, const char *verb, const pack_t *args, error_t *err);
void rpc_call_destroy (rpc_call_t **call_p);
void rpc_forget_client (rpc_gateway_t *gateway, const rpc_client_t *client);
//  The domain that the call is about, as it is now; NULL and ERR if it has none or it is gone.
const snapshot_t *rpc_domain (const rpc_call_t *call, error_t *err);
//  The same if it runs; ERR_OPERATION_INVALID if it does not.
const snapshot_t *rpc_running (const rpc_call_t *call, error_t *err);
//  A row's `prepare` that only asks for that.
int rpc_prepare_running (rpc_call_t *call, pack_t *args, error_t *err);
//  The argument `driver`: what a connection makes is of its own driver, or could not be seen on it.
int rpc_prepare_driver (rpc_call_t *call, pack_t *args, error_t *err);
//  What virConnectListAllDomainsFlags ask for (rows_connect.c).
void rpc_read_filter (uint64_t flags, domain_filter_t *filter);
//  Does this connection see it?
bool rpc_sees (const rpc_client_t *client, const snapshot_t *domain);

#endif
