//  rpc_migrate.h: migrations that libvirt's clients drive: what they ask for, in flags and
//  parameters; and the cookies that they carry from one daemon to the other.
//
//  A cookie is a msgpack map: `troupe` (1), `place` of the daemon that made it: {host, instance,
//  local, remote}, and what a phase needs of the one before. It comes from the client, so all that
//  is done with it is what the client could ask for by itself.

#ifndef TROUPE_RPC_MIGRATE_H
#define TROUPE_RPC_MIGRATE_H

#include "actors/libvirt/rpc_self.h"

//  virDomainMigrateFlags
enum {
    MIGRATE_LIVE = 1,
    MIGRATE_PEER2PEER = 2,
    MIGRATE_TUNNELLED = 4,
    MIGRATE_PERSIST_DEST = 8,
    MIGRATE_UNDEFINE_SOURCE = 16,
    MIGRATE_PAUSED = 32,
    MIGRATE_NON_SHARED_DISK = 64,
    MIGRATE_NON_SHARED_INC = 128,
    MIGRATE_CHANGE_PROTECTION = 256,
    MIGRATE_UNSAFE = 512,
    MIGRATE_OFFLINE = 1024,
    MIGRATE_COMPRESSED = 2048,
    MIGRATE_ABORT_ON_ERROR = 4096,
    MIGRATE_AUTO_CONVERGE = 8192,
    MIGRATE_RDMA_PIN_ALL = 16384,
    MIGRATE_POSTCOPY = 32768,
    MIGRATE_TLS = 65536,
    MIGRATE_PARALLEL = 131072,
    MIGRATE_SYNCHRONOUS_WRITES = 262144,
    MIGRATE_POSTCOPY_RESUME = 524288,
    MIGRATE_ZEROCOPY = 1048576
};

//  Which verb's arguments are wanted.
enum {
    WISH_BEGIN = 1,   //  migration.begin
    WISH_PREPARE = 2, //  migration.prepare
    WISH_PERFORM = 4, //  migration.perform
    WISH_DIRECT = 8,  //  domain.migrate
    WISH_OFFLINE = 16 //  domain.migrate_offline
};

uint64_t rpc_migrate_flags (const rpc_call_t *call);
//  What the call's flags and parameters, or fields, ask for, as arguments of the verb PHASE, into
//  ARGS, an open map. Also if none is wanted (0) the others are checked. -1 and ERR: one is not
//  supported, or makes no sense.
int rpc_migrate_wishes (const rpc_call_t *call, unsigned phase, pack_t *args, error_t *err);
//  One text of them, by its verb's argument; NULL: it was not given.
const char *rpc_migrate_wish (const rpc_call_t *call, const char *arg);

//  A cookie with our place in it: an open map.
int rpc_cookie_begin (const rpc_call_t *call, pack_t *cookie, error_t *err);
//  Its end, as RET's `cookie_out`.
void rpc_cookie_end (pack_t *cookie, pack_t *ret);
void rpc_cookie_none (pack_t *ret);
//  What came with the call; NULL and ERR if that is none of ours. The caller owns it.
document_t *rpc_cookie_read (const rpc_call_t *call, error_t *err);
//  The endpoint of the daemon that COOKIE is from; *LOCAL: it is on this host. NULL and ERR when it
//  can't be reached, or is this one. The caller frees it.
char *rpc_cookie_endpoint (const rpc_call_t *call, const value_t *cookie, bool *local,
                           error_t *err);
//  Of the URI that a source daemon is to go to by itself. The caller frees it.
char *rpc_peer_endpoint (const char *uri, error_t *err);
//  Where a guest from another host is received unless its client says so: uri, and the address to
//  listen at (NULL: that of the URI). The caller frees both.
int rpc_receive_at (const rpc_call_t *call, char **uri, char **listen, error_t *err);

#endif
