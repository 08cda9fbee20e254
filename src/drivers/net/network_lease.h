//  network_lease.h: one address that dnsmasq gave to a guest, as a line of text. troupe-lease keeps
//  such lines in a file, and sends each change to the network's owner.
//
//      add|old|del EXPIRY MAC-OR-IAID ADDRESS NAME CLIENT-ID
//
//  "-" stands for a name or client id that there is none of. In the file the first word is left
//  out: what is left is a line of dnsmasq's own lease file (dnsmasq(8), --dhcp-script, init).

#ifndef TROUPE_NETWORK_LEASE_H
#define TROUPE_NETWORK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LEASE_LINE_MAX = 1024, //  bytes, without the newline
    LEASES_MAX = 65536     //  of a network
};

typedef struct {
    uint64_t expiry; //  s since 1970; 0: never
    char hardware[64];
    char address[48];
    char name[256];
    char client[512]; //  of IPv6 its DUID
} lease_t;

//  Of the words behind the first one. False: it is no such line.
bool lease_read (const char *line, lease_t *lease);
bool lease_is_six (const lease_t *self);

#endif
