//  netlink.c: see netlink.h.

#include "drivers/net/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BUFFER_BYTES = 32 * 1024,         //  the kernel never sends more at once
    NOTIFIED_BYTES = 4 * 1024 * 1024, //  a few thousand changes while we do something else
    MESSAGE_BYTES = 8 * 1024
};

struct nl_msg *netlink_message (int type, int flags, const void *head, size_t size)
{
    struct nl_msg *msg = nlmsg_alloc_size (MESSAGE_BYTES);
    assert (msg);
    struct nlmsghdr *header = nlmsg_put (msg, 0, 0, type, 0, NLM_F_REQUEST | NLM_F_ACK | flags);
    assert (header);
    int rc = nlmsg_append (msg, (void *) (uintptr_t) head, size, NLMSG_ALIGNTO);
    assert (rc == 0);
    return msg;
}

void netlink_put (struct nl_msg *msg, int type, const void *bytes, size_t size)
{
    int rc = nla_put (msg, type, (int) size, bytes);
    assert (rc == 0);
}

void netlink_put_text (struct nl_msg *msg, int type, const char *text)
{
    netlink_put (msg, type, text, strlen (text) + 1);
}

void netlink_put_u8 (struct nl_msg *msg, int type, uint8_t value)
{
    netlink_put (msg, type, &value, sizeof value);
}

void netlink_put_u32 (struct nl_msg *msg, int type, uint32_t value)
{
    netlink_put (msg, type, &value, sizeof value);
}

struct nlattr *netlink_nest (struct nl_msg *msg, int type)
{
    struct nlattr *nest = nla_nest_start (msg, type);
    assert (nest);
    return nest;
}

static int set_option (int fd, int level, int name, int value)
{
    return setsockopt (fd, level, name, &value, sizeof value);
}

int netlink_open (bool notified, error_t *err)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    autoclose int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address))
        return error_errno (err, ERR_SYSTEM_ERROR, "open a socket to the kernel's network links");
    //  More words, less echo: a kernel without these says less.
    (void) set_option (fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    (void) set_option (fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    if (notified) {
        //  Needs CAP_NET_ADMIN; the other one is bounded by the system's limit.
        if (set_option (fd, SOL_SOCKET, SO_RCVBUFFORCE, NOTIFIED_BYTES))
            (void) set_option (fd, SOL_SOCKET, SO_RCVBUF, NOTIFIED_BYTES);
        if (set_option (fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_LINK))
            return error_errno (err, ERR_SYSTEM_ERROR, "hear of changes of network links");
    }
    int result = fd;
    fd = -1;
    return result;
}

int netlink_send (int fd, struct nl_msg *msg, uint32_t seq)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct nlmsghdr *header = nlmsg_hdr (msg);
    header->nlmsg_seq = seq;
    ssize_t sent;
    do
        sent = sendto (fd, header, header->nlmsg_len, MSG_NOSIGNAL, (struct sockaddr *) &kernel,
                       sizeof kernel);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

//  The kernel's words, behind the error of an acknowledgement that carries no copy of the request
//  (NETLINK_CAP_ACK) or all of it.
static const char *words_of (struct nlmsghdr *header, const struct nlmsgerr *error)
{
    size_t size = sizeof *error;
    if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
        return "";
    if (!(header->nlmsg_flags & NLM_F_CAPPED))
        size += error->msg.nlmsg_len - NLMSG_HDRLEN;
    struct nlattr *words = nlmsg_find_attr (header, (int) size, NLMSGERR_ATTR_MSG);
    const char *text = words ? nla_data (words) : NULL;
    return text && memchr (text, 0, (size_t) nla_len (words)) ? text : "";
}

static void pass_on (struct nlmsghdr *header, netlink_fn *on_heard, void *arg)
{
    netlink_heard_t heard = { .seq = header->nlmsg_seq,
                              .words = "",
                              .interrupted = header->nlmsg_flags & NLM_F_DUMP_INTR };
    const struct nlmsgerr *error = nlmsg_data (header);
    if (header->nlmsg_type == NLMSG_NOOP)
        return;
    if (header->nlmsg_type == NLMSG_ERROR && nlmsg_datalen (header) >= (int) sizeof *error) {
        heard.number = -error->error;
        heard.words = words_of (header, error);
    } else if (header->nlmsg_type != NLMSG_DONE)
        heard.message = header;
    on_heard (arg, &heard);
}

static ssize_t receive (int fd, void *buffer, struct sockaddr_nl *from)
{
    struct iovec vector = { buffer, BUFFER_BYTES };
    struct msghdr msg = {
        .msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &vector, .msg_iovlen = 1
    };
    ssize_t size;
    do
        size = recvmsg (fd, &msg, MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size >= 0 && (msg.msg_flags & MSG_TRUNC)) {
        errno = ENOBUFS;
        return -1;
    }
    return size;
}

int netlink_hear (int fd, netlink_fn *on_heard, void *arg)
{
    autofree void *buffer = malloc (BUFFER_BYTES);
    assert (buffer);
    for (;;) {
        struct sockaddr_nl from = { 0 };
        ssize_t size = receive (fd, buffer, &from);
        if (size < 0)
            return errno == EAGAIN ? 0 : errno;
        if (size == 0)
            return EPIPE;
        int left = from.nl_pid == 0 ? (int) size : 0; //  other processes can send to us, too
        for (struct nlmsghdr *header = buffer; nlmsg_ok (header, left);
             header = nlmsg_next (header, &left))
            pass_on (header, on_heard, arg);
    }
}
