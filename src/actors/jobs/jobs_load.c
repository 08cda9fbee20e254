//  jobs_load.c: what the files of an earlier daemon say: definitions, running guests, what was half
//  done.

#include "actors/jobs/jobs_snapshot.h"

#include "actors/jobs/job_files.h"
#include "actors/jobs/job_ops.h"

#include "actors/domain/domain_files.h"
#include "actors/domain/snapshot_summary.h"
#include "actors/domain/summary.h"
#include "drivers/checkpoint.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>

enum {
    HOST_MS = 20000
};

void job_set_aside (job_actor_t *self, const char *path, const error_t *why)
{
    error_t err;
    autofree char *aside =
        text_format ("%s.broken-%lld", path, (long long) actor_wall_clock (self->actor));
    autofree char *folder = file_folder (path);
    if (rename (path, aside))
        actor_log (self->actor, LEVEL_ERROR, "%s: %s; it can't be set aside either: %s", path,
                   why->message, strerror (errno));
    else if (file_sync_folder (folder, &err))
        actor_log (self->actor, LEVEL_ERROR, "%s: %s; set aside as %s, but: %s", path, why->message,
                   aside, err.message);
    else
        actor_log (self->actor, LEVEL_ERROR, "%s: %s; it is set aside as %s", path, why->message,
                   aside);
}

found_t job_read_document (const char *path, const char *what, xml_t **doc, error_t *err)
{
    size_t size;
    autofree char *text = file_read (path, JOB_FILE_MAX_BYTES, &size, err);
    if (!text && errno == ENOENT)
        return FILE_ABSENT;
    if (!text)
        return errno == EFBIG || errno == EINVAL ? FILE_BROKEN : FILE_UNREADABLE;
    *doc = xml_parse_own (text, size, what, err);
    return *doc ? FILE_GOOD : FILE_BROKEN;
}

static int check_definition (const guest_t *guest, const xml_t *doc, error_t *err)
{
    const xml_node_t *root = xml_root (doc);
    char uuid[UUID_TEXT_SIZE];
    const char *text = xml_string (root, "uuid");
    if (!xml_is (root, "domain") || !xml_string (root, "name") || !text ||
        !uuid_normalize (text, uuid) || strcmp (uuid, guest->uuid) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "it is no domain with a name and the uuid %s of its file name",
                          guest->uuid);
    return 0;
}

static int load_definition (job_actor_t *self, guest_t *guest, error_t *err)
{
    autofree char *path =
        domain_path (self->config->paths, self->driver, guest->uuid, FILE_DEFINITION);
    found_t found = job_read_document (path, "definition", &guest->definition, err);
    if (found == FILE_GOOD && check_definition (guest, guest->definition, err)) {
        xml_destroy (&guest->definition);
        found = FILE_BROKEN;
    }
    if (found == FILE_BROKEN)
        job_set_aside (self, path, err);
    return found == FILE_UNREADABLE ? -1 : 0;
}

void job_read_undo (job_actor_t *self, const xml_node_t *status)
{
    const xml_node_t *undo = xml_find (status, "undo");
    if (undo)
        xml_foreach (effect, undo, "effect") {
            const char *kind = xml_string (effect, "@kind");
            const char *argument = xml_string (effect, "@argument");
            if (kind)
                job_push_undo (self, kind, argument ? argument : "");
        }
}

//  *RAN: the guest was there already when what is half done began.
static int read_status (job_actor_t *self, guest_t *guest, const xml_t *status, bool *ran,
                        error_t *err)
{
    const xml_node_t *root = xml_root (status);
    const xml_node_t *live = xml_find (root, "live/domain"), *record = xml_find (root, "record");
    int state = 0, reason = 0, id = -1;
    if (!xml_is (root, "domstatus") || xml_int (root, "@state", 0, 7, &state, err) ||
        xml_int (root, "@reason", 0, 100, &reason, err) ||
        xml_int (root, "@id", -1, INT32_MAX, &id, err))
        return error_set (err, ERR_XML_ERROR, "it is no domstatus with state, reason and id");
    const xml_node_t *inner = record ? xml_first (record, NULL) : NULL;
    *ran = xml_equals (root, "@ran", "yes");
    if ((*ran || !xml_find (root, "undo")) && (!live || !inner))
        return error_set (err, ERR_XML_ERROR, "it tells of a guest without its %s",
                          live ? "record" : "document");
    guest->status = (guest_status_t){ (guest_state_t) state, reason };
    guest->id = id;
    guest->live = live ? xml_from_node (live) : NULL;
    const xml_node_t *backup = xml_find (root, "backup");
    guest->backup = backup ? xml_from_node (backup) : NULL;
    guest->record = inner ? xml_from_node (inner) : NULL;
    job_read_undo (self, root);
    return 0;
}

