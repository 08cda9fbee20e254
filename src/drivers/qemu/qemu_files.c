//  qemu_files.c: which files a guest uses, and their owner while it runs.

#include "drivers/qemu/qemu_files.h"
#include "drivers/file_owner.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/undo.h"
#include "util/text.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *path, *what;
    bool written;
} os_files[] = {
    { "os/kernel", "the kernel", false },
    { "os/initrd", "the initrd", false },
    { "os/loader", "the firmware", false },
    { "os/nvram", "the firmware's variables", true },
};

//  A disk's own image, and those below it that the document names.
static int each_image (const xml_node_t *disk, void *with,
                       int (*each) (void *with, const qemu_file_t *file, error_t *err),
                       error_t *err)
{
    char what[128];
    qemu_device_name (disk, what);
    bool written = !xml_find (disk, "readonly");
    for (const xml_node_t *image = disk; image; image = xml_find (image, "backingStore")) {
        qemu_file_t file = { .what = what, .path = qemu_block_path (image), .written = written };
        if (file.path && each (with, &file, err))
            return -1;
        written = false;
    }
    return 0;
}

int qemu_each_file (const xml_t *document, void *with,
                    int (*each) (void *with, const qemu_file_t *file, error_t *err), error_t *err)
{
    const xml_node_t *domain = xml_root (document), *devices = xml_find (domain, "devices");
    for (size_t i = 0; i < sizeof os_files / sizeof *os_files; i++) {
        qemu_file_t file = { .what = os_files[i].what,
                             .path = xml_string (domain, os_files[i].path),
                             .written = os_files[i].written };
        if (file.path && each (with, &file, err))
            return -1;
    }
    xml_foreach (disk, devices, "disk")
        if (each_image (disk, with, each, err))
            return -1;
    return 0;
}

static int check_file (void *with, const qemu_file_t *file, error_t *err)
{
    (void) with;
    if (access (file->path, file->written ? R_OK | W_OK : R_OK))
        return error_errno (err, ERR_SYSTEM_ERROR, "%s: can't use the file '%s'", file->what,
                            file->path);
    return 0;
}

int qemu_check_files (const xml_t *document, error_t *err)
{
    const char *emulator = xml_string (xml_root (document), "devices/emulator");
    if (access (emulator, X_OK))
        return error_errno (err, ERR_SYSTEM_ERROR, "can't execute the emulator '%s'", emulator);
    return qemu_each_file (document, NULL, check_file, err);
}

void qemu_identity (job_t *job, uid_t *uid, gid_t *gid)
{
    static const char *const users[] = { "troupe-qemu", "libvirt-qemu" };
    *uid = 0;
    *gid = 0;
    if (job->paths->mode != PATHS_SYSTEM || geteuid () != 0)
        return;
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        char buffer[4096];
        struct passwd entry, *found = NULL;
        getpwnam_r (users[i], &entry, buffer, sizeof buffer, &found);
        if (found) {
            *uid = found->pw_uid;
            *gid = found->pw_gid;
            return;
        }
    }
    job_log (job,
             "domain '%s': QEMU runs as root, without capabilities: there is no user "
             "troupe-qemu or libvirt-qemu",
             job->guest->name);
}

typedef struct {
    job_t *job;
    uid_t uid;
    gid_t gid;
    //  Of the node of a device that several guests share; else NULL.
    xml_node_t *note;
    const char *name;
} taker_t;

//  What is to be undone is on disk before anything is done.
static int intend_owner (taker_t *taker, const char *before, error_t *err)
{
    xml_node_t *owner = xml_add (xml_root (taker->job->guest->record), "owner");
    xml_set (owner, "@before", before);
    return job_undo (taker->job, "owner", before, err) || job_record (taker->job, err) ? -1 : 0;
}

static int intend_node (taker_t *taker, const char *before, error_t *err)
{
    autofree char *argument = text_format ("%s %s", taker->name, before);
    xml_set (taker->note, "@before", before);
    return job_undo (taker->job, "node", argument, err) || job_record (taker->job, err) ? -1 : 0;
}

//  A file that everybody may read, and the guest only reads, stays as it is.
static bool is_usable (const taker_t *taker, const qemu_file_t *file, const struct stat *status)
{
    return status->st_uid == taker->uid || (!file->written && (status->st_mode & S_IROTH));
}

