//  network_lease.h: one address that dnsmasq gave to a guest, as a line of text. troupe-lease keeps
//  such lines in a file, and sends each change to the network's owner.
//
//      add|old|del EXPIRY MAC-OR-IAID ADDRESS NAME CLIENT-ID [MAC]
//
//  "-" stands for a name or client id that there is none of. In the file the first word is left
//  out: what is left is a line of dnsmasq's own lease file (dnsmasq(8), --dhcp-script, init), and
//  the MAC address, where it is known, of those that IPv6 knows by an IAID.

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
    char mac[64];     //  "" if it is not known
} lease_t;

//  Of the words behind the first one. False: it is no such line.
bool lease_read (const char *line, lease_t *lease);
bool lease_is_six (const lease_t *self);
//  The line, as dnsmasq reads it, or with MAC. The caller frees it.
char *lease_text (const lease_t *self, bool with_mac);

#endif
