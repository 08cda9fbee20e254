//  rows_fds.c: procedures with which descriptors travel.

#include "actors/libvirt/rpc_self.h"

//  One descriptor, which its client passes.
static int prepare_display (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    return call->fd_count == 1
               ? 0
               : error_set (err, ERR_INVALID_ARG, "%s: one descriptor is to come with it, not %zu",
                            call->entry->procedure->name, call->fd_count);
}

//  One for its client.
static int prepare_display_pair (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    return rpc_fds_pair (call, err);
}

//  virDomainOpenGraphicsFlags
#define DISPLAY_FLAGS FLAGS ({ 1, "skip_auth" })

const rpc_row_t rpc_rows_fds[] = {
    { "DOMAIN_OPEN_GRAPHICS", .verb = "domain.open_graphics", .args = "index=idx",
      .flags = DISPLAY_FLAGS, .prepare = prepare_display },
    { "DOMAIN_OPEN_GRAPHICS_FD", .verb = "domain.open_graphics", .args = "index=idx",
      .flags = DISPLAY_FLAGS, .prepare = prepare_display_pair },
    { 0 },
};
