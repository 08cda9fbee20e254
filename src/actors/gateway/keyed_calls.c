//  keyed_calls.c: see keyed_calls.h.

#include "actors/gateway/keyed_calls.h"

#include "actors/config.h"
#include "actors/services/disk_request.h"
#include "actors/gateway/kept_calls.h"
#include "msg/verbs.h"
#include "util/file.h"

#include <limits.h>
#include <string.h>

enum {
    DISK_MS = 60000,
    LOOK_MS = 60000, //  between two looks for what is too old
    REMOVE_MAX = 64  //  files at a time
};

typedef struct {
    char *folder;
    kept_calls_t *calls;
} keyed_calls_t;

//  The disk. All is written by one disk actor, so what is asked for first is done first.

static void send_to_disk (actor_t *actor, msg_t **request_p, actor_reply_fn *on_done, void *arg)
{
    const keyed_calls_t *self = actor_state (actor);
    char disk[MSG_ADDRESS_MAX];
    disk_address (self->folder, disk);
    actor_request (actor, disk, request_p, DISK_MS, on_done, arg);
}

static void add_removal (const keyed_calls_t *self, msg_t *request, const kept_call_t *call)
{
    autofree char *path = text_format ("%s/%s", self->folder, call->id);
    disk_add_file (request, path, NULL);
}

static void write_call (actor_t *actor, kept_call_t *call, actor_reply_fn *on_done)
{
    const keyed_calls_t *self = actor_state (actor);
    size_t size;
    autofree char *path = text_format ("%s/%s", self->folder, call->id);
    autofree char *bytes = kept_call_pack (call, &size);
    auto(msg_t) request = disk_request ();
    pack_t *pack = msg_args (request);
    pack_map (pack);
    pack_key_str (pack, "path", path);
    pack_key (pack, "text");
    pack_bin (pack, bytes, size);
    pack_end (pack);
    send_to_disk (actor, &request, on_done, call);
}

//  What stays behind is refused as "not known" after a restart, and goes in time: no harm is done.
static void on_removed (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (actor, LEVEL_WARNING, "the file of a call with a key stays: %s", err.message);
}

//  Answers.

static void answer_waiting (actor_t *actor, kept_call_t *call, const msg_t *answer)
{
    msg_t *request;
    while ((request = zlistx_detach (call->waiting, NULL))) {
        auto(msg_t) copy = msg_copy (answer);
        actor_reply (actor, &request, &copy);
    }
}

static void on_answer_kept (actor_t *actor, const msg_t *reply, void *arg)
{
    kept_call_t *call = arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (actor, LEVEL_WARNING,
                   "the answer of a call of %s with a key is forgotten at the daemon's end: %s",
                   call->verb, err.message);
    call->state = KEPT_ANSWERED;
    auto(msg_t) answer = kept_call_answer (call);
    answer_waiting (actor, call, answer);
}

//  Nothing was begun: the same key may be tried again.
static void forget (actor_t *actor, kept_call_t *call, const msg_t *answer)
{
    keyed_calls_t *self = actor_state (actor);
    auto(msg_t) request = disk_request ();
    add_removal (self, request, call);
    send_to_disk (actor, &request, on_removed, NULL);
    answer_waiting (actor, call, answer);
    kept_calls_remove (self->calls, &call);
}

//  Changes that are no job's are made at once, so that a deadline that passed says nothing.
static bool runs_as_job (const kept_call_t *call)
{
    const verb_t *verb = verb_find (call->verb);
    return verb && verb->class != CLASS_QUERY && verb->class != CLASS_MIGRATION;
}

static bool was_begun (const kept_call_t *call, const msg_t *answer)
{
    error_t err;
    if (!msg_failed (answer, &err))
        return true;
    bool refused = err.retry && err.code == ERR_RESOURCE_BUSY;
    return !refused && !(msg_is_unbegun (answer) && runs_as_job (call));
}

static void on_answer (actor_t *actor, const msg_t *reply, void *arg)
{
    keyed_calls_t *self = actor_state (actor);
    kept_call_t *call = arg;
    if (!was_begun (call, reply)) {
        forget (actor, call, reply);
        return;
    }
    kept_calls_answer (self->calls, call, reply, actor_wall_clock (actor));
    write_call (actor, call, on_answer_kept);
}

//  Calls.

static msg_t *request_of (const msg_t *given)
{
    pack_t by;
    pack_init (&by);
    pack_value (&by, value_get (msg_root (given), "by"));
    msg_t *msg = msg_request (msg_str (given, "verb"));
    msg_set_by (msg, by.bytes, by.size);
    pack_close (&by);
    const value_t *args = msg_arg (given, "args");
    for (size_t i = 0; i < value_count (args); i++) {
        pack_key (msg_args (msg), value_key_at (args, i));
        pack_value (msg_args (msg), value_val_at (args, i));
    }
    msg_header (msg)->flags |= msg_head (given)->flags & MSG_URGENT;
    return msg;
}

static void on_intent_kept (actor_t *actor, const msg_t *reply, void *arg)
{
    kept_call_t *call = arg;
    error_t err;
    if (msg_failed (reply, &err)) {
        error_prefix (&err, "%s: note down its key", call->verb);
        auto(msg_t) answer = msg_error (&err);
        forget (actor, call, answer);
        return;
    }
    const msg_t *given = zlistx_first (call->waiting);
    int64_t left_ms = msg_head (given)->deadline - actor_now (actor);
    auto(msg_t) request = request_of (given);
    actor_request (actor, msg_str (given, "to"), &request, left_ms > 0 ? (int) left_ms : 0,
                   on_answer, call);
}

