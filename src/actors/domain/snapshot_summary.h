//  snapshot_summary.h: what a domain's owner publishes of its snapshots. Made in a job, which has
//  the tree; kept packed by the owner.

#ifndef TROUPE_SNAPSHOT_SUMMARY_H
#define TROUPE_SNAPSHOT_SUMMARY_H

#include "drivers/snapshot_tree.h"
#include "msg/pack.h"

//  An array, in the order of the names, of {name, parent, description, creation_time (s), state,
//  location (internal or external), children, descendants, current, xml (without passwords),
//  xml_secure (nil if there are none)}.
void snapshot_summary_pack (pack_t *pack, const snapshot_tree_t *tree);

#endif
