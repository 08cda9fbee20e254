//  qemu_migrate_disks.c: disks that are copied while a guest migrates: the sender mirrors each to
//  an NBD export of the receiver. (QEMU's QMP reference: blockdev-mirror, block-job-cancel,
//  nbd-server-start, block-export-add.)

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/storage/qemu_nbd.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/qemu/qemu_transport.h"
#include "util/process.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define QMP_MS 10000
#define CONNECT_MS 30000
#define END_MS 60000
#define WAIT_MS 100
#define IMAGE_MS 60000
#define PORT_ATTEMPTS 8
//  Jobs and nodes of ours have names that begin so.
#define PREFIX "migration-"

static const xml_node_t *find_disk (const xml_t *document, const char *target)
{
    xml_foreach (disk, xml_find (xml_root (document), "devices"), "disk")
        if (xml_equals (disk, "target/@dev", target))
            return disk;
    return NULL;
}

//  QEMU's device of DISK, among query-block's answers.
static const json_t *find_device (const json_t *devices, const xml_node_t *disk)
{
    size_t i;
    json_t *device;
    const char *alias = qemu_alias (disk);
    json_array_foreach (devices, i, device)
    {
        //  "/machine/peripheral/ALIAS", for some with "/virtio-backend" behind it.
        const char *at = strstr (answer_string (device, "qdev"), alias);
        const char *after = at ? at + strlen (alias) : "?";
        if (*after == 0 || *after == '/')
            return device;
    }
    return NULL;
}

//  Which.

static bool is_wanted (const xml_node_t *disk, const strings_t *wanted)
{
    const char *target = xml_string (disk, "target/@dev");
    if (wanted && wanted->count > 0)
        return strings_contain (wanted, target);
    return !xml_find (disk, "readonly") && !xml_find (disk, "shareable") &&
           (xml_string (disk, "source/@file") || xml_string (disk, "source/@dev"));
}

static int check_wanted (const xml_t *live, const strings_t *wanted, error_t *err)
{
    for (size_t i = 0; wanted && i < wanted->count; i++)
        if (!find_disk (live, wanted->items[i]))
            return error_set (err, ERR_INVALID_ARG, "there is no disk '%s' to copy",
                              wanted->items[i]);
    return 0;
}

//  Which file that is, for another daemon on the same kernel: "BOOT:DEVICE:INODE". The caller frees
//  it.
static char *identity_of (const char *path)
{
    struct stat status;
    process_t us;
    error_t ignored = { 0 };
    if (!path || stat (path, &status) || process_identify (getpid (), &us, &ignored))
        return text_copy ("-");
    bool device = S_ISBLK (status.st_mode);
    return text_format ("%s:%ju:%ju", us.boot_id, device ? (uintmax_t) 0 : status.st_dev,
                        device ? (uintmax_t) status.st_rdev : status.st_ino);
}

static const char *path_of (const xml_node_t *disk)
{
    const char *file = xml_string (disk, "source/@file");
    return file ? file : xml_string (disk, "source/@dev");
}

strings_t *qemu_copy_list (job_t *job, const strings_t *wanted, error_t *err)
{
    auto(strings_t) list = strings_new ();
    const xml_t *live = job->guest->live;
    json_auto_t *devices = job_qmp (job, "query-block", NULL, QMP_MS, err);
    if (!devices || check_wanted (live, wanted, err))
        return NULL;
    xml_foreach (disk, xml_find (xml_root (live), "devices"), "disk") {
        if (!is_wanted (disk, wanted))
            continue;
        const char *target = xml_string (disk, "target/@dev");
        const json_t *image =
            json_object_get (json_object_get (find_device (devices, disk), "inserted"), "image");
        json_int_t bytes = json_integer_value (json_object_get (image, "virtual-size"));
        if (bytes <= 0) {
            error_set (err, ERR_OPERATION_INVALID, "disk '%s' holds nothing that could be copied",
                       target);
            return NULL;
        }
        autofree char *identity = identity_of (path_of (disk));
        strings_addf (list, "%s %" JSON_INTEGER_FORMAT " %s", target, bytes, identity);
    }
    return take (&list);
}