static int make_room (actor_t *actor, error_t *err)
{
    keyed_calls_t *self = actor_state (actor);
    if (!kept_calls_are_full (self->calls))
        return 0;
    kept_call_t *old = kept_calls_find_old (self->calls, true, actor_wall_clock (actor));
    if (!old) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "keep the key of a call: those of %zu calls of the last hour are kept already, "
                   "and are all that there is room for; try again later, or without a key",
                   kept_calls_count (self->calls));
        err->retry = true;
        return -1;
    }
    auto(msg_t) request = disk_request ();
    add_removal (self, request, old);
    send_to_disk (actor, &request, on_removed, NULL);
    kept_calls_remove (self->calls, &old);
    return 0;
}

static void begin (actor_t *actor, msg_t **msg_p, const char *id, const char *digest)
{
    keyed_calls_t *self = actor_state (actor);
    error_t err;
    const value_t *missing = msg_arg (*msg_p, "error");
    if (missing)
        error_unpack (missing, &err);
    if (missing || make_room (actor, &err)) {
        actor_reply_error (actor, msg_p, &err);
        return;
    }
    kept_call_t *call = kept_calls_add (self->calls, id, digest, msg_str (*msg_p, "verb"),
                                        actor_wall_clock (actor));
    zlistx_add_end (call->waiting, take (msg_p));
    write_call (actor, call, on_intent_kept);
}

static void answer_again (actor_t *actor, msg_t **msg_p, kept_call_t *call, const char *digest)
{
    error_t err;
    if (strcmp (call->digest, digest) != 0) {
        error_set (&err, ERR_INVALID_ARG,
                   "%s: its key was used before, with %s%s; each call needs a key of its own",
                   msg_str (*msg_p, "verb"), call->verb,
                   text_equals (call->verb, msg_str (*msg_p, "verb")) ? " and other arguments"
                                                                      : "");
        actor_reply_error (actor, msg_p, &err);
    } else if (call->state == KEPT_OPEN)
        zlistx_add_end (call->waiting, take (msg_p));
    else {
        auto(msg_t) answer = kept_call_answer (call);
        actor_reply (actor, msg_p, &answer);
    }
}

static void handle_call (actor_t *actor, msg_t **msg_p)
{
    keyed_calls_t *self = actor_state (actor);
    char id[SHA256_TEXT_SIZE], digest[SHA256_TEXT_SIZE];
    if (msg_head (*msg_p)->deadline <= actor_now (actor))
        return; //  it has got its error: nothing is begun that nobody waits for
    //  From now on what the owner says counts, and only that: our request to it has a deadline.
    actor_admit (actor, *msg_p, INT_MAX);
    kept_call_id (value_get (msg_root (*msg_p), "by"), msg_str (*msg_p, "key"), id);
    kept_call_digest (msg_str (*msg_p, "verb"), msg_arg (*msg_p, "domain"),
                      msg_arg (*msg_p, "args"), digest);
    kept_call_t *call = kept_calls_find (self->calls, id);
    if (call)
        answer_again (actor, msg_p, call, digest);
    else
        begin (actor, msg_p, id, digest);
}

static void keyed_calls_handle (actor_t *actor, msg_t **msg_p)
{
    if (msg_is (*msg_p, "keyed.call") && msg_kind (*msg_p) == MSG_REQUEST)
        handle_call (actor, msg_p);
}

//  Life.

static void look_for_old (actor_t *actor, void *arg)
{
    (void) arg;
    keyed_calls_t *self = actor_state (actor);
    auto(msg_t) request = disk_request ();
    int count = 0;
    kept_call_t *old;
    while (count < REMOVE_MAX &&
           (old = kept_calls_find_old (self->calls, false, actor_wall_clock (actor)))) {
        add_removal (self, request, old);
        kept_calls_remove (self->calls, &old);
        count++;
    }
    if (count > 0)
        send_to_disk (actor, &request, on_removed, NULL);
    actor_timer (actor, count == REMOVE_MAX ? 1 : LOOK_MS, look_for_old, NULL);
}

//  An unreadable file stays for who looks after it; its key is taken for a new one.
static void load (actor_t *actor, const char *id)
{
    keyed_calls_t *self = actor_state (actor);
    error_t err;
    size_t size;
    autofree char *path = text_format ("%s/%s", self->folder, id);
    autofree char *bytes = file_read (path, KEPT_FILE_MAX, &size, &err);
    if (!bytes || kept_calls_load (self->calls, id, bytes, size, actor_wall_clock (actor), &err))
        actor_log (actor, LEVEL_WARNING, "read the call with a key in '%s': %s", path, err.message);
}

static int keyed_calls_start (actor_t *actor, const msg_t *args, error_t *err)
{
    keyed_calls_t *self = actor_state (actor);
    self->folder = text_format ("%s/calls", config_of (args)->paths->lib);
    self->calls = kept_calls_new ();
    if (file_make_folders (self->folder, 0700, err) || file_sweep (self->folder, ".", ".new", err))
        return -1;
    auto(strings_t) names = file_list (self->folder, "", err);
    if (!names)
        return -1;
    for (size_t i = 0; i < names->count; i++)
        load (actor, names->items[i]);
    look_for_old (actor, NULL);
    return 0;
}

static void keyed_calls_stop (actor_t *actor)
{
    keyed_calls_t *self = actor_state (actor);
    kept_calls_destroy (&self->calls);
    free (take (&self->folder));
}

const actor_class_t keyed_calls_class = { .kind = "keyed_calls",
                                          .state_size = sizeof (keyed_calls_t),
                                          .max_requests = 4096,
                                          .stop_rank = 2,
                                          .start = keyed_calls_start,
                                          .handle = keyed_calls_handle,
                                          .stop = keyed_calls_stop };
