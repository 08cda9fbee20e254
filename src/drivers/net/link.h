//  link.h: network links of the kernel, as drivers and jobs ask for them (job_link_*,
//  drivers/job.h) and as the links actor reads it from their messages.
//
//  A link is asked for under a key that the asker chose, unique for its owner ("net0", "bridge"),
//  so it can be taken back even if the answer was never seen. The kernel gives it its ifindex, and
//  its name where the name is a template ("vnet%d"): in the one request that makes it, so nobody
//  looks for a free name first.
//
//  Strings belong to whoever filled the struct. What is zero or NULL is left as it is.

#ifndef TROUPE_LINK_H
#define TROUPE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#define LINK_NAME_SIZE 16 //  IFNAMSIZ: with the NUL
#define LINK_MAC_SIZE 18  //  "52:54:00:01:02:03"
//  The key of a link of the host that a guest is given is this, and the name of the link.
#define LINK_HOST_PREFIX "host:"
#define LINK_KEY_MAX 64 //  with the NUL: letters, digits, and - _ . : / @

typedef enum {
    LINK_NONE,
    LINK_VETH,
    LINK_TAP,
    LINK_BRIDGE,
    LINK_MACVLAN,
    LINK_MACVTAP,
    LINK_VLAN,
    LINK_VXLAN,
    LINK_HOST //  one that the host has, and lends; only on record
} link_kind_t;

typedef enum {
    LINK_KEEP,
    LINK_ON,
    LINK_OFF
} link_switch_t;

//  What every link has, or can be given.
typedef struct {
    const char *name;      //  a template with one %d, or one name
    const char *mac;       //  unicast
    const char *alias;     //  what `ip link` shows; at creation, instead of "troupe OWNER KEY"
    const char *master;    //  name of the bridge that it is plugged into; "" takes it out
    uint32_t master_index; //  the same by ifindex: of a bridge of ours. With a name, both must fit
    uint32_t mtu;
    link_switch_t up;
    link_switch_t isolated; //  this and the next two: as a port of a bridge
    link_switch_t learning, flood;
    //  Into whose network namespace it moves, after which only its other end (veth) is seen from
    //  here; PID:START:BOOTID, or a path such as /run/netns/blue.
    const char *process, *netns;
} link_settings_t;

//  A link that is to be made.
typedef struct {
    link_kind_t kind;
    link_settings_t set;  //  of the link; name is needed
    link_settings_t peer; //  LINK_VETH: of the other end; name is needed

    //  LINK_MACVLAN, LINK_MACVTAP, LINK_VLAN; LINK_VXLAN may have one: which link carries it. The
    //  kernel's own error if that is another's port.
    const char *lower;
    uint32_t lower_index;

    const char *mode; //  LINK_MACVLAN, LINK_MACVTAP: "vepa" (if NULL), "bridge", "private",
                      //  "passthrough"
    uint32_t vlan;    //  LINK_VLAN: 1 to 4094

    uint32_t vni;       //  LINK_VXLAN: 1 to 2^24 - 1
    const char *remote; //  address of the other side, or of a multicast group
    const char *local;
    uint32_t port; //  UDP; 0: 4789

    //  LINK_BRIDGE
    link_switch_t stp, vlan_filtering, multicast_snooping;
    bool has_forward_delay;
    uint32_t forward_delay_ms;

    //  LINK_TAP: who may open it without being root, and how.
    uint32_t uid, gid; //  0: only root
    bool multi_queue, vnet_hdr;
} link_spec_t;

//  A link as the kernel has it. Of a link that moved into another namespace, or of the peer of
//  one that is in one, only what was known before.
typedef struct {
    uint32_t ifindex;
    char kind[16]; //  the kernel's word: "veth", "tun", "bridge", ...; "" for hardware
    char name[LINK_NAME_SIZE];
    char mac[LINK_MAC_SIZE];
    uint32_t mtu;
    bool up;      //  as it was set
    bool running; //  it has a carrier
    uint32_t master_index;
    uint32_t peer_index; //  veth: the other end; macvtap, vlan: the lower link
    char peer_name[LINK_NAME_SIZE], peer_mac[LINK_MAC_SIZE]; //  veth only
} link_t;

//  Bandwidth, in libvirt's units (https://libvirt.org/formatnetwork.html#quality-of-service):
//  kilobytes of 1000 a second, kibibytes of 1024.
typedef struct {
    uint64_t average_kb; //  a second; 0: not limited
    uint64_t peak_kb;    //  a second; 0: as average. Has no effect where packets can only be
                         //  dropped, not queued: outbound, of a macvtap inbound
    uint64_t burst_kib;  //  at peak speed; 0: what fits the average
    uint64_t floor_kb;   //  a second: inbound only; what a port is promised on its network
} link_rate_t;

typedef struct {
    link_rate_t inbound;  //  towards the guest: what leaves the host's end of its link
    link_rate_t outbound; //  from the guest
} link_bandwidth_t;

//  A static route.
typedef struct {
    const char *to;  //  "10.0.0.0/8"
    const char *via; //  NULL: it is on the link
    uint32_t metric; //  0: the kernel's choice
} link_route_t;

//  The words of messages, records and errors: "veth", "macvtap". NULL, LINK_NONE: no such one.
const char *link_kind_name (link_kind_t kind);
link_kind_t link_kind_by_name (const char *name);

//  Six bytes of TEXT; false if it is no MAC address, or one of a group.
bool link_mac_read (const char *text, uint8_t mac[6]);
void link_mac_text (const uint8_t mac[6], char text[LINK_MAC_SIZE]);
//  A locally administered one of six random bytes.
void link_mac_make (const uint8_t random[6], uint8_t mac[6]);

#endif
