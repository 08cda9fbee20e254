//  qemu_block_job.c: block jobs: how they begin, and what is done with those that run.

#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/qemu_answer.h"
#include "util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define QMP_MS 10000
//  A job that is told to end may have a slow disk to wait for.
#define END_MS 60000
#define FIRST_WAIT_MS 5
#define LONGEST_WAIT_MS 100

static const struct {
    const char *name, *word; //  of the record; of ids, and of people
    block_type_t type;
} types[] = {
    { "copy", "copy", BLOCK_COPY },
    { "active-commit", "commit", BLOCK_ACTIVE_COMMIT },
    { "commit", "commit", BLOCK_COMMIT },
    { "pull", "pull", BLOCK_PULL },
};

static size_t type_index (const char *name)
{
    size_t i = 0;
    while (i + 1 < sizeof types / sizeof *types && !text_equals (types[i].name, name))
        i++;
    return i;
}

block_type_t qemu_block_type (const xml_node_t *entry)
{
    return types[type_index (xml_string (entry, "@type"))].type;
}

//  Beginning.

static bool is_in_backup (const guest_t *guest, const char *target)
{
    xml_foreach (store, guest->backup ? xml_root (guest->backup) : NULL, "store")
        if (xml_equals (store, "@disk", target))
            return true;
    return false;
}

static int check_disk (const job_t *job, const qemu_disk_t *disk, error_t *err)
{
    if (disk->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "it has no medium");
    if (xml_find (disk->element, "readonly"))
        return error_set (err, ERR_OPERATION_INVALID, "it is read-only");
    if (is_in_backup (job->guest, disk->target))
        return error_set (err, ERR_OPERATION_INVALID,
                          "it is being backed up: wait for the end, or 'troupe domjobabort %s'",
                          job->guest->name);
    for (size_t i = 0; i < disk->count; i++)
        if (!disk->chain[i].path)
            return error_set (err, ERR_OPERATION_UNSUPPORTED,
                              "not supported: its image %zu is no file of this host", i);
    return 0;
}

qemu_disk_t *qemu_block_claim (job_t *job, const char *name, const char *word, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, name, err);
    if (!disk || qemu_block_check_idle (job->guest, disk->target, word, err))
        return NULL;
    if (check_disk (job, disk, err) == 0)
        return take (&disk);
    error_prefix (err, "%s: the disk '%s' of domain '%s'", word, disk->target, job->guest->name);
    return NULL;
}

xml_node_t *qemu_block_begin (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start, error_t *err)
{
    autofree char *id = text_format ("%s-%s", types[type_index (type)].word, disk->target);
    return job_undo (job, "qemu.blockjob", id, err) ? NULL
                                                    : qemu_block_enter (job, disk, type, start);
}

xml_node_t *qemu_block_enter (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start)
{
    autofree char *id = text_format ("%s-%s", types[type_index (type)].word, disk->target);
    xml_node_t *entry = xml_add (xml_root (job->guest->record), "blockjob");
    xml_set (entry, "@id", id);
    xml_set (entry, "@type", type);
    xml_set (entry, "@disk", disk->target);
    xml_set (entry, "@path", disk->chain[0].path);
    xml_set (entry, "@state", "starting");
    xml_set_u64 (entry, "@since_us", (uint64_t) start->since_us);
    xml_set_u64 (entry, "@bandwidth", start->bandwidth);
    if (start->asked) {
        if (start->key)
            xml_set (entry, "@key", start->key);
        else
            xml_set_u64 (entry, "@uid", start->uid);
        xml_set_u64 (entry, "@client", start->client);
    }
    return entry;
}

void qemu_block_leaves (xml_node_t *entry, const qemu_disk_t *disk, size_t i)
{
    xml_set (xml_add (entry, "node"), "@name", disk->chain[i].node);
}

int qemu_block_send (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
                     error_t *err)
{
    uint64_t bandwidth = 0;
    if (xml_u64 (entry, "@bandwidth", &bandwidth, err) || job_record (job, err)) {
        json_decref (arguments);
        return -1;
    }
    json_object_set_new (arguments, "job-id", json_string (xml_string (entry, "@id")));
    json_object_set_new (arguments, "speed", json_integer ((json_int_t) bandwidth));
    json_object_set_new (arguments, "auto-dismiss", json_false ());
    if (qemu_tell (job, execute, arguments, QMP_MS, err))
        return -1;
    xml_set (entry, "@state", "running");
    qemu_block_show_mirror (job, entry, false);
    return 0;
}

