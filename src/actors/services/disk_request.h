//  disk_request.h: how others ask the disk actors for durable writes.

#ifndef TROUPE_DISK_REQUEST_H
#define TROUPE_DISK_REQUEST_H

#include "actors/runtime/actor.h"

#define DISK_ACTORS 2

//  The disk actor for KEY (a domain's uuid, or a path): the same key always gets the same one, so
//  what is written under one key is written in the order of the requests.
void disk_address (const char *key, char address[MSG_ADDRESS_MAX]);

//  A `disk.write` request; then its files, TEXT NULL to remove.
msg_t *disk_request (void);
void disk_add_file (msg_t *request, const char *path, const char *text);

#endif