static int load_status (job_actor_t *self, guest_t *guest, bool *ran, error_t *err)
{
    autofree char *path = domain_path (self->config->paths, self->driver, guest->uuid, FILE_STATUS);
    auto(xml_t) status = NULL;
    found_t found = job_read_document (path, "status", &status, err);
    if (found == FILE_BROKEN || (status && read_status (self, guest, status, ran, err)))
        job_set_aside (self, path, err);
    return found == FILE_UNREADABLE ? -1 : 0;
}

//  Without a record it can't be adopted. That there is none does not prove that there is no guest.
static int salvage (job_actor_t *self, guest_t *guest, error_t *err)
{
    bool found = false;
    if (guest->record || zlistx_size (self->undo) > 0 || !self->driver->salvage)
        return 0;
    xml_destroy (&guest->live);
    if (self->driver->salvage (&self->base, &found, err) || (found && job_next_id (self, err)))
        return -1;
    if (found)
        xml_setf (xml_root (guest->live), "@id", "%d", guest->id);
    return 0;
}

//  What they told of is over, and nobody will own them.
static int remove_rest (job_actor_t *self, error_t *err)
{
    const char *uuid = self->base.guest->uuid;
    autofree char *status = domain_path (self->config->paths, self->driver, uuid, FILE_STATUS);
    autofree char *past = domain_path (self->config->paths, self->driver, uuid, FILE_PAST);
    autofree char *checkpoints =
        domain_path (self->config->paths, self->driver, uuid, FILE_CHECKPOINTS);
    return job_remove_file (&self->base, checkpoints, err) ||
                   job_remove_file (&self->base, past, err) ||
                   job_remove_file (&self->base, status, err)
               ? -1
               : 0;
}

int job_tell_loaded (job_actor_t *self, const char *noun, const char *name, int id, error_t *err)
{
    auto(msg_t) msg = msg_request ("host.loaded");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "uuid", self->base.guest->uuid);
    pack_key_str (pack, "noun", noun);
    pack_key_str (pack, "name", name);
    pack_key_i64 (pack, "id", id);
    return job_tell (self, "host", &msg, HOST_MS, err);
}

static int ask_name (job_actor_t *self, const guest_t *guest, error_t *err)
{
    return job_tell_loaded (self, NULL, guest->name, guest->live ? guest->id : -1, err);
}

static void set_document_name (xml_t *doc, const char *name)
{
    if (doc)
        xml_set (xml_root (doc), "name", name);
}

//  A name that another domain has already is no reason to lose this one, whose guest may run: it is
//  known by its uuid until it is renamed.
static int register_name (job_actor_t *self, guest_t *guest, error_t *err)
{
    if (ask_name (self, guest, err) == 0)
        return 0;
    if (err->code != ERR_OPERATION_FAILED || strcmp (guest->name, guest->uuid) == 0)
        return -1;
    actor_log (self->actor, LEVEL_ERROR, "domain %s: %s; until then its name is its uuid",
               guest->uuid, err->message);
    free (guest->name);
    guest->name = text_copy (guest->uuid);
    set_document_name (guest->definition, guest->uuid);
    set_document_name (guest->live, guest->uuid);
    return ask_name (self, guest, err);
}

//  A start that was under way when the daemon was killed is undone here, before anybody hears of
//  the domain. What was half done with a guest that runs, or with the disks of one that does not,
//  is left to the owner: it may take time.
static bool undo_half_done (job_actor_t *self, guest_t *guest, bool ran)
{
    if (zlistx_size (self->undo) == 0)
        return false;
    actor_log (self->actor, LEVEL_WARNING,
               "domain '%s': an earlier daemon ended in the middle of a %s; undoing it",
               guest->name, ran || !guest->live ? "job" : "start");
    if (ran || !guest->live)
        return true;
    job_unwind (self);
    xml_destroy (&guest->live);
    xml_destroy (&guest->record);
    guest->id = -1;
    guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED };
    return true;
}

static void set_name (guest_t *guest)
{
    const xml_t *doc = guest->definition ? guest->definition : guest->live;
    const char *name = doc ? xml_string (xml_root (doc), "name") : NULL;
    if (!name)
        return;
    free (guest->name);
    guest->name = text_copy (name);
}

static void pack_past (job_actor_t *self, const guest_t *guest)
{
    error_t err;
    autofree char *path = domain_path (self->config->paths, self->driver, guest->uuid, FILE_PAST);
    autofree char *past = file_read (path, JOB_FILE_MAX_BYTES, NULL, &err);
    if (!past && errno != ENOENT)
        actor_log (self->actor, LEVEL_WARNING, "%s", err.message);
    pack_key_str (&self->value, "past", past);
}

