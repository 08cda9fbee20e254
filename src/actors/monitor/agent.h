//  agent.h: one connection to a guest agent.

#ifndef TROUPE_AGENT_H
#define TROUPE_AGENT_H

#include "actors/runtime/actor.h"

//  Start arguments: path (of the channel's socket, where QEMU listens), port ("open", "closed" or
//  "": whether the guest has the channel open; not known), owner (it ends with that actor). It
//  starts at once, whether somebody is there or not.
//
//  Requests:
//
//      agent         command (JSON text), ms, ends, sleeps, unheard: {json}, the agent's whole
//      answer.
//                    ENDS: the agent goes with what it is told to do, and need not answer; that it
//                    goes is an answer. SLEEPS: so is that the guest goes to sleep. UNHEARD: {json:
//                    "{}"} as soon as the command is sent. Errors: ERR_AGENT_UNRESPONSIVE      it
//                    is not connected, or says nothing ERR_AGENT_COMMAND_TIMEOUT   it was there,
//                    but has not answered within MS ERR_AGENT_UNSYNCED          what it says makes
//                    no sense ERR_RESOURCE_BUSY           too many wait
//      agent.close   nil: it ends; who waits is told
//
//  `agent.port` (open) tells what QEMU says of the channel (VSERPORT_CHANGE); `agent.asleep` that
//  the guest went to sleep, and its agent with it.
//
//  A guest is not to be trusted: what it says is read only while it is asked something, so that it
//  can fill neither our memory nor our time.
extern const actor_class_t agent_class;

#define AGENT_MAX_CALLS 64
//  An agent that is there answers within this time that it is (libvirt waits as long).
#define AGENT_SYNC_MS 5000

#endif
