//  troupe_lease.c: what dnsmasq runs when it gives an address away or takes one back (dnsmasq(8),
//  --dhcp-script). It keeps all leases of a network in a file, which is replaced atomically and
//  outlives dnsmasq, daemon and host, and sends each change to the network's owner. dnsmasq runs
//  one of it at a time.
//
//      troupe-lease init                          prints the leases that there are
//      troupe-lease add|old|del MAC ADDRESS [NAME]
//
//  TROUPE_LEASE_FILE and TROUPE_LEASE_SOCKET say where; lines are as in
//  drivers/net/network_lease.h.

#include "drivers/net/network_lease.h"
#include "util/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum {
    FILE_MAX_BYTES = 64 * 1024 * 1024,
    SEND_S = 2
};

static const char *variable (const char *name)
{
    const char *value = getenv (name);
    return value && *value ? value : NULL;
}

//  "" if there is none yet; NULL and ERR if it can't be read.
static char *read_leases (const char *path, error_t *err)
{
    char *text = file_read (path, FILE_MAX_BYTES, NULL, err);
    return text || errno != ENOENT ? text : text_copy ("");
}

//  dnsmasq reads the leases of IPv6 behind a line with its own DUID.
static int print_family (const char *text, bool six)
{
    for (const char *line = text; *line;) {
        size_t size = strcspn (line, "\n");
        autofree char *one = text_copy_bytes (line, size);
        lease_t lease;
        bool is_lease = lease_read (one, &lease);
        autofree char *theirs = is_lease ? lease_text (&lease, false) : NULL;
        if (is_lease && lease_is_six (&lease) == six)
            puts (theirs);
        else if (six && text_starts (one, "duid "))
            puts (one);
        line += size + (line[size] == '\n');
    }
    return 0;
}

static int print_leases (const char *path, error_t *err)
{
    autofree char *text = read_leases (path, err);
    if (!text)
        return -1;
    print_family (text, false);
    print_family (text, true);
    return 0;
}

//  When it ends, of the variables that dnsmasq sets: there is one of the two, 0 or none if never.
static unsigned long long expiry (void)
{
    const char *when = variable ("DNSMASQ_LEASE_EXPIRES");
    return when ? strtoull (when, NULL, 10) : 0;
}

static void set_word (char *word, size_t size, const char *text)
{
    snprintf (word, size, "%s", text && *text ? text : "*");
}

//  MAC addresses that are not Ethernet's have the type before them. Of IPv6 the first argument is
//  the client's DUID.
static void fill_lease (const char *who, const char *address, const char *name, lease_t *lease)
{
    const char *mac = variable ("DNSMASQ_MAC"), *iaid = variable ("DNSMASQ_IAID");
    bool six = strchr (address, ':') != NULL;
    *lease = (lease_t){ .expiry = expiry () };
    set_word (lease->hardware, sizeof lease->hardware, six ? (iaid ? iaid : "0") : who);
    set_word (lease->address, sizeof lease->address, address);
    set_word (lease->name, sizeof lease->name, name);
    set_word (lease->client, sizeof lease->client, six ? who : variable ("DNSMASQ_CLIENT_ID"));
    if (six && mac)
        set_word (lease->mac, sizeof lease->mac, mac);
}

//  A dnsmasq that has just started tells of those leases that it was given, and knows no MAC.
static void keep_mac (const char *text, lease_t *lease)
{
    for (const char *line = text; *line && !*lease->mac;) {
        size_t size = strcspn (line, "\n");
        autofree char *one = text_copy_bytes (line, size);
        lease_t known;
        if (lease_read (one, &known) && strcmp (known.address, lease->address) == 0 &&
            strcmp (known.client, lease->client) == 0)
            snprintf (lease->mac, sizeof lease->mac, "%s", known.mac);
        line += size + (line[size] == '\n');
    }
}

static char *replace (const char *text, const char *address, const char *new_line)
{
    auto(text_t) result = text_new ();
    for (const char *line = text; *line;) {
        size_t size = strcspn (line, "\n");
        autofree char *one = text_copy_bytes (line, size);
        lease_t lease;
        if (!lease_read (one, &lease) || strcmp (lease.address, address) != 0)
            text_addf (result, "%s\n", one);
        line += size + (line[size] == '\n');
    }
    if (new_line)
        text_addf (result, "%s\n", new_line);
    return text_finish (&result);
}

//  dnsmasq's own DUID, which clients know it by.
static char *keep_duid (char *text)
{
    const char *duid = variable ("DNSMASQ_SERVER_DUID");
    if (!duid || text_starts (text, "duid ") || strstr (text, "\nduid "))
        return text;
    char *with = text_format ("duid %s\n%s", duid, text);
    free (text);
    return with;
}

//  That nobody listens is no failure: the daemon reads the file when it starts.
static void tell (const char *path, const char *action, const char *line)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = SEND_S };
    autofree char *message = text_format ("%s %s", action, line);
    autoclose int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !path || strlen (path) >= sizeof address.sun_path)
        return;
    strcpy (address.sun_path, path);
    setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (sendto (fd, message, strlen (message), MSG_NOSIGNAL, (struct sockaddr *) &address,
                sizeof address) < 0 &&
        errno != ENOENT && errno != ECONNREFUSED)
        fprintf (stderr, "tell the daemon of a lease: %s\n", strerror (errno));
}

static int change (const char *path, char **argv, int argc, error_t *err)
{
    const char *action = argv[1], *address = argv[3];
    autofree char *text = read_leases (path, err);
    lease_t lease, read;
    if (!text)
        return -1;
    fill_lease (argv[2], address, argc > 4 ? argv[4] : NULL, &lease);
    keep_mac (text, &lease);
    autofree char *line = lease_text (&lease, true);
    if (!lease_read (line, &read))
        return error_set (err, ERR_INVALID_ARG, "'%s' is no lease", line);
    text = keep_duid (text);
    autofree char *changed = replace (text, address, strcmp (action, "del") == 0 ? NULL : line);
    if (strcmp (changed, text) != 0 && file_write (path, changed, strlen (changed), err))
        return -1;
    tell (variable ("TROUPE_LEASE_SOCKET"), action, line);
    return 0;
}

static int run (int argc, char **argv, error_t *err)
{
    const char *path = variable ("TROUPE_LEASE_FILE");
    if (!path)
        return error_set (err, ERR_INVALID_ARG, "TROUPE_LEASE_FILE is not set");
    if (argc > 1 && strcmp (argv[1], "init") == 0)
        return print_leases (path, err);
    bool known = argc > 3 && (strcmp (argv[1], "add") == 0 || strcmp (argv[1], "old") == 0 ||
                              strcmp (argv[1], "del") == 0);
    return known ? change (path, argv, argc, err) : 0; //  dnsmasq has other news, too
}

int main (int argc, char **argv)
{
    error_t err;
    if (run (argc, argv, &err) == 0)
        return 0;
    fprintf (stderr, "troupe-lease: %s\n", err.message);
    return 1;
}
