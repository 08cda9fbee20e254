//  summary.h: what a domain's snapshot shows of one of its documents. Made in a job, which has the
//  tree at hand; kept packed by the owner.

#ifndef TROUPE_SUMMARY_H
#define TROUPE_SUMMARY_H

#include "msg/pack.h"
#include "util/xml.h"

//  A map, or nil for NULL: xml (without passwords), xml_secure (nil if there are none), os_type,
//  vcpus, max_vcpus, memory_kib, max_memory_kib, metadata {title, description, elements {uri:
//  xml}}, consoles (array of aliases), interfaces (array of {name, mac}), outline (a small document
//  with what the drivers' functions need that run in the owner: names, actions at the guest's end,
//  consoles, disks' names and places).
void summary_pack (pack_t *pack, const xml_t *domain);

//  Takes them out of DOMAIN; true if there were any.
bool summary_remove_secrets (xml_node_t *domain);
//  The document without passwords. The caller frees it.
char *summary_public_text (const xml_t *domain);

#endif
