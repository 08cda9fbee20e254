//  network_rules.h: what a network lets through, as nftables rules in one table of ours, `inet
//  troupe` (with --root, `inet troupe_INSTANCE`). Each network has base chains of its own there,
//  whose names end in its uuid, so its rules come and go in one transaction and nobody else's are
//  touched: not those of other networks, not those of other programs.
//
//      forward_UUID    what passes the bridge: answers to guests, what they send, no more
//      nat_UUID        what leaves the host has the host's address (mode nat)
//
//  An `accept` ends its own chain only, so what another network, or a firewall, drops stays so.

#ifndef TROUPE_NETWORK_RULES_H
#define TROUPE_NETWORK_RULES_H

#include "drivers/job.h"

//  The transaction that replaces the rules of a running network, BRIDGE being its link. NULL: it
//  has none (mode open, or no bridge of its own). The caller frees it. Pure.
char *network_rules_text (const xml_node_t *network, const char *uuid, const char *bridge,
                          const char *table);

//  Of the job's network (guest): applies them, the undo "rules" pushed before; takes them away, and
//  the table if it was the last.
int network_rules_apply (job_t *job, const char *bridge, error_t *err);
int network_rules_remove (job_t *job, const char *uuid, error_t *err);
//  *SAME: the kernel has them as they were when they were applied.
int network_rules_look (job_t *job, bool *same, error_t *err);

#endif
