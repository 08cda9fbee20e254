//  definition.h: the parts of a definition that all drivers check and complete alike, as libvirt's
//  format page documents them.

#ifndef TROUPE_DEFINITION_H
#define TROUPE_DEFINITION_H

#include "drivers/job.h"

//  A new child of PARENT (the domain, its devices, a network), put where libvirt's documents have
//  it.
xml_node_t *definition_insert (xml_node_t *parent, const char *name);
//  The same of a copy of SOURCE, of any document.
xml_node_t *definition_add (xml_node_t *parent, const xml_node_t *source);
//  Sets PATH unless it is there.
void definition_default (xml_node_t *node, const char *path, const char *value);
//  What only a running guest's document has. A name that the user gave stays: "ua-", then letters,
//  digits, '_' and '-', ALIAS_MAX bytes at most; any other is ignored, as libvirt does.
void definition_drop_alias (xml_node_t *device);

//  Name and uuid of any document.
int definition_complete_names (job_t *job, xml_node_t *root, error_t *err);
//  Name and uuid; <devices> is there afterwards, the running guest's id is not.
int definition_complete_identity (job_t *job, xml_node_t *domain, error_t *err);
//  <memory> and <currentMemory>, in KiB whatever unit the user wrote.
int definition_complete_memory (xml_node_t *domain, error_t *err);
//  The size at PATH in KiB, whatever unit the user wrote. *KIB: rounded up; 0: there is none.
int definition_complete_size (xml_node_t *domain, const char *path, uint64_t *kib, error_t *err);
int definition_complete_vcpus (xml_node_t *domain, error_t *err);
//  <clock>, and what happens when the guest ends.
void definition_complete_lifecycle (xml_node_t *domain);
//  The PCI device of an <address> that was checked, as sysfs has it: "0000:04:00.1". The caller
//  frees it.
char *definition_pci_text (const xml_node_t *address);
//  Of one <interface>.
int definition_complete_mac (job_t *job, xml_node_t *interface, error_t *err);

#endif
