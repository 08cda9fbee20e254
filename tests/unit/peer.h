//  peer.h: for tests of what connects to a UNIX socket: the other side, which says what the test
//  likes.

#ifndef TROUPE_PEER_H
#define TROUPE_PEER_H

#include "folder.h"
#include "scene.h"
#include "util/text.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    char folder[UNIT_PATH_SIZE], path[256];
    int listener, fd;
} peer_t;

static inline void peer_listen (peer_t *peer)
{
    unit_new_folder (peer->folder);
    snprintf (peer->path, sizeof peer->path, "%s/peer", peer->folder);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%.100s", peer->path);
    peer->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    peer->fd = -1;
    check_equal (bind (peer->listener, (struct sockaddr *) &address, sizeof address), 0);
    check_equal (listen (peer->listener, 1), 0);
}

static inline void peer_hang_up (peer_t *peer)
{
    if (peer->fd >= 0)
        close (peer->fd);
    peer->fd = -1;
}

static inline void peer_close (peer_t *peer)
{
    peer_hang_up (peer);
    if (peer->listener >= 0)
        close (peer->listener);
    unlink (peer->path);
    rmdir (peer->folder);
}

static inline void peer_accept (peer_t *peer)
{
    peer->fd = accept4 (peer->listener, NULL, NULL, SOCK_CLOEXEC);
    check (peer->fd >= 0);
}

//  Somebody is connected, and not accepted.
static inline void peer_await_connection (const peer_t *peer)
{
    struct pollfd waiting = { .fd = peer->listener, .events = POLLIN };
    check_equal (poll (&waiting, 1, PATIENCE_MS), 1);
}

static inline void peer_say (peer_t *peer, const char *text)
{
    check_equal (send (peer->fd, text, strlen (text), MSG_NOSIGNAL), (int64_t) strlen (text));
}

//  The next command. The caller frees it.
static inline char *peer_hear (peer_t *peer)
{
    auto(text_t) line = text_new ();
    char c;
    while (read (peer->fd, &c, 1) == 1 && c != '\n')
        text_add_char (line, c);
    return text_finish (&line);
}

//  Until whoever listens has read all that was said.
static inline void peer_await_read (const peer_t *peer)
{
    int unread = 1;
    for (int i = 0; i < PATIENCE_MS && unread > 0; i++) {
        check_equal (ioctl (peer->fd, SIOCOUTQ, &unread), 0);
        if (unread > 0)
            poll (NULL, 0, 1);
    }
    check_equal (unread, 0);
}

#endif
