//  rows_save.c: domains in files: saved, restored, dumped.

#include "actors/libvirt/rpc_self.h"

//  virDomainCoreDumpFormat
static int prepare_dump (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const formats[] = { "elf", "kdump-zlib", "kdump-lzo", "kdump-snappy",
                                           "win-dmp" };
    uint64_t format = value_get_u64 (call->args, "dumpformat", 0);
    if (format >= sizeof formats / sizeof *formats)
        return error_set (err, ERR_INVALID_ARG, "%s: there is no format %llu",
                          call->entry->procedure->name, (unsigned long long) format);
    if (format > 0)
        pack_key_str (args, "format", formats[format]);
    return 0;
}

//  virDomainSaveRestoreFlags
#define SAVE_FLAGS FLAGS ({ 1, "bypass_cache" }, { 2, "running" }, { 4, "paused" })
#define DEFINE_FLAGS FLAGS ({ 2, "running" }, { 4, "paused" })
#define SAVE_PARAMS PARAMS ({ "file", PARAM_STRING, "path" }, { "dxml", PARAM_STRING, "xml" })
//  virDomainCoreDumpFlags
#define DUMP_FLAGS                                                                                 \
    FLAGS ({ 1, "crash" }, { 2, "live" }, { 4, "bypass_cache" }, { 8, "reset" },                   \
           { 16, "memory_only" })

const rpc_row_t rpc_rows_save[] = {
    { "DOMAIN_SAVE", .verb = "domain.save", .args = "path=to" },
    { "DOMAIN_SAVE_FLAGS", .verb = "domain.save", .args = "path=to xml=dxml", .flags = SAVE_FLAGS },
    { "DOMAIN_SAVE_PARAMS", .verb = "domain.save", .params = SAVE_PARAMS, .flags = SAVE_FLAGS },
    { "DOMAIN_RESTORE", .verb = "domain.restore", .args = "path=from",
      .prepare = rpc_prepare_driver },
    { "DOMAIN_RESTORE_FLAGS", .verb = "domain.restore", .args = "path=from xml=dxml",
      .flags = SAVE_FLAGS, .prepare = rpc_prepare_driver },
    { "DOMAIN_RESTORE_PARAMS", .verb = "domain.restore", .params = SAVE_PARAMS, .flags = SAVE_FLAGS,
      .prepare = rpc_prepare_driver },
    { "DOMAIN_SAVE_IMAGE_GET_XML_DESC", .verb = "image.xml", .args = "path=file",
      .flags = FLAGS ({ 1, "security_info" }), .ret = "xml" },
    { "DOMAIN_SAVE_IMAGE_DEFINE_XML", .verb = "image.define", .args = "path=file xml=dxml",
      .flags = DEFINE_FLAGS },
    { "DOMAIN_MANAGED_SAVE", .verb = "domain.managed_save", .flags = SAVE_FLAGS },
    { "DOMAIN_MANAGED_SAVE_REMOVE", .verb = "domain.managed_save_remove" },
    { "DOMAIN_MANAGED_SAVE_GET_XML_DESC", .verb = "domain.managed_save_xml",
      .flags = FLAGS ({ 1, "security_info" }), .ret = "xml" },
    { "DOMAIN_MANAGED_SAVE_DEFINE_XML", .verb = "domain.managed_save_define", .args = "xml=dxml",
      .flags = DEFINE_FLAGS },
    { "DOMAIN_CORE_DUMP", .verb = "domain.dump", .args = "path=to", .flags = DUMP_FLAGS },
    { "DOMAIN_CORE_DUMP_WITH_FORMAT", .verb = "domain.dump", .args = "path=to", .flags = DUMP_FLAGS,
      .prepare = prepare_dump },
    { 0 },
};
