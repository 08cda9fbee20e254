//  ethtool.h: what a network interface does by itself (ioctl SIOCETHTOOL, linux/ethtool.h). Each
//  question waits until nobody else asks or changes anything of links.

#ifndef TROUPE_ETHTOOL_H
#define TROUPE_ETHTOOL_H

#include "util/text.h"

//  Of the interface of this name, in libvirt's words: "rx", "tx", "sg", "tso", "gso", "gro", "lro",
//  "rxvlan", "txvlan", "ntuple", "rxhash", "txudptnl"; none if it can't be asked. The caller owns
//  the result.
strings_t *ethtool_features (const char *interface);

#endif
