//  network_start.h: a network's life on the host: its bridge, addresses, rules, dnsmasq. All of it
//  runs in jobs, whose guest is the network: definition, live document and record
//
//      <network><bridge name='virbr0' ifindex='7'/><dnsmasq process='PID:START:BOOTID'/></network>

#ifndef TROUPE_NETWORK_START_H
#define TROUPE_NETWORK_START_H

#include "drivers/job.h"
#include "msg/pack.h"
#include "util/text.h"

//  Of the element <choose-subnet> in the metadata of a network that may take another subnet.
#define NETWORK_CHOOSE_URI "https://troupe.dev/xml/network/1"

//  Every effect has its undo pushed before; live document and record are made. The guest is
//  `redefined` if it chose a subnet: that is for the caller to write.
int network_start (job_t *job, error_t *err);
//  Takes all of it away again. May be repeated.
int network_stop (job_t *job, error_t *err);
//  After a restart, or when a part of it ended: what is missing is made again. *OVER: its bridge is
//  gone, and the rest was taken away.
int network_look (job_t *job, bool *over, error_t *err);
//  The live document is new: rules and dnsmasq follow it.
int network_refresh (job_t *job, error_t *err);
//  Is its bridge up, with its addresses and routes? *PROBLEM: what is not, a text that stays; NULL:
//  nothing. To mend it leaves alone what is there.
int network_bridge_look (job_t *job, const char **problem, error_t *err);
int network_bridge_mend (job_t *job, error_t *err);
//  Name of the bridge of a running network; NULL: it has none of its own.
const char *network_bridge (const guest_t *guest);

//  What ports are plugged into (actors/network/network.h), for the owner.
void network_pack_plug (pack_t *pack, const guest_t *guest, const strings_t *devices);
//  The lower links, or PCI addresses, that ports of a running network share. None for a bridge. The
//  caller owns the result; NULL and ERR.
strings_t *network_devices (const guest_t *guest, error_t *err);
//  The PCI addresses of the virtual functions that the interface PF has now. The caller owns the
//  result; NULL and ERR: it has none.
strings_t *network_functions (const char *pf, error_t *err);

#endif
