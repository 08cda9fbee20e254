//  troupe.h: the client library of troupe. It stands alone: nothing else is public.
//
//      troupe_error_t err;
//      char *endpoint = troupe_endpoint (NULL, false, &err);
//      troupe_t *troupe = troupe_open (endpoint, 5000, &err);
//      troupe_args_t *args = troupe_args_new ();
//      troupe_args_str (args, "domain", "web1");
//      troupe_message_t *reply = troupe_call (troupe, "domain.info", args, 5000, &err);
//      if (reply)
//          puts (troupe_get_str (troupe_message_value (reply), "state_text"));
//
//  The verbs, their arguments and results, and the events are in docs/protocol.md.
//
//  A controller sends many requests and receives whatever comes first:
//
//      for (size_t i = 0; i < count; i++)
//          ids[i] = troupe_send (troupe, "domain.create", args[i], NULL, &err);
//      while ((message = troupe_receive (troupe, 1000, &err)))
//          ...troupe_message_id (message)...
//
//  A connection (and all that was received from it) is used by one thread at a time. Several
//  connections are independent of each other.
//
//  Every function that can fail says so by -1, 0 or NULL, as documented, and fills *ERR, which
//  is never NULL. All texts are UTF-8. All destructors take the address of the pointer, set it
//  to NULL, and accept NULL there. When memory runs out the process is aborted.

#ifndef TROUPE_H
#define TROUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TROUPE_API __attribute__ ((visibility ("default")))
#else
#define TROUPE_API
#endif

//  ---------------------------------------------------------------------------------------------
//  Errors

//  The numbers are libvirt's (virErrorNumber); those that a client is likely to tell apart.
enum {
    TROUPE_OK = 0,
    TROUPE_ERROR_INTERNAL = 1,
    TROUPE_ERROR_NO_SUPPORT = 3, //  the hypervisor's driver can't do it
    TROUPE_ERROR_NO_CONNECT = 5, //  no daemon at the endpoint, or the connection was lost
    TROUPE_ERROR_INVALID_ARG = 8,
    TROUPE_ERROR_OPERATION_FAILED = 9,
    TROUPE_ERROR_XML = 27,           //  the document is not as it should be
    TROUPE_ERROR_DOMAIN_EXISTS = 28, //  the name or the uuid is taken
    TROUPE_ERROR_DENIED = 29,        //  the connection may not do this (a read-only one, say)
    TROUPE_ERROR_XML_MALFORMED = 35,
    TROUPE_ERROR_RPC = 39, //  a message that is none
    TROUPE_ERROR_NO_DOMAIN = 42,
    TROUPE_ERROR_AUTH = 45,               //  a key is missing, or not known there
    TROUPE_ERROR_OPERATION_INVALID = 55,  //  not in the present state
    TROUPE_ERROR_UNSUPPORTED_CONFIG = 67, //  the XML asks for what troupe does not do
    TROUPE_ERROR_TIMEOUT = 68,
    TROUPE_ERROR_ABORTED = 78,
    TROUPE_ERROR_NO_METADATA = 80,
    TROUPE_ERROR_BUSY = 87
};

#define TROUPE_MESSAGE_MAX 1024

typedef struct {
    int code;                         //  TROUPE_ERROR_..., or another number of libvirt's
    bool retry;                       //  the same request may succeed a little later
    char message[TROUPE_MESSAGE_MAX]; //  one line: what failed, on which object, why, what to do
} troupe_error_t;

//  "VIR_ERR_NO_DOMAIN" for 42; "VIR_ERR_UNKNOWN" for a number that is none. Static.
TROUPE_API const char *troupe_error_name (int code);

//  ---------------------------------------------------------------------------------------------
//  Connections

typedef struct troupe troupe_t;

