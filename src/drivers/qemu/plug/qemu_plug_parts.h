//  qemu_plug_parts.h: what attaching and detaching are made of.

#ifndef TROUPE_QEMU_PLUG_PARTS_H
#define TROUPE_QEMU_PLUG_PARTS_H

#include "drivers/job.h"
#include "util/text.h"

//  A device, and before it the controllers that it needs and that are not there yet.
typedef struct {
    xml_node_t *devices[4]; //  of the live document
    size_t count;
} qemu_plug_t;

//  Completes DEVICE as one more of the running guest, and puts it and its controllers into the live
//  document, with their aliases. Nothing has happened yet. An interface of a network has no PCI
//  address then, unless DEVICE has one.
int qemu_plug_complete (job_t *job, const xml_t *device, qemu_plug_t *plug, error_t *err);
//  Gives it to DEVICE, of the live document, when its network has granted it what it is: a card
//  that QEMU makes, or a device of the host, which is PCI Express whatever its <model> says.
int qemu_plug_place (job_t *job, xml_node_t *device, error_t *err);

//  Is DEVICE at the bus that CONTROLLER provides?
bool qemu_plug_uses (const xml_node_t *device, const xml_node_t *controller);

//  Does what the options of a command line (qemu_command_device) would have done.
int qemu_plug_options (job_t *job, const strings_t *options, error_t *err);
//  A -chardev option as chardev-add takes it. The caller owns the result.
json_t *qemu_plug_chardev (const char *option);

//  Does QEMU have the device?
int qemu_plug_is_there (job_t *job, const char *alias, bool *there, error_t *err);
//  Its devices by alias, as the members of a set; NULL and ERR. The caller owns it.
strings_t *qemu_plug_list (job_t *job, error_t *err);
//  Asks the guest to let go of the device, and waits so long until QEMU does not have it any more;
//  GONE and errors as driver_t's detach says.
int qemu_plug_take_out (job_t *job, const char *alias, int wait_ms, bool *gone, error_t *err);
//  Takes away what QEMU has behind DEVICE, which is gone. It works twice.
int qemu_plug_drop_backends (job_t *job, const xml_node_t *device, error_t *err);

//  The record's <plug> or <unplug> of a device; NULL: none.
xml_node_t *qemu_plug_entry (const job_t *job, const char *what, const char *alias);
//  Adds it, with what is planned for the definition (NULL: nothing).
xml_node_t *qemu_plug_begin (job_t *job, const char *what, const char *alias, const xml_t *planned);
//  What was planned becomes the definition: the job that planned it was cut off, but it is done.
void qemu_plug_finish (job_t *job, const xml_node_t *entry);

//  The drive gets the medium of WANTED, or none. FORCE: also if the guest has locked its tray. Its
//  undo is "qemu.medium" ALIAS, with MEDIUM_OPEN before that if the tray was open.
#define MEDIUM_OPEN "open:"
int qemu_medium_change (job_t *job, xml_node_t *wanted, bool force, error_t *err);
//  ... that of DRIVE, of the live document; then its tray closes unless it is to stay OPEN.
int qemu_medium_restore (job_t *job, const xml_node_t *drive, bool open, error_t *err);

#endif
