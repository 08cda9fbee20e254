//  qemu_salvage.c: see qemu_salvage.h.

#include "drivers/qemu/qemu_salvage.h"

#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"
#include "util/unix_socket.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMAND_LINE_MAX (2u << 20) //  what the kernel lets a program have, all in all

//  Who listens at PATH. *PID is 0 if nobody does.
static int find_listener (const char *path, pid_t *pid, error_t *err)
{
    *pid = 0;
    autoclose int fd = unix_connect (path, err);
    if (fd < 0)
        return errno == ECONNREFUSED || errno == ENOENT ? 0 : -1;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return error_errno (err, ERR_SYSTEM_ERROR, "see who listens at '%s'", path);
    *pid = peer.pid;
    return 0;
}

//  The program's arguments. /proc says no size, so it is read to its end.
static strings_t *read_command (pid_t pid, error_t *err)
{
    autofree char *path = text_format ("/proc/%d/cmdline", (int) pid);
    size_t size;
    autofree char *bytes = file_read (path, COMMAND_LINE_MAX, &size, err);
    if (!bytes)
        return NULL;
    strings_t *list = strings_new ();
    for (size_t at = 0; at < size; at += strlen (bytes + at) + 1)
        strings_add (list, bytes + at);
    return list;
}

static const char *option (const strings_t *command, const char *name)
{
    for (size_t i = 0; i + 1 < command->count; i++)
        if (strcmp (command->items[i], name) == 0)
            return command->items[i + 1];
    return NULL;
}

//  The number behind PREFIX in an option's value: "size=65536k".
static uint64_t number_in (const char *value, const char *prefix, uint64_t otherwise)
{
    const char *at = value ? strstr (value, prefix) : NULL;
    unsigned long long number;
    return at && sscanf (at + strlen (prefix), "%llu", &number) == 1 ? number : otherwise;
}

static char *name_in (const strings_t *command, const char *uuid)
{
    const char *value = option (command, "-name");
    auto(text_t) name = text_new ();
    if (!value || !text_starts (value, "guest="))
        return text_copy (uuid);
    for (const char *c = value + strlen ("guest="); *c && (*c != ',' || c[1] == ','); c++) {
        c += *c == ','; //  a comma is written twice
        text_add_char (name, *c);
    }
    return text_finish (&name);
}

//  What comes before the first comma.
static char *first_word (const char *value)
{
    return value ? text_copy_bytes (value, strcspn (value, ",")) : text_copy ("");
}

//  Of a guest without a definition no document is left: what its command line says has to do. Its
//  devices can't be told from it.
static xml_t *outline (const guest_t *guest, pid_t pid, const strings_t *command, error_t *err)
{
    char emulator[PATH_MAX] = "";
    autofree char *exe = text_format ("/proc/%d/exe", (int) pid);
    ssize_t size = readlink (exe, emulator, sizeof emulator - 1);
    if (size < 0)
        error_errno (err, ERR_SYSTEM_ERROR, "see what process %d executes", (int) pid);
    xml_t *doc = size < 0 ? NULL : xml_parse ("<domain/>", strlen ("<domain/>"), "outline", err);
    if (!doc)
        return NULL;
    xml_node_t *domain = xml_root (doc);
    autofree char *name = name_in (command, guest->uuid);
    uint64_t kib = number_in (option (command, "-m"), "size=", 0);
    xml_set (domain, "@type", text_equals (option (command, "-accel"), "kvm") ? "kvm" : "qemu");
    xml_set (domain, "name", name);
    xml_set (domain, "uuid", guest->uuid);
    xml_set (domain, "memory/@unit", "KiB");
    xml_set_u64 (domain, "memory", kib);
    xml_set (domain, "currentMemory/@unit", "KiB");
    xml_set_u64 (domain, "currentMemory", kib);
    xml_set_u64 (domain, "vcpu", number_in (option (command, "-smp"), "", 1));
    xml_set (domain, "os/type", "hvm");
    autofree char *machine = first_word (option (command, "-machine"));
    xml_set (domain, "os/type/@machine", machine);
    xml_set (domain, "devices/emulator", emulator);
    return doc;
}

static int make_live (job_t *job, pid_t pid, const strings_t *command, error_t *err)
{
    auto(xml_t) known = NULL;
    autofree char *folder = NULL;
    guest_t *guest = job->guest;
    if (!guest->definition) {
        known = outline (guest, pid, command, err);
        if (!known)
            return -1;
    }
    qemu_live_make (job, known, &folder);
    if (folder)
        xml_set (xml_root (guest->record), "folder/@path", folder);
    return 0;
}

static int make_record (job_t *job, const process_t *process, const char *monitor, error_t *err)
{
    char identity[PROCESS_TEXT_SIZE];
    guest_t *guest = job->guest;
    xml_destroy (&guest->record);
    guest->record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", err);
    if (!guest->record)
        return -1;
    xml_node_t *record = xml_root (guest->record);
    process_to_text (process, identity);
    xml_set (record, "monitor/@path", monitor);
    xml_set (record, "process/@identity", identity);
    xml_set (record, "salvaged/@asked", "no");
    return 0;
}

//  A socket that nobody listens at is what a guest left that ended while no daemon looked.
static int forget_socket (job_t *job, const char *monitor, error_t *err)
{
    return access (monitor, F_OK) ? 0 : job_remove_file (job, monitor, err);
}

static int take_over (job_t *job, pid_t pid, const char *monitor, bool *found, error_t *err)
{
    process_t process;
    guest_t *guest = job->guest;
    //  It may end at any of these steps; then there is nothing to salvage.
    if (process_identify (pid, &process, err))
        return err->code == ERR_OPERATION_INVALID ? forget_socket (job, monitor, err) : -1;
    auto(strings_t) command = read_command (pid, err);
    if (!command)
        return -1;
    if (!text_equals (option (command, "-uuid"), guest->uuid))
        return error_set (err, ERR_OPERATION_FAILED,
                          "process %d listens at '%s', but is not the QEMU of this guest; end it",
                          (int) pid, monitor);
    if (make_record (job, &process, monitor, err) || make_live (job, pid, command, err))
        return -1;
    guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_UNKNOWN };
    *found = true;
    job_log (job, "domain %s: its status file is lost, but its QEMU runs as process %d: taken over",
             guest->uuid, (int) pid);
    return 0;
}

int qemu_salvage (job_t *job, bool *found, error_t *err)
{
    pid_t pid;
    *found = false;
    autofree char *monitor = text_format ("%s/qemu/%s.monitor", job->paths->run, job->guest->uuid);
    if (access (monitor, F_OK))
        return 0;
    if (find_listener (monitor, &pid, err))
        return -1;
    return pid > 0 ? take_over (job, pid, monitor, found, err) : forget_socket (job, monitor, err);
}

bool qemu_is_salvaged (const guest_t *guest)
{
    return guest->record && xml_find (xml_root (guest->record), "salvaged");
}

int qemu_salvage_ask (job_t *job, error_t *err)
{
    if (qemu_live_ask (job, err))
        return -1;
    xml_remove_path (xml_root (job->guest->record), "salvaged");
    return 0;
}
