//  jobs.c: the table of jobs.

#include "actors/jobs.h"

const job_kind_t job_kinds[] = {
    { "define", job_run_define },
    { "create_xml", job_run_create_xml },
    { "rename", job_run_rename },
    { "metadata_set", job_run_metadata_set },
    { "undefine", job_run_undefine },
    { "start", job_run_start },
    { "shutdown", job_run_shutdown },
    { "reboot", job_run_reboot },
    { "reset", job_run_reset },
    { "restart", job_run_restart },
    { "suspend", job_run_suspend },
    { "resume", job_run_resume },
    { "destroy", job_run_destroy },
    { "usage", job_run_usage },
    { "monitor_command", job_run_monitor_command },
    { "load", job_run_load },
    { "adopt", job_run_adopt },
    { "unwind", job_run_unwind },
    { "capabilities", job_run_capabilities },
    { "probe", job_run_probe },
    { NULL, NULL },
};
