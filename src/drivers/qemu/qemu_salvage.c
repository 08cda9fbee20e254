//  qemu_salvage.c: see qemu_salvage.h.

#include "drivers/qemu/qemu_salvage.h"

#include "drivers/cgroup/cgroup.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ram.h"
#include "drivers/salvage.h"
#include "util/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    qemu_ram_note (job);
    return 0;
}

static int take_over (job_t *job, const salvage_t *found, const char *monitor, error_t *err)
{
    pid_t pid = found->process.pid;
    if (!text_equals (option (found->command, "-uuid"), job->guest->uuid))
        return salvage_refuse (found, monitor, "the QEMU", err);
    if (salvage_record (job, found, monitor, err) || make_live (job, pid, found->command, err))
        return -1;
    job_log (job, "domain %s: its status file is lost, but its QEMU runs as process %d: taken over",
             job->guest->uuid, (int) pid);
    return cgroup_recall (job, err);
}

int qemu_salvage (job_t *job, bool *found, error_t *err)
{
    salvage_t salvage;
    autofree char *monitor = text_format ("%s/qemu/%s.monitor", job->paths->run, job->guest->uuid);
    int rc = salvage_find (job, monitor, &salvage, err);
    *found = rc == 0 && salvage.command;
    if (*found)
        rc = take_over (job, &salvage, monitor, err);
    else if (rc == 0)
        rc = cgroup_forget (job, err) || qemu_ram_forget (job, err) ? -1 : 0;
    salvage_close (&salvage);
    return rc;
}

int qemu_salvage_ask (job_t *job, error_t *err)
{
    if (qemu_live_ask (job, err) || qemu_vcpus_look (job, err))
        return -1;
    salvage_is_over (job->guest);
    return 0;
}
