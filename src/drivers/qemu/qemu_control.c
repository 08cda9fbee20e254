//  qemu_control.c: see qemu_control.h.

#include "drivers/qemu/qemu_control.h"

#include "drivers/keycodes.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/state.h"
#include "util/text.h"

#include <string.h>

enum {
    QMP_MS = 5000,
    HOLD_MAX_MS = 60000,
    RATE_MAX_S = 60 //  MAX_FETCH_DIRTYRATE_TIME_SEC in QEMU's documentation of calc-dirty-rate
};

static const char *text_of (const json_t *args, const char *key, const char *otherwise)
{
    const char *text = json_string_value (json_object_get (args, key));
    return text ? text : otherwise;
}

static json_int_t number_of (const json_t *args, const char *key, json_int_t otherwise)
{
    const json_t *number = json_object_get (args, key);
    return json_is_integer (number) ? json_integer_value (number) : otherwise;
}

//  One command whose answer says nothing.
static json_t *command (job_t *job, const char *what, const char *execute, json_t *arguments,
                        error_t *err)
{
    json_auto_t *answer = job_qmp (job, execute, arguments, QMP_MS, err);
    if (answer)
        return json_null ();
    error_prefix (err, "%s domain '%s'", what, job->guest->name);
    return NULL;
}

//  Keys.

static json_t *read_keys (const json_t *args, error_t *err)
{
    json_t *names = json_object_get (args, "keys"), *name;
    const char *codeset = text_of (args, "codeset", "linux");
    json_auto_t *keys = json_array ();
    size_t i;
    if (json_array_size (names) == 0 || json_array_size (names) > KEYS_AT_ONCE) {
        error_set (err, ERR_INVALID_ARG, "%zu keys at once; it can be 1 to %d",
                   json_array_size (names), KEYS_AT_ONCE);
        return NULL;
    }
    json_array_foreach (names, i, name)
    {
        unsigned qnum;
        const char *text = json_string_value (name);
        if (keycode_qnum (codeset, text ? text : "", &qnum, err))
            return NULL;
        json_array_append_new (keys,
                               json_pack ("{s:s, s:i}", "type", "number", "data", (int) qnum));
    }
    return json_incref (keys);
}

static json_t *send_key (job_t *job, const json_t *args, error_t *err)
{
    json_int_t hold_ms = number_of (args, "hold_ms", 0);
    json_auto_t *keys = read_keys (args, err);
    if (keys && (hold_ms < 0 || hold_ms > HOLD_MAX_MS)) {
        error_set (err, ERR_INVALID_ARG, "keys are held for %d ms at most", HOLD_MAX_MS);
        json_decref (take (&keys));
    }
    if (!keys) {
        error_prefix (err, "send keys to domain '%s'", job->guest->name);
        return NULL;
    }
    json_t *arguments = json_pack ("{s:O}", "keys", keys);
    if (hold_ms > 0)
        json_object_set_new (arguments, "hold-time", json_integer (hold_ms));
    return command (job, "send keys to", "send-key", arguments, err);
}

static json_t *inject_nmi (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    return command (job, "send an NMI to", "inject-nmi", NULL, err);
}

//  The event that follows tells the owner that it runs again.
static json_t *wake (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    const guest_state_t state = job->guest->status.state;
    if (state != STATE_PMSUSPENDED)
        error_set (err, ERR_OPERATION_INVALID, "it is not asleep (its state is %s)",
                   state_name (state));
    else if (qemu_wake (job, err) == 0)
        return json_null ();
    error_prefix (err, "wake domain '%s'", job->guest->name);
    return NULL;
}

//  QEMU (7.2) ends with a segmentation fault if it is asked to count pages by means of KVM for a
//  guest without KVM.
static bool can_measure (job_t *job, const char *mode)
{
    return strcmp (mode, "page-sampling") == 0 ||
           xml_equals (xml_root (job->guest->live), "@type", "kvm");
}

//  How fast the guest writes its memory; domain.stats shows it once it is measured.
static json_t *measure_dirty_rate (job_t *job, const json_t *args, error_t *err)
{
    json_int_t seconds = number_of (args, "seconds", 1);
    const char *mode = text_of (args, "mode", "page-sampling");
    if (!can_measure (job, mode)) {
        error_set (err, ERR_CONFIG_UNSUPPORTED,
                   "measure the dirty rate of domain '%s': not supported: the mode '%s', which "
                   "needs a guest of type='kvm'; 'page-sampling' works with all",
                   job->guest->name, mode);
        return NULL;
    }
    if (seconds >= 1 && seconds <= RATE_MAX_S)
        return command (job, "measure the dirty rate of", "calc-dirty-rate",
                        json_pack ("{s:I, s:s}", "calc-time", seconds, "mode", mode), err);
    error_set (err, ERR_INVALID_ARG,
               "measure the dirty rate of domain '%s': it takes 1 to %d seconds", job->guest->name,
               RATE_MAX_S);
    return NULL;
}

