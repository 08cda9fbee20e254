//  pci_users.c: see pci_users.h.

#include "pci/pci_users.h"

#include "drivers/pci/sysfs.h"
#include "util/process.h"
#include "util/text.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 200 //  a descriptor that is closed tells nobody
};

//  The files by which it is used. One that is not there nobody has open: the kernel makes it when
//  vfio-pci gets the device, or another one of its group, and keeps it as long as it is open. One
//  that comes while we look is no other case than one that is opened once we have looked: the
//  kernel has one user of a group at a time, and the next is refused.
typedef struct {
    char *group, *device; //  NULL: there is none
} files_t;

static void files_clear (files_t *files)
{
    free (files->group);
    free (files->device);
}

//  Takes PATH over. NULL: there is no such file.
static char *if_there (char *path)
{
    autofree char *own = path;
    return access (own, F_OK) == 0 ? take (&own) : NULL;
}

static void find_files (const char *folder, files_t *files)
{
    autofree char *number = sysfs_link (folder, "iommu_group");
    autofree char *devices = text_format ("%s/vfio-dev", folder);
    auto(strings_t) names = sysfs_names (devices);
    if (number)
        files->group = if_there (text_format ("/dev/vfio/%s", number));
    if (names->count > 0)
        files->device = if_there (text_format ("/dev/vfio/devices/%s", names->items[0]));
}

static bool has_open (int pid, const files_t *files)
{
    autofree char *folder = text_format ("/proc/%d/fd", pid);
    auto(strings_t) fds = sysfs_names (folder);
    for (size_t i = 0; i < fds->count; i++) {
        char target[PATH_MAX];
        autofree char *path = text_format ("%s/%s", folder, fds->items[i]);
        ssize_t size = readlink (path, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = 0;
        if (*target && (text_equals (target, files->group) || text_equals (target, files->device)))
            return true;
    }
    return false;
}

static bool is_own (int pid, const char *own)
{
    process_t process;
    char text[PROCESS_TEXT_SIZE];
    error_t ignored; //  then it is over
    if (process_identify (pid, &process, &ignored))
        return false;
    process_to_text (&process, text);
    return strcmp (text, own) == 0;
}

//  The pid of one; 0: nobody.
static int find_user (const files_t *files, const char *own)
{
    if (!files->group && !files->device)
        return 0;
    auto(strings_t) processes = sysfs_names ("/proc");
    for (size_t i = 0; i < processes->count; i++) {
        int pid = atoi (processes->items[i]);
        if (pid > 0 && has_open (pid, files) && !is_own (pid, own))
            return pid;
    }
    return 0;
}

//  "process 4711 (dpdk-testpmd)". The caller frees it.
static char *words_of (int pid)
{
    autofree char *name = sysfs_text ("/proc/%d/comm", pid);
    return text_format ("process %d (%s)", pid, name ? name : "ended");
}

int pci_users_check (const char *folder, const char *own, error_t *err)
{
    files_t files __attribute__ ((cleanup (files_clear))) = { 0 };
    find_files (folder, &files);
    int pid = find_user (&files, own);
    autofree char *words = pid ? words_of (pid) : NULL;
    return words ? error_set (err, ERR_RESOURCE_BUSY, "%s uses it, or its IOMMU group; end that",
                              words)
                 : 0;
}

static int64_t now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

//  Until it ends, or for a moment: it may close the device and live on.
static void wait_for (int pid)
{
    autoclose int fd = (int) syscall (SYS_pidfd_open, pid, 0);
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    poll (&ready, fd >= 0 ? 1 : 0, LOOK_MS);
}

//  To look through all processes takes long on a host that has many: only when one has let go.
int pci_users_await_none (const char *folder, int ms, error_t *err)
{
    files_t files __attribute__ ((cleanup (files_clear))) = { 0 };
    const int64_t until = now_ms () + ms;
    int pid;
    find_files (folder, &files);
    while ((pid = find_user (&files, "")))
        while (has_open (pid, &files)) {
            autofree char *words = now_ms () < until ? NULL : words_of (pid);
            if (words)
                return error_set (
                    err, ERR_RESOURCE_BUSY,
                    "%s still uses it, after %d s; end that, or have it let go of the device",
                    words, ms / 1000);
            wait_for (pid);
        }
    return 0;
}
