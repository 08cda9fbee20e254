//  network_xml.h: a network's document, as libvirt's network format page documents it
//  (https://libvirt.org/formatnetwork.html): checked, completed, and read by those who carry it
//  out. Pure. All errors begin with "network XML: ", and nothing was changed then.

#ifndef TROUPE_NETWORK_XML_H
#define TROUPE_NETWORK_XML_H

#include "drivers/job.h"
#include "drivers/net/network_address.h"

#define NETWORK_DNSMASQ_URI "http://libvirt.org/schemas/network/dnsmasq/1.0"

typedef enum {
    FORWARD_NONE, //  isolated: there is no <forward>
    FORWARD_NAT,
    FORWARD_ROUTE,
    FORWARD_OPEN,
    FORWARD_BRIDGE, //  of the host, or macvtap in this mode
    FORWARD_PRIVATE,
    FORWARD_VEPA,
    FORWARD_PASSTHROUGH,
    FORWARD_HOSTDEV
} forward_t;

//  The root of a document that was checked.
forward_t network_forward (const xml_node_t *network);
const char *network_forward_name (forward_t mode); //  "nat"; "isolated"
//  Does the network have a bridge of its own, addresses, and perhaps a dnsmasq?
bool network_is_virtual (const xml_node_t *network);
//  The name that this bridge is to have; NULL: it has none, or the kernel finds the name.
const char *network_own_bridge (const xml_node_t *network);
//  A bridge of the host that guests are plugged into; NULL: it is no such network.
const char *network_host_bridge (const xml_node_t *network);
//  The <dhcp> of an <ip>, or of the first of FAMILY; NULL: none.
const xml_node_t *network_dhcp (const xml_node_t *network, int family);
//  Does it need a dnsmasq: DNS that is not switched off, DHCP, or IPv6 to be advertised?
bool network_needs_dnsmasq (const xml_node_t *network);
bool network_has_dns (const xml_node_t *network);

//  From a user: checks all of it, and gives it uuid, MAC and the defaults that documents show.
int network_complete (job_t *job, xml_t *document, error_t *err);
//  The checks alone; for a document that was changed.
int network_check (const xml_node_t *network, error_t *err);

//  How many children of this name there are.
size_t network_count (const xml_node_t *node, const char *name);

//  Of network_xml_ports.c, network_xml_ip.c and network_xml_dns.c.
int network_check_ports (const xml_node_t *network, error_t *err);
int network_check_ips (const xml_node_t *network, error_t *err);
int network_check_dns (const xml_node_t *network, error_t *err);
//  A text that goes into dnsmasq's configuration: of these kinds of words only.
typedef enum {
    WORD_NAME,   //  letters, digits, '-', '_', '.': of hosts and domains; no address
    WORD_HOST,   //  the same, in a line where dnsmasq knows some words of its own
    WORD_SERVER, //  a name or an address
    WORD_PATH,   //  absolute, without comma, quote or control character
    WORD_TEXT    //  anything in one line, without quotes
} network_word_t;
//  WHAT the text is, for the error. NULL passes.
int network_check_word (network_word_t kind, const char *what, const char *text, error_t *err);
//  Seconds that UNIT of a <lease> stands for; NULL: minutes.
unsigned network_lease_unit (const char *unit);
bool network_is_mac (const char *text); //  of one interface, not of a group

#endif
