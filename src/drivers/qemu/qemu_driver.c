//  qemu_driver.c: the table of what QEMU can do.

#include "drivers/guest_end.h"
#include "drivers/qemu/qemu_native.h"
#include "drivers/qemu/qemu_peek.h"
#include "drivers/qemu/qemu_agent.h"
#include "drivers/qemu/qemu_control.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/probe/qemu_capabilities.h"
#include "drivers/qemu/probe/qemu_cpu_questions.h"
#include "drivers/qemu/probe/qemu_domain_caps.h"
#include "drivers/qemu/probe/qemu_schema.h"
#include "drivers/qemu/storage/qemu_checkpoint.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/storage/qemu_merge.h"
#include "drivers/qemu/qemu_perf.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/qemu_salvage.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_overlay.h"
#include "drivers/qemu/storage/qemu_snapshot.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/qemu/qemu_tune.h"

static const char *const qemu_types[] = { "qemu", "kvm", NULL };

const driver_t qemu_driver = {
    .name = "qemu",
    .monitor = "QEMU",
    .types = qemu_types,
    .validate = qemu_schema_check,
    .complete = qemu_complete,
    .takes = qemu_takes,
    .tune = qemu_tune,
    .perf_record = qemu_perf_record,
    .start = qemu_start,
    .shutdown = qemu_shutdown,
    .reboot = qemu_reboot,
    .reset = qemu_reset,
    .suspend = qemu_suspend,
    .resume = qemu_resume,
    .destroy = qemu_destroy,
    .note_end = guest_end_note,
    .forget_end = guest_end_forget,
    .restart = qemu_restart,
    .adopt = qemu_adopt,
    .salvage = qemu_salvage,
    .save = qemu_save,
    .restore = qemu_restore,
    .image_define = qemu_image_define,
    .dump = qemu_dump,
    .screenshot = qemu_screenshot,
    .peek_memory = qemu_peek_memory,
    .peek_block = qemu_peek_block,
    .snapshot_create = qemu_snapshot_create,
    .snapshot_taken = qemu_overlay_taken,
    .snapshot_branch = qemu_snapshot_branch,
    .snapshot_check = qemu_snapshot_check,
    .snapshot_apply = qemu_snapshot_apply,
    .snapshot_start = qemu_snapshot_start,
    .snapshot_deletable = qemu_merge_check,
    .snapshot_delete = qemu_snapshot_delete,
    .migrate_begin = qemu_migrate_begin,
    .migrate_in = qemu_migrate_in,
    .migrate_out = qemu_migrate_out,
    .migrate_state = qemu_migrate_state,
    .migrate_complete = qemu_migrate_complete,
    .migrate_run = qemu_migrate_run,
    .migrate_leave = qemu_migrate_leave,
    .migrate_stay = qemu_migrate_stay,
    .migrate_tune = qemu_migrate_tune,
    .migrate_defaults = { .downtime_ms = QEMU_DOWNTIME_MS,
                          .compression_cache = QEMU_COMPRESSION_CACHE },
    .migrate_tuning = qemu_migrate_tuning,
    .migrate_recover = qemu_migrate_recover,
    .migrate_resume = qemu_migrate_resume,
    .block = &qemu_block_driver,
    .backup_begin = qemu_backup_begin,
    .backup_follow = qemu_backup_follow,
    .backup_end = qemu_backup_end,
    .attach = qemu_attach,
    .detach = qemu_detach,
    .update = qemu_update,
    .look_at_devices = qemu_look_at_devices,
    .checkpoint_create = qemu_checkpoint_create,
    .checkpoint_delete = qemu_checkpoint_delete,
    .checkpoint_measure = qemu_checkpoint_measure,
    .undo = qemu_undo,
    .info = qemu_info,
    .meter = qemu_meter,
    .plug_again = interface_plug_again,
    .stats = qemu_stats,
    .monitor_command = qemu_monitor_command,
    .agent = qemu_agent,
    .control = qemu_control,
    .capabilities = qemu_capabilities,
    .domain_capabilities = qemu_domain_capabilities,
    .native = qemu_native,
    .native_format = "qemu-argv",
    .cpu_models = qemu_cpu_models,
    .compare_cpu = qemu_compare_cpu,
    .baseline_cpu = qemu_baseline_cpu,
    .max_vcpus = qemu_max_vcpus,
    .version = qemu_version,
    .event = qemu_event,
    .console = qemu_console,
    .channel = qemu_channel,
};