//  Of the image that the guest writes: its file, where the qcow2 format allocates. QEMU forgets it
//  once it has said so.
static int set_threshold (job_t *job, const qemu_disk_t *disk, json_int_t bytes, error_t *err)
{
    if (disk->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "it has no medium");
    if (bytes < 0)
        return error_set (err, ERR_OVERFLOW, "more bytes than a disk can have");
    autofree char *node = text_format ("%s-file", disk->chain[0].node);
    json_auto_t *answer = job_qmp (
        job, "block-set-write-threshold",
        json_pack ("{s:s, s:I}", "node-name", node, "write-threshold", bytes), QMP_MS, err);
    return answer ? 0 : -1;
}

static json_t *threshold (job_t *job, const json_t *args, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, text_of (args, "disk", ""), err);
    if (!disk)
        return NULL;
    if (set_threshold (job, disk, number_of (args, "threshold", -1), err) == 0)
        return json_null ();
    error_prefix (err, "set a threshold of the disk '%s' of domain '%s'", disk->target,
                  job->guest->name);
    return NULL;
}

//  What becomes of a guest that resets itself.
static json_t *set_reboot_action (job_t *job, const json_t *args, error_t *err)
{
    bool ends = strcmp (text_of (args, "action", ""), "destroy") == 0;
    return command (job, "set what a reboot does to", "set-action",
                    json_pack ("{s:s}", "reboot", ends ? "shutdown" : "reset"), err);
}

//  Displays.

static const xml_node_t *find_display (const guest_t *guest, json_int_t index)
{
    xml_foreach (graphics, xml_find (xml_root (guest->live), "devices"), "graphics")
        if (index-- == 0)
            return graphics;
    return NULL;
}

//  QEMU takes the descriptor under a name first, and keeps it if nothing comes of it.
static int add_client (job_t *job, const char *protocol, const char *lent, bool skip_auth,
                       error_t *err)
{
    static const char name[] = "troupe-display";
    const job_file_t file = { .device = lent };
    json_auto_t *got =
        job_qmp_file (job, "getfd", json_pack ("{s:s}", "fdname", name), &file, QMP_MS, err);
    if (!got)
        return -1;
    json_auto_t *added = job_qmp (
        job, "add_client",
        json_pack ("{s:s, s:s, s:b}", "protocol", protocol, "fdname", name, "skipauth", skip_auth),
        QMP_MS, err);
    if (added)
        return 0;
    error_t ignored; //  it may have been used up
    json_auto_t *closed =
        job_qmp (job, "closefd", json_pack ("{s:s}", "fdname", name), QMP_MS, &ignored);
    return -1;
}

static int open_display (job_t *job, const json_t *args, error_t *err)
{
    json_int_t index = number_of (args, "index", 0);
    const char *lent = text_of (args, "lent", NULL);
    const xml_node_t *display = find_display (job->guest, index);
    const char *type = display ? xml_string (display, "@type") : NULL;
    if (!lent)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "no descriptor came with the call; domdisplay says where the display is");
    if (!display)
        return error_set (err, ERR_INVALID_ARG, "it has no display %lld", (long long) index);
    if (!text_equals (type, "vnc") && !text_equals (type, "spice"))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: display %lld is of type '%s'; it can be vnc or spice",
                          (long long) index, type);
    return add_client (job, type, lent, json_is_true (json_object_get (args, "skip_auth")), err);
}

static json_t *open_graphics (job_t *job, const json_t *args, error_t *err)
{
    if (open_display (job, args, err) == 0)
        return json_null ();
    error_prefix (err, "open a display of domain '%s'", job->guest->name);
    return NULL;
}

static const struct {
    const char *what;
    json_t *(*run) (job_t *job, const json_t *args, error_t *err);
} table[] = {
    { "send_key", send_key },
    { "inject_nmi", inject_nmi },
    { "wake", wake },
    { "dirty_rate", measure_dirty_rate },
    { "reboot_action", set_reboot_action },
    { "block_threshold", threshold },
    { "open_graphics", open_graphics },
};

json_t *qemu_control (job_t *job, const char *what, const json_t *args, error_t *err)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp (table[i].what, what) == 0)
            return table[i].run (job, args, err);
    error_set (err, ERR_INTERNAL_ERROR, "QEMU is not asked to '%s'", what);
    return NULL;
}
