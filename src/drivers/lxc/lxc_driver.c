//  lxc_driver.c: the table of what a container can do.

#include "drivers/lxc/lxc_driver.h"

#include "drivers/guest_end.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"

static const char *const lxc_types[] = { "lxc", NULL };

const driver_t lxc_driver = {
    .name = "lxc",
    .monitor = "the container's supervisor",
    .types = lxc_types,
    .version = lxc_version,
    .complete = lxc_complete,
    .validate = lxc_validate,
    .takes = lxc_takes,
    .tune = lxc_tune,
    .start = lxc_start,
    .shutdown = lxc_shutdown,
    .reboot = lxc_reboot,
    .suspend = lxc_suspend,
    .resume = lxc_resume,
    .destroy = lxc_destroy,
    .note_end = guest_end_note,
    .forget_end = guest_end_forget,
    .restart = lxc_restart,
    .adopt = lxc_adopt,
    .salvage = lxc_salvage,
    .undo = lxc_undo,
    .plug_again = interface_plug_again,
    .info = lxc_info,
    .meter = lxc_meter,
    .stats = lxc_stats,
    .capabilities = lxc_driver_capabilities,
    .event = lxc_event,
    .console = lxc_console,
    .enter = lxc_enter,
    .signal = lxc_signal,
};
