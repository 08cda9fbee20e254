//  link_tap.c: see link_tap.h.

#include "drivers/net/link_tap.h"

#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

//  IFF_TUN_EXCL, or we would be attached to the tap of this name that another made.
static int attach (int fd, const link_spec_t *spec, char name[LINK_NAME_SIZE])
{
    struct ifreq request = { 0 };
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", spec->set.name);
    int flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL | (spec->multi_queue ? IFF_MULTI_QUEUE : 0) |
                (spec->vnet_hdr ? IFF_VNET_HDR : 0);
    request.ifr_flags = (short) flags;
    if (ioctl (fd, TUNSETIFF, &request))
        return errno == EBUSY ? EEXIST : errno;
    snprintf (name, LINK_NAME_SIZE, "%s", request.ifr_name);
    return 0;
}

//  Asked of the descriptor, not of the name: nobody can come in between.
static int set_mac (int fd, const uint8_t mac[6])
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
    memcpy (request.ifr_hwaddr.sa_data, mac, 6);
    return ioctl (fd, SIOCSIFHWADDR, &request) ? errno : 0;
}

static int set_owner (int fd, const link_spec_t *spec)
{
    if (spec->uid > 0 && ioctl (fd, TUNSETOWNER, (unsigned long) spec->uid))
        return errno;
    if (spec->gid > 0 && ioctl (fd, TUNSETGROUP, (unsigned long) spec->gid))
        return errno;
    return 0;
}

int link_tap_make (const link_spec_t *spec, const uint8_t mac[6], char name[LINK_NAME_SIZE])
{
    autoclose int fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int number = attach (fd, spec, name);
    if (number == 0)
        number = set_mac (fd, mac);
    if (number == 0)
        number = set_owner (fd, spec);
    if (number == 0 && ioctl (fd, TUNSETPERSIST, 1UL))
        number = errno;
    return number;
}