int qemu_block_launch (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
                       error_t *err)
{
    return qemu_block_send (job, entry, execute, arguments, err) || job_commit (job, err) ? -1 : 0;
}

//  As libvirt's format has it: what the disk may go over to.
static void fill_mirror (xml_node_t *mirror, const xml_node_t *entry)
{
    const xml_node_t *dest = xml_find (entry, "dest");
    const char *path = xml_string (dest, "@path"), *format = xml_string (dest, "@format");
    bool copy = qemu_block_type (entry) == BLOCK_COPY, block = xml_equals (dest, "@block", "yes");
    qemu_block_set_source (mirror, path, block);
    if (copy && !block) {
        xml_set (mirror, "@file", path);
        xml_set (mirror, "@format", format);
    }
    xml_set (mirror, "format/@type", format);
    xml_set (mirror, "@job", copy ? "copy" : "active-commit");
    if (xml_equals (entry, "@state", "pivoting"))
        xml_set (mirror, "@ready", "pivot");
    else if (xml_equals (entry, "@state", "aborting"))
        xml_set (mirror, "@ready", "abort");
    else if (xml_equals (entry, "@ready", "yes"))
        xml_set (mirror, "@ready", "yes");
}

void qemu_block_show_mirror (job_t *job, const xml_node_t *entry, bool over)
{
    xml_node_t *disk = qemu_block_element (job->guest->live, xml_string (entry, "@disk"));
    if (!disk)
        return;
    xml_remove_path (disk, "mirror");
    if (!over && xml_find (entry, "dest"))
        fill_mirror (xml_add_before (xml_find (disk, "target"), "mirror"), entry);
}

//  Asking.

void qemu_block_state_close (qemu_block_state_t *self)
{
    free (self->error);
    *self = (qemu_block_state_t){ .error = NULL };
}

static void read_state (const json_t *jobs, const char *id, qemu_block_state_t *state)
{
    const json_t *entry = answer_entry (jobs, "id", id);
    const char *error = answer_string (entry, "error");
    snprintf (state->state, sizeof state->state, "%s", answer_string (entry, "status"));
    state->error = *error ? text_copy (error) : NULL;
    state->done = answer_number (entry, "current-progress");
    state->total = answer_number (entry, "total-progress");
}

int qemu_block_ask_job (job_t *job, const char *id, qemu_block_state_t *state, error_t *err)
{
    json_auto_t *jobs = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    *state = (qemu_block_state_t){ .error = NULL };
    if (jobs)
        read_state (jobs, id, state);
    return jobs ? 0 : -1;
}

bool qemu_block_is_over (const qemu_block_state_t *state)
{
    return !*state->state || strcmp (state->state, "concluded") == 0;
}

static json_t *number_of (const xml_node_t *entry, const char *path)
{
    error_t ignored; //  we wrote it
    uint64_t number = 0;
    xml_u64 (entry, path, &number, &ignored);
    return json_integer ((json_int_t) number);
}

json_t *qemu_block_describe (const xml_node_t *entry)
{
    static const char *const numbers[][2] = { { "since_us", "@since_us" },
                                              { "uid", "@uid" },
                                              { "client", "@client" },
                                              { "cur", "@done" },
                                              { "end", "@total" } };
    json_t *json = json_pack ("{s:s, s:s, s:i, s:b}", "device", xml_string (entry, "@disk"), "path",
                              xml_string (entry, "@path"), "type", qemu_block_type (entry), "asked",
                              xml_string (entry, "@client") != NULL);
    if (xml_string (entry, "@key"))
        json_object_set_new (json, "key", json_string (xml_string (entry, "@key")));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new (json, numbers[i][0], number_of (entry, numbers[i][1]));
    return json;
}

static bool has_changed (const json_t *jobs, const xml_node_t *entry)
{
    qemu_block_state_t state = { .error = NULL };
    read_state (jobs, xml_string (entry, "@id"), &state);
    bool ready = strcmp (state.state, "ready") == 0 && !xml_equals (entry, "@ready", "yes");
    bool changed = ready || qemu_block_is_over (&state);
    qemu_block_state_close (&state);
    return changed;
}

