//  interface.h: the host's side of a guest's network interfaces, as all drivers have it: the links
//  that are made for them (drivers/net/link.h), under the interface's alias as key, and the ports
//  of virtual networks. The guest's record has one element for each of them:
//
//      <link alias='net0' name='vnet0' ifindex='7' network='UUID' port='UUID' .../>
//
//  name and ifindex once the link is there; network and port: what it has of a virtual network
//  (drivers/net/port.h).

#ifndef TROUPE_INTERFACE_H
#define TROUPE_INTERFACE_H

#include "drivers/job.h"

//  "net0"; "" if it has none.
const char *interface_alias (const xml_node_t *interface);
//  It is plugged into a link of the host, not into a bridge: a macvtap, or macvlan. A port of a
//  network says in the live document what it is plugged into, as libvirt has it.
bool interface_is_direct (const xml_node_t *interface);
//  The record's element of an interface; NULL: it has no link.
xml_node_t *interface_link (const xml_t *record, const xml_node_t *interface);
//  A decimal number, or OTHERWISE.
int interface_number (const xml_node_t *node, const char *path, int otherwise);

//  Takes out of a document what an earlier start put into it: the names that the kernel gave, and
//  what a network granted. The next start gets others.
void interface_forget (xml_node_t *interface);
//  What may be said of an interface, whatever its driver: the name, the bandwidth, the MTU.
int interface_check (const xml_node_t *interface, error_t *err);
//  Of all of a guest's: no two want the same name of the host's link.
int interface_check_all (const xml_node_t *devices, error_t *err);
//  Can NAME be a link's?
int interface_check_name (const char *name, error_t *err);

//  Adds the interface's element to the record; its port is chosen, and the undo of both is pushed.
//  LINK: the element. The caller makes it durable.
int interface_intend (job_t *job, const xml_node_t *interface, xml_node_t **link, error_t *err);
//  ... of its network alone: chooses the port, which LINK then names, and pushes its undo.
int interface_intend_port (job_t *job, const xml_node_t *interface, xml_node_t *link, error_t *err);
//  Asks the network for the port, if it has one, and says in the live document what it is plugged
//  into; of a pool of the host's devices: which one, as an interface of type 'hostdev'. WHAT can't
//  have one: "a container"; NULL: it can.
int interface_take_port (job_t *job, xml_node_t *interface, const xml_node_t *link,
                         const char *what, port_grant_t *grant, error_t *err);
//  The device that the port had could not be had, like those of EXCEPT before: another one.
int interface_take_other (job_t *job, xml_node_t *interface, const xml_node_t *link,
                          const strings_t *except, port_grant_t *grant, error_t *err);
//  The address of the host's end: the guest's, but for a high first byte. The lowest address among
//  its ports becomes that of a bridge which has none of its own, and so changes it when a guest
//  comes.
void interface_host_mac (const xml_node_t *interface, char mac[LINK_MAC_SIZE]);
//  What SET says of the host's end, of a bridge: which one, its MTU, and if it is isolated there.
int interface_find_bridge (job_t *job, const xml_node_t *interface, link_settings_t *set,
                           error_t *err);
//  Its bandwidth: the interface's own limits go before those of its network.
int interface_limit (job_t *job, const xml_node_t *interface, const port_grant_t *grant,
                     error_t *err);
//  It is there: record and live document say so.
void interface_note (xml_node_t *interface, xml_node_t *link, const link_t *made);

//  driver_t's plug_again.
int interface_plug_again (job_t *job, const char *port, const port_grant_t *grant, error_t *err);
//  interface_stats.c: adds what went through them to STATS ("net.0.rx.bytes", ...; driver.h). Those
//  without a link on this host (QEMU's type user, a macvlan in a container) are counted only.
int interface_stats (job_t *job, json_t *stats, error_t *err);

//  An adopted guest has these links and no others.
int interface_claim (job_t *job, error_t *err);
//  The guest is over.
int interface_unplug (job_t *job, error_t *err);

#endif
