//  qemu_vsock.c: see qemu_vsock.h.

#include "drivers/qemu/qemu_vsock.h"

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_interface.h"
#include "util/device.h"
#include "util/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>

#define VHOST_PATH "/dev/vhost-vsock"
#define QMP_MS 10000
//  Automatic ones: so many are tried, and so many with one write of the record.
#define CIDS_MAX 4096
#define CIDS_AT_ONCE 8

//  Under which it is on file. The caller frees it.
static char *name_of (uint64_t cid)
{
    return text_format ("vsock:%" PRIu64, cid);
}

static int open_vhost (error_t *err)
{
    int fd = open (VHOST_PATH, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: a vsock, since the host has no " VHOST_PATH
                          ": load the kernel's module vhost_vsock");
    return fd < 0 ? error_errno (err, ERR_SYSTEM_ERROR, "open " VHOST_PATH) : fd;
}

//  The kernel refuses what somebody else has, known to us or not. VHOST has it until it is closed,
//  or asks for another one.
static int ask_kernel (int vhost, uint64_t cid, error_t *err)
{
    if (ioctl (vhost, VHOST_VSOCK_SET_GUEST_CID, &cid) == 0)
        return 0;
    if (errno == EADDRINUSE)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the kernel says that it is taken on this host, by none of this daemon's "
                          "guests; choose another one, or <cid auto='yes'/>");
    return error_errno (err, ERR_SYSTEM_ERROR, "ask the kernel for it");
}

//  First of ours: a guest that just starts does not have it from the kernel yet. The caller has it
//  on record.
static int hold (job_t *job, int vhost, uint64_t cid, error_t *err)
{
    autofree char *name = name_of (cid);
    error_t undo;
    if (job_device_hold (job, name, false, err) == 0) {
        if (ask_kernel (vhost, cid, err) == 0)
            return 0;
        if (job_device_give (job, name, &undo))
            job_log (job, "domain '%s': %s", job->guest->name, undo.message);
    }
    return error_prefix (err, "the vsock's CID %" PRIu64, cid);
}

static int take_fixed (job_t *job, int vhost, uint64_t cid, error_t *err)
{
    autofree char *name = name_of (cid);
    if (qemu_hostdev_intend_name (job, name, err) || job_record (job, err))
        return -1;
    return hold (job, vhost, cid, err);
}

//  One of CIDS_AT_ONCE from FIRST; the others are nobody's of ours. *CID is 0 if there is none.
static int take_one_from (job_t *job, int vhost, uint64_t first, uint64_t *cid, error_t *err)
{
    const uint64_t end = first + CIDS_AT_ONCE;
    *cid = 0;
    for (uint64_t each = first; each < end; each++) {
        autofree char *name = name_of (each);
        if (qemu_hostdev_intend_name (job, name, err))
            return -1;
    }
    if (job_record (job, err))
        return -1;
    for (uint64_t each = first; each < end && !*cid; each++) {
        if (hold (job, vhost, each, err) == 0)
            *cid = each;
        else if (err->code != ERR_OPERATION_INVALID)
            return -1;
    }
    for (uint64_t each = first; each < end; each++) {
        autofree char *name = name_of (each);
        if (each != *cid && qemu_hostdev_give_name (job, name, err))
            return -1;
    }
    return 0;
}

static int take_any (job_t *job, int vhost, uint64_t *cid, error_t *err)
{
    *cid = 0;
    for (uint64_t first = QEMU_VSOCK_CID_MIN; first < CIDS_MAX && !*cid; first += CIDS_AT_ONCE)
        if (take_one_from (job, vhost, first, cid, err))
            return -1;
    return *cid ? 0
                : error_set (err, ERR_OPERATION_FAILED,
                             "no CID below %d is free for the vsock; give it one: <cid auto='no' "
                             "address='...'/>",
                             CIDS_MAX);
}

static int take_cid (job_t *job, xml_node_t *vsock, error_t *err)
{
    uint64_t cid = 0;
    autoclose int vhost = open_vhost (err);
    if (vhost < 0)
        return -1;
    if (xml_equals (vsock, "cid/@auto", "no"))
        return xml_u64 (vsock, "cid/@address", &cid, err) || take_fixed (job, vhost, cid, err) ? -1
                                                                                               : 0;
    if (take_any (job, vhost, &cid, err))
        return -1;
    xml_set_u64 (vsock, "cid/@address", cid);
    return 0;
}

int qemu_vsock_plug (job_t *job, error_t *err)
{
    const int fd = qemu_interface_next_fd (job->guest->record);
    xml_node_t *vsock = xml_find (xml_root (job->guest->live), "devices/vsock");
    if (!vsock)
        return 0;
    if (fd + 1 - QEMU_MONITOR_FD > LAUNCH_LIST_MAX)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a vsock besides network interfaces with %d queues in all "
                          "(with vhost, each counts twice)",
                          fd - QEMU_MONITOR_FD - 1);
    xml_setf (xml_root (job->guest->record), "vsock/@fd", "%d", fd);
    return take_cid (job, vsock, err);
}

int qemu_vsock_plug_one (job_t *job, xml_node_t *vsock, error_t *err)
{
    xml_setf (xml_root (job->guest->record), "vsock/@fd", "vhostfd-%s", qemu_alias (vsock));
    return take_cid (job, vsock, err);
}

//  The descriptor.

//  The caller frees it.
static char *descriptor (void)
{
    return device_text (&(device_t){ DEVICE_FILE, 0, VHOST_PATH });
}

void qemu_vsock_add_device (const xml_t *record, strings_t *devices)
{
    const char *fd = xml_string (xml_root (record), "vsock/@fd");
    autofree char *device = descriptor ();
    if (fd)
        strings_addf (devices, "%s:%s", fd, device);
}

static json_t *argument (const job_t *job)
{
    return json_pack ("{s:s}", "fdname", xml_string (xml_root (job->guest->record), "vsock/@fd"));
}

int qemu_vsock_pass (job_t *job, error_t *err)
{
    autofree char *device = descriptor ();
    const job_file_t file = { .device = device };
    json_auto_t *passed = job_qmp_file (job, "getfd", argument (job), &file, QMP_MS, err);
    return passed ? 0 : -1;
}

int qemu_vsock_take_back (job_t *job, error_t *err)
{
    const char *name = xml_string (xml_root (job->guest->record), "vsock/@fd");
    if (!name || !text_starts (name, "vhostfd-"))
        return 0;
    return qemu_tell_away (job, "closefd", argument (job), err);
}

int qemu_vsock_give (job_t *job, const xml_node_t *vsock, error_t *err)
{
    uint64_t cid = 0;
    if (xml_u64 (vsock, "cid/@address", &cid, err))
        return -1;
    autofree char *name = name_of (cid);
    if (qemu_hostdev_give_name (job, name, err))
        return -1;
    xml_remove_path (xml_root (job->guest->record), "vsock");
    return 0;
}
