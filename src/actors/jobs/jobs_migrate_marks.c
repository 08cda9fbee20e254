//  jobs_migrate_marks.c: the receiver's marks: what says, under a migration's token, that the guest
//  is ours. The sender has it removed once it needs it no more; if that message was lost, we find
//  out by asking.

#include "actors/domain/domain_files.h"
#include "actors/jobs/job_files.h"
#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate.h"
#include "util/file.h"
#include "util/text.h"
#include "util/uuid.h"

#include <errno.h>
#include <string.h>

enum {
    LOOK_MAX = 64, //  at one look
    MARK_MAX_BYTES = 4096
};

static char *marks_folder (const job_actor_t *self)
{
    return text_format ("%s/migrations", self->base.paths->lib);
}

char *migrate_mark_path (const job_actor_t *self, const char *uuid, const char *token)
{
    autofree char *folder = marks_folder (self);
    return text_format ("%s/%s.%s", folder, uuid, token);
}

bool migrate_is_marked (const job_actor_t *self, const char *uuid, const char *token)
{
    autofree char *path = migrate_mark_path (self, uuid, token);
    return access (path, F_OK) == 0;
}

//  It says who may ask for it.
int migrate_write_mark (job_actor_t *self, const migration_record_t *record, error_t *err)
{
    autofree char *folder = marks_folder (self);
    autofree char *path = migrate_mark_path (self, self->base.guest->uuid, record->token);
    autofree char *text = text_format ("%s\n", record->peer);
    return file_make_folders (folder, 0700, err) || job_write_file (&self->base, path, text, err)
               ? -1
               : 0;
}

//  The disk does what it is asked for in the order in which it is asked.
int migrate_await_mark (job_actor_t *self, const char *token, error_t *err)
{
    autofree char *path = migrate_mark_path (self, self->base.guest->uuid, token);
    autofree char *none = text_format ("%s.none", path);
    return job_remove_file (&self->base, none, err);
}

//  What can't be read may well say it.
static bool says (const char *path, const char *token)
{
    error_t ignored;
    autofree char *text = file_read (path, JOB_FILE_MAX_BYTES, NULL, &ignored);
    return text ? strstr (text, token) != NULL : errno != ENOENT;
}

bool migrate_is_on_record (const paths_t *paths, const char *uuid, const char *token)
{
    for (const driver_t *const *driver = drivers; *driver; driver++) {
        autofree char *path = domain_path (paths, *driver, uuid, FILE_STATUS);
        if (says (path, token))
            return true;
    }
    return false;
}

int migrate_forget_mark (job_actor_t *self, const char *uuid, const char *token, error_t *err)
{
    autofree char *path = migrate_mark_path (self, uuid, token);
    return migrate_is_on_record (self->base.paths, uuid, token)
               ? 0
               : job_remove_file (&self->base, path, err);
}

//  Those that nobody asks for any more.

typedef struct {
    char uuid[UUID_TEXT_SIZE];
    char token[MIGRATION_TOKEN_SIZE];
    char *path, *origin;
} mark_t;

static void mark_close (mark_t *self)
{
    free (self->path);
    free (self->origin);
}

//  "UUID.TOKEN", with the sender's endpoint in it. False: it is none of ours.
static bool mark_open (mark_t *self, const char *folder, const char *name)
{
    error_t ignored;
    *self = (mark_t){ .path = text_format ("%s/%s", folder, name) };
    size_t size = strcspn (name, ".");
    if (size != UUID_TEXT_SIZE - 1 || strlen (name) != size + MIGRATION_TOKEN_SIZE)
        return false;
    memcpy (self->uuid, name, size);
    memcpy (self->token, name + size + 1, MIGRATION_TOKEN_SIZE);
    self->origin = file_read (self->path, MARK_MAX_BYTES, NULL, &ignored);
    if (!self->origin)
        return false;
    self->origin[strcspn (self->origin, "\n")] = 0;
    return text_starts (self->origin, "ipc://") || text_starts (self->origin, "tcp://");
}

static int look_at_mark (job_actor_t *self, const mark_t *mark, error_t *err)
{
    char peer[MSG_ADDRESS_MAX];
    bool known = true;
    if (migrate_open_peer (self, mark->origin, peer, err))
        return -1;
    int rc = migrate_inquire (self, peer, mark->uuid, mark->token, &known, err);
    migrate_close_peer (self, peer);
    if (rc == 0 && !known)
        rc = migrate_forget_mark (self, mark->uuid, mark->token, err);
    return rc;
}

//  A job of the host. It has failed if there is a sender that can't be asked.
int job_run_migrate_look (job_actor_t *self, error_t *err)
{
    error_t failed = { 0 };
    autofree char *folder = marks_folder (self);
    auto(strings_t) names = file_list (folder, "", err);
    if (!names)
        return -1;
    for (size_t i = 0; i < names->count && i < LOOK_MAX; i++) {
        mark_t mark;
        if (mark_open (&mark, folder, names->items[i]) && look_at_mark (self, &mark, &failed))
            error_prefix (&failed,
                          "the mark '%s' of a migration stays until its sender can be asked; "
                          "remove it if that host will never come back",
                          mark.path);
        mark_close (&mark);
        if (job_check_cancelled (self, err))
            return -1;
    }
    if (failed.code != ERR_OK)
        *err = failed;
    return failed.code == ERR_OK ? 0 : -1;
}
