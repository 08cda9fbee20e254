//  qemu_backup_server.c: QEMU's NBD server, which a pull is read through.

#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_nbd.h"
#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define QMP_MS 10000

//  QEMU removes a file of this name before it binds.
int qemu_backup_check_socket (const xml_node_t *asked, error_t *err)
{
    struct stat status;
    const char *path = xml_string (asked, "server/@socket");
    if (path && lstat (path, &status) == 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the socket '%s': something of this name is there already", path);
    return 0;
}

static json_t *address_json (const xml_node_t *server)
{
    const char *socket = xml_string (server, "@socket");
    if (socket)
        return json_pack ("{s:s, s:{s:s}}", "type", "unix", "data", "path", socket);
    return json_pack ("{s:s, s:{s:s, s:s}}", "type", "inet", "data", "host",
                      xml_string (server, "@name"), "port", xml_string (server, "@port"));
}

static void note_inode (xml_node_t *server)
{
    struct stat status;
    const char *path = xml_string (server, "@socket");
    if (path && lstat (path, &status) == 0)
        xml_setf (server, "@inode", "%llu:%llu", (unsigned long long) status.st_dev,
                  (unsigned long long) status.st_ino);
}

//  Recorded first; but one that QEMU did not start is not ours to stop.
static int start_server (job_t *job, error_t *err)
{
    xml_node_t *backup = xml_root (job->guest->backup);
    const xml_node_t *asked = xml_find (qemu_backup_asked (job->guest), "server");
    const char *socket = xml_string (asked, "@socket");
    xml_node_t *server = xml_add (backup, "server");
    if (socket)
        xml_set (server, "@socket", socket);
    if (job_record (job, err))
        return -1;
    if (qemu_tell (job, "nbd-server-start", json_pack ("{s:o}", "addr", address_json (asked)),
                   QMP_MS, err) == 0) {
        note_inode (server);
        return 0;
    }
    if (err->code == ERR_OPERATION_FAILED)
        xml_remove (server);
    return error_prefix (err, "serve it through NBD");
}

static int add_export (job_t *job, const xml_node_t *store, error_t *err)
{
    const xml_node_t *disk = qemu_backup_disk (job->guest, store);
    const char *node = xml_string (store, "@node"), *bitmap = xml_string (disk, "@exportbitmap");
    json_t *export = json_pack ("{s:s, s:s, s:s, s:s, s:b}", "type", "nbd", "id", node, "node-name",
                                node, "name", xml_string (disk, "@exportname"), "writable", 0);
    if (bitmap)
        json_object_set_new (export, "bitmaps", json_pack ("[s]", bitmap));
    return qemu_tell (job, "block-export-add", export, QMP_MS, err);
}

int qemu_backup_serve (job_t *job, error_t *err)
{
    if (start_server (job, err))
        return -1;
    xml_foreach (store, xml_root (job->guest->backup), "store")
        if (add_export (job, store, err))
            return error_prefix (err, "export disk '%s'", xml_string (store, "@disk"));
    return 0;
}

//  One that was told to end before, by a job that gave up, ends once its last request is done; QEMU
//  refuses to be told twice.
static bool is_ending (const json_t *export)
{
    return json_is_true (json_object_get (export, "shutting-down"));
}

static int remove_exports (job_t *job, error_t *err)
{
    json_auto_t *exports = job_qmp (job, "query-block-exports", NULL, QMP_MS, err);
    if (!exports)
        return -1;
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const char *id = xml_string (store, "@node");
        const json_t *export = answer_entry (exports, "id", id);
        if (export && !is_ending (export) &&
            qemu_tell (job, "block-export-del", json_pack ("{s:s, s:s}", "id", id, "mode", "hard"),
                       QMP_MS, err))
            return error_prefix (err, "end the export '%s'", id);
    }
    return 0;
}

int qemu_backup_stop_server (job_t *job, error_t *err)
{
    const xml_node_t *asked = xml_find (qemu_backup_asked (job->guest), "server");
    if (!xml_find (xml_root (job->guest->backup), "server"))
        return 0;
    qemu_nbd_t server = { xml_string (asked, "@socket"), xml_string (asked, "@port") };
    //  Without its name nobody comes any more.
    return remove_exports (job, err) || qemu_backup_drop_socket (job, err) ||
                   qemu_nbd_stop (job, &server, err)
               ? -1
               : 0;
}

int qemu_backup_drop_socket (const job_t *job, error_t *err)
{
    struct stat status;
    const xml_node_t *server = xml_find (xml_root (job->guest->backup), "server");
    const char *path = xml_string (server, "@socket"), *inode = xml_string (server, "@inode");
    if (!server || !path || !inode || lstat (path, &status))
        return 0;
    autofree char *found = text_format ("%llu:%llu", (unsigned long long) status.st_dev,
                                        (unsigned long long) status.st_ino);
    if (!text_equals (found, inode) || unlink (path) == 0 || errno == ENOENT)
        return 0;
    return error_errno (err, ERR_SYSTEM_ERROR, "remove the socket '%s'", path);
}
