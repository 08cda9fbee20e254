//  cgroup.c: the folders of a guest's control groups.

#include "drivers/cgroup/cgroup_files.h"
#include "util/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MAX_BYTES = 1024 * 1024,
    REMOVE_MS = 10000,
    STEP_MS = 2,
    TRIES = 8 //  while others remove the folder above
};

#define PARTITION "/machine" //  libvirt's word for the usual place

//  One folder that is to be made.
typedef struct {
    job_t *job;
    const char *name, *mount;
    char *base;          //  the partition's folder, or the mount
    char *parent, *path; //  of all guests of this daemon there, and of this one
} making_t;

//  Word for word: "cpu" is not in "cpuset".
static bool lists (const char *text, const char *word)
{
    size_t size = strlen (word);
    for (const char *at = text; at && *at; at += strcspn (at, " \n"), at += strspn (at, " \n"))
        if (strncmp (at, word, size) == 0 && strchr (" \n", at[size]))
            return true;
    return false;
}

//  All guests of a group together weigh as much as one process beside it, so who asks for no share
//  of the processors' time is not put into one.
static bool shares_processors (const guest_t *guest)
{
    static const char *const words[] = { "shares", "period", "quota", "global_period",
                                         "global_quota" };
    const xml_node_t *cputune = xml_find (xml_root (guest->live), "cputune");
    for (size_t i = 0; cputune && i < sizeof words / sizeof *words; i++)
        if (xml_string (cputune, words[i]))
            return true;
    return false;
}

//  In version 2 a controller is there only below folders that say so. Version 1 has it then, or the
//  host does not.
static void enable (const char *folder, bool processors)
{
    static const char *const controllers[] = { "memory", "cpu", "cpuset", "io" };
    error_t ignored;
    autofree char *there = cgroup_read (folder, "cgroup.controllers", &ignored);
    autofree char *enabled = cgroup_read (folder, "cgroup.subtree_control", &ignored);
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
        autofree char *word = text_format ("+%s", controllers[i]);
        bool wanted = processors || strcmp (controllers[i], "cpu") != 0;
        if (wanted && lists (there, controllers[i]) && !lists (enabled, controllers[i]))
            cgroup_write (folder, "cgroup.subtree_control", word, &ignored);
    }
}

//  From the mount down to PARENT.
static void enable_all (const making_t *self)
{
    size_t size = strlen (self->mount);
    bool processors = shares_processors (self->job->guest);
    for (const char *at = self->parent + size; at; at = strchr (at + 1, '/')) {
        autofree char *folder = text_copy_bytes (self->parent, (size_t) (at - self->parent));
        enable (folder, processors);
    }
    enable (self->parent, processors);
}

//  Of version 1: no process can join a new one before it has processors and memory.
static int fill_cpuset (const char *above, const char *folder)
{
    static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
    error_t err;
    for (size_t i = 0; i < 2; i++) {
        autofree char *own = cgroup_read (folder, files[i], &err);
        autofree char *given = own && *own > ' ' ? NULL : cgroup_read (above, files[i], &err);
        if (given && (*given <= ' ' || cgroup_write (folder, files[i], given, &err))) {
            errno = ENOSPC;
            return -1;
        }
    }
    return 0;
}

static int make_path (const making_t *self)
{
    if (mkdir (self->path, 0755))
        return -1;
    if (strcmp (self->name, cgroup_names[CGROUP_CPUSET]) != 0)
        return 0;
    if (fill_cpuset (self->base, self->parent) == 0 && fill_cpuset (self->parent, self->path) == 0)
        return 0;
    int why = errno;
    rmdir (self->path);
    errno = why;
    return -1;
}

static int make_both (const making_t *self)
{
    for (int i = 0; i < TRIES; i++) {
        if (mkdir (self->parent, 0755) && errno != EEXIST)
            return -1;
        if (strcmp (self->name, cgroup_names[CGROUP_UNIFIED]) == 0)
            enable_all (self);
        if (make_path (self) == 0)
            return 0;
        if (errno != ENOENT)
            return -1;
    }
    return -1;
}

//  Controllers of version 1 may share a hierarchy.
static bool is_made (const making_t *self)
{
    auto(strings_t) made = cgroup_folders (self->job->guest);
    return strings_contain (made, self->path);
}

static int make_new (making_t *self, error_t *err)
{
    job_t *job = self->job;
    if (is_made (self))
        return 0;
    //  What a guest of this uuid left is over: whoever had it was destroyed before this start.
    if (cgroup_remove (job, self->path, err))
        return -1;
    if (make_both (self) == 0)
        return 0;
    //  Without it a guest runs all the same, unless it is to have limits there.
    job_log (job, "domain '%s': it runs without the cgroup '%s' (%s): %s", job->guest->name,
             self->path, self->name, strerror (errno));
    return 1;
}

static const char *partition_of (const guest_t *guest)
{
    const xml_t *doc = guest->live ? guest->live : guest->definition;
    const char *partition = doc ? xml_string (xml_root (doc), "resource/partition") : NULL;
    return partition && strcmp (partition, PARTITION) != 0 ? partition : "";
}

static int check_partition (const making_t *self, error_t *err)
{
    struct stat status;
    //  A mount that is hidden by another one is the host's matter.
    if (!*partition_of (self->job->guest))
        return 0;
    if (stat (self->base, &status) == 0 && S_ISDIR (status.st_mode))
        return 0;
    return error_set (
        err, ERR_CONFIG_UNSUPPORTED,
        "resource/partition '%s': there is no cgroup '%s'; make it in all hierarchies",
        partition_of (self->job->guest), self->base);
}

