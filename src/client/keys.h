//  keys.h: the keys by which hosts know each other over TCP (CurveZMQ, rfc.zeromq.org/spec/26): one
//  folder of czmq's certificate files.
//
//      FOLDER/own          this host's public key, for others
//      FOLDER/own_secret   and the secret one: whoever has it is this host
//      FOLDER/known/NAME   the public key of another; its metadata: name, role (read, write, admin:
//                          what it may do here), endpoint (where it listens; may be missing)
//
//  All of these read or write small files.

#ifndef TROUPE_KEYS_H
#define TROUPE_KEYS_H

#include "util/error.h"
#include "util/text.h"

#include <stdbool.h>

enum {
    KEY_TEXT_SIZE = 41, //  Z85, and a NUL
    KEY_NAME_SIZE = 33
};

//  What a socket needs. A client's has the server's key, too; a server's has "".
typedef struct {
    char public[KEY_TEXT_SIZE], secret[KEY_TEXT_SIZE], server[KEY_TEXT_SIZE];
} curve_t;

typedef struct {
    char name[KEY_NAME_SIZE], role[8], public[KEY_TEXT_SIZE];
    char endpoint[256]; //  "": it is not known
} known_key_t;

//  Makes this host's pair unless it is there.
int keys_make (const char *folder, error_t *err);
int keys_own (const char *folder, curve_t *curve, error_t *err);
//  For connecting to ENDPOINT, whose key has to be known. ERR_AUTH_FAILED says what to do.
int keys_for (const char *folder, const char *endpoint, curve_t *curve, error_t *err);

//  ERR_INVALID_ARG for a name, key, role or endpoint that is none. Replaces NAME's, if it is known.
int keys_add (const char *folder, const known_key_t *known, error_t *err);
//  ERR_OPERATION_INVALID when NAME is not known.
int keys_remove (const char *folder, const char *name, error_t *err);
int keys_read (const char *folder, const char *name, known_key_t *known, error_t *err);
//  The names that are known. The caller owns the result.
strings_t *keys_list (const char *folder, error_t *err);

#endif
