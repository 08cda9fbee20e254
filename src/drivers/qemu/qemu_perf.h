//  qemu_perf.h: performance events in a guest's documents (<perf>).

#ifndef TROUPE_QEMU_PERF_H
#define TROUPE_QEMU_PERF_H

#include "drivers/guest.h"
#include "util/xml.h"

//  Of a definition: events that there are, each once.
int qemu_check_perf (const xml_node_t *domain, error_t *err);
//  Has the record say which events of the process are to be counted: those of the live document.
void qemu_perf_record (guest_t *guest);

#endif
