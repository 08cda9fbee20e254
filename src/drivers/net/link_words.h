//  link_words.h: what is said about links in messages, and the checks of what was said.

#ifndef TROUPE_LINK_WORDS_H
#define TROUPE_LINK_WORDS_H

#include "drivers/net/link.h"
#include "msg/pack.h"
#include "msg/value.h"

//  As values of a message: maps with the field names as keys, "set" and "peer" maps inside.
void link_spec_pack (pack_t *pack, const link_spec_t *spec);
void link_settings_pack (pack_t *pack, const link_settings_t *settings);
void link_pack (pack_t *pack, const link_t *link);
//  Into a map that is open.
void link_pack_fields (pack_t *pack, const link_t *link);
void link_bandwidth_pack (pack_t *pack, const link_bandwidth_t *bandwidth);
void link_route_pack (pack_t *pack, const link_route_t *route);

//  Their strings live as long as the value. What is there has been checked: names and templates
//  that the kernel takes, MACs, ranges, that each field goes with the kind. ERR_INVALID_ARG,
//  ERR_INVALID_MAC.
int link_spec_read (const value_t *value, link_spec_t *spec, error_t *err);
int link_settings_read (const value_t *value, link_settings_t *settings, error_t *err);
int link_bandwidth_read (const value_t *value, link_bandwidth_t *bandwidth, error_t *err);
int link_route_read (const value_t *value, link_route_t *route, error_t *err);
void link_read (const value_t *value, link_t *link);

#endif
