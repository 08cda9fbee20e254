//  netns.h: for tests of links: a network namespace of the test's own, and another process that
//  makes and removes links in it.

#ifndef TROUPE_TEST_NETNS_H
#define TROUPE_TEST_NETNS_H

#include "unit.h"

#include "drivers/net/link_request.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

//  Before there is a second thread. An ordinary user is root of a user namespace where the system
//  lets him; else the tests can't run, which is a failure where TROUPE_REQUIRE_GUEST is set, as it
//  is for guests.
static inline bool netns_enter (void)
{
    if (unshare (CLONE_NEWNET) == 0 || unshare (CLONE_NEWUSER | CLONE_NEWNET) == 0)
        return true;
    fprintf (stderr, "%s: no network namespace for this user (%s)\n",
             getenv ("TROUPE_REQUIRE_GUEST") ? "failed" : "skipped", strerror (errno));
    return false;
}

#define NETNS_OR_SKIP()                                                                            \
    do {                                                                                           \
        if (!netns_enter ())                                                                       \
            return getenv ("TROUPE_REQUIRE_GUEST") ? 1 : 0;                                        \
    } while (0)

//  Links of this namespace; in a fresh one there is only lo.
static inline unsigned netns_count_links (void)
{
    unsigned count = 0;
    struct if_nameindex *links = if_nameindex ();
    assert_non_null (links);
    while (links[count].if_index)
        count++;
    if_freenameindex (links);
    return count;
}

static inline void netns_keep_number (void *arg, const netlink_heard_t *heard)
{
    if (!heard->message)
        *(int *) arg = heard->number;
}

//  Sends a request and waits for the kernel's answer, an errno.
static inline int netns_ask (struct nl_msg *msg)
{
    error_t err;
    int number = -1;
    int fd = netlink_open (false, &err);
    assert_true (fd >= 0);
    assert_int_equal (netlink_send (fd, msg, 1), 0);
    while (number < 0) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        poll (&item, 1, -1);
        netlink_hear (fd, netns_keep_number, &number);
    }
    close (fd);
    nlmsg_free (msg);
    return number;
}

//  A pair of links as any other program makes it.
static inline int netns_make_pair (const char *name, const char *peer)
{
    static uint16_t count;
    const link_spec_t spec = { .kind = LINK_VETH, .set.name = name, .peer.name = peer };
    link_birth_t birth = { .mac = { 2, 1 }, .peer_mac = { 2, 2 } };
    count++;
    memcpy (birth.mac + 2, &count, 2);
    memcpy (birth.peer_mac + 2, &count, 2);
    return netns_ask (link_request_create (&spec, &birth));
}

static inline int netns_remove (uint32_t ifindex)
{
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int) ifindex };
    return netns_ask (netlink_message (RTM_DELLINK, 0, &head, sizeof head));
}

typedef struct {
    const char *mac; //  with which its MAC address begins
    link_news_t found;
    bool over;
} netns_search_t;

static inline void netns_look_at (void *arg, const netlink_heard_t *heard)
{
    netns_search_t *self = arg;
    link_news_t news;
    self->over = self->over || !heard->message;
    if (heard->message && link_news_read (heard->message, &news) &&
        strncmp (news.link.mac, self->mac, strlen (self->mac)) == 0)
        self->found = news;
}

//  The last link whose MAC address begins so; ifindex 0: there is none.
static inline link_news_t netns_find (const char *mac)
{
    netns_search_t search = { .mac = mac };
    struct nl_msg *msg = link_request_list ();
    error_t err;
    int fd = netlink_open (false, &err);
    assert_true (fd >= 0);
    assert_int_equal (netlink_send (fd, msg, 1), 0);
    while (!search.over) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        poll (&item, 1, -1);
        netlink_hear (fd, netns_look_at, &search);
    }
    close (fd);
    nlmsg_free (msg);
    return search.found;
}

//  A child that does not outlive a test that fails.
static inline pid_t netns_fork (void)
{
    pid_t pid = fork ();
    if (pid == 0 && prctl (PR_SET_PDEATHSIG, SIGKILL))
        _exit (1);
    return pid;
}

//  A process that makes and removes pairs of vnet%d until netns_end_rival.
static inline pid_t netns_start_rival (void)
{
    pid_t pid = netns_fork ();
    if (pid != 0)
        return pid;
    for (;;) {
        if (netns_make_pair ("vnet%d", "vnet%d") != 0)
            _exit (1);
        netns_remove (netns_find ("02:01:").link.ifindex);
    }
}

//  It was never refused a name. Its links are gone.
static inline void netns_end_rival (pid_t pid)
{
    int status;
    link_news_t left;
    assert_int_equal (kill (pid, SIGKILL), 0);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_true (WIFSIGNALED (status));
    while ((left = netns_find ("02:01:")).link.ifindex > 0)
        netns_remove (left.link.ifindex);
}

#endif
