//  network_routes.h: which subnets the host reaches already: a network of the same addresses would
//  cut it off from them.

#ifndef TROUPE_NETWORK_ROUTES_H
#define TROUPE_NETWORK_ROUTES_H

#include "drivers/net/network_address.h"

//  A route of the host that overlaps SUBNET, from the text of /proc/net/route or, for IPv6,
//  /proc/net/ipv6_route (proc(5)). LINK, of IF_NAMESIZE bytes, is the link that it goes through.
//  Default routes, and those of IPv6's link-local and multicast addresses, reach everything and do
//  not count, nor those through OWN (NULL: none). Pure.
bool routes_overlap (const char *text, const subnet_t *subnet, const char *own, char *link);

//  Is there a route to exactly SUBNET through LINK in such a text? Pure.
bool routes_have (const char *text, const subnet_t *subnet, const char *link);
//  *THERE: does the host have it?
int network_has_route (const subnet_t *subnet, const char *link, bool *there, error_t *err);

//  The subnet of ADDRESS ("192.168.122.1/24"), which link OWN is to get, against all other links'.
//  ERR_OPERATION_FAILED. What is no address passes: that is said by who reads it.
int routes_check_address (const char *address, const char *own, error_t *err);

//  The network's subnets, and those behind its routes, against the host's. ERR_OPERATION_FAILED.
int network_check_routes (const xml_node_t *network, error_t *err);
//  The first of 192.168.122.0/24, 192.168.123.0/24, ... that the host does not reach: the number
//  in its third place; -1: none.
int network_free_subnet (error_t *err);

//  The link through which the host has a route that a router announced to it, from the text of
//  /proc/net/ipv6_route, after the first *FROM bytes, which is moved behind it. False: there is no
//  more. Pure.
bool routes_announced (const char *text, size_t *from, char *link);
//  May the host begin to pass IPv6 packets on? A link that hears of its routes from routers would
//  lose them, unless its accept_ra is 2 (ip-sysctl in the kernel's documentation).
//  ERR_OPERATION_FAILED.
int network_check_announced (error_t *err);

#endif
