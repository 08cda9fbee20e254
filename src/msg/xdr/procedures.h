//  procedures.h: the procedures of libvirt's RPC: numbers, arguments, results, and who may call
//  them. What serves them is said elsewhere (actors/gateway/libvirt_rows.h).
//
//  PROC (program, NAME, number, flags, ARGS (fields), RET (fields)); NOTHING for no fields. An
//  event's ARGS are what the message carries.

#ifndef TROUPE_PROCEDURES_H
#define TROUPE_PROCEDURES_H

#include "msg/xdr/xdr.h"

enum {
    PROGRAM_REMOTE = 0x20008086,
    PROGRAM_QEMU = 0x20008087,
    PROGRAM_LXC = 0x00068000,
    PROGRAM_KEEPALIVE = 0x6b656570,
    PROGRAM_ADMIN = 0x06900690, //  on its own socket, and there alone
    PROGRAM_VERSION = 1         //  of all of them
};

enum {
    PROC_READ_ONLY = 1, //  a read-only connection may call it
    PROC_NO_AUTH = 2,   //  may be called before it is known who calls
    PROC_EVENT = 4,     //  sent by the server, unasked
    PROC_STREAM = 8,    //  its reply opens a stream
    PROC_FDS = 16       //  file descriptors travel with it
};

typedef struct {
    uint32_t program;
    const char *name; //  "DOMAIN_CREATE"
    uint32_t number;
    unsigned flags;
    const xdr_field_t *args, *ret; //  NULL: none
} procedure_t;

//  Index from 0; NULL behind the last.
const procedure_t *procedure_at (size_t index);
//  NULL if there is none.
const procedure_t *procedure_find (uint32_t program, uint32_t number);
const procedure_t *procedure_named (uint32_t program, const char *name);
//  What libvirt's API calls it, for those that nothing serves here: "virDomainQemuAttach". (Of the
//  others some have names of their own.) The caller frees it.
char *procedure_api (const procedure_t *self);
//  Is there a program of this number, whatever its procedures?
bool program_known (uint32_t program);

#endif
