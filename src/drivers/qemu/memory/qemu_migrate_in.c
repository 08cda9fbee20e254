//  qemu_migrate_in.c: the receiver of a live migration. (QEMU's QMP reference: migrate-incoming,
//  query-migrate's socket-address.)

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/qemu/qemu_transport.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000
#define BREAK_MS 10000
#define WAIT_MS 50

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

typedef struct {
    const migration_t *migration;
    char **uri, **storage;
} reception_t;

//  QEMU fetches memory with userfaultfd, and has no capabilities (the kernel's
//  admin-guide/sysctl/vm).
static int check_postcopy (const migration_t *migration, error_t *err)
{
    static const char path[] = "/proc/sys/vm/unprivileged_userfaultfd";
    error_t ignored = { 0 };
    autofree char *allowed = migration->postcopy ? file_read (path, 16, NULL, &ignored) : NULL;
    if (!allowed || allowed[0] != '0')
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "post-copy needs userfaultfd there: 'sysctl vm.unprivileged_userfaultfd=1'");
}

static int set_up (job_t *job, const migration_t *migration, error_t *err)
{
    json_t *list =
        json_pack ("[{s:s, s:b}, {s:s, s:b}, {s:s, s:b}]", "capability", "events", "state", true,
                   "capability", "postcopy-ram", "state", migration->postcopy, "capability",
                   "multifd", "state", migration->channels > 1);
    json_t *parameters = json_object ();
    qemu_compression_capabilities (migration, list);
    qemu_compression_parameters (migration, parameters);
    if (command (job, "migrate-set-capabilities", json_pack ("{s:o}", "capabilities", list), err)) {
        json_decref (parameters);
        return -1;
    }
    return command (job, "migrate-set-parameters", parameters, err);
}

//  Port 0 lets the kernel choose; QEMU says what it chose.
static int ask_port (job_t *job, qemu_transport_t *at, error_t *err)
{
    json_auto_t *answer = job_qmp (job, "query-migrate", NULL, QMP_MS, err);
    if (!answer)
        return -1;
    //  The last one is that of the last command.
    const json_t *all = json_object_get (answer, "socket-address");
    const json_t *address = json_array_get (all, json_array_size (all) - 1);
    const char *port = json_string_value (json_object_get (address, "port"));
    if (!port)
        return error_set (err, ERR_OPERATION_FAILED,
                          "QEMU does not say at which port it waits for the guest");
    snprintf (at->port, sizeof at->port, "%s", port);
    return 0;
}

static int parse_wish (job_t *job, const char *wish, qemu_transport_t *at, error_t *err)
{
    if (qemu_transport_parse (at, wish, err))
        return -1;
    if (at->local && !*at->path) {
        autofree char *folder = qemu_folder_path (job);
        autofree char *uri = text_format ("unix:%s/migration", folder);
        return qemu_transport_parse (at, uri, err);
    }
    return 0;
}

static int make_files (job_t *job, void *with, error_t *err)
{
    const reception_t *reception = with;
    return qemu_copy_make_images (job, reception->migration, err);
}

static int listen_for_guest (job_t *job, void *with, error_t *err)
{
    reception_t *reception = with;
    qemu_transport_t at, bound;
    const migration_t *migration = reception->migration;
    if (parse_wish (job, migration->uri, &at, err) ||
        qemu_transport_listen (&bound, &at, migration->listen, err) ||
        set_up (job, migration, err) ||
        (migration->copy != COPY_NONE &&
         qemu_copy_listen (job, migration, reception->storage, err)))
        return -1;
    autofree char *uri = qemu_transport_uri (&bound);
    if (command (job, "migrate-incoming", json_pack ("{s:s}", "uri", uri), err) ||
        (!at.local && ask_port (job, &at, err)))
        return -1;
    *reception->uri = qemu_transport_text (&at);
    return 0;
}

int qemu_migrate_in (job_t *job, const xml_t *document, const migration_t *migration, char **uri,
                     char **storage, error_t *err)
{
    reception_t reception = { .migration = migration, .uri = uri, .storage = storage };
    qemu_incoming_t incoming = { .files = make_files,
                                 .listen = listen_for_guest,
                                 .with = &reception };
    auto(xml_t) completed = xml_copy (document);
    *uri = *storage = NULL;
    if (check_postcopy (migration, err) == 0 && qemu_complete (job, completed, err) == 0 &&
        qemu_start_incoming (job, completed, &incoming, err) == 0) {
        job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_MIGRATION };
        return 0;
    }
    free (take (uri));
    free (take (storage));
    return error_prefix (err, "receive domain '%s'", job->guest->name);
}

