//  network_files.h: the folders of networks, and what is in them at the daemon's start.

#ifndef TROUPE_NETWORK_FILES_H
#define TROUPE_NETWORK_FILES_H

#include "util/paths.h"
#include "util/text.h"

//  Creates the folders, and removes what a killed daemon left half written in them.
int network_make_folders (const paths_t *paths, bool *new, error_t *err);
//  The first time that this daemon has a folder for networks (*NEW of the above), it gets one: a
//  NAT network 'default', inactive, with this UUID. Which subnet it has is settled when it first
//  starts: 192.168.122.0/24, or the next one that the host has no route to. Who removes it is rid
//  of it.
int network_ship_default (const paths_t *paths, const char *uuid, error_t *err);
//  The uuids that have a definition or a status file, sorted, each once. The caller owns the
//  result.
strings_t *network_list_files (const paths_t *paths, error_t *err);

#endif