//  "TARGET BYTES FILE". The caller frees the target; NULL: it is not of that form.
static char *parse_item (const char *item, uint64_t *bytes)
{
    const char *space = strchr (item, ' ');
    char *end;
    if (!space || space == item)
        return NULL;
    *bytes = strtoull (space + 1, &end, 10);
    return *end != ' ' || *bytes == 0 ? NULL : text_copy_bytes (item, (size_t) (space - item));
}

//  The sender.

static int add_target (job_t *job, const migration_t *migration, const char *target,
                       const char *node, error_t *err)
{
    qemu_transport_t to;
    if (qemu_transport_parse (&to, migration->storage, err))
        return -1;
    autofree char *name = text_format ("%s-%s", migration->token, target);
    return qemu_tell (job, "blockdev-add",
                      json_pack ("{s:s, s:s, s:o, s:s}", "driver", "nbd", "node-name", node,
                                 "server", qemu_transport_address (&to, false), "export", name),
                      CONNECT_MS, err);
}

static int start_mirror (job_t *job, const migration_t *migration, const json_t *devices,
                         const char *target, error_t *err)
{
    const xml_node_t *disk = find_disk (job->guest->live, target);
    const json_t *device = disk ? find_device (devices, disk) : NULL;
    const char *node = answer_string (json_object_get (device, "inserted"), "node-name");
    autofree char *name = text_format (PREFIX "%s", target);
    if (!*node)
        return error_set (err, ERR_OPERATION_INVALID, "disk '%s' has no image in QEMU", target);
    if (add_target (job, migration, target, name, err))
        return -1;
    json_t *arguments =
        json_pack ("{s:s, s:s, s:s, s:s, s:b}", "job-id", name, "device", node, "target", name,
                   "sync", migration->copy == COPY_TOP ? "top" : "full", "auto-dismiss", false);
    if (migration->bandwidth)
        json_object_set_new (arguments, "speed", json_integer ((json_int_t) migration->bandwidth));
    return qemu_tell (job, "blockdev-mirror", arguments, QMP_MS, err);
}

static bool is_ours (const char *name)
{
    return text_starts (name, PREFIX);
}

static bool is_concluded (const json_t *item)
{
    return strcmp (answer_string (item, "status"), "concluded") == 0;
}

static int check_job (const json_t *item, error_t *err)
{
    const char *why = answer_string (item, "error");
    if (!is_concluded (item) && strcmp (answer_string (item, "status"), "aborting") != 0)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED, "the copy of disk '%s' ended: %s",
                      answer_string (item, "id") + strlen (PREFIX),
                      *why ? why : "QEMU gives no reason");
}

//  QEMU's jobs that are ours; NULL and ERR. The caller owns the result.
static json_t *our_jobs (job_t *job, error_t *err)
{
    json_auto_t *all = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    json_t *ours = all ? json_array () : NULL, *item;
    size_t i;
    json_array_foreach (all, i, item) if (is_ours (answer_string (item, "id")))
        json_array_append (ours, item);
    return ours;
}

//  *READY: all of them are alike.
static int look_at_mirrors (job_t *job, job_progress_t *progress, bool *ready, error_t *err)
{
    json_auto_t *jobs = our_jobs (job, err);
    size_t i;
    json_t *item;
    *ready = true;
    if (!jobs)
        return -1;
    json_array_foreach (jobs, i, item)
    {
        if (check_job (item, err))
            return -1;
        *ready = *ready && strcmp (answer_string (item, "status"), "ready") == 0;
        json_int_t total = json_integer_value (json_object_get (item, "total-progress"));
        json_int_t done = json_integer_value (json_object_get (item, "current-progress"));
        progress->total += (uint64_t) total;
        progress->processed += (uint64_t) done;
    }
    progress->remaining = progress->total - progress->processed;
    return 0;
}

