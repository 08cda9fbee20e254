//  rpc_event_kinds.h: what our events are called and carry in libvirt's protocol. Pure: a table,
//  and writing a message by it.

#ifndef TROUPE_RPC_EVENT_KINDS_H
#define TROUPE_RPC_EVENT_KINDS_H

#include "actors/gateway/view.h"
#include "msg/xdr/procedures.h"

//  Adds to a message's fields, an open map, what a mapping of names can't say. ARGS: our event's.
typedef void (rpc_event_fn) (pack_t *pack, const value_t *args);

//  What libvirt's events are about: each kind of object has event numbers of its own.
typedef enum {
    RPC_OF_DOMAIN,  //  virDomainEventID
    RPC_OF_NETWORK, //  virNetworkEventID
    RPC_OF_DEVICE,  //  virNodeDeviceEventID
    RPC_OF_MONITOR, //  QEMU's own: they have no numbers, and no kind here (rows_monitor_event.c)
    RPC_OBJECTS
} rpc_object_t;

//  One of libvirt's events: it comes with our VERB, if the field KEY is WORD.
typedef struct {
    rpc_object_t object;
    int id;
    const char *verb, *key, *word;
    const char *message, *legacy; //  procedures; LEGACY NULL: it has none
    const char *fields;           //  FIELD=KEY of our event's
    rpc_event_fn *pack;
} rpc_event_kind_t;

//  Index from 0; NULL behind the last. One of our events may be several of libvirt's.
const rpc_event_kind_t *rpc_event_kind_at (size_t index);
//  The greatest number of an event of OBJECT.
int rpc_event_last (rpc_object_t object);
bool rpc_event_is (const rpc_event_kind_t *kind, const view_event_t *event);
//  What clients know its object by: a uuid, or a node device's name.
const char *rpc_event_about (const rpc_event_kind_t *kind, const view_event_t *event);
const procedure_t *rpc_event_procedure (const rpc_event_kind_t *kind, bool legacy);
//  Appends the message's payload to OUT. NUMBER: of the registration.
int rpc_event_write (const rpc_event_kind_t *kind, bool legacy, const view_event_t *event,
                     int number, text_t *out, error_t *err);

#endif