static int intend (const making_t *self, strings_t *intended, error_t *err)
{
    if (check_partition (self, err))
        return -1;
    if (strings_contain (intended, self->path))
        return 0;
    strings_add (intended, self->path);
    return job_undo (self->job, "cgroup", self->path, err);
}

static void note (guest_t *guest, const char *name, const char *path)
{
    xml_node_t *cgroup = xml_add (xml_root (guest->record), "cgroup");
    xml_set (cgroup, "@name", name);
    xml_set (cgroup, "@path", path);
}

static int make_one (making_t *self, error_t *err)
{
    int made = make_new (self, err);
    if (made == 0)
        note (self->job->guest, self->name, self->path);
    return made < 0 ? -1 : 0;
}

//  All of them are on record before the first one is made.
static int make_all (making_t *makings, size_t count, error_t *err)
{
    auto(strings_t) intended = strings_new ();
    for (size_t i = 0; i < count; i++)
        if (intend (&makings[i], intended, err))
            return -1;
    if (count > 0 && job_record (makings->job, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        if (make_one (&makings[i], err))
            return -1;
    return 0;
}

static making_t plan (job_t *job, const char *name, const char *mount)
{
    making_t self = { .job = job, .name = name, .mount = mount };
    self.base = text_format ("%s%s", mount, partition_of (job->guest));
    self.parent = text_format ("%s/troupe-%s", self.base, job->instance);
    self.path = text_format ("%s/%s", self.parent, job->guest->uuid);
    return self;
}

static void plan_close (making_t *self)
{
    free (self->base);
    free (self->parent);
    free (self->path);
}

int cgroup_make_in (job_t *job, const cgroup_mounts_t *mounts, bool freezer, error_t *err)
{
    bool any = false;
    size_t count = 0;
    making_t makings[CGROUP_COUNT];
    for (size_t i = 0; i < CGROUP_COUNT; i++) {
        //  Version 2 freezes too.
        bool wanted = i == CGROUP_FREEZER ? freezer && !mounts->at[CGROUP_UNIFIED]
                                          : i != CGROUP_CPU || shares_processors (job->guest);
        any = any || mounts->at[i];
        if (mounts->at[i] && wanted)
            makings[count++] = plan (job, cgroup_names[i], mounts->at[i]);
    }
    if (!any)
        job_log (job, "domain '%s': this host has no cgroups: it can't be %slimited or measured",
                 job->guest->name, freezer ? "suspended, " : "");
    int rc = make_all (makings, count, err);
    for (size_t i = 0; i < count; i++)
        plan_close (&makings[i]);
    return rc;
}

int cgroup_make (job_t *job, bool freezer, error_t *err)
{
    cgroup_mounts_t mounts;
    autofree char *text = file_read ("/proc/self/mounts", FILE_MAX_BYTES, NULL, err);
    if (!text)
        return -1;
    cgroup_find (text, &mounts);
    int rc = cgroup_make_in (job, &mounts, freezer, err);
    cgroup_mounts_close (&mounts);
    return rc;
}

//  Puts the paths of the guest's folders that are there into PATHS, by kind; the caller frees them.
static int find_there (job_t *job, char *paths[CGROUP_COUNT], error_t *err)
{
    cgroup_mounts_t mounts;
    autofree char *text = file_read ("/proc/self/mounts", FILE_MAX_BYTES, NULL, err);
    if (!text)
        return -1;
    cgroup_find (text, &mounts);
    for (size_t i = 0; i < CGROUP_COUNT; i++) {
        making_t one = plan (job, cgroup_names[i], mounts.at[i] ? mounts.at[i] : "");
        bool there = mounts.at[i] && access (one.path, F_OK) == 0;
        paths[i] = there ? text_copy (one.path) : NULL;
        plan_close (&one);
    }
    cgroup_mounts_close (&mounts);
    return 0;
}

int cgroup_recall (job_t *job, error_t *err)
{
    char *paths[CGROUP_COUNT];
    if (find_there (job, paths, err))
        return -1;
    for (size_t i = 0; i < CGROUP_COUNT; i++) {
        if (paths[i])
            note (job->guest, cgroup_names[i], paths[i]);
        free (paths[i]);
    }
    return 0;
}

int cgroup_forget (job_t *job, error_t *err)
{
    char *paths[CGROUP_COUNT];
    if (find_there (job, paths, err))
        return -1;
    int rc = 0;
    for (size_t i = 0; i < CGROUP_COUNT; i++) {
        if (paths[i] && rc == 0)
            rc = cgroup_remove (job, paths[i], err);
        free (paths[i]);
    }
    return rc;
}

//  The kernel lets go of a folder a moment after the last process.
int cgroup_remove (job_t *job, const char *path, error_t *err)
{
    error_t ignored;
    int64_t end = job_now (job) + REMOVE_MS;
    bool killed = false;
    while (rmdir (path)) {
        if (errno == ENOENT)
            break;
        if (errno != EBUSY || job_now (job) >= end)
            return error_errno (err, ERR_SYSTEM_ERROR, "remove the cgroup '%s'", path);
        //  All of them are below an init that is over, so only those that were moved in by somebody
        //  else can be left.
        if (!killed && cgroup_write (path, "cgroup.kill", "1", &ignored) == 0)
            killed = true;
        if (job_wait (job, STEP_MS, err))
            return -1;
    }
    autofree char *parent = file_folder (path);
    rmdir (parent); //  of the last one
    return 0;
}
