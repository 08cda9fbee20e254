//  channel.h: a guest's channels (virtio ports) in its live document: which one is its agent's, and
//  which ones the guest has open. (libvirt's "Domain XML format", channel.)

#ifndef TROUPE_CHANNEL_H
#define TROUPE_CHANNEL_H

#include "util/xml.h"

#define CHANNEL_AGENT_NAME "org.qemu.guest_agent.0"

typedef enum {
    CHANNEL_UNKNOWN,
    CHANNEL_OPEN,
    CHANNEL_CLOSED
} channel_state_t;

//  Of the guest's agent. The strings are the document's.
typedef struct {
    const char *alias, *path; //  of the socket where the hypervisor listens
    channel_state_t state;
} channel_t;

//  False: LIVE (or an outline of it) has no channel for an agent that we can connect to.
bool channel_find_agent (const xml_t *live, channel_t *channel);

//  Writes target/@state of the channel ALIAS, if it has one (virtio): "connected", "disconnected".
void channel_set_state (xml_t *live, const char *alias, bool open);

#endif
