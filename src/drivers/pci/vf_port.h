//  vf_port.h: the port profile of a virtual function (802.1Qbh) in rtnetlink's messages: what its
//  card's driver is asked for (RTM_SETLINK), what it shows (RTM_GETLINK, with RTEXT_FILTER_VF), and
//  what became of it: the switch takes its time (linux/if_link.h, IFLA_VF_PORTS). Nothing here asks
//  the kernel: src/pci/vf_card.h does.

#ifndef TROUPE_VF_PORT_H
#define TROUPE_VF_PORT_H

#include "drivers/pci/vf.h"

#include <netlink/msg.h>

//  Has MSG ask that FUNCTION be associated with a profile; with none: that it be associated no
//  more.
void vf_port_put (struct nl_msg *msg, unsigned function, const vf_port_t *port);

typedef struct {
    bool able;             //  the card's driver knows port profiles
    bool there;            //  something was asked for the function, and is, or is not:
    int request, response; //  PORT_REQUEST_ASSOCIATE, ...; PORT_PROFILE_RESPONSE_SUCCESS, ...
    vf_port_t port;        //  what it has, or is about to have
} vf_port_seen_t;

//  LINK is the card's RTM_NEWLINK.
void vf_port_take (const struct nlmsghdr *link, unsigned function, vf_port_seen_t *seen);
//  Is it associated, or on its way?
bool vf_port_is_associated (const vf_port_seen_t *seen);

//  Of what was asked for, WANTED: 1: it is done; 0: not yet; -1: it failed, and ERR says why.
int vf_port_outcome (const vf_port_seen_t *seen, const vf_port_t *wanted, error_t *err);

#endif
