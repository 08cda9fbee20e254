//  virtualport.h: <virtualport> of interfaces, networks and portgroups: how the switch outside
//  knows a guest's port. Of its types 802.1Qbh is supported, for virtual functions: their card
//  tells the switch the name of a port profile (drivers/pci/vf.h).
//  https://libvirt.org/formatdomain.html

#ifndef TROUPE_VIRTUALPORT_H
#define TROUPE_VIRTUALPORT_H

#include "drivers/net/port.h"
#include "util/xml.h"

//  What OWNER says, if it has one; others may add to it. WHAT: "network XML: <network>".
int virtualport_check (const xml_node_t *owner, const char *what, error_t *err);
//  Nothing is added to it any more, to that of an interface which gets a virtual function.
int virtualport_check_whole (const xml_node_t *interface, error_t *err);
//  What INTERFACE does not say, the network and its portgroup do.
void virtualport_merge (xml_node_t *interface, const port_grant_t *grant);

#endif
