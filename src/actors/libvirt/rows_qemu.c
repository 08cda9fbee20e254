//  rows_qemu.c: the program beside the main one by which QEMU and the guest's agent are spoken to.

#include "actors/libvirt/rpc_rows.h"

const rpc_row_t rpc_rows_qemu[] = {
    //  virDomainQemuMonitorCommandFlags
    { "DOMAIN_MONITOR_COMMAND", .verb = "domain.monitor_command", .args = "command=cmd",
      .flags = FLAGS ({ 1, "hmp" }), .ret = "result=reply" },
    { "DOMAIN_MONITOR_COMMAND_WITH_FILES", .verb = "domain.monitor_command", .args = "command=cmd",
      .flags = FLAGS ({ 1, "hmp" }), .ret = "result=reply" },
    { "DOMAIN_AGENT_COMMAND", .verb = "domain.agent_command", .args = "command=cmd timeout",
      .ret = "result=reply" },
    { 0 },
};
