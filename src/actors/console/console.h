//  console.h: one console of a running guest, while somebody has it open.

#ifndef TROUPE_CONSOLE_H
#define TROUPE_CONSOLE_H

#include "actors/runtime/actor.h"

//  Start arguments: kind ("pty", "unix", "simulated"), path (of the first two), uuid, alias; and
//  for a simulated one driver (its name) and live (the guest's live XML).
//
//  One client has a console at a time. What it asks:
//
//      console.attach {gateway, stream, force}   {stream, device}. ERR_OPERATION_FAILED if somebody
//                                                has the console and force is not set
//      console.input {stream, data}              nil, once the guest's end took all bytes
//      console.detach {stream}                   nil
//
//  What it is told, at the address `gateway`: `console.data` {stream, data} as a stream with a
//  window, and `console.end` {stream, reason, closed (by the guest)} when it loses the console.
//  Input and detach come from the gateway itself. A simulated guest that powers itself off is told
//  of to domain/UUID, by `guest.poweroff` {alias}.
//
//  It ends when the guest's end closes, and when nobody has had it open for CONSOLE_IDLE_MS.
extern const actor_class_t console_class;

#define CONSOLE_IDLE_MS 1000
#define CONSOLE_RING (64u * 1024)
#define CONSOLE_CHUNK (8u * 1024)
#define CONSOLE_MAX_INPUT (64u * 1024)

#endif
