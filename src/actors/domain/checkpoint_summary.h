//  checkpoint_summary.h: what a domain's owner publishes of its checkpoints. Made in a job, which
//  has the document; kept packed by the owner.

#ifndef TROUPE_CHECKPOINT_SUMMARY_H
#define TROUPE_CHECKPOINT_SUMMARY_H

#include "drivers/checkpoint.h"
#include "msg/pack.h"

//  An array, oldest first, of {name, parent, description, creation_time (s), children, descendants,
//  xml}. ALL may be NULL: none.
void checkpoint_summary_pack (pack_t *pack, const xml_t *all);

#endif
