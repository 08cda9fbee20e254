//  host_interfaces.h: the kernel's network links as libvirt's interface XML, read from
//  /sys/class/net, /proc/net/vlan and the C library's getifaddrs. What is read is how they are now:
//  there is no configuration of ours behind them.

#ifndef TROUPE_HOST_INTERFACES_H
#define TROUPE_HOST_INTERFACES_H

#include "util/text.h"
#include "util/xml.h"

typedef struct {
    char name[64];
    char mac[64]; //  "" of links without one
    bool up;      //  administratively
} host_interface_t;

//  All of them, by name. ROOT goes before each path: "", but for tests. The caller frees it; NULL
//  and ERR.
host_interface_t *host_interfaces (const char *root, size_t *count, error_t *err);

//  The one with this NAME. ERR_NO_INTERFACE if there is none. The caller owns the document.
xml_t *host_interface_xml (const char *root, const char *name, error_t *err);

#endif
