//  kept_calls.c: see kept_calls.h.

#include "actors/gateway/kept_calls.h"

#include "util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "troupe-call 1"

struct kept_calls {
    zhashx_t *by_id; //  kept_call_t
    size_t bytes;    //  of all answers
};

static void destroy_msg (void **item_p)
{
    msg_destroy ((msg_t **) item_p);
}

static void call_destroy (void **item_p)
{
    kept_call_t *call = take ((kept_call_t **) item_p);
    document_destroy (&call->answer);
    zlistx_destroy (&call->waiting);
    free (call->verb);
    free (call);
}

kept_calls_t *kept_calls_new (void)
{
    kept_calls_t *self = memory_new (1, sizeof *self);
    self->by_id = zhashx_new ();
    zhashx_set_destructor (self->by_id, call_destroy);
    return self;
}

void kept_calls_destroy (kept_calls_t **self_p)
{
    kept_calls_t *self = take (self_p);
    if (!self)
        return;
    zhashx_destroy (&self->by_id);
    free (self);
}

size_t kept_calls_count (const kept_calls_t *self)
{
    return zhashx_size (self->by_id);
}

//  What makes two calls the same.

void kept_call_id (const value_t *by, const char *key, char id[SHA256_TEXT_SIZE])
{
    const char *host = value_get_str (by, "key");
    autofree char *who = host ? text_format ("key %s", host)
                              : text_format ("uid %" PRIu64, value_get_u64 (by, "uid", 0));
    sha256_t sum;
    sha256_begin (&sum);
    sha256_add (&sum, who, strlen (who) + 1);
    sha256_add (&sum, key, strlen (key));
    sha256_end (&sum, id);
}

//  A client that asks again may write the same map in another order.
static strings_t *sorted_names (const value_t *args)
{
    strings_t *names = strings_new ();
    for (size_t i = 0; i < value_count (args); i++)
        strings_add (names, value_key_at (args, i));
    strings_sort (names);
    return names;
}

void kept_call_digest (const char *verb, const value_t *domain, const value_t *args,
                       char digest[SHA256_TEXT_SIZE])
{
    pack_t pack;
    pack_init (&pack);
    pack_array (&pack);
    pack_str (&pack, verb);
    if (domain)
        pack_value (&pack, domain);
    else
        pack_nil (&pack);
    auto(strings_t) names = sorted_names (args);
    for (size_t i = 0; i < names->count; i++) {
        pack_str (&pack, names->items[i]);
        pack_value (&pack, value_get (args, names->items[i]));
    }
    pack_end (&pack);
    sha256_t sum;
    sha256_begin (&sum);
    sha256_add (&sum, pack.bytes, pack.size);
    sha256_end (&sum, digest);
    pack_close (&pack);
}

//  The table.

kept_call_t *kept_calls_find (const kept_calls_t *self, const char *id)
{
    return zhashx_lookup (self->by_id, id);
}

kept_call_t *kept_calls_add (kept_calls_t *self, const char *id, const char *digest,
                             const char *verb, int64_t now_us)
{
    kept_call_t *call = memory_new (1, sizeof *call);
    snprintf (call->id, sizeof call->id, "%s", id);
    snprintf (call->digest, sizeof call->digest, "%s", digest);
    call->verb = text_copy (verb);
    call->begun_us = now_us;
    call->waiting = zlistx_new ();
    zlistx_set_destructor (call->waiting, destroy_msg);
    zhashx_insert (self->by_id, call->id, call);
    return call;
}

void kept_calls_remove (kept_calls_t *self, kept_call_t **call_p)
{
    kept_call_t *call = take (call_p);
    self->bytes -= call->answer_size;
    zhashx_delete (self->by_id, call->id);
}

static void set_answer (kept_calls_t *self, kept_call_t *call, const void *bytes, size_t size)
{
    error_t never;
    call->answer = document_parse (bytes, size, VALUE_MAX_BYTES_INSIDE, &never);
    call->answer_size = size;
    self->bytes += size;
}

static void pack_answer (pack_t *pack, const msg_t *answer)
{
    error_t err;
    pack_map (pack);
    if (msg_failed (answer, &err)) {
        pack_key (pack, "error");
        error_pack (&err, pack);
    } else {
        pack_key (pack, "result");
        if (msg_value (answer))
            pack_value (pack, msg_value (answer));
        else
            pack_nil (pack);
    }
    pack_end (pack);
}

void kept_calls_answer (kept_calls_t *self, kept_call_t *call, const msg_t *answer, int64_t now_us)
{
    pack_t pack;
    pack_init (&pack);
    pack_answer (&pack, answer);
    size_t size = pack.size;
    if (size > KEPT_MAX_ANSWER) {
        pack_clear (&pack);
        pack_map (&pack);
        pack_key_u64 (&pack, "bytes", size);
        pack_end (&pack);
    }
    set_answer (self, call, pack.bytes, pack.size);
    call->ended_us = now_us;
    pack_close (&pack);
}