//  In post-copy the guest may run before all of it has come.
static int ask_receiver (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    if (qemu_stream_ask (job, work, progress, err) || qemu_stream_status (job, status, NULL, err))
        return -1;
    if (strcmp (status, "postcopy-active") == 0)
        *work = QEMU_WORK_DONE;
    return 0;
}

//  From here on its disks may be the only ones: what is left behind is better than what is lost.
static void keep_created (job_t *job)
{
    xml_node_t *created, *record = xml_root (job->guest->record);
    while ((created = xml_find (record, "incoming/created")))
        xml_remove (created);
}

int qemu_migrate_complete (job_t *job, error_t *err)
{
    if (qemu_work_follow (job, ask_receiver, "receiving", -1, err))
        return -1;
    keep_created (job);
    return 0;
}

int qemu_migrate_ask_postcopy (job_t *job, error_t *err)
{
    char text[QEMU_STATUS_SIZE];
    guest_status_t *status = &job->guest->status;
    if (status->state != STATE_RUNNING ||
        (status->reason != RUNNING_POSTCOPY && status->reason != RUNNING_POSTCOPY_FAILED))
        return 0;
    if (qemu_stream_status (job, text, NULL, err))
        return -1;
    status->reason = strcmp (text, "postcopy-paused") == 0 ? RUNNING_POSTCOPY_FAILED
                     : strncmp (text, "postcopy-", strlen ("postcopy-")) == 0 ? RUNNING_POSTCOPY
                                                                              : RUNNING_MIGRATED;
    return 0;
}

static int let_run (job_t *job, bool run, error_t *err)
{
    if (run && command (job, "cont", NULL, err))
        return -1;
    job->guest->status = run ? (guest_status_t){ STATE_RUNNING, RUNNING_POSTCOPY }
                             : (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    return qemu_migrate_ask_postcopy (job, err);
}

//  A stranger who is connected to its storage delays the end of that only.
int qemu_migrate_run (job_t *job, bool run, error_t *err)
{
    error_t open = { 0 };
    int rc = let_run (job, run, err);
    error_t unknown = { 0 };
    if (rc == 0 && qemu_memory_ask (job, &unknown))
        job_log (job, "domain '%s': its memory devices: %s", job->guest->name, unknown.message);
    if (qemu_copy_close (job, &open))
        job_log (job, "domain '%s': what received its disks does not end: %s", job->guest->name,
                 open.message);
    xml_remove_path (xml_root (job->guest->record), "incoming");
    return rc;
}

void qemu_migrate_drop_created (job_t *job)
{
    const xml_node_t *incoming =
        job->guest->record ? xml_find (xml_root (job->guest->record), "incoming") : NULL;
    if (!incoming)
        return;
    xml_foreach (created, incoming, "created") {
        error_t err = { 0 };
        const char *path = xml_string (created, "@path");
        const char *inode = xml_string (created, "@inode");
        if (path && qemu_block_drop_file (job, path, inode ? inode : "", &err))
            job_log (job, "domain '%s': %s", job->guest->name, err.message);
    }
    xml_remove_path (xml_root (job->guest->record), "incoming");
}

//  The sender knows that the connection is broken, which this side may not have noticed yet.
static int await_break (job_t *job, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    bool told = false;
    for (int64_t until = job_now (job) + BREAK_MS; job_now (job) < until;) {
        if (qemu_stream_status (job, status, NULL, err))
            return -1;
        if (strcmp (status, "postcopy-paused") == 0)
            return 0;
        if (strcmp (status, "postcopy-active") != 0)
            return error_set (err, ERR_OPERATION_INVALID, "it is in no post-copy: QEMU says '%s'",
                              status);
        if (!told && command (job, "migrate-pause", NULL, err))
            return -1;
        told = true;
        if (job_wait (job, WAIT_MS, err))
            return -1;
    }
    return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU does not give the old connection up");
}

int qemu_migrate_recover (job_t *job, const char *uri, char **at, error_t *err)
{
    qemu_transport_t where;
    if (parse_wish (job, uri, &where, err) || await_break (job, err))
        return -1;
    autofree char *text = qemu_transport_uri (&where);
    if (command (job, "migrate-recover", json_pack ("{s:s}", "uri", text), err) ||
        (!where.local && ask_port (job, &where, err)))
        return -1;
    *at = qemu_transport_text (&where);
    return 0;
}
