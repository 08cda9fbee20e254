//  netlink.h: rtnetlink sockets and what comes from them (rtnetlink(7), netlink(7)). No waiting:
//  the kernel works a request off while it is sent, and its answer is there when the socket is
//  readable.

#ifndef TROUPE_NETLINK_H
#define TROUPE_NETLINK_H

#include "util/auto.h"
#include "util/error.h"

#include <stdint.h>

#include <netlink/msg.h>

//  A message that is being made: see nlmsg_alloc_simple.
static inline void nl_msg_release (struct nl_msg **msg_p)
{
    nlmsg_free (take (msg_p));
}
#define autonlmsg __attribute__ ((cleanup (nl_msg_release)))

//  A message of TYPE with FLAGS (NLM_F_REQUEST and NLM_F_ACK besides) that begins with the SIZE
//  bytes at HEAD. No memory aborts, here and in the next ones.
struct nl_msg *netlink_message (int type, int flags, const void *head, size_t size);
void netlink_put (struct nl_msg *msg, int type, const void *bytes, size_t size);
void netlink_put_text (struct nl_msg *msg, int type, const char *text);
void netlink_put_u8 (struct nl_msg *msg, int type, uint8_t value);
void netlink_put_u32 (struct nl_msg *msg, int type, uint32_t value);
struct nlattr *netlink_nest (struct nl_msg *msg, int type);

//  A socket that does not block, in the network namespace of the caller. With NOTIFIED it hears of
//  all changes of links. The caller closes it.
int netlink_open (bool notified, error_t *err);

//  Gives MSG the number SEQ and sends it. 0, or the errno.
int netlink_send (int fd, struct nl_msg *msg, uint32_t seq);

typedef struct {
    uint32_t seq;
    const struct nlmsghdr *message; //  NULL: the request is over
    int number;                     //  then: 0, or the errno
    const char *words;              //  what the kernel says about it; "" if nothing
    bool interrupted;               //  of a dump: what it shows changed meanwhile
} netlink_heard_t;

typedef void (netlink_fn) (void *arg, const netlink_heard_t *heard);

//  Passes what the socket has on, message by message, until there is no more. 0, or the errno;
//  ENOBUFS: messages were lost.
int netlink_hear (int fd, netlink_fn *on_heard, void *arg);

#endif
