//  rows_nodedev.c: devices of the host.

#include "actors/libvirt/rpc_self.h"

#include <string.h>

//  virConnectListAllNodeDeviceFlags: what devices can be, and whether they are there.
enum {
    SYSTEM = 1 << 0,
    PCI = 1 << 1,
    NET = 1 << 4,
    CAPABILITIES = (1 << 22) - 1
};
#define INACTIVE (UINT64_C (1) << 30)
#define ACTIVE (UINT64_C (1) << 31)

static const struct {
    const char *name;
    uint64_t bit;
} capabilities[] = { { "system", SYSTEM }, { "pci", PCI }, { "net", NET } };

static uint64_t bit_of (const char *capability)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (text_equals (capabilities[i].name, capability))
            return capabilities[i].bit;
    return 0;
}

//  All that are known are there.
static bool is_wanted (const rpc_call_t *call, const value_t *device)
{
    const char *capability = value_get_str (device, "capability");
    const char *only = value_get_str (call->args, "cap");
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if ((flags & INACTIVE) && !(flags & ACTIVE))
        return false;
    return (!only || text_equals (only, capability)) &&
           (!(flags & CAPABILITIES) || (flags & bit_of (capability)));
}

static int answer_list (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    return rpc_answer_some (call, result, is_wanted, ret, err);
}

//  A device has one capability.
static int answer_count (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_i64 (ret, "num", 1);
    return 0;
}

static int answer_capabilities (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    pack_key_array (ret, "names");
    if (value_get_i64 (call->args, "maxnames", 0) > 0)
        pack_str (ret, value_get_str (result, "capability"));
    pack_end (ret);
    return 0;
}

static int answer_found (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_map (ret, "dev");
    pack_key_str (ret, "name", value_get_str (result, "name"));
    pack_end (ret);
    return 0;
}

//  What is there is there, and comes back when the host is started.
static int answer_there (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    pack_key_bool (ret, call->entry->procedure->ret->name, true);
    return 0;
}

#define LIST_FLAGS FLAGS ({ CAPABILITIES, NULL }, { 1u << 30, NULL }, { 1u << 31, NULL })

const rpc_row_t rpc_rows_nodedev[] = {
    { "NODE_NUM_OF_DEVICES", .verb = "nodedev.list", .answer = answer_list },
    { "NODE_LIST_DEVICES", .verb = "nodedev.list", .answer = answer_list },
    { "CONNECT_LIST_ALL_NODE_DEVICES", .verb = "nodedev.list", .flags = LIST_FLAGS,
      .answer = answer_list },
    { "NODE_DEVICE_LOOKUP_BY_NAME", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_found },
    { "NODE_DEVICE_GET_XML_DESC", .verb = "nodedev.xml", .args = "device=name", .ret = "xml" },
    { "NODE_DEVICE_GET_PARENT", .verb = "nodedev.info", .args = "device=name",
      .ret = "parentName=parent" },
    { "NODE_DEVICE_NUM_OF_CAPS", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_count },
    { "NODE_DEVICE_LIST_CAPS", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_capabilities },
    { "NODE_DEVICE_IS_ACTIVE", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_there },
    { "NODE_DEVICE_IS_PERSISTENT", .verb = "nodedev.info", .args = "device=name",
      .answer = answer_there },
    { "NODE_DEVICE_DETTACH", .verb = "nodedev.detach", .args = "device=name" },
    { "NODE_DEVICE_DETACH_FLAGS", .verb = "nodedev.detach",
      .args = "device=name driver=driverName" },
    { "NODE_DEVICE_RE_ATTACH", .verb = "nodedev.reattach", .args = "device=name" },
    { "NODE_DEVICE_RESET", .verb = "nodedev.reset", .args = "device=name" },
    { 0 },
};