//  A mirror takes up to that much at a time (QEMU's default of drive-mirror's buf-size), and then
//  rests until its speed is kept.
#define PIECE_BYTES (16ULL << 20)

static int follow_mirrors (job_t *job, uint64_t bandwidth, error_t *err)
{
    int64_t since = job_now (job);
    qemu_stall_t stall = { .rest_ms = bandwidth ? (int64_t) (PIECE_BYTES * 1000 / bandwidth) : 0 };
    for (bool ready = false;;) {
        job_progress_t progress = { .step = "copying disks" };
        if (look_at_mirrors (job, &progress, &ready, err))
            return -1;
        progress.elapsed_ms = (uint64_t) (job_now (job) - since);
        job_progress (job, &progress);
        if (ready)
            return 0;
        if (qemu_stall_check (job, &stall, &progress, err) || job_wait (job, WAIT_MS, err))
            return -1;
    }
}

int qemu_copy_begin (job_t *job, const migration_t *migration, error_t *err)
{
    json_auto_t *devices = job_qmp (job, "query-block", NULL, QMP_MS, err);
    if (!devices)
        return -1;
    for (size_t i = 0; i < migration->disks->count; i++) {
        uint64_t bytes;
        autofree char *target = parse_item (migration->disks->items[i], &bytes);
        if (target && start_mirror (job, migration, devices, target, err))
            return -1;
    }
    return follow_mirrors (job, migration->bandwidth, err);
}

//  Ends all jobs of ours: FORCE at once, else a mirror that is ready ends with both sides alike.
//  QEMU refuses that of one that has failed meanwhile: why, is told when it is dismissed.
static int cancel_mirrors (job_t *job, bool force, error_t *err)
{
    json_auto_t *jobs = our_jobs (job, err);
    size_t i;
    json_t *item;
    if (!jobs)
        return -1;
    json_array_foreach (jobs, i, item)
    {
        error_t ended = { 0 };
        if (is_concluded (item))
            continue;
        if (qemu_tell (
                job, "block-job-cancel",
                json_pack ("{s:s, s:b}", "device", answer_string (item, "id"), "force", force),
                QMP_MS, &ended) &&
            !force && ended.code != ERR_OPERATION_FAILED) {
            *err = ended;
            return -1;
        }
    }
    return 0;
}

//  Dismisses what has ended. *LEFT: how many go on; an error of one is the result's unless FORCE.
static int dismiss_mirrors (job_t *job, bool force, size_t *left, error_t *err)
{
    json_auto_t *jobs = our_jobs (job, err);
    size_t i;
    json_t *item;
    *left = 0;
    if (!jobs)
        return -1;
    json_array_foreach (jobs, i, item)
    {
        if (!is_concluded (item)) {
            ++*left;
            continue;
        }
        if (answer_string (item, "error")[0] && !force)
            return check_job (item, err);
        if (qemu_tell (job, "job-dismiss", json_pack ("{s:s}", "id", answer_string (item, "id")),
                       QMP_MS, err))
            return -1;
    }
    return 0;
}

static int end_mirrors (job_t *job, bool force, error_t *err)
{
    size_t left;
    if (cancel_mirrors (job, force, err))
        return -1;
    for (int64_t until = job_now (job) + END_MS;;) {
        if (dismiss_mirrors (job, force, &left, err))
            return -1;
        if (left == 0)
            return 0;
        if (job_now (job) >= until)
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "QEMU does not end the copy of its disks");
        if (job_wait (job, WAIT_MS, err))
            return -1;
    }
}

static int remove_nodes (job_t *job, error_t *err)
{
    json_auto_t *nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", true), QMP_MS, err);
    size_t i;
    json_t *node;
    json_array_foreach (nodes, i, node)
    {
        const char *name = answer_string (node, "node-name");
        if (is_ours (name) &&
            qemu_tell (job, "blockdev-del", json_pack ("{s:s}", "node-name", name), QMP_MS, err))
            return -1;
    }
    return nodes ? 0 : -1;
}

