//  qemu_agent_ask.h: questions to a guest's agent. All are rows of qemu_agent's table: arguments
//  and results are those of msg/verbs.def, as JSON; NULL with job_agent's errors.

#ifndef TROUPE_QEMU_AGENT_ASK_H
#define TROUPE_QEMU_AGENT_ASK_H

#include "drivers/job.h"

enum {
    QEMU_AGENT_INFO_MS = 10000,
    QEMU_AGENT_BLOCK_MS = 24 * 3600000 //  as long as it takes
};

//  As libvirt takes times in seconds to wait for an agent (virDomainAgentResponseTimeoutValues).
enum {
    QEMU_AGENT_BLOCK = -2,
    QEMU_AGENT_DEFAULT = -1,
    QEMU_AGENT_NOWAIT = 0
};

//  job_agent, but waits as long as the guest's record says, if it does: <agent timeout='S'/>. Who
//  is to wait for nothing is told so by an error, unless no answer is the command's usual one.
json_t *qemu_agent_call (job_t *job, const char *execute, json_t *arguments, unsigned how, int ms,
                         error_t *err);

//  qemu_agent_info.c
json_t *qemu_agent_info (job_t *job, const json_t *args, error_t *err);

//  qemu_agent_ask.c
json_t *qemu_agent_file_systems (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_trim (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_hostname (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_time (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_set_time (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_vcpus (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_set_vcpus (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_set_password (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_ssh_keys (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_set_ssh_keys (job_t *job, const json_t *args, error_t *err);
json_t *qemu_agent_interfaces (job_t *job, const json_t *args, error_t *err);

//  The target ("vda") of the guest's disk that the agent means by DISK (GuestDiskAddress), found by
//  its PCI address, or by its place on its bus; NULL if that says no one.
const char *qemu_agent_disk_target (job_t *job, const json_t *disk);

#endif