//  Where the daemon listens. ROOT: the folder that it was started with (trouped --root); NULL: the
//  system's daemon for root, the user's own (session) daemon for everybody else; TROUPE_SESSION:
//  the user's own, also for root. READ_ONLY: the socket that may only look. The caller frees the
//  result; NULL and ERR when ROOT is too long a path for a UNIX socket.
#define TROUPE_SESSION "session:"
TROUPE_API char *troupe_endpoint (const char *root, bool read_only, troupe_error_t *err);

//  Connects to ENDPOINT ("ipc:///run/troupe/troupe.sock") and waits for the daemon, at most
//  TIMEOUT_MS (> 0). The caller owns the result. NULL and TROUPE_ERROR_NO_CONNECT, at once, when
//  nobody listens there or we may not connect.
TROUPE_API troupe_t *troupe_open (const char *endpoint, int timeout_ms, troupe_error_t *err);
//  The same over TCP ("tcp://host:port", where a daemon was started with --listen): both sides
//  prove who they are (CURVE). KEYS is the folder with our own key and the daemon's
//  ("/etc/troupe/keys"; 'troupe key-own' and 'troupe key-add' fill it). NULL and TROUPE_ERROR_AUTH
//  when a key is missing, or the daemon does not know ours.
TROUPE_API troupe_t *troupe_open_with_keys (const char *endpoint, const char *keys, int timeout_ms,
                                            troupe_error_t *err);
//  Requests that were sent leave; their answers are lost. Waits at most 200 ms.
TROUPE_API void troupe_close (troupe_t **self_p);

//  A descriptor to poll for reading together with others. It is ready when troupe_receive has
//  something to do (also when a timeout or a reconnection is due, so no timeout is needed). Before
//  each wait, call troupe_receive with timeout 0 until it returns NULL: what was already read
//  makes no descriptor ready. It stays the same, across reconnections, and belongs to SELF.
TROUPE_API int troupe_fd (const troupe_t *self);

//  When the connection is lost (the daemon ended), every open request gets the error
//  TROUPE_ERROR_NO_CONNECT, troupe_receive gives a notice with the verb TROUPE_LOST, subscriptions
//  and consoles are gone, and the library looks for the daemon again: at once in each troupe_send
//  and troupe_call, and four times a second in troupe_receive. When it is back, a notice
//  TROUPE_RENEWED comes, before any event of the new connection; subscribe then, and open consoles
//  again. No request is ever sent twice.
#define TROUPE_LOST "session.lost"
#define TROUPE_RENEWED "session.renewed"

//  ---------------------------------------------------------------------------------------------
//  Values: what answers and events hold. They belong to their message and live as long.

typedef struct troupe_value troupe_value_t;

typedef enum {
    TROUPE_NIL,
    TROUPE_BOOL,
    TROUPE_INT, //  whole number, -2^63 to 2^64-1
    TROUPE_FLOAT,
    TROUPE_STR, //  UTF-8, ends in NUL and has none inside
    TROUPE_BIN,
    TROUPE_ARRAY,
    TROUPE_MAP //  keys are strings, none twice
} troupe_type_t;

//  All of these accept NULL and values of another type, and say "absent" then.
TROUPE_API troupe_type_t troupe_type (const troupe_value_t *self); //  NULL is TROUPE_NIL
TROUPE_API const char *troupe_str (const troupe_value_t *self);    //  NULL unless a string
TROUPE_API bool troupe_bool (const troupe_value_t *self, bool otherwise);
TROUPE_API int64_t troupe_i64 (const troupe_value_t *self, int64_t otherwise);
TROUPE_API uint64_t troupe_u64 (const troupe_value_t *self, uint64_t otherwise);
TROUPE_API double troupe_float (const troupe_value_t *self, double otherwise); //  integers too
TROUPE_API const void *troupe_bin (const troupe_value_t *self, size_t *size);  //  strings too
TROUPE_API size_t troupe_count (const troupe_value_t *self);                   //  array or map
TROUPE_API const troupe_value_t *troupe_at (const troupe_value_t *self, size_t index);
TROUPE_API const char *troupe_key_at (const troupe_value_t *self, size_t index); //  of a map
TROUPE_API const troupe_value_t *troupe_get (const troupe_value_t *self, const char *key);
TROUPE_API const char *troupe_get_str (const troupe_value_t *self, const char *key);
TROUPE_API bool troupe_get_bool (const troupe_value_t *self, const char *key, bool otherwise);
TROUPE_API int64_t troupe_get_i64 (const troupe_value_t *self, const char *key, int64_t otherwise);
TROUPE_API uint64_t troupe_get_u64 (const troupe_value_t *self, const char *key,
                                    uint64_t otherwise);

