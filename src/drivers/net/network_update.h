//  network_update.h: changes of one part of a network, as libvirt's virNetworkUpdate documents
//  them. Pure.

#ifndef TROUPE_NETWORK_UPDATE_H
#define TROUPE_NETWORK_UPDATE_H

#include "util/xml.h"

typedef struct {
    const char *command; //  "add-first", "add-last" (or "add"), "modify", "delete"
    const char *section; //  "ip-dhcp-host", ...
    const char *xml;     //  one element
    int parent_index;    //  which <ip>, from 0; -1: the one that fits
} network_update_t;

//  Changes NETWORK, and checks all of it afterwards. On failure it may have been changed: the
//  caller throws it away.
int network_update (xml_node_t *network, const network_update_t *update, error_t *err);

#endif
