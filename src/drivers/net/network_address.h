//  network_address.h: IP addresses and subnets, version 4 and 6, as numbers that can be compared.

#ifndef TROUPE_NETWORK_ADDRESS_H
#define TROUPE_NETWORK_ADDRESS_H

#include "util/error.h"
#include "util/xml.h"

#include <netinet/in.h>

#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

typedef struct {
    int family;        //  AF_INET, AF_INET6
    uint8_t bytes[16]; //  big-endian; 4 of them with AF_INET
} address_t;

typedef struct {
    address_t address; //  of a host in it, or of the subnet itself
    unsigned prefix;
} subnet_t;

//  False if TEXT is no address of either family.
bool address_read (const char *text, address_t *address);
void address_text (const address_t *self, char text[ADDRESS_TEXT_SIZE]);
//  As memcmp, of two of one family.
int address_compare (const address_t *a, const address_t *b);
//  How many addresses there are from FIRST to LAST, both included; UINT64_MAX: more.
uint64_t address_span (const address_t *first, const address_t *last);

//  Of an element with @address, and @prefix or @netmask or neither (then 24 and 64; 8 and 16 for
//  IPv4 addresses of the old classes A and B); @family, if there is one, has to fit. WHAT is the
//  element, for errors.
int subnet_read (const xml_node_t *node, const char *what, subnet_t *subnet, error_t *err);
bool subnet_has (const subnet_t *self, const address_t *address);
//  The prefix of that <ip> of NETWORK (a <network>) whose subnet has the address; 0: none has it.
unsigned subnet_prefix_of (const xml_node_t *network, const char *address);
bool subnet_overlaps (const subnet_t *self, const subnet_t *other);
//  Its first address: the subnet's own.
void subnet_base (const subnet_t *self, address_t *base);
//  Its last: with IPv4 that for broadcasts.
void subnet_last (const subnet_t *self, address_t *last);
//  "192.168.122.0/24".
void subnet_text (const subnet_t *self, char text[ADDRESS_TEXT_SIZE + 4]);

#endif