static int list_jobs (job_t *job, json_t *list, error_t *err)
{
    if (!qemu_block_job_of (job->guest, NULL))
        return 0;
    json_auto_t *jobs = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    if (!jobs)
        return -1;
    xml_foreach (entry, xml_root (job->guest->record), "blockjob") {
        const json_t *item = answer_entry (jobs, "id", xml_string (entry, "@id"));
        json_t *json = qemu_block_describe (entry);
        json_object_set_new (json, "ready", json_boolean (xml_equals (entry, "@ready", "yes")));
        json_object_set_new (json, "cur",
                             json_integer ((json_int_t) answer_number (item, "current-progress")));
        json_object_set_new (json, "end",
                             json_integer ((json_int_t) answer_number (item, "total-progress")));
        json_object_set_new (json, "bandwidth", number_of (entry, "@bandwidth"));
        json_object_set_new (json, "changed", json_boolean (has_changed (jobs, entry)));
        json_array_append_new (list, json);
    }
    return 0;
}

//  Of a job that runs.

static xml_node_t *entry_of (job_t *job, const char *name, error_t *err)
{
    const xml_node_t *disk = job->guest->live ? qemu_block_element (job->guest->live, name) : NULL;
    xml_node_t *entry =
        disk ? qemu_block_job_of (job->guest, xml_string (disk, "target/@dev")) : NULL;
    if (!entry)
        error_set (err, disk ? ERR_OPERATION_INVALID : ERR_INVALID_ARG,
                   disk ? "domain '%s': its disk '%s' is in no block job"
                        : "domain '%s' has no disk '%s'",
                   job->guest->name, name);
    return entry;
}

//  One that ends by itself takes next to no command any more, and goes on being ours until it is
//  concluded. A commit that is pending waits for us to finalize it, maybe for those of other disks.
static bool is_ending (const xml_node_t *entry, const qemu_block_state_t *state)
{
    static const char *const last[] = { "waiting", "aborting" };
    bool ending = qemu_block_is_over (state) || (strcmp (state->state, "pending") == 0 &&
                                                 qemu_block_type (entry) != BLOCK_COMMIT);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        ending = ending || strcmp (state->state, last[i]) == 0;
    return ending;
}

static int error_ending (const qemu_block_state_t *state, error_t *err)
{
    return error_set (err, ERR_OPERATION_INVALID,
                      "it is in no block job any more: that has just ended%s%s",
                      state->error ? ": " : "", state->error ? state->error : "");
}

//  What QEMU refuses because the job has ended meanwhile, is told as that.
static int command (job_t *job, const xml_node_t *entry, const char *execute, json_t *arguments,
                    error_t *err)
{
    qemu_block_state_t state;
    error_t unknown = { 0 };
    if (qemu_tell (job, execute, arguments, QMP_MS, err) == 0)
        return 0;
    if (err->code != ERR_OPERATION_FAILED ||
        qemu_block_ask_job (job, xml_string (entry, "@id"), &state, &unknown))
        return -1;
    if (is_ending (entry, &state))
        error_ending (&state, err);
    qemu_block_state_close (&state);
    return -1;
}

static int set_speed (job_t *job, const char *name, uint64_t bandwidth, error_t *err)
{
    xml_node_t *entry = entry_of (job, name, err);
    if (!entry)
        return -1;
    if (bandwidth > INT64_MAX)
        return error_set (err, ERR_OVERFLOW, "%" PRIu64 " bytes a second are too many", bandwidth);
    if (command (job, entry, "block-job-set-speed",
                 json_pack ("{s:s, s:I}", "device", xml_string (entry, "@id"), "speed",
                            (json_int_t) bandwidth),
                 err))
        return error_prefix (err, "the disk '%s' of domain '%s'", name, job->guest->name);
    xml_set_u64 (entry, "@bandwidth", bandwidth);
    return 0;
}

