//  qemu_ram.c: see qemu_ram.h. Facts: the kernel's Documentation/admin-guide/mm/hugetlbpage.rst.

#include "drivers/qemu/qemu_ram.h"

#include "drivers/pci/sysfs.h"
#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_memory.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_start.h"
#include "util/file.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define POOLS "sys/kernel/mm/hugepages"
#define FOLDER_MODE 0711
#define MEMINFO_BYTES 65536
#define OWN_BYTES (1ull << 30)
#define GIB_KIB (1u << 20)
//  One thread clears more than 1 GiB a second.
#define GIB_MS 1000u
#define MOST_MS 1800000u

//  The folder.

static char *folder_path (const job_t *job)
{
    return text_format ("%s/qemu/ram/%s", job->paths->lib, job->guest->uuid);
}

void qemu_ram_note (job_t *job)
{
    autofree char *folder = folder_path (job);
    if (!qemu_backing_has_files (xml_root (job->guest->live)) && access (folder, F_OK))
        return;
    xml_set (xml_root (job->guest->record), "ram/@path", folder);
}

int qemu_ram_intend (job_t *job, error_t *err)
{
    const bool known = guest_recorded (job->guest, "ram/@path") != NULL;
    qemu_ram_note (job);
    const char *folder = guest_recorded (job->guest, "ram/@path");
    return folder && !known ? job_undo (job, "folder", folder, err) : 0;
}

int qemu_ram_make (const job_t *job, uid_t uid, gid_t gid, error_t *err)
{
    const char *folder = guest_recorded (job->guest, "ram/@path");
    if (!folder)
        return 0;
    autofree char *parent = text_copy_bytes (folder, (size_t) (strrchr (folder, '/') - folder));
    return file_make_folders (parent, FOLDER_MODE, err) || qemu_make_folder (folder, uid, gid, err)
               ? -1
               : 0;
}

int qemu_ram_forget (const job_t *job, error_t *err)
{
    autofree char *folder = folder_path (job);
    return file_remove_folder (folder, err);
}

//  Huge pages.

static int unknown_size (const char *root, uint64_t kib, error_t *err)
{
    autofree char *folder = text_format ("%s/" POOLS, root);
    auto(strings_t) names = sysfs_names (folder);
    auto(text_t) has = text_new ();
    for (size_t i = 0; i < names->count; i++)
        text_addf (has, "%s%s", has->size ? ", " : "", names->items[i]);
    return error_set (err, ERR_OPERATION_FAILED,
                      "the host has no huge pages of %" PRIu64 " KiB (it has: %s)", kib,
                      has->size ? has->data : "none");
}

static uint64_t count_in (const char *pool, const char *name)
{
    const long count = sysfs_number (pool, name, 0);
    return count > 0 ? (uint64_t) count : 0;
}

//  Those that nobody has, nor was promised; and those that the kernel would make.
static uint64_t pages_left (const char *pool)
{
    const uint64_t free = count_in (pool, "free_hugepages");
    const uint64_t promised = count_in (pool, "resv_hugepages");
    const uint64_t more = count_in (pool, "nr_overcommit_hugepages");
    const uint64_t made = count_in (pool, "surplus_hugepages");
    return (free > promised ? free - promised : 0) + (more > made ? more - made : 0);
}

static int check_pool (const char *root, uint64_t page_kib, uint64_t need_kib, error_t *err)
{
    autofree char *pool = text_format ("%s/" POOLS "/hugepages-%" PRIu64 "kB", root, page_kib);
    const uint64_t need = need_kib / page_kib + (need_kib % page_kib ? 1 : 0);
    if (sysfs_number (pool, "nr_hugepages", -1) < 0)
        return unknown_size (root, page_kib, err);
    if (pages_left (pool) >= need)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED,
                      "the guest's memory needs %" PRIu64 " huge pages of %" PRIu64
                      " KiB, and the host has %" PRIu64 " free; %s/nr_hugepages is how many it is "
                      "to have in all",
                      need, page_kib, pages_left (pool), pool);
}

//  The size that the kernel takes where none is said; 0: it has none.
static uint64_t usual_kib (const char *root)
{
    error_t ignored;
    size_t size;
    autofree char *path = text_format ("%s/proc/meminfo", root);
    autofree char *text = file_read (path, MEMINFO_BYTES, &size, &ignored);
    const char *line = text ? strstr (text, "Hugepagesize:") : NULL;
    return line ? strtoull (line + strlen ("Hugepagesize:"), NULL, 10) : 0;
}

