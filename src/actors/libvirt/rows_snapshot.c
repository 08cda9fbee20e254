//  rows_snapshot.c: snapshots of domains.

#include "actors/libvirt/rpc_self.h"

static int answer_has_current (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    bool found = false;
    for (size_t i = 0; i < value_count (result); i++)
        found = found || value_get_bool (value_at (result, i), "current", false);
    pack_key_bool (ret, "result", found);
    return 0;
}

static int answer_parent (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) ret;
    if (value_get_str (result, "parent"))
        return 0;
    return error_set (err, ERR_NO_DOMAIN_SNAPSHOT, "snapshot '%s' of domain '%s' has no parent",
                      value_get_str (result, "name"), value_get_str (result, "domain"));
}

//  All that are known are remembered.
static int answer_metadata (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_bool (ret, "metadata", true);
    return 0;
}

//  virDomainSnapshotListFlags, whose bit 0 means something else where children are listed.
#define LIST_FLAGS(first)                                                                          \
    FLAGS ({ 1, first }, { 2, "metadata" }, { 4, "leaves" }, { 8, "no_leaves" },                   \
           { 16, "no_metadata" }, { 32, "inactive" }, { 64, "active" }, { 128, "disk_only" },      \
           { 256, "internal" }, { 512, "external" }, { 1024, "topological" })

//  512 (validate): an element that is not known is refused in any case.
const rpc_row_t rpc_rows_snapshot[] = {
    { "DOMAIN_SNAPSHOT_CREATE_XML", .verb = "snapshot.create", .args = "xml=xml_desc",
      .flags = FLAGS ({ 1, "redefine" }, { 2, "current" }, { 4, "no_metadata" }, { 8, "halt" },
                      { 16, "disk_only" }, { 32, "reuse_external" }, { 64, "quiesce" },
                      { 128, "atomic" }, { 256, "live" }, { 512, NULL }),
      .ret = "snap=name" },
    { "DOMAIN_SNAPSHOT_GET_XML_DESC", .verb = "snapshot.xml", .args = "snapshot=snap.name",
      .flags = FLAGS ({ 1, "security_info" }), .ret = "xml" },
    { "DOMAIN_SNAPSHOT_NUM", .verb = "snapshot.list", .flags = LIST_FLAGS ("roots"),
      .answer = rpc_answer_list },
    { "DOMAIN_SNAPSHOT_LIST_NAMES", .verb = "snapshot.list", .flags = LIST_FLAGS ("roots"),
      .answer = rpc_answer_list },
    { "DOMAIN_LIST_ALL_SNAPSHOTS", .verb = "snapshot.list", .flags = LIST_FLAGS ("roots"),
      .answer = rpc_answer_list },
    { "DOMAIN_SNAPSHOT_NUM_CHILDREN", .verb = "snapshot.list", .args = "from=snap.name",
      .flags = LIST_FLAGS ("descendants"), .answer = rpc_answer_list },
    { "DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES", .verb = "snapshot.list", .args = "from=snap.name",
      .flags = LIST_FLAGS ("descendants"), .answer = rpc_answer_list },
    { "DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN", .verb = "snapshot.list", .args = "from=snapshot.name",
      .flags = LIST_FLAGS ("descendants"), .answer = rpc_answer_list },
    { "DOMAIN_SNAPSHOT_LOOKUP_BY_NAME", .verb = "snapshot.info", .args = "snapshot=name",
      .ret = "snap=name" },
    { "DOMAIN_HAS_CURRENT_SNAPSHOT", .verb = "snapshot.list", .answer = answer_has_current },
    { "DOMAIN_SNAPSHOT_CURRENT", .verb = "snapshot.info", .ret = "snap=name" },
    { "DOMAIN_SNAPSHOT_GET_PARENT", .verb = "snapshot.info", .args = "snapshot=snap.name",
      .answer = answer_parent, .ret = "snap=parent" },
    { "DOMAIN_SNAPSHOT_IS_CURRENT", .verb = "snapshot.info", .args = "snapshot=snap.name",
      .ret = "current" },
    { "DOMAIN_SNAPSHOT_HAS_METADATA", .verb = "snapshot.info", .args = "snapshot=snap.name",
      .answer = answer_metadata },
    { "DOMAIN_REVERT_TO_SNAPSHOT", .verb = "snapshot.revert", .args = "snapshot=snap.name",
      .flags = FLAGS ({ 1, "running" }, { 2, "paused" }, { 4, "force" }) },
    { "DOMAIN_SNAPSHOT_DELETE", .verb = "snapshot.delete", .args = "snapshot=snap.name",
      .flags = FLAGS ({ 1, "children" }, { 2, "metadata" }, { 4, "children_only" }) },
    { 0 },
};