//  ---------------------------------------------------------------------------------------------
//  Arguments of a request: a map, filled by name. A name given twice is refused by the daemon.

typedef struct troupe_args troupe_args_t;

TROUPE_API troupe_args_t *troupe_args_new (void); //  the caller owns the result
TROUPE_API void troupe_args_destroy (troupe_args_t **self_p);
//  Texts and bytes are copied.
TROUPE_API void troupe_args_str (troupe_args_t *self, const char *name, const char *text);
TROUPE_API void troupe_args_bool (troupe_args_t *self, const char *name, bool value);
TROUPE_API void troupe_args_i64 (troupe_args_t *self, const char *name, int64_t value);
TROUPE_API void troupe_args_u64 (troupe_args_t *self, const char *name, uint64_t value);
TROUPE_API void troupe_args_bin (troupe_args_t *self, const char *name, const void *bytes,
                                 size_t size);
TROUPE_API void troupe_args_strs (troupe_args_t *self, const char *name, const char *const *texts,
                                  size_t count);

//  ---------------------------------------------------------------------------------------------
//  Messages: what comes from the daemon. The caller owns each one it was given.

typedef struct troupe_message troupe_message_t;

typedef enum {
    TROUPE_REPLY,
    TROUPE_FAILURE, //  the answer is an error
    TROUPE_EVENT,   //  from the daemon, after event.subscribe, console.open or host.trace
    TROUPE_NOTICE   //  from the library itself: TROUPE_LOST, TROUPE_RENEWED
} troupe_kind_t;

TROUPE_API void troupe_message_destroy (troupe_message_t **self_p);
TROUPE_API troupe_kind_t troupe_message_kind (const troupe_message_t *self);
//  Of the request that it answers; 0 for events and notices.
TROUPE_API uint64_t troupe_message_id (const troupe_message_t *self);
//  Of the event or notice, or of the request that it answers.
TROUPE_API const char *troupe_message_verb (const troupe_message_t *self);
//  The result of a reply, the arguments of an event; NULL otherwise.
TROUPE_API const troupe_value_t *troupe_message_value (const troupe_message_t *self);
//  True, and *ERR filled, if this is TROUPE_FAILURE.
TROUPE_API bool troupe_message_failed (const troupe_message_t *self, troupe_error_t *err);

//  ---------------------------------------------------------------------------------------------
//  Calls

#define TROUPE_DEADLINE_MS 30000
#define TROUPE_MAX_OPEN 10000 //  requests without an answer, on one connection

//  Zeros are defaults.
typedef struct {
    //  How long the daemon may let the request wait before it starts on it: behind another job, or
    //  for an owner that is busy. 0: TROUPE_DEADLINE_MS.
    int deadline_ms;
    //  How long we wait for the answer in all; then it is TROUPE_ERROR_TIMEOUT, and what was asked
    //  for may still happen. 0: the deadline and a second, so that the daemon's own word on a
    //  missed deadline arrives. -1: as long as the connection lasts.
    int limit_ms;
    const char *trace; //  goes with the call through all actors, for `troupe trace`
    //  A key of the caller's own, 1 to 128 printable ASCII characters: however often the same call
    //  is sent with it, also over another connection or after the daemon was started again, it is
    //  carried out once, and each gets its answer. Only with calls that change something. The
    //  daemon keeps answers for a day (docs/protocol.md). NULL: none.
    const char *key;
} troupe_options_t;

