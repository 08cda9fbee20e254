//  network_leases.c: who has which address. dnsmasq tells troupe-lease of each change, which keeps
//  them on disk and sends them here: one datagram, one line (network_lease.h).

#include "actors/network/network_self.h"
#include "drivers/net/network_path.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
    SHOW_MS = 50, //  many guests that start at once are shown together
    DRAIN = 64
};

static lease_t *find (const network_t *self, const char *address)
{
    for (lease_t *lease = zlistx_first (self->leases); lease; lease = zlistx_next (self->leases))
        if (strcmp (lease->address, address) == 0)
            return lease;
    return NULL;
}

static void keep (network_t *self, const lease_t *lease)
{
    lease_t *known = find (self, lease->address);
    if (!known && zlistx_size (self->leases) >= LEASES_MAX)
        return;
    if (!known) {
        known = memory_new (1, sizeof *known);
        zlistx_add_end (self->leases, known);
    }
    *known = *lease;
}

static void forget (network_t *self, const char *address)
{
    lease_t *known = find (self, address);
    if (!known)
        return;
    zlistx_detach (self->leases, zlistx_find (self->leases, known));
    free (known);
}

void network_leases_read (network_t *self, const char *text)
{
    for (const char *line = text; line && *line;) {
        size_t size = strcspn (line, "\n");
        autofree char *one = text_copy_bytes (line, size);
        lease_t lease;
        if (lease_read (one, &lease))
            keep (self, &lease);
        line += size + (line[size] == '\n');
    }
}

static void show_now (actor_t *actor, void *arg)
{
    (void) arg;
    network_t *self = actor_state (actor);
    self->lease_timer = 0;
    if (!self->loading)
        network_commit (self, NULL, NULL, false);
}

static void take_line (network_t *self, const char *line)
{
    lease_t lease;
    bool gone = text_starts (line, "del ");
    if ((!gone && !text_starts (line, "add ") && !text_starts (line, "old ")) ||
        !lease_read (line + 4, &lease)) {
        actor_log (self->actor, LEVEL_WARNING,
                   "network '%s': its lease helper sent what is no lease; it is passed over",
                   self->name);
        return;
    }
    if (gone)
        forget (self, lease.address);
    else
        keep (self, &lease);
    if (!self->lease_timer)
        self->lease_timer = actor_timer (self->actor, SHOW_MS, show_now, NULL);
}

static void on_lease (actor_t *actor, int fd, short events, void *arg)
{
    (void) events, (void) arg;
    network_t *self = actor_state (actor);
    char line[LEASE_LINE_MAX + 8];
    for (int i = 0; i < DRAIN; i++) {
        ssize_t size = recv (fd, line, sizeof line - 1, MSG_DONTWAIT);
        if (size <= 0)
            return;
        line[size] = 0;
        take_line (self, line);
    }
}

//  Ours alone; the folder above can be searched by everybody.
static int bind_socket (int fd, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen (path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy (address.sun_path, path);
    unlink (path);
    return bind (fd, (struct sockaddr *) &address, sizeof address) || chmod (path, 0600) ? -1 : 0;
}

//  Without it leases are on disk all the same, and known after the next start.
void network_leases_open (network_t *self)
{
    self->lease_path = network_path (self->config->paths, self->uuid, NETWORK_SOCKET);
    self->lease_fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->lease_fd < 0 || bind_socket (self->lease_fd, self->lease_path)) {
        actor_log (self->actor, LEVEL_ERROR,
                   "network '%s': leases are not shown: open the socket '%s': %s", self->name,
                   self->lease_path, strerror (errno));
        return;
    }
    actor_watch_fd (self->actor, self->lease_fd, POLLIN, on_lease, NULL);
}

void network_leases_close (network_t *self)
{
    lease_t *lease;
    while (self->leases && (lease = zlistx_detach (self->leases, NULL)))
        free (lease);
    zlistx_destroy (&self->leases);
    if (self->lease_fd >= 0) {
        unlink (self->lease_path);
        close (self->lease_fd);
    }
    free (self->lease_path);
}

static const char *given (const char *word)
{
    return strcmp (word, "-") == 0 || strcmp (word, "*") == 0 ? "" : word;
}

void network_leases_pack (const network_t *self, pack_t *pack)
{
    pack_key_array (pack, "leases");
    for (lease_t *lease = zlistx_first (self->leases); lease; lease = zlistx_next (self->leases)) {
        bool six = lease_is_six (lease);
        pack_map (pack);
        pack_key_u64 (pack, "expiry", lease->expiry);
        pack_key_str (pack, "mac", lease->mac);
        pack_key_str (pack, "iaid", six ? lease->hardware : "");
        pack_key_str (pack, "address", lease->address);
        pack_key_bool (pack, "ipv6", six);
        pack_key_str (pack, "hostname", given (lease->name));
        pack_key_str (pack, "client", given (lease->client));
        pack_end (pack);
    }
    pack_end (pack);
}
