//  interface_tune.h: the bandwidth of single interfaces, read and changed (libvirt's "Domain XML
//  format" page, "Quality of service").

#ifndef TROUPE_INTERFACE_TUNE_H
#define TROUPE_INTERFACE_TUNE_H

#include "drivers/job.h"
#include "msg/pack.h"
#include "msg/value.h"

//  The interface with this MAC, or target. ERR_INVALID_ARG: there is none.
xml_node_t *interface_named (const xml_node_t *domain, const char *name, error_t *err);

//  ARGS (inbound_average, inbound_peak, inbound_burst, outbound_...) into the interface NAME: who
//  says something of one way says all of it; an average of 0 takes its limits away.
//  ERR_INVALID_ARG.
int interface_tune_set (xml_node_t *domain, const char *name, const value_t *args, error_t *err);
//  The same fields, and inbound_floor, into an open map; 0: not set. INTERFACE may be NULL.
void interface_tune_pack (pack_t *pack, const xml_node_t *interface);

//  The links of the running guest follow its document, where BEFORE says otherwise.
int interface_tune (job_t *job, const xml_node_t *before, error_t *err);
//  Undo "bandwidth".
int interface_undo_bandwidth (job_t *job, const char *argument, error_t *err);

#endif
