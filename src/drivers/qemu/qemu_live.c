//  qemu_live.c: the live document.

#include "drivers/qemu/qemu_live.h"
#include "drivers/channel.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/qemu_iotune.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <string.h>
#include <time.h>

#define QMP_MS 10000
static bool listens_here (const xml_node_t *device)
{
    return xml_equals (device, "@type", "unix") &&
           !xml_equals (device, "source/@mode", "connect") && !xml_string (device, "source/@path");
}

bool qemu_live_add_socket (xml_node_t *channel, const char *folder)
{
    if (!xml_is (channel, "channel") || !listens_here (channel))
        return false;
    xml_set (channel, "source/@mode", "bind");
    xml_setf (channel, "source/@path", "%s/%s", folder, qemu_alias (channel));
    return true;
}

static void add_sockets (xml_node_t *devices, const char *folder, bool *used)
{
    xml_foreach (channel, devices, "channel")
        *used = qemu_live_add_socket (channel, folder) || *used;
    xml_foreach (graphics, devices, "graphics") {
        if (!xml_equals (graphics, "listen/@type", "socket") ||
            xml_string (graphics, "listen/@socket"))
            continue;
        xml_setf (graphics, "listen/@socket", "%s/vnc", folder);
        xml_setf (graphics, "@socket", "%s/vnc", folder);
        *used = true;
    }
}

void qemu_live_make (job_t *job, const xml_t *from, char **folder)
{
    guest_t *guest = job->guest;
    xml_destroy (&guest->live);
    guest->live = xml_copy (from ? from : guest->definition);
    xml_node_t *domain = xml_root (guest->live);
    if (guest->id > 0)
        xml_setf (domain, "@id", "%d", guest->id);
    if (xml_string (domain, "vcpu/@current"))
        vcpus_list (domain);
    qemu_set_aliases (guest->live);
    autofree char *own = qemu_folder_path (job);
    bool used = false;
    add_sockets (xml_find (domain, "devices"), own, &used);
    *folder = used ? take (&own) : NULL;
}

//  QMP's label of a character device is "char" and the alias.
static void set_pty (xml_node_t *devices, const char *label, const char *path)
{
    xml_foreach (device, devices, NULL) {
        if (!xml_equals (device, "@type", "pty") || !text_starts (label, "char") ||
            strcmp (qemu_alias (device), label + strlen ("char")) != 0)
            continue;
        if (!xml_find (device, "source") && xml_first (device, NULL))
            xml_add_before (xml_first (device, NULL), "source");
        xml_set (device, "source/@path", path);
        if (xml_is (device, "console"))
            xml_set (device, "@tty", path);
    }
}

//  Where a pty is, and whether the guest has its end of a channel open.
static void note_chardev (job_t *job, const json_t *item)
{
    const char *label = json_string_value (json_object_get (item, "label"));
    const char *file = json_string_value (json_object_get (item, "filename"));
    const json_t *open = json_object_get (item, "frontend-open");
    if (label && file && text_starts (file, "pty:"))
        set_pty (xml_find (xml_root (job->guest->live), "devices"), label, file + strlen ("pty:"));
    if (label && text_starts (label, "char") && open)
        channel_set_state (job->guest->live, label + strlen ("char"), json_is_true (open));
}

int qemu_live_ask_chardevs (job_t *job, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-chardev", NULL, QMP_MS, err);
    if (!list)
        return -1;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) note_chardev (job, item);
    return 0;
}

static int ask_vnc (job_t *job, error_t *err)
{
    xml_node_t *graphics = xml_find (xml_root (job->guest->live), "devices/graphics");
    if (!graphics || !xml_equals (graphics, "@port", "-1"))
        return 0;
    json_auto_t *vnc = job_qmp (job, "query-vnc", NULL, QMP_MS, err);
    if (!vnc)
        return -1;
    const char *port = json_string_value (json_object_get (vnc, "service"));
    if (!port)
        return error_set (err, ERR_OPERATION_FAILED, "QEMU does not say at which port VNC listens");
    xml_set (graphics, "@port", port);
    if (!xml_string (graphics, "listen/@address")) {
        xml_set (graphics, "listen/@address", "127.0.0.1");
        xml_set (graphics, "@listen", "127.0.0.1");
    }
    return 0;
}

