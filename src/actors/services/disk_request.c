//  disk_request.c: see disk_request.h.

#include "actors/services/disk_request.h"

#include <stdio.h>

void disk_address (const char *key, char address[MSG_ADDRESS_MAX])
{
    unsigned sum = 0;
    for (const char *c = key; *c; c++)
        sum = sum * 31 + (unsigned char) *c;
    snprintf (address, MSG_ADDRESS_MAX, "disk/%u", sum % DISK_ACTORS);
}

//  The array of files stays open until the message is sent, which closes it.
msg_t *disk_request (void)
{
    msg_t *request = msg_request ("disk.write");
    pack_key_array (msg_args (request), "files");
    return request;
}

void disk_add_file (msg_t *request, const char *path, const char *text)
{
    pack_t *pack = msg_args (request);
    pack_map (pack);
    pack_key_str (pack, "path", path);
    pack_key_str (pack, "text", text);
    pack_end (pack);
}
