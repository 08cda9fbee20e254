//  rows_qemu.c: the program beside the main one by which QEMU and the guest's agent are spoken to.

#include "actors/libvirt/rpc_self.h"

//  libvirt's clients read QEMU's own answer, whatever it is.
static int prepare_raw (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "raw", true);
    return 0;
}

const rpc_row_t rpc_rows_qemu[] = {
    //  virDomainQemuMonitorCommandFlags
    { "DOMAIN_MONITOR_COMMAND", .verb = "domain.monitor_command", .args = "command=cmd",
      .flags = FLAGS ({ 1, "hmp" }), .prepare = prepare_raw, .ret = "result=reply" },
    { "DOMAIN_MONITOR_COMMAND_WITH_FILES", .verb = "domain.monitor_command", .args = "command=cmd",
      .flags = FLAGS ({ 1, "hmp" }), .prepare = prepare_raw, .ret = "result=reply" },
    { "DOMAIN_AGENT_COMMAND", .verb = "domain.agent_command", .args = "command=cmd timeout",
      .ret = "result=reply" },
    { 0 },
};