//  What a call that can't be answered as the first time is answered.
static msg_t *no_answer (const kept_call_t *call)
{
    error_t err;
    uint64_t bytes = value_get_u64 (call->answer ? document_root (call->answer) : NULL, "bytes", 0);
    if (bytes > 0)
        error_set (&err, ERR_OPERATION_FAILED,
                   "%s: the call with this key was carried out, but its answer was too large to be "
                   "kept (%" PRIu64 " bytes); use another key to have it done once more",
                   call->verb, bytes);
    else
        error_set (&err, ERR_OPERATION_FAILED,
                   "%s: the daemon ended while it carried out the call with this key, and what "
                   "became of it is not known; look at the domain ('troupe jobs --history'), and "
                   "use another key to have it done once more",
                   call->verb);
    return msg_error (&err);
}

msg_t *kept_call_answer (const kept_call_t *call)
{
    const value_t *root = call->answer ? document_root (call->answer) : NULL;
    const value_t *result = value_get (root, "result"), *error = value_get (root, "error");
    if (error) {
        error_t err;
        error_unpack (error, &err);
        return msg_error (&err);
    }
    if (!result)
        return no_answer (call);
    msg_t *reply = msg_reply ();
    pack_value (msg_result (reply), result);
    return reply;
}

//  What need not be kept.

bool kept_calls_are_full (const kept_calls_t *self)
{
    return zhashx_size (self->by_id) >= KEPT_MAX_CALLS ||
           self->bytes + KEPT_MAX_ANSWER > KEPT_MAX_BYTES;
}

kept_call_t *kept_calls_find_old (const kept_calls_t *self, bool room, int64_t now_us)
{
    int64_t before = now_us - (room ? KEPT_MIN_US : KEPT_US);
    kept_call_t *oldest = NULL;
    for (kept_call_t *each = zhashx_first (self->by_id); each; each = zhashx_next (self->by_id))
        if (each->state != KEPT_OPEN && each->ended_us <= before &&
            (!oldest || each->ended_us < oldest->ended_us))
            oldest = each;
    return oldest;
}

//  On disk.

char *kept_call_pack (const kept_call_t *call, size_t *size)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "format", FORMAT);
    pack_key_str (&pack, "verb", call->verb);
    pack_key_str (&pack, "digest", call->digest);
    pack_key_i64 (&pack, "begun_us", call->begun_us);
    if (call->answer) {
        pack_key_i64 (&pack, "ended_us", call->ended_us);
        //  As bytes: a result may be nested as deep as a document may be.
        pack_t answer;
        pack_init (&answer);
        pack_value (&answer, document_root (call->answer));
        pack_key (&pack, "answer");
        pack_bin (&pack, answer.bytes, answer.size);
        pack_close (&answer);
    }
    pack_end (&pack);
    return pack_take (&pack, size);
}

static bool is_digest (const char *text)
{
    return text && strlen (text) == SHA256_TEXT_SIZE - 1 &&
           strspn (text, "0123456789abcdef") == SHA256_TEXT_SIZE - 1;
}

static int check_file (const value_t *root, const char *id, error_t *err)
{
    const char *format = value_get_str (root, "format");
    if (!is_digest (id) || !text_equals (format, FORMAT))
        return error_set (err, ERR_PARSE_FAILED, "it is not in this version's format");
    if (!value_get_str (root, "verb") || !is_digest (value_get_str (root, "digest")))
        return error_set (err, ERR_PARSE_FAILED, "it is damaged");
    return 0;
}

int kept_calls_load (kept_calls_t *self, const char *id, const void *bytes, size_t size,
                     int64_t now_us, error_t *err)
{
    auto(document_t) document = document_parse (bytes, size, KEPT_FILE_MAX, err);
    const value_t *root = document ? document_root (document) : NULL;
    if (!document || check_file (root, id, err))
        return -1;
    size_t answer_size;
    const void *answer = value_bin (value_get (root, "answer"), &answer_size);
    auto(document_t) parsed =
        answer ? document_parse (answer, answer_size, KEPT_FILE_MAX, err) : NULL;
    if (answer && !parsed)
        return -1;
    kept_call_t *call =
        kept_calls_add (self, id, value_get_str (root, "digest"), value_get_str (root, "verb"),
                        value_get_i64 (root, "begun_us", now_us));
    call->state = answer ? KEPT_ANSWERED : KEPT_LOST;
    call->ended_us = value_get_i64 (root, "ended_us", call->begun_us);
    if (answer)
        set_answer (self, call, answer, answer_size);
    return 0;
}
