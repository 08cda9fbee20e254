//  container_given.c: rtnetlink(7), with messages that are made here: the supervisor needs two.

#include "container/container_given.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    struct nlmsghdr head;
    struct ifinfomsg info;
    char attributes[128];
} message_t;

typedef struct {
    struct nlmsghdr head;
    struct nlmsgerr failure;
    char words[1024];
} answer_t;

static void begin (message_t *message, unsigned index)
{
    *message = (message_t){ .head = { .nlmsg_len = NLMSG_LENGTH (sizeof message->info),
                                      .nlmsg_type = RTM_SETLINK,
                                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
                            .info = { .ifi_family = AF_UNSPEC, .ifi_index = (int) index } };
}

static void put (message_t *message, unsigned short type, const void *bytes, size_t size)
{
    const struct rtattr attribute = { .rta_len = (unsigned short) RTA_LENGTH (size),
                                      .rta_type = type };
    char *at = (char *) message + NLMSG_ALIGN (message->head.nlmsg_len);
    memcpy (at, &attribute, sizeof attribute);
    memcpy (at + RTA_LENGTH (0), bytes, size);
    message->head.nlmsg_len = (unsigned) (NLMSG_ALIGN (message->head.nlmsg_len) + RTA_SPACE (size));
}

//  0, or the errno.
static int tell (const message_t *message)
{
    answer_t answer;
    autoclose int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send (fd, message, message->head.nlmsg_len, 0) < 0)
        return errno;
    ssize_t size = recv (fd, &answer, sizeof answer, 0);
    if (size < 0)
        return errno;
    return size < (ssize_t) offsetof (answer_t, words) ? EPROTO : -answer.failure.error;
}

int container_given_open (container_given_t *self, error_t *err)
{
    self->home = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (self->home >= 0)
        return 0;
    return error_errno (err, ERR_SYSTEM_ERROR, "open the host's network namespace");
}

static void note_link (int fd, const char *name, container_given_link_t *link)
{
    struct ifreq request = { 0 };
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl (fd, SIOCGIFINDEX, &request))
        return;
    link->index = (unsigned) request.ifr_ifindex;
    link->has_mac =
        ioctl (fd, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
    memcpy (link->mac, request.ifr_hwaddr.sa_data, sizeof link->mac);
}

void container_given_note (container_given_t *self, const container_spec_t *spec)
{
    autoclose int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; fd >= 0 && spec->given[i]; i++)
        note_link (fd, spec->given[i], &self->links[i]);
    self->noted = true;
}

//  As it came; what can't be set stays as the container left it.
static void reset (const container_given_link_t *link)
{
    message_t message;
    begin (&message, link->index);
    message.info.ifi_change = IFF_UP;
    tell (&message);
    begin (&message, link->index);
    put (&message, IFLA_ADDRESS, link->mac, sizeof link->mac);
    if (link->has_mac)
        tell (&message);
}

static int move (const container_given_t *self, unsigned index, const char *name)
{
    message_t message;
    begin (&message, index);
    put (&message, IFLA_IFNAME, name, strlen (name) + 1);
    put (&message, IFLA_NET_NS_FD, &self->home, sizeof self->home);
    return tell (&message);
}

//  "eth%d" for "eth0".
static void make_template (const char *name, char template[IFNAMSIZ])
{
    size_t size = strnlen (name, IFNAMSIZ - sizeof "%d");
    while (size > 1 && name[size - 1] >= '0' && name[size - 1] <= '9')
        size--;
    memcpy (template, name, size);
    memcpy (template + size, "%d", sizeof "%d");
}

static void give_back (const container_given_t *self, const container_given_link_t *link,
                       const char *name)
{
    char template[IFNAMSIZ];
    reset (link);
    int number = move (self, link->index, name);
    if (number == EEXIST) {
        make_template (name, template);
        number = move (self, link->index, template);
        //  One that the container had renamed was moved by the first request.
        if (number == ENODEV)
            number = 0;
    }
    if (number != 0)
        fprintf (stderr, "give link '%s' back: %s\n", name, strerror (number));
}

void container_given_return (container_given_t *self, const container_spec_t *spec)
{
    if (self->home < 0 || !spec->given)
        return;
    if (!self->noted)
        container_given_note (self, spec);
    for (size_t i = 0; spec->given[i]; i++)
        if (self->links[i].index > 0)
            give_back (self, &self->links[i], spec->given[i]);
}
