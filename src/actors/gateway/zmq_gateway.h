//  zmq_gateway.h: the native API on ZeroMQ: two ROUTER sockets, troupe.sock and troupe-ro.sock, one
//  frame with one msgpack map a message (msg/envelope.h, docs/protocol.md).
//
//  It answers state queries from the snapshots that owners publish, passes everything else on, and
//  sends each session the events that it asked for. Requires `zap` to run.
//
//  Roles: on troupe-ro.sock everybody may read. On troupe.sock root and the daemon's own user are
//  admin, others (of the socket's group) may write.
//
//  Slow readers: what ZeroMQ does not take waits in the session's outbox; a console's output is
//  acknowledged only when it left, so that its guest waits rather than our memory grows. A session
//  whose outbox grew too large, or did not move for a minute, is overrun: what waits is thrown
//  away, its consoles, subscriptions and trace end, and it is told so by an event `session.overrun`
//  {reason} once it reads again.
//
//  Dead sessions are noticed by what they can't be sent: who listens gets a `ping` event a second.

#ifndef TROUPE_ZMQ_GATEWAY_H
#define TROUPE_ZMQ_GATEWAY_H

#include "actors/runtime/actor.h"

#define GATEWAY_ADDRESS "zmq_gateway"

//  Start argument: `config`. Requests: `gateway.idle`: {idle_ms: since a client last sent
//  something, sessions: those that listen or wait for an answer}.
extern const actor_class_t zmq_gateway_class;

#endif
