//  links.h: the actor that owns the kernel's network links, at the address `links`. It alone makes,
//  changes and removes links, in the daemon's own network namespace, through one rtnetlink socket;
//  a second one tells it what others do to them.
//
//  Every link that it made is on record: under its OWNER (an address, "domain/UUID") and the KEY
//  that the asker chose; as what the kernel returned (ifindex), with the random MAC that proves it
//  to be ours if we were killed in between. Only what is on record is ever removed, and by ifindex.
//
//  link.create       {owner, key, spec}: makes the link and gives it all that spec (link_spec_t)
//                    says, or leaves nothing behind. {link}
//  link.take         {owner, key ("host:NAME"), process (PID:START:BOOTID), holder (for errors)}:
//                    moves a link that the host has into the network namespace of the process. nil.
//                    ERR_OPERATION_INVALID if it is lo, a port of a bridge, ours, or another has
//                    it. Its way back is that process's; link.delete ends the loan, and logs if it
//                    did not come back, or came back with another name
//  link.set          {owner, key, settings, peer (the other end of a veth)}: {link}
//  link.get          {owner, key}: {link}; or {name}, of anybody's link of this name
//  link.address      {owner, key, address ("192.168.122.1/24"), remove}: nil, also if it is so
//                    already; ERR_OPERATION_FAILED if the host reaches its subnet by another link
//  link.route        {owner, key, route, remove}: the same
//  link.bandwidth    {owner, key, bandwidth; without one the limits go}: nil
//  link.delete       {owner, key}: nil, once it is gone; also if there is none
//  link.release      {owner}: nil, once all links of this owner are gone
//  link.claim        {owner, keys}: what an owner says when it has loaded: it has these and no
//                    others, which are removed. {links: array of {key, link}}: those that are there
//  link.list         array of {owner, key, master (its name), and what link_t has} of all links
//  that
//                    are ours
//  links.settle      (from the host, once all owners are loaded): removes links of owners that do
//  not
//                    exist any more. nil
//
//  Requests for one link are carried out in the order in which they came; a delete after a create
//  that is still under way waits for it. What the kernel refuses is an error with the kernel's
//  words; one that it has no code for is ERR_OPERATION_UNSUPPORTED; without CAP_NET_ADMIN all
//  that change something are ERR_OPERATION_DENIED. A chosen name that exists is
//  ERR_OPERATION_FAILED and leaves that link alone.
//
//  An owner is told, without asking: `link.gone` {key, ifindex, name} when its link vanished though
//  nobody asked us to remove it (it is on record no more), `link.changed` {key, link} when its
//  name, MAC, MTU, master or up was changed by others, or its carrier came or went.

#ifndef TROUPE_LINKS_H
#define TROUPE_LINKS_H

#include "actors/runtime/actor.h"

extern const actor_class_t links_class;

#endif