//  Without its nodes it is no client of the receiver any more.
int qemu_copy_end (job_t *job, error_t *err)
{
    return end_mirrors (job, false, err) || remove_nodes (job, err) ? -1 : 0;
}

int qemu_copy_forget (job_t *job, error_t *err)
{
    return end_mirrors (job, true, err) || remove_nodes (job, err) ? -1 : 0;
}

//  The receiver.

static int format_qcow2 (job_t *job, const char *path, uint64_t bytes, error_t *err)
{
    autofree char *size = text_format ("%" PRIu64, bytes);
    const char *const args[] = { "create", "-q", "-f", "qcow2", path, size, NULL };
    return qemu_img_run (job, path, args, IMAGE_MS, NULL, err);
}

static int push_undo (job_t *job, const char *inode, const char *path, error_t *err)
{
    autofree char *argument = text_format ("%s:%s", inode, path);
    return job_undo (job, "qemu.image", argument, err) || job_record (job, err) ? -1 : 0;
}

//  Which file it is goes into the record before it has its name.
static int make_file (job_t *job, const xml_node_t *disk, uint64_t bytes, error_t *err)
{
    qemu_inode_t inode;
    const char *path = xml_string (disk, "source/@file");
    bool raw = !xml_equals (disk, "driver/@type", "qcow2");
    xml_node_t *created =
        xml_add (xml_ensure (xml_root (job->guest->record), "incoming"), "created");
    xml_set (created, "@path", path);
    if (push_undo (job, "", path, err) ||
        qemu_block_new_file (job, path, raw ? bytes : 0, inode, err))
        return -1;
    xml_set (created, "@inode", inode);
    return push_undo (job, inode, path, err) || qemu_block_name_file (job, path, err) ||
                   (!raw && format_qcow2 (job, path, bytes, err))
               ? -1
               : 0;
}

//  What is written to the copy would be read from it at once.
static int check_other (const xml_node_t *disk, const char *item, error_t *err)
{
    autofree char *here = identity_of (path_of (disk));
    if (strcmp (here, "-") == 0 || strcmp (strrchr (item, ' ') + 1, here) != 0)
        return 0;
    return error_set (
        err, ERR_INVALID_ARG,
        "disk '%s' can't be copied: '%s' is the same file for both daemons; leave the "
        "copying out, or say with --xml where the copy is to be",
        xml_string (disk, "target/@dev"), path_of (disk));
}

static int make_image (job_t *job, const char *item, const char *target, uint64_t bytes,
                       error_t *err)
{
    const xml_node_t *disk = find_disk (job->guest->live, target);
    const char *path = disk ? xml_string (disk, "source/@file") : NULL;
    if (!disk)
        return error_set (err, ERR_INVALID_ARG, "the guest has no disk '%s'", target);
    if (check_other (disk, item, err))
        return -1;
    return path && access (path, F_OK) ? make_file (job, disk, bytes, err) : 0;
}

int qemu_copy_make_images (job_t *job, const migration_t *migration, error_t *err)
{
    if (migration->copy == COPY_NONE)
        return 0;
    for (size_t i = 0; i < migration->disks->count; i++) {
        uint64_t bytes;
        autofree char *target = parse_item (migration->disks->items[i], &bytes);
        if (!target)
            return error_set (err, ERR_INVALID_ARG, "disk to copy '%s': not TARGET BYTES FILE",
                              migration->disks->items[i]);
        if (make_image (job, migration->disks->items[i], target, bytes, err))
            return -1;
    }
    return 0;
}

//  A port that is free now, also where the kernel knows no IPv6.
static int free_port (int family, error_t *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = { .any.sa_family = (sa_family_t) family };
    socklen_t size = sizeof address;
    autoclose int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && family == AF_INET6)
        return free_port (AF_INET, err);
    if (fd < 0 ||
        bind (fd, &address.any, family == AF_INET ? sizeof address.four : sizeof address.six) ||
        getsockname (fd, &address.any, &size))
        return error_errno (err, ERR_SYSTEM_ERROR, "find a port for NBD");
    return ntohs (family == AF_INET ? address.four.sin_port : address.six.sin6_port);
}

