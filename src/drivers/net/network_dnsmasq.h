//  network_dnsmasq.h: a network's dnsmasq: DNS, DHCP for both families, router advertisements.

#ifndef TROUPE_NETWORK_DNSMASQ_H
#define TROUPE_NETWORK_DNSMASQ_H

#include "drivers/job.h"

//  Its configuration (dnsmasq(8): the options without their dashes). HELPER: the program that is
//  told of leases, "" without DHCP. PID: the file that it writes once it serves. Pure; the caller
//  frees it.
char *network_dnsmasq_config (const xml_node_t *network, const char *bridge, const char *helper,
                              const char *pid);

//  Can dnsmasq read the configuration of a document that was checked otherwise?
int network_dnsmasq_check (const xml_node_t *network, error_t *err);

//  Of the job's network: starts it and returns once it serves; its process is in the record then.
//  The undo "process" is pushed before. What it said when it could not start is in the error.
int network_dnsmasq_start (job_t *job, const char *bridge, error_t *err);
//  Ends the one in the record, if there is one.
int network_dnsmasq_stop (job_t *job, error_t *err);
//  Does it run, with what the live document says now? From then on the owner is told of its end.
bool network_dnsmasq_serves (job_t *job, const char *bridge);

#endif
