//  envelope.h: the messages between clients and the daemon: one ZeroMQ frame with one msgpack map.
//
//      {id, kind: "request", verb, args, deadline, key, trace}     client to daemon
//      {id, kind: "reply", result}                            its answer, exactly one:
//      {id, kind: "error", error: {code, name, message, retry}}     this or that
//      {kind: "event", verb, args}                            daemon to client, unasked
//
//  Any other field of a request is refused, so that nothing a client relies on is passed over.

#ifndef TROUPE_ENVELOPE_H
#define TROUPE_ENVELOPE_H

#include "msg/pack.h"
#include "msg/value.h"

#define CALL_DEADLINE_MS 30000
#define CALL_MAX_DEADLINE_MS (24 * 3600 * 1000)
#define CALL_MAX_TRACE 128
#define CALL_MAX_KEY 128

//  A request. Its values live as long as it.
typedef struct {
    document_t *document;
    bool has_id; //  false: the answer's id is nil
    uint64_t id;
    const char *verb;
    const char *trace;   //  NULL if absent
    const char *key;     //  the same call is carried out once; NULL if absent
    const value_t *args; //  a map, or NULL
    int deadline_ms;     //  from now
} call_t;

//  Reads a request. -1 and ERR_RPC when it is none; its id is there if it could be read. Close it
//  in both cases.
int call_read (call_t *self, const void *bytes, size_t size, error_t *err);
void call_close (call_t *self);

//  The answers, each up to its end. Between reply_begin and reply_end one value is written, the
//  result; between event_begin and event_end the pairs of args.
void reply_begin (pack_t *pack, uint64_t id);
void reply_end (pack_t *pack);
void reply_error (pack_t *pack, bool has_id, uint64_t id, const error_t *err);
void event_begin (pack_t *pack, const char *verb);
void event_end (pack_t *pack);

#endif
