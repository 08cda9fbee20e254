//  network.h: the owner of one virtual network, at network/UUID: its documents, its state, its
//  ports and leases. What takes steps is a job (jobs_network.c); it changes one thing at a time, in
//  the order of the requests, but a destroy goes before all others and cancels a start.
//
//  Ports are granted or refused at once, whatever runs:
//
//      network.port_create  {port (a uuid that the asker chose), domain (its uuid), domain_name,
//      mac,
//                           portgroup}: what to plug into, durable when it is answered:
//                           {port, network, network_name, kind, trust_guest_rx_filters (yes, no,
//                           ""), and
//          kind "bridge":   bridge, bridge_index (0: the host's own), mtu (0: the bridge's),
//                           isolated
//          kind "macvtap":  device (lower link), mode
//          kind "hostdev":  device (PCI address of a VF), vlan (0: none), driver ("" or its name),
//                           virtualport, profile (802.1Qbh and its profileid; nil: none)
//                           bandwidth (as link_bandwidth_pack; nil: none)}
//                           Asked again under the same key it answers the same.
//      network.port_delete  {port}: nil, also if there is none

#ifndef TROUPE_NETWORK_H
#define TROUPE_NETWORK_H

#include "actors/runtime/actor.h"

extern const actor_class_t network_class;

#endif
