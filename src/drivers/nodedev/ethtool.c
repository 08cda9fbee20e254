//  ethtool.c: see ethtool.h.

#include "drivers/nodedev/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FEATURES_MAX = 1024 //  of a kernel; there are some 60
};

static int ask (int fd, const char *interface, void *question)
{
    struct ifreq request = { .ifr_data = question };
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", interface);
    return ioctl (fd, SIOCETHTOOL, &request);
}

static bool has_value (int fd, const char *interface, uint32_t command, uint32_t mask)
{
    struct ethtool_value value = { .cmd = command };
    return ask (fd, interface, &value) == 0 && (value.data & mask);
}

//  The place of a feature that has no question of its own, by the kernel's name; -1: there is none.
static int place_of (int fd, const char *interface, const char *name)
{
    struct {
        struct ethtool_sset_info head;
        uint32_t count;
    } info = { .head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };
    if (ask (fd, interface, &info) || info.head.sset_mask == 0 || info.count > FEATURES_MAX)
        return -1;
    autofree struct ethtool_gstrings *names =
        memory_new (1, sizeof *names + (size_t) info.count * ETH_GSTRING_LEN);
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = info.count;
    if (ask (fd, interface, names))
        return -1;
    for (uint32_t i = 0; i < info.count; i++)
        if (strncmp ((const char *) names->data + (size_t) i * ETH_GSTRING_LEN, name,
                     ETH_GSTRING_LEN) == 0)
            return (int) i;
    return -1;
}

static bool has_feature (int fd, const char *interface, const char *name)
{
    int place = place_of (fd, interface, name);
    if (place < 0)
        return false;
    size_t block = (size_t) place / 32;
    autofree struct ethtool_gfeatures *features =
        memory_new (1, sizeof *features + (block + 1) * sizeof *features->features);
    features->cmd = ETHTOOL_GFEATURES;
    features->size = (uint32_t) block + 1;
    return ask (fd, interface, features) == 0 && features->size > block &&
           (features->features[block].active & 1u << place % 32);
}

strings_t *ethtool_features (const char *interface)
{
    static const struct {
        const char *name;
        uint32_t command, mask; //  0: by the kernel's name
        const char *feature;
    } rows[] = {
        { "rx", ETHTOOL_GRXCSUM, ~0u, NULL },
        { "tx", ETHTOOL_GTXCSUM, ~0u, NULL },
        { "sg", ETHTOOL_GSG, ~0u, NULL },
        { "tso", ETHTOOL_GTSO, ~0u, NULL },
        { "gso", ETHTOOL_GGSO, ~0u, NULL },
        { "gro", ETHTOOL_GGRO, ~0u, NULL },
        { "lro", ETHTOOL_GFLAGS, ETH_FLAG_LRO, NULL },
        { "rxvlan", ETHTOOL_GFLAGS, ETH_FLAG_RXVLAN, NULL },
        { "txvlan", ETHTOOL_GFLAGS, ETH_FLAG_TXVLAN, NULL },
        { "ntuple", ETHTOOL_GFLAGS, ETH_FLAG_NTUPLE, NULL },
        { "rxhash", ETHTOOL_GFLAGS, ETH_FLAG_RXHASH, NULL },
        { "txudptnl", 0, 0, "tx-udp_tnl-segmentation" },
    };
    strings_t *found = strings_new ();
    int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; fd >= 0 && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].feature ? has_feature (fd, interface, rows[i].feature)
                            : has_value (fd, interface, rows[i].command, rows[i].mask))
            strings_add (found, rows[i].name);
    if (fd >= 0)
        close (fd);
    return found;
}