//  QEMU does not tell which port it got for NBD, so it is given one that was free a moment ago.
static int find_port (qemu_transport_t *at, error_t *err)
{
    int port = free_port (AF_INET6, err);
    if (port < 0)
        return -1;
    snprintf (at->port, sizeof at->port, "%d", port);
    return 0;
}

static int start_server (job_t *job, qemu_transport_t *at, unsigned port, error_t *err)
{
    snprintf (at->port, sizeof at->port, "%u", port);
    for (int i = 0; i < PORT_ATTEMPTS; i++) {
        if (!at->local && !port && find_port (at, err))
            return -1;
        if (qemu_tell (job, "nbd-server-start",
                       json_pack ("{s:o}", "addr", qemu_transport_address (at, true)), QMP_MS,
                       err) == 0)
            return 0;
        if (at->local || port || !strstr (err->message, "in use"))
            break;
    }
    return error_prefix (err, "receive disks");
}

static int add_export (job_t *job, const migration_t *migration, const char *target, error_t *err)
{
    autofree char *node = text_format ("disk-%s", target);
    autofree char *id = text_format (PREFIX "%s", target);
    autofree char *name = text_format ("%s-%s", migration->token, target);
    return qemu_tell (job, "block-export-add",
                      json_pack ("{s:s, s:s, s:s, s:s, s:b}", "type", "nbd", "id", id, "node-name",
                                 node, "name", name, "writable", true),
                      QMP_MS, err);
}

int qemu_copy_listen (job_t *job, const migration_t *migration, char **storage, error_t *err)
{
    qemu_transport_t at, bound;
    if (qemu_transport_parse (&at, migration->uri, err))
        return -1;
    if (at.local) {
        autofree char *folder = qemu_folder_path (job);
        snprintf (at.path, sizeof at.path, "%s/storage", folder);
    }
    if (at.local && migration->disks_port)
        return error_set (err, ERR_INVALID_ARG,
                          "disks are received at a UNIX socket, which has no port");
    if (qemu_transport_listen (&bound, &at, migration->listen, err) ||
        start_server (job, &bound, migration->disks_port, err))
        return -1;
    memcpy (at.port, bound.port, sizeof at.port);
    for (size_t i = 0; i < migration->disks->count; i++) {
        uint64_t bytes;
        autofree char *target = parse_item (migration->disks->items[i], &bytes);
        if (target && add_export (job, migration, target, err))
            return -1;
    }
    xml_node_t *incoming = xml_ensure (xml_root (job->guest->record), "incoming");
    xml_set (incoming, at.local ? "@socket" : "@port", at.local ? at.path : at.port);
    *storage = qemu_transport_text (&at);
    return 0;
}

static int remove_exports (job_t *job, error_t *err)
{
    json_auto_t *exports = job_qmp (job, "query-block-exports", NULL, QMP_MS, err);
    size_t i;
    json_t *item;
    json_array_foreach (exports, i, item)
    {
        const char *id = answer_string (item, "id");
        if (is_ours (id) &&
            qemu_tell (job, "block-export-del", json_pack ("{s:s, s:s}", "id", id, "mode", "hard"),
                       QMP_MS, err))
            return -1;
    }
    return exports ? 0 : -1;
}

int qemu_copy_close (job_t *job, error_t *err)
{
    const xml_node_t *incoming = xml_find (xml_root (job->guest->record), "incoming");
    qemu_nbd_t server = { xml_string (incoming, "@socket"), xml_string (incoming, "@port") };
    if (!server.socket && !server.port)
        return 0;
    return remove_exports (job, err) || qemu_nbd_stop (job, &server, err) ? -1 : 0;
}
