//  rows_device.c: devices of domains that come, go and change.

#include "actors/libvirt/rpc_self.h"

enum {
    LIVE = 1, //  virDomainDeviceModifyFlags
    CONFIG = 2,
    FORCE = 4
};

//  What has no flags is about the running domain.
static int prepare_live (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "live", true);
    return 0;
}

#define SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" })

const rpc_row_t rpc_rows_device[] = {
    { "DOMAIN_ATTACH_DEVICE", .verb = "domain.device_attach", .args = "xml",
      .prepare = prepare_live },
    { "DOMAIN_ATTACH_DEVICE_FLAGS", .verb = "domain.device_attach", .args = "xml", .flags = SCOPE },
    { "DOMAIN_DETACH_DEVICE", .verb = "domain.device_detach", .args = "xml",
      .prepare = prepare_live },
    { "DOMAIN_DETACH_DEVICE_FLAGS", .verb = "domain.device_detach", .args = "xml", .flags = SCOPE },
    { "DOMAIN_DETACH_DEVICE_ALIAS", .verb = "domain.device_detach", .args = "alias",
      .flags = SCOPE },
    { "DOMAIN_UPDATE_DEVICE_FLAGS", .verb = "domain.device_update", .args = "xml",
      .flags = FLAGS ({ LIVE, "live" }, { CONFIG, "config" }, { FORCE, "force" }) },
    { 0 },
};
