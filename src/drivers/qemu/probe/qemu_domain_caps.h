//  qemu_domain_caps.h: what a guest can have, as libvirt's domain capabilities XML
//  (formatdomaincaps.html in its documentation): what the table of known elements (qemu_schema.h)
//  and the emulator both have. What is not in the document is not said.

#ifndef TROUPE_QEMU_DOMAIN_CAPS_H
#define TROUPE_QEMU_DOMAIN_CAPS_H

#include "drivers/driver.h"

//  Fills ROOT, <domainCapabilities>. ERR_INVALID_ARG: KIND names what there is not, or what does
//  not go together.
int qemu_domain_capabilities (job_t *job, const guest_kind_t *kind, xml_node_t *root, error_t *err);

#endif
