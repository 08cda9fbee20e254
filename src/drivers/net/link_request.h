//  link_request.h: rtnetlink's messages about links: what makes, changes and removes one, and what
//  the kernel tells of one. Pure. The attributes are those of linux/if_link.h; the texts about them
//  are in ip-link(8) and Documentation/netlink/specs/rt_link.yaml.

#ifndef TROUPE_LINK_REQUEST_H
#define TROUPE_LINK_REQUEST_H

#include "drivers/net/link.h"
#include "drivers/net/netlink.h"

#include <sys/types.h>

//  What a settings' names stand for.
typedef struct {
    bool plug;             //  master_index is to be set
    uint32_t master_index; //  0: out of its bridge
    int netns;             //  descriptor of a network namespace to move to; -1: none
    pid_t pid;             //  or to that of this process; 0: none
} link_targets_t;

//  Does it leave this network namespace?
static inline bool link_moves (const link_targets_t *targets)
{
    return targets->netns >= 0 || targets->pid > 0;
}

//  What a new link gets in the request that makes it, besides what its spec says.
typedef struct {
    uint8_t mac[6], peer_mac[6];
    uint32_t group;             //  0: none
    uint32_t lower_index;       //  0: none
    const link_targets_t *peer; //  where the other end of a veth is made; NULL: here
} link_birth_t;

//  One message of several that make a change.
typedef struct {
    struct nl_msg *msg;
    int fine[3];         //  errnos that are none here: what it asks for is so already; 0: no more
    const char *missing; //  what the kernel lacks if the errno is ENOENT; NULL: nothing special
    const char *exists;  //  what EEXIST means; NULL: nothing special
    const char *over;    //  what ESRCH means; NULL: nothing special
    const char *mac;     //  that EADDRINUSE is about; NULL: none
} link_step_t;

extern const char link_name_exists[];  //  for link_step_t.exists
extern const char link_process_over[]; //  for link_step_t.over

//  Can the other end of a veth be made where it is to go? To move it takes the kernel some 15 ms,
//  but not all can be said of it at its birth (to be up it needs the first end).
bool link_peer_is_born_away (const link_settings_t *peer, const link_targets_t *targets);

//  Makes the link, but for LINK_TAP, which rtnetlink can't make (link_tap.h). An end that will be
//  moved into another namespace gets its own name there.
struct nl_msg *link_request_create (const link_spec_t *spec, const link_birth_t *birth);

//  Changes a link. NULL if SETTINGS has nothing for this message.
struct nl_msg *link_request_set (uint32_t ifindex, const link_settings_t *settings,
                                 const link_targets_t *targets);
//  The same for what it is as a port of a bridge.
struct nl_msg *link_request_port (uint32_t ifindex, const link_settings_t *settings);
//  Puts it into a group of links; 0: of those in none. To remove a link takes the kernel some 15 ms
//  (it waits for all its processors), to remove a group of hundreds hardly more.
struct nl_msg *link_request_group (uint32_t ifindex, uint32_t group);
struct nl_msg *link_request_delete_group (uint32_t group);
//  All links, one message each.
struct nl_msg *link_request_list (void);

//  What the kernel says in RTM_NEWLINK and RTM_DELLINK.
typedef struct {
    bool gone;
    uint32_t group;
    link_t link;         //  peer_name and peer_mac are empty
    bool peer_elsewhere; //  peer_index is of another network namespace
    char alias[256];
} link_news_t;

//  The kernel's word for it (link_t.kind).
const char *link_kernel_kind (link_kind_t kind);

//  False: it is about something else.
bool link_news_read (const struct nlmsghdr *message, link_news_t *news);

//  An ERR that says what the kernel refused, for the errno NUMBER and the kernel's own WORDS.
//  WHAT is "make tap 'vnet%d'"; STEP (may be NULL) knows more. Returns -1.
int link_refusal (error_t *err, const char *what, const link_step_t *step, int number,
                  const char *words);

#endif
