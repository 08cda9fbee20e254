//  rows_nodedev.c: devices of the host.

#include "actors/libvirt/rpc_self.h"

#include <string.h>

//  virConnectListAllNodeDeviceFlags: what devices can be, each a bit, and whether they are there.
#define CAPABILITIES ((UINT32_C (1) << 22) - 1)
#define INACTIVE (UINT32_C (1) << 30)
#define ACTIVE (UINT32_C (1) << 31)

//  In the order of their bits; those at the end are of machines that we do not run on, or are not
//  looked for.
static const char *const capabilities[] = {
    "system",      "pci",        "usb_device", "usb",     "net",    "scsi_host",
    "scsi_target", "scsi",       "storage",    "fc_host", "vports", "scsi_generic",
    "drm",         "mdev_types", "mdev",       "ccw",     "css",    "vdpa",
    "ap_card",     "ap_queue",   "ap_matrix",  "vpd",
};

static bool has_capability (const value_t *device, const char *name)
{
    const value_t *all = value_get (device, "capabilities");
    for (size_t i = 0; i < value_count (all); i++)
        if (text_equals (value_str (value_at (all, i)), name))
            return true;
    return false;
}

//  All that are known are there.
static bool is_wanted (const rpc_call_t *call, const value_t *device)
{
    const char *only = value_get_str (call->args, "cap");
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if (((flags & INACTIVE) && !(flags & ACTIVE)) || (only && !has_capability (device, only)))
        return false;
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if ((flags & UINT64_C (1) << i) && has_capability (device, capabilities[i]))
            return true;
    return !(flags & CAPABILITIES);
}

static int answer_list (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    return rpc_answer_some (call, result, is_wanted, ret, err);
}

static int answer_count (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_u64 (ret, "num", value_count (value_get (result, "capabilities")));
    return 0;
}

static int answer_capabilities (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    const value_t *all = value_get (result, "capabilities");
    int64_t room = value_get_i64 (call->args, "maxnames", 0);
    pack_key_array (ret, "names");
    for (size_t i = 0; i < value_count (all) && (int64_t) i < room; i++)
        pack_str (ret, value_str (value_at (all, i)));
    pack_end (ret);
    return 0;
}

static void pack_device (pack_t *ret, const value_t *device)
{
    pack_key_map (ret, "dev");
    pack_key_str (ret, "name", value_get_str (device, "name"));
    pack_end (ret);
}

static int answer_found (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_device (ret, result);
    return 0;
}

//  A host of Fibre Channel, of those that there are.
static int answer_with_names (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const char *wwnn = value_get_str (call->args, "wwnn");
    const char *wwpn = value_get_str (call->args, "wwpn");
    for (size_t i = 0; i < value_count (result); i++) {
        const value_t *device = value_at (result, i);
        if (text_equals (value_get_str (device, "wwnn"), wwnn) &&
            text_equals (value_get_str (device, "wwpn"), wwpn)) {
            pack_device (ret, device);
            return 0;
        }
    }
    return error_set (err, ERR_NO_NODE_DEVICE,
                      "this host has no SCSI host with the names '%s' (WWNN) and '%s' (WWPN)",
                      wwnn ? wwnn : "", wwpn ? wwpn : "");
}

//  All that are known are there; none was defined, so none is made when the host is started.
static int answer_flag (rpc_call_t *call, pack_t *ret, bool flag)
{
    pack_key_bool (ret, call->entry->procedure->ret->name, flag);
    return 0;
}

static int answer_there (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    return answer_flag (call, ret, true);
}

static int answer_not_defined (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    return answer_flag (call, ret, false);
}

#define LIST_FLAGS FLAGS ({ CAPABILITIES, NULL }, { 1u << 30, NULL }, { 1u << 31, NULL })

const rpc_row_t rpc_rows_nodedev[] = {
    { "NODE_NUM_OF_DEVICES", .verb = "nodedev.list", .answer = answer_list },
    { "NODE_LIST_DEVICES", .verb = "nodedev.list", .answer = answer_list },
    { "CONNECT_LIST_ALL_NODE_DEVICES", .verb = "nodedev.list", .flags = LIST_FLAGS,
      .answer = answer_list },
    { "NODE_DEVICE_LOOKUP_BY_NAME", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_found },
    { "NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN", .verb = "nodedev.list", .answer = answer_with_names },
    { "NODE_DEVICE_GET_XML_DESC", .verb = "nodedev.xml", .args = "device=name", .ret = "xml" },
    { "NODE_DEVICE_GET_PARENT", .verb = "nodedev.info", .args = "device=name",
      .ret = "parentName=parent" },
    { "NODE_DEVICE_NUM_OF_CAPS", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_count },
    { "NODE_DEVICE_LIST_CAPS", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_capabilities },
    { "NODE_DEVICE_IS_ACTIVE", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_there },
    { "NODE_DEVICE_GET_AUTOSTART", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_not_defined },
    { "NODE_DEVICE_IS_PERSISTENT", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_not_defined },
    { "NODE_DEVICE_DETTACH", .verb = "nodedev.detach", .args = "device=name" },
    { "NODE_DEVICE_DETACH_FLAGS", .verb = "nodedev.detach",
      .args = "device=name driver=driverName" },
    { "NODE_DEVICE_RE_ATTACH", .verb = "nodedev.reattach", .args = "device=name" },
    { "NODE_DEVICE_RESET", .verb = "nodedev.reset", .args = "device=name" },
    { 0 },
};