//  A file that can't be read is in nobody's way: all else of the domain works without.
static void load_checkpoints (job_actor_t *self, guest_t *guest)
{
    error_t err;
    autofree char *path =
        domain_path (self->config->paths, self->driver, guest->uuid, FILE_CHECKPOINTS);
    autofree char *text = file_read (path, JOB_FILE_MAX_BYTES, NULL, &err);
    if (!text && errno != ENOENT)
        actor_log (self->actor, LEVEL_ERROR, "domain '%s': %s", guest->name, err.message);
    guest->checkpoints = text ? checkpoints_parse (text, &err) : NULL;
    if (text && !guest->checkpoints)
        job_set_aside (self, path, &err);
}

//  The same.
static void pack_snapshots (job_actor_t *self, const guest_t *guest)
{
    error_t err;
    auto(snapshot_tree_t) tree = job_load_snapshots (self, &err);
    autofree char *path =
        domain_path (self->config->paths, self->driver, guest->uuid, FILE_SNAPSHOTS);
    if (tree) {
        pack_key (&self->value, "snapshots");
        snapshot_summary_pack (&self->value, tree);
    } else if (errno == 0)
        job_set_aside (self, path, &err);
    else
        actor_log (self->actor, LEVEL_ERROR, "domain '%s': %s", guest->name, err.message);
}

static void pack_loaded (job_actor_t *self, const guest_t *guest, bool undone)
{
    bool saved;
    autofree char *managed = job_managed_save (self, &saved);
    autofree char *mark =
        domain_path (self->config->paths, self->driver, guest->uuid, FILE_AUTOSTART);
    pack_map (&self->value);
    pack_key_str (&self->value, "name", guest->name);
    pack_key_bool (&self->value, "autostart", access (mark, F_OK) == 0);
    pack_key_bool (&self->value, "undone", undone && !self->base.finished);
    pack_key_bool (&self->value, "managed_save", saved);
    pack_past (self, guest);
    pack_snapshots (self, guest);
    pack_end (&self->value);
}

//  Nobody runs who could use them: its end was not seen by any daemon.
static void release_links (job_actor_t *self)
{
    auto(msg_t) msg = msg_request ("link.release");
    pack_key_str (msg_args (msg), "owner", self->owner);
    actor_send (self->actor, "links", &msg);
}

int job_run_load (job_actor_t *self, error_t *err)
{
    bool ran = false;
    guest_t *guest = self->base.guest;
    guest->id = -1;
    guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_UNKNOWN };
    if (load_definition (self, guest, err) || load_status (self, guest, &ran, err) ||
        salvage (self, guest, err))
        return error_prefix (err, "load domain %s", guest->uuid);
    set_name (guest);
    bool undone = undo_half_done (self, guest, ran);
    if (!guest->definition && !guest->live && zlistx_size (self->undo) == 0)
        return remove_rest (self, err)
                   ? -1
                   : error_set (err, ERR_NO_DOMAIN, "load domain %s: %s", guest->uuid,
                                undone ? "it was transient, and its start was undone"
                                       : "no file of it can be read");
    if (register_name (self, guest, err))
        return -1;
    if (!guest->live && zlistx_size (self->undo) == 0)
        release_links (self);
    pack_loaded (self, guest, undone);
    load_checkpoints (self, guest);
    self->parts =
        PART_DEFINITION | PART_LIVE | PART_STATUS | PART_UNDO | PART_BACKUP | PART_CHECKPOINTS;
    return 0;
}

int job_run_adopt (job_actor_t *self, error_t *err)
{
    if (self->driver->adopt (&self->base, err))
        return -1;
    self->parts = PART_LIVE | PART_STATUS;
    return 0;
}

//  Undo may have changed which snapshots there are.
static void tell_outcome (job_actor_t *self)
{
    error_t err;
    auto(snapshot_tree_t) tree = job_load_snapshots (self, &err);
    if (tree)
        job_tell_snapshots (self, tree);
    else
        actor_log (self->actor, LEVEL_ERROR, "domain '%s': %s", self->base.guest->name,
                   err.message);
    pack_map (&self->value);
    pack_key_bool (&self->value, "finished", self->base.finished);
    pack_end (&self->value);
}

//  What a job left that died, or was cut off with its daemon: its undo list came with our
//  arguments.
int job_run_unwind (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    bool persistent = guest->definition && !self->transient;
    if (!job_unwind (self)) {
        zlistx_purge (self->undo); //  the owner has them still, and asks again
        return error_set (err, self->unanswered ? ERR_OPERATION_TIMEOUT : ERR_OPERATION_FAILED,
                          "undo what is half done of domain '%s': not "
                          "all of it",
                          guest->name);
    }
    tell_outcome (self);
    self->parts = (guest->live ? PART_LIVE | PART_STATUS | PART_BACKUP : 0u) | PART_CHECKPOINTS |
                  (self->base.finished && persistent ? PART_DEFINITION : 0u);
    return 0;
}