//  Sends a request and returns its id (> 0), for which exactly one answer, reply or failure, comes
//  by troupe_receive or troupe_wait. ARGS may be NULL; it stays the caller's, and may be used
//  again. OPTIONS may be NULL. 0 and ERR when it was not sent: TROUPE_ERROR_NO_CONNECT, or
//  TROUPE_ERROR_BUSY when TROUPE_MAX_OPEN are open. Does not wait.
TROUPE_API uint64_t troupe_send (troupe_t *self, const char *verb, const troupe_args_t *args,
                                 const troupe_options_t *options, troupe_error_t *err);

//  The next message: an answer to troupe_send, an event or a notice, in the order they came. Waits
//  for one at most TIMEOUT_MS (0: does not wait; -1: no limit). NULL and TROUPE_ERROR_TIMEOUT when
//  none came.
TROUPE_API troupe_message_t *troupe_receive (troupe_t *self, int timeout_ms, troupe_error_t *err);

//  The answer to request ID, which may be a failure; other messages that come meanwhile are kept
//  for troupe_receive. NULL and TROUPE_ERROR_TIMEOUT when it does not come within TIMEOUT_MS: the
//  request stays open, and may be waited for again. NULL and TROUPE_ERROR_INVALID_ARG when no such
//  request is open.
TROUPE_API troupe_message_t *troupe_wait (troupe_t *self, uint64_t id, int timeout_ms,
                                          troupe_error_t *err);

//  Sends and waits. TIMEOUT_MS (0: TROUPE_DEADLINE_MS) is the deadline that goes with the request
//  and, with a second more, how long we wait. The reply, or NULL and ERR: the daemon's error, or
//  one of the above.
TROUPE_API troupe_message_t *troupe_call (troupe_t *self, const char *verb,
                                          const troupe_args_t *args, int timeout_ms,
                                          troupe_error_t *err);

//  ---------------------------------------------------------------------------------------------
//  Events

//  Called for each event and notice from within troupe_receive, troupe_wait and troupe_call, which
//  then do not return or keep them. MESSAGE is the library's. It may call troupe_send, but none of
//  the functions that receive.
typedef void (troupe_event_fn) (troupe_t *self, const troupe_message_t *message, void *arg);

//  NULL: events are received by troupe_receive again.
TROUPE_API void troupe_on_event (troupe_t *self, troupe_event_fn *on_event, void *arg);

//  Events and notices that nobody receives while calls are waited for are kept, 65,536 at most;
//  then the oldest goes. This is how many went so far.
TROUPE_API uint64_t troupe_dropped (const troupe_t *self);

//  ---------------------------------------------------------------------------------------------
//  Consoles

#define TROUPE_CONSOLE_WRITE_MAX 65536 //  bytes in one write

//  Opens DOMAIN's console (name, uuid or id): DEVICE by its alias, NULL for the first; FORCE takes
//  it from whoever has it open. Returns the stream's number (> 0) or 0 and ERR. Output comes as
//  events `console.data` {stream, data}, its end as `console.end` {stream, reason}.
TROUPE_API uint64_t troupe_console_open (troupe_t *self, const char *domain, const char *device,
                                         bool force, int timeout_ms, troupe_error_t *err);
//  Sends input, at most TROUPE_CONSOLE_WRITE_MAX bytes, and returns the request's id (as
//  troupe_send does). Its answer comes once the guest took the bytes: whoever waits for it before
//  the next write sends no more than the guest reads.
TROUPE_API uint64_t troupe_console_write (troupe_t *self, uint64_t stream, const void *bytes,
                                          size_t size, troupe_error_t *err);
//  0, or -1 and ERR (TROUPE_ERROR_TIMEOUT, or the daemon's error).
TROUPE_API int troupe_console_close (troupe_t *self, uint64_t stream, int timeout_ms,
                                     troupe_error_t *err);

#ifdef __cplusplus
}
#endif
#endif
