//  lxc_interface.h: the network interfaces of a container (drivers/net/interface.h): a veth for
//  each, whose other end is in the container's network namespace, or a macvlan that is moved there.

#ifndef TROUPE_LXC_INTERFACE_H
#define TROUPE_LXC_INTERFACE_H

#include "drivers/net/interface.h"

//  Completes one interface of a definition, and checks all of them together.
int lxc_interface_complete (job_t *job, xml_node_t *interface, error_t *err);
int lxc_interface_check_all (const xml_node_t *devices, error_t *err);

//  Names those inside that have none: guest/@dev, "eth0".
void lxc_interface_name (xml_node_t *devices);
//  Notes in the record which links are to be made, and pushes their undo.
int lxc_interface_intend (job_t *job, error_t *err);
//  Makes them, into the network namespace of SUPERVISOR, down there.
int lxc_interface_plug (job_t *job, const char *supervisor, error_t *err);

#endif
