//  port.h: a port of a virtual network, as a driver asks for it (job_port_*, drivers/job.h): which
//  of the guest's interfaces is to be plugged in, and what it gets to plug into.

#ifndef TROUPE_PORT_H
#define TROUPE_PORT_H

#include "drivers/net/link.h"
#include "util/text.h"
#include "util/uuid.h"

//  Strings belong to the caller.
typedef struct {
    const char *network;   //  uuid
    const char *port;      //  a new uuid; the same again is answered the same
    const char *mac;       //  of the guest's card
    const char *portgroup; //  NULL: the network's default one
    //  Devices of a pool that could not be had: another one. NULL: none.
    const strings_t *except;
} port_request_t;

typedef enum {
    PORT_BRIDGE,
    PORT_MACVTAP,
    PORT_HOSTDEV
} port_kind_t;

typedef struct {
    port_kind_t kind;
    char bridge[LINK_NAME_SIZE];
    uint32_t bridge_index; //  0: the host's own bridge, known by name only
    uint32_t mtu;          //  0: the bridge's
    bool isolated;
    char device[64]; //  the lower link of a macvtap; PCI address of a VF
    char mode[16];   //  of a macvtap
    uint32_t vlan;   //  0: none
    bool managed;    //  of a VF: it is detached from the host for this, and goes back
    char trust[4];   //  of a VF, "yes" or "no": may the guest change its MAC; "": not said
    char virtualport[16], profile[40]; //  of a VF: its <virtualport>'s type and profileid, or ""
    bool limited;                      //  by BANDWIDTH
    link_bandwidth_t bandwidth;
} port_grant_t;

#endif