static int check_pivot (job_t *job, const xml_node_t *entry, error_t *err)
{
    qemu_block_state_t state;
    block_type_t type = qemu_block_type (entry);
    const char *disk = xml_string (entry, "@disk");
    const char *word = types[type_index (xml_string (entry, "@type"))].word;
    if (type != BLOCK_COPY && type != BLOCK_ACTIVE_COMMIT)
        return error_set (err, ERR_OPERATION_INVALID,
                          "pivot: the disk '%s' of domain '%s' is in a %s, which ends by itself",
                          disk, job->guest->name, word);
    if (qemu_block_ask_job (job, xml_string (entry, "@id"), &state, err))
        return -1;
    bool ready = strcmp (state.state, "ready") == 0, ending = is_ending (entry, &state);
    if (ending)
        error_ending (&state, err);
    qemu_block_state_close (&state);
    if (ready)
        return 0;
    if (ending)
        return error_prefix (err, "pivot: the disk '%s' of domain '%s'", disk, job->guest->name);
    return error_set (err, ERR_BLOCK_COPY_ACTIVE,
                      "pivot: the %s of the disk '%s' of domain '%s' is not ready: wait for its "
                      "event, or look at 'troupe blockjob %s %s'",
                      word, disk, job->guest->name, job->guest->name, disk);
}

//  An abort of what is ready leaves a copy that is complete, as of this moment. A commit of what
//  the guest does not write to waits to be finalized only if that was asked for.
int qemu_block_tell_end (job_t *job, xml_node_t *entry, error_t *err)
{
    const char *id = xml_string (entry, "@id");
    bool pivot = xml_equals (entry, "@state", "pivoting");
    const char *complete =
        qemu_block_type (entry) == BLOCK_COMMIT ? "job-finalize" : "job-complete";
    if (command (job, entry, pivot ? complete : "block-job-cancel",
                 json_pack ("{s:s}", pivot ? "id" : "device", id), err))
        return -1;
    xml_set (entry, "@told", "yes");
    return 0;
}

//  The intent is on disk before QEMU hears of it: if the daemon is killed, the next one knows what
//  was wanted.
static int begin_end (job_t *job, xml_node_t *entry, bool pivot, error_t *err)
{
    xml_set (entry, "@state", pivot ? "pivoting" : "aborting");
    if (job_record (job, err))
        return -1;
    if (qemu_block_tell_end (job, entry, err) == 0)
        return 0;
    //  If that fails as well, conclude finds the intent, and asks once more.
    error_t ignored = { 0 };
    xml_set (entry, "@state", "running");
    job_record (job, &ignored);
    return -1;
}

//  That it failed is the caller's news; what it leaves is dealt with by conclude.
static int wait_over (job_t *job, const xml_node_t *entry, error_t *err)
{
    bool over = false, pivot = xml_equals (entry, "@state", "pivoting");
    int64_t until = job_now (job) + END_MS;
    for (int wait = FIRST_WAIT_MS; !over;
         wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        qemu_block_state_t state;
        if (qemu_block_ask_job (job, xml_string (entry, "@id"), &state, err))
            return -1;
        over = qemu_block_is_over (&state);
        int rc = over && pivot && state.error
                     ? error_set (err, ERR_OPERATION_FAILED, "%s", state.error)
                     : 0;
        qemu_block_state_close (&state);
        if (!over && job_now (job) > until)
            rc = error_set (err, ERR_OPERATION_TIMEOUT,
                            "QEMU did not end the job within %d s; it goes on ending",
                            END_MS / 1000);
        if (rc || (!over && job_wait (job, wait, err)))
            return -1;
    }
    return 0;
}

int qemu_block_finish (job_t *job, xml_node_t *entry, error_t *err)
{
    if (!xml_equals (entry, "@told", "yes") && begin_end (job, entry, true, err))
        return -1;
    return wait_over (job, entry, err);
}

static int abort_job (job_t *job, const char *name, const block_abort_t *how, error_t *err)
{
    xml_node_t *entry = entry_of (job, name, err);
    if (!entry || (how->pivot && check_pivot (job, entry, err)))
        return -1;
    if (begin_end (job, entry, how->pivot, err) || (!how->async && wait_over (job, entry, err)))
        return error_prefix (err, "%s the job of the disk '%s' of domain '%s'",
                             how->pivot ? "pivot" : "abort", name, job->guest->name);
    qemu_block_show_mirror (job, entry, false);
    return 0;
}

const block_driver_t qemu_block_driver = {
    .resize = qemu_block_resize,
    .copy = qemu_block_copy,
    .commit = qemu_block_commit,
    .pull = qemu_block_pull,
    .abort = abort_job,
    .speed = set_speed,
    .conclude = qemu_block_conclude,
    .list = list_jobs,
    .measure = qemu_block_measure,
};
