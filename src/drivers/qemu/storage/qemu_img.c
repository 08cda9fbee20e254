//  qemu_img.c: see qemu_img.h.

#include "drivers/qemu/storage/qemu_img.h"

#include "drivers/qemu/qemu_answer.h"
#include "drivers/run_program.h"
#include "util/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define INFO_MS 60000
#define CHANGE_MS 600000         //  as many tables as the image has, on a slow disk
#define COMMIT_MS (24 * 3600000) //  all that an image holds

//  Where it stands, in the order of preference.
static const char *program (error_t *err)
{
    static const char *const places[] = { "/usr/bin/qemu-img", "/usr/local/bin/qemu-img", NULL };
    const char *found = find_program (places);
    if (!found)
        error_set (err, ERR_OPERATION_FAILED,
                   "the program qemu-img is missing; install it (Debian: qemu-utils)");
    return found;
}

//  Only root can run a program as somebody else.
static int set_owner (spawn_t *spawn, const char *path, error_t *err)
{
    struct stat status;
    if (stat (path, &status))
        return error_errno (err, ERR_OPEN_FAILED, "image '%s'", path);
    if (geteuid () == 0 && status.st_uid != 0) {
        spawn->uid = status.st_uid;
        spawn->gid = status.st_gid;
    }
    return 0;
}

int qemu_img_run (job_t *job, const char *path, const char *const *args, int ms, char **output,
                  error_t *err)
{
    static const char *const env[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
    autofree char *log = text_format ("%s/qemu/%s.output", job->paths->run, job->guest->uuid);
    auto(strings_t) argv = strings_new ();
    const char *file = program (err);
    spawn_t spawn = { .env = env, .log = log, .drop_capabilities = true, .tied = true };
    if (!file || set_owner (&spawn, path, err))
        return -1;
    strings_add (argv, file);
    strings_add_all (argv, args);
    spawn.argv = strings_list (argv);
    return run_program (job, &spawn, "qemu-img", ms, output, err);
}

static json_t *ask (job_t *job, const char *path, const char *const *args, error_t *err)
{
    autofree char *text = NULL;
    json_error_t where;
    if (qemu_img_run (job, path, args, INFO_MS, &text, err))
        return NULL;
    json_t *info = json_loads (text, 0, &where);
    if (!info)
        error_set (err, ERR_OPERATION_FAILED, "qemu-img's answer about '%s' is no JSON: %s", path,
                   where.text);
    return info;
}

json_t *qemu_img_info (job_t *job, const char *path, error_t *err)
{
    const char *const args[] = { "info", "-U", "--output=json", path, NULL };
    return ask (job, path, args, err);
}

json_t *qemu_img_info_as (job_t *job, const char *path, const char *format, error_t *err)
{
    const char *const args[] = { "info", "-U", "--output=json", "-f", format, path, NULL };
    return format ? ask (job, path, args, err) : qemu_img_info (job, path, err);
}

int qemu_img_capacity (job_t *job, const char *path, const char *format, uint64_t *bytes,
                       error_t *err)
{
    json_auto_t *info = qemu_img_info_as (job, path, format, err);
    json_int_t size = json_integer_value (json_object_get (info, "virtual-size"));
    *bytes = size > 0 ? (uint64_t) size : 0;
    return info ? 0 : -1;
}

int qemu_img_find_snapshot (job_t *job, const char *path, const char *name, char id[32],
                            error_t *err)
{
    json_auto_t *info = qemu_img_info (job, path, err);
    json_t *snapshot;
    size_t i;
    if (!info)
        return -1;
    json_array_foreach (json_object_get (info, "snapshots"), i, snapshot)
    {
        const char *found = json_string_value (json_object_get (snapshot, "name"));
        const char *number = json_string_value (json_object_get (snapshot, "id"));
        if (number && text_equals (found, name)) {
            snprintf (id, 32, "%s", number);
            return 0;
        }
    }
    return error_set (err, ERR_NO_DOMAIN_SNAPSHOT, "the image '%s' has no snapshot '%s'", path,
                      name);
}

int qemu_img_find_bitmap (job_t *job, const char *path, char **name, error_t *err)
{
    json_auto_t *info = qemu_img_info (job, path, err);
    const json_t *special = json_object_get (info, "format-specific");
    const json_t *bitmaps = json_object_get (json_object_get (special, "data"), "bitmaps");
    const char *found = answer_string (json_array_get (bitmaps, 0), "name");
    *name = found[0] ? text_copy (found) : NULL;
    return info ? 0 : -1;
}

static int change (job_t *job, const char *path, const char *option, const char *name, error_t *err)
{
    const char *const args[] = { "snapshot", option, name, path, NULL };
    return qemu_img_run (job, path, args, CHANGE_MS, NULL, err);
}

int qemu_img_snapshot (job_t *job, const char *path, const char *name, error_t *err)
{
    return change (job, path, "-c", name, err);
}

//  By its id, which qemu-img looks for first: a name may look like another one's.
int qemu_img_apply (job_t *job, const char *path, const char *name, error_t *err)
{
    char id[32];
    return qemu_img_find_snapshot (job, path, name, id, err) || change (job, path, "-a", id, err)
               ? -1
               : 0;
}

int qemu_img_remove_snapshot (job_t *job, const char *path, const char *name, error_t *err)
{
    char id[32];
    if (qemu_img_find_snapshot (job, path, name, id, err))
        return err->code == ERR_NO_DOMAIN_SNAPSHOT ? 0 : -1;
    return change (job, path, "-d", name, err);
}

//  It stays as it is: that it would be emptied costs as much again.
int qemu_img_commit (job_t *job, const char *path, error_t *err)
{
    const char *const args[] = { "commit", "-q", "-d", "-f", "qcow2", path, NULL };
    return qemu_img_run (job, path, args, COMMIT_MS, NULL, err);
}

int qemu_img_rebase (job_t *job, const char *path, const char *backing, const char *format,
                     error_t *err)
{
    const char *const args[] = { "rebase", "-q", "-u",   "-f", "qcow2", "-b",
                                 backing,  "-F", format, path, NULL };
    return qemu_img_run (job, path, args, CHANGE_MS, NULL, err);
}