//  Of a device of which the guest takes what is requested, so much.
static uint64_t taken_kib (const xml_node_t *domain, const xml_node_t *piece)
{
    return xml_is (piece, "memory") && xml_equals (piece, "@model", "virtio-mem")
               ? qemu_memory_kib (piece, "target/requested")
               : qemu_backing_kib (domain, piece);
}

//  All pieces in pages of this size. The pages of those that the guest has already are taken.
static uint64_t needed_kib (const xml_node_t *domain, const xml_node_t *device, uint64_t page_kib,
                            uint64_t usual)
{
    uint64_t kib = 0;
    const xml_node_t *piece = NULL;
    while ((piece = qemu_backing_next (domain, piece))) {
        const qemu_backing_t backing = qemu_backing_of (domain, piece);
        const uint64_t own = backing.page_kib ? backing.page_kib : usual;
        if (backing.huge && own == page_kib && (!device || piece == device))
            kib += taken_kib (domain, piece);
    }
    return kib;
}

int qemu_ram_check_pages (const char *root, const xml_node_t *domain, const xml_node_t *device,
                          error_t *err)
{
    const uint64_t usual = usual_kib (root);
    const xml_node_t *piece = NULL;
    while ((piece = qemu_backing_next (domain, piece))) {
        const qemu_backing_t backing = qemu_backing_of (domain, piece);
        const uint64_t page_kib = backing.page_kib ? backing.page_kib : usual;
        if (!backing.huge || (device && piece != device))
            continue;
        if (!page_kib)
            return error_set (err, ERR_OPERATION_FAILED, "the host's kernel has no huge pages");
        if (check_pool (root, page_kib, needed_kib (domain, device, page_kib, usual), err))
            return -1;
    }
    return 0;
}

//  Locked memory.

uint64_t qemu_ram_lock_bytes (const xml_t *live)
{
    uint64_t bytes = 0;
    error_t ignored; //  it was checked
    if (xml_find (xml_root (live), "memoryBacking/locked"))
        return UINT64_MAX;
    if (!qemu_hostdev_reaches_memory (live) ||
        xml_size (xml_root (live), "memory", "KiB", &bytes, &ignored))
        return 0;
    return bytes + OWN_BYTES;
}

int qemu_ram_allow_lock (job_t *job, error_t *err)
{
    process_t process;
    struct rlimit now;
    const rlim_t bytes = qemu_ram_lock_bytes (job->guest->live);
    const char *identity = guest_recorded (job->guest, "process/@identity");
    if (!process_from_text (identity ? identity : "", &process))
        return error_set (err, ERR_INTERNAL_ERROR, "the record of domain '%s' names no process",
                          job->guest->name);
    //  Another process may have its pid by now.
    autoclose int pidfd = process_open (&process, err);
    if (pidfd < 0)
        return -1;
    const struct rlimit wanted = { .rlim_cur = bytes, .rlim_max = bytes };
    if (prlimit (process.pid, RLIMIT_MEMLOCK, NULL, &now) == 0 && now.rlim_cur >= bytes)
        return 0;
    if (prlimit (process.pid, RLIMIT_MEMLOCK, &wanted, NULL))
        return error_errno (err, ERR_OPERATION_DENIED,
                            "let QEMU lock %" PRIu64 " bytes of memory, which a device of the host "
                            "needs (the daemon needs CAP_SYS_RESOURCE, or a higher LimitMEMLOCK in "
                            "its unit)",
                            (uint64_t) bytes);
    return 0;
}

int qemu_ram_ms (const xml_t *live, int base_ms)
{
    const xml_node_t *domain = xml_root (live), *piece = NULL;
    const bool all = qemu_ram_lock_bytes (live) > 0;
    uint64_t kib = 0;
    while ((piece = qemu_backing_next (domain, piece)))
        if (all || qemu_backing_of (domain, piece).immediate)
            kib += taken_kib (domain, piece);
    const uint64_t ms = kib / GIB_KIB * GIB_MS + kib % GIB_KIB * GIB_MS / GIB_KIB;
    return base_ms + (int) (ms < MOST_MS ? ms : MOST_MS);
}
