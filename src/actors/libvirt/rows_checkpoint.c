//  rows_checkpoint.c: checkpoints of domains' disks, and backups.

#include "actors/libvirt/rpc_self.h"

//  How large the changes are is measured; the rest is known.
static int prepare_xml (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args, (void) err;
    enum {
        WITH_SIZE = 4
    };
    if (value_get_u64 (call->args, "flags", 0) & WITH_SIZE)
        call->verb = verb_find ("checkpoint.measure");
    return 0;
}

static int answer_parent (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) ret;
    if (value_get_str (result, "parent"))
        return 0;
    return error_set (err, ERR_NO_DOMAIN_CHECKPOINT, "checkpoint '%s' of domain '%s' has no parent",
                      value_get_str (result, "name"), value_get_str (result, "domain"));
}

//  virDomainCheckpointListFlags; 2: in the order in which they came about, as always.
#define LIST_FLAGS(first) FLAGS ({ 1, first }, { 2, NULL }, { 4, "leaves" }, { 8, "no_leaves" })

const rpc_row_t rpc_rows_checkpoint[] = {
    { "DOMAIN_CHECKPOINT_CREATE_XML", .verb = "checkpoint.create", .args = "xml=xml_desc",
      .flags = FLAGS ({ 1, "redefine" }, { 2, "quiesce" }, { 4, "validate" }),
      .ret = "checkpoint=name" },
    //  There is never a <domain> in it, and so nothing that is secret.
    { "DOMAIN_CHECKPOINT_GET_XML_DESC", .verb = "checkpoint.xml",
      .args = "checkpoint=checkpoint.name", .flags = FLAGS ({ 1 | 2 | 4, NULL }),
      .prepare = prepare_xml, .ret = "xml" },
    { "DOMAIN_LIST_ALL_CHECKPOINTS", .verb = "checkpoint.list", .flags = LIST_FLAGS ("roots"),
      .answer = rpc_answer_list },
    { "DOMAIN_CHECKPOINT_LIST_ALL_CHILDREN", .verb = "checkpoint.list",
      .args = "from=checkpoint.name", .flags = LIST_FLAGS ("descendants"),
      .answer = rpc_answer_list },
    { "DOMAIN_CHECKPOINT_LOOKUP_BY_NAME", .verb = "checkpoint.info", .args = "checkpoint=name",
      .ret = "checkpoint=name" },
    { "DOMAIN_CHECKPOINT_GET_PARENT", .verb = "checkpoint.info",
      .args = "checkpoint=checkpoint.name", .answer = answer_parent, .ret = "parent=parent" },
    { "DOMAIN_CHECKPOINT_DELETE", .verb = "checkpoint.delete", .args = "checkpoint=checkpoint.name",
      .flags = FLAGS ({ 1, "children" }, { 2, "metadata" }, { 4, "children_only" }) },
    { "DOMAIN_BACKUP_BEGIN", .verb = "domain.backup_begin", .args = "xml=backup_xml checkpoint_xml",
      .flags = FLAGS ({ 1, "reuse_external" }) },
    { "DOMAIN_BACKUP_GET_XML_DESC", .verb = "domain.backup_xml", .ret = "xml" },
    { 0 },
};