int qemu_live_ask (job_t *job, error_t *err)
{
    return qemu_live_ask_chardevs (job, err) || ask_vnc (job, err) || qemu_vcpus_threads (job, err)
               ? -1
               : 0;
}

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

static int expire (job_t *job, const char *time, error_t *err)
{
    return command (job, "expire_password",
                    json_pack ("{s:s, s:s}", "protocol", "vnc", "time", time), err);
}

//  libvirt's passwdValidTo is in UTC.
static int set_expiry (job_t *job, const char *valid_to, error_t *err)
{
    struct tm time = { 0 };
    const char *end = strptime (valid_to, "%Y-%m-%dT%H:%M:%S", &time);
    if (!end || *end)
        return error_set (err, ERR_XML_ERROR,
                          "graphics: passwdValidTo '%s' is not of the form 2030-12-31T23:59:59",
                          valid_to);
    autofree char *seconds = text_format ("%lld", (long long) timegm (&time));
    return expire (job, seconds, err);
}

//  An empty one lets nobody in.
int qemu_live_set_password (job_t *job, const xml_node_t *graphics, error_t *err)
{
    const char *password = xml_string (graphics, "@passwd");
    const char *valid_to = xml_string (graphics, "@passwdValidTo");
    if (command (job, "set_password",
                 json_pack ("{s:s, s:s, s:s}", "protocol", "vnc", "password",
                            password ? password : "", "connected", "keep"),
                 err))
        return -1;
    return valid_to ? set_expiry (job, valid_to, err) : expire (job, "never", err);
}

static int set_password (job_t *job, error_t *err)
{
    const xml_node_t *graphics = xml_find (xml_root (job->guest->live), "devices/graphics");
    bool any = graphics && xml_string (graphics, "@passwd");
    return any ? qemu_live_set_password (job, graphics, err) : 0;
}

int qemu_live_set_link (job_t *job, const xml_node_t *interface, error_t *err)
{
    bool up = !xml_equals (interface, "link/@state", "down");
    return command (job, "set_link",
                    json_pack ("{s:s, s:b}", "name", qemu_alias (interface), "up", up), err);
}

static int set_links (job_t *job, error_t *err)
{
    const xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    xml_foreach (interface, devices, "interface")
        if (xml_equals (interface, "link/@state", "down") &&
            qemu_live_set_link (job, interface, err))
            return -1;
    return 0;
}

static int set_balloon (job_t *job, bool restored, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    const xml_node_t *balloon = xml_find (domain, "devices/memballoon");
    uint64_t memory = 0, current = 0;
    int period = 0;
    if (!balloon || xml_equals (balloon, "@model", "none"))
        return 0;
    if (xml_size (domain, "memory", "KiB", &memory, err) ||
        xml_size (domain, "currentMemory", "KiB", &current, err) ||
        xml_int (balloon, "stats/@period", 0, INT32_MAX, &period, err))
        return -1;
    if (current < memory && !restored &&
        command (job, "balloon", json_pack ("{s:I}", "value", (json_int_t) current), err))
        return -1;
    job->guest->balloon_kib = current / 1024; //  until an event says otherwise
    if (period == 0)
        return 0;
    autofree char *path = text_format ("/machine/peripheral/%s", qemu_alias (balloon));
    return command (job, "qom-set",
                    json_pack ("{s:s, s:s, s:i}", "path", path, "property",
                               "guest-stats-polling-interval", "value", period),
                    err);
}

int qemu_live_set (job_t *job, bool restored, error_t *err)
{
    return set_password (job, err) || set_links (job, err) || set_balloon (job, restored, err) ||
                   qemu_iotune_apply_all (job, err)
               ? -1
               : 0;
}

bool qemu_has_ended (job_t *job)
{
    process_t process;
    error_t ignored = { 0 };
    return !guest_recorded_process (job->guest, &process) ||
           job_wait_exit (job, &process, 0, &ignored) == 0;
}