static int take_file (void *with, const qemu_file_t *file, error_t *err)
{
    taker_t *taker = with;
    struct stat status;
    autoclose int fd = open (file->path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "%s: can't open the file '%s'", file->what,
                            file->path);
    if (is_usable (taker, file, &status))
        return 0;
    //  The undo does not follow links, and goes by the file's own path.
    autofree char *real = realpath (file->path, NULL);
    if (!real)
        return error_errno (err, ERR_SYSTEM_ERROR, "%s: can't resolve '%s'", file->what,
                            file->path);
    autofree char *before = file_owner_note (fd, real, err);
    if (!before)
        return -1;
    if (taker->note ? intend_node (taker, before, err) : intend_owner (taker, before, err))
        return -1;
    if (fchownat (fd, "", taker->uid, taker->gid, AT_EMPTY_PATH))
        return error_errno (err, ERR_SYSTEM_ERROR, "%s: can't give the file '%s' to user %u",
                            file->what, file->path, taker->uid);
    return 0;
}

int qemu_take_files (job_t *job, uid_t uid, gid_t gid, error_t *err)
{
    taker_t taker = { .job = job, .uid = uid, .gid = gid };
    return uid ? qemu_each_file (job->guest->live, &taker, take_file, err) : 0;
}

int qemu_take_file (job_t *job, const char *path, error_t *err)
{
    return qemu_take_named (job, "the image", path, err);
}

int qemu_take_named (job_t *job, const char *what, const char *path, error_t *err)
{
    taker_t taker = { .job = job };
    qemu_file_t file = { .what = what, .path = path, .written = true };
    qemu_identity (job, &taker.uid, &taker.gid);
    return taker.uid ? take_file (&taker, &file, err) : 0;
}

int qemu_take_shared (job_t *job, xml_node_t *note, const char *name, const char *path,
                      error_t *err)
{
    taker_t taker = { .job = job, .note = note, .name = name };
    qemu_file_t file = { .what = "a device of the host", .path = path, .written = true };
    xml_set (note, "@shared", "yes");
    qemu_identity (job, &taker.uid, &taker.gid);
    //  Whose note is needed when it fails may be another guest's, which left meanwhile.
    if (job_undo (job, "node", name, err))
        return -1;
    return taker.uid ? take_file (&taker, &file, err) : 0;
}

int qemu_take_device (job_t *job, const xml_node_t *device, error_t *err)
{
    taker_t taker = { .job = job };
    if (!xml_is (device, "disk"))
        return 0;
    qemu_identity (job, &taker.uid, &taker.gid);
    if (each_image (device, NULL, check_file, err))
        return -1;
    return taker.uid ? each_image (device, &taker, take_file, err) : 0;
}

static void give_back (job_t *job, xml_node_t *owner)
{
    error_t err = { 0 };
    const char *before = xml_string (owner, "@before");
    if (before && undo_run (job, "owner", before, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
    xml_remove (owner);
}

void qemu_give_file_back (job_t *job, const char *path)
{
    xml_node_t *next;
    for (xml_node_t *owner = xml_first (xml_root (job->guest->record), "owner"); owner;
         owner = next) {
        next = xml_next (owner, "owner");
        if (text_equals (file_owner_path (xml_string (owner, "@before")), path))
            give_back (job, owner);
    }
}

void qemu_give_files_back (job_t *job)
{
    xml_node_t *record = job->guest->record ? xml_root (job->guest->record) : NULL;
    xml_node_t *owner;
    while (record && (owner = xml_first (record, "owner")))
        give_back (job, owner);
}

static int note_real (void *with, const qemu_file_t *file, error_t *err)
{
    strings_t *used = with;
    autofree char *real = realpath (file->path, NULL);
    (void) err;
    strings_add (used, real ? real : file->path);
    return 0;
}

void qemu_give_unused_back (job_t *job)
{
    error_t ignored = { 0 };
    auto(strings_t) used = strings_new ();
    qemu_each_file (job->guest->live, used, note_real, &ignored);
    xml_node_t *next;
    for (xml_node_t *owner = xml_first (xml_root (job->guest->record), "owner"); owner;
         owner = next) {
        const char *path = file_owner_path (xml_string (owner, "@before"));
        next = xml_next (owner, "owner");
        if (path && !strings_contain (used, path) && !qemu_hostdev_uses (job, path))
            give_back (job, owner);
    }
}
