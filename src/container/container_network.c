//  container_network.c: the network namespace of a container (network_namespaces(7), netdevice(7)).

#include "container/container_network.h"
#include "util/auto.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

//  -1, and errno says why: ENODEV if there is none.
static int set_up (int fd, const char *name)
{
    struct ifreq request = { 0 };
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl (fd, SIOCGIFFLAGS, &request))
        return -1;
    request.ifr_flags = (short) (request.ifr_flags | IFF_UP);
    return ioctl (fd, SIOCSIFFLAGS, &request);
}

static int bring_up (const char *name, bool needed, error_t *err)
{
    autoclose int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (set_up (fd, name) == 0 || (errno == ENODEV && !needed)))
        return 0;
    return error_errno (err, ERR_SYSTEM_ERROR, "bring the container's link '%s' up", name);
}

int container_network_open (error_t *err)
{
    return bring_up ("lo", true, err);
}

int container_network_make (error_t *err)
{
    if (unshare (CLONE_NEWNET))
        return error_errno (err, ERR_SYSTEM_ERROR, "make the container's network namespace");
    return container_network_open (err);
}

int container_network_up (const container_spec_t *spec, bool first, error_t *err)
{
    for (const char **name = spec->links; *name; name++)
        if (bring_up (*name, first, err))
            return -1;
    return 0;
}
