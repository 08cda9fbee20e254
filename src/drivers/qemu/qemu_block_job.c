//  qemu_block_job.c: block jobs: how they begin, and what is done with those that run.

#include "drivers/qemu/qemu_block_job.h"
#include "drivers/qemu/qemu_files.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

#define QMP_MS 10000
//  A job that is told to end may have a slow disk to wait for.
#define CANCEL_MS 60000
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

int qemu_block_command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

//  Beginning.

static int check_disk (const job_t *job, const qemu_disk_t *disk, const char *type, error_t *err)
{
    const char *word = types[type_index (type)].word;
    if (qemu_block_check_idle (job->guest, disk->target, word, err))
        return -1;
    if (disk->count == 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: the disk '%s' of domain '%s' has no medium", word, disk->target,
                          job->guest->name);
    if (xml_find (disk->element, "readonly"))
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: the disk '%s' of domain '%s' is read-only", word, disk->target,
                          job->guest->name);
    for (size_t i = 0; i < disk->count; i++)
        if (!disk->chain[i].path)
            return error_set (err, ERR_OPERATION_UNSUPPORTED,
                              "not supported: %s of the disk '%s' of domain '%s': its image %zu is "
                              "no file of this host",
                              word, disk->target, job->guest->name, i);
    return 0;
}

xml_node_t *qemu_block_begin (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start, error_t *err)
{
    if (check_disk (job, disk, type, err))
        return NULL;
    xml_node_t *entry = xml_add (xml_root (job->guest->record), "blockjob");
    xml_setf (entry, "@id", "%s-%s", types[type_index (type)].word, disk->target);
    xml_set (entry, "@type", type);
    xml_set (entry, "@disk", disk->target);
    xml_set (entry, "@path", disk->chain[0].path);
    xml_set (entry, "@state", "starting");
    xml_set_u64 (entry, "@since_us", (uint64_t) start->since_us);
    xml_set_u64 (entry, "@bandwidth", start->bandwidth);
    if (start->asked) {
        xml_set_u64 (entry, "@uid", start->uid);
        xml_set_u64 (entry, "@client", start->client);
    }
    return entry;
}

int qemu_block_take_file (job_t *job, xml_node_t *entry, const char *path, error_t *err)
{
    xml_set (xml_add (entry, "file"), "@path", path);
    return qemu_take_file (job, path, err);
}

int qemu_block_launch (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
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
    if (qemu_block_command (job, execute, arguments, err))
        return -1;
    xml_set (entry, "@state", "running");
    qemu_block_show_mirror (job, entry, false);
    return job_commit (job, err);
}

//  As libvirt's format has it: whatever the disk may go over to.
static void fill_mirror (xml_node_t *mirror, const xml_node_t *entry)
{
    bool copy = xml_equals (entry, "@type", "copy");
    const xml_node_t *dest = xml_find (entry, "dest");
    const char *path = xml_string (dest, "@path"), *format = xml_string (dest, "@format");
    bool block = xml_equals (dest, "@block", "yes");
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

static const json_t *item_with (const json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
        if (text_equals (json_string_value (json_object_get (item, key)), value))
            return item;
    return NULL;
}

int qemu_block_ask_job (job_t *job, const char *id, char state[32], char **error, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    if (!list)
        return -1;
    const json_t *item = item_with (list, "id", id);
    const char *status = json_string_value (json_object_get (item, "status"));
    snprintf (state, 32, "%s", status ? status : "");
    if (error)
        *error = text_copy (json_string_value (json_object_get (item, "error")));
    return 0;
}

static json_t *number_of (const xml_node_t *entry, const char *path)
{
    error_t ignored; //  we wrote it
    uint64_t number = 0;
    xml_u64 (entry, path, &number, &ignored);
    return json_integer ((json_int_t) number);
}

static json_t *describe (const xml_node_t *entry)
{
    json_t *json = json_pack ("{s:s, s:s, s:i, s:b, s:b}", "disk", xml_string (entry, "@disk"),
                              "path", xml_string (entry, "@path"), "type", qemu_block_type (entry),
                              "ready", xml_equals (entry, "@ready", "yes"), "asked",
                              xml_string (entry, "@uid") != NULL);
    json_object_set_new (json, "since_us", number_of (entry, "@since_us"));
    json_object_set_new (json, "uid", number_of (entry, "@uid"));
    json_object_set_new (json, "client", number_of (entry, "@client"));
    return json;
}

static int list_jobs (job_t *job, json_t *list, error_t *err)
{
    static const char *const numbers[][2] = { { "cur", "offset" },
                                              { "end", "len" },
                                              { "bandwidth", "speed" } };
    if (!qemu_block_job_of (job->guest, NULL))
        return 0;
    json_auto_t *jobs = job_qmp (job, "query-block-jobs", NULL, QMP_MS, err);
    if (!jobs)
        return -1;
    xml_foreach (entry, xml_root (job->guest->record), "blockjob") {
        const json_t *item = item_with (jobs, "device", xml_string (entry, "@id"));
        json_t *json = describe (entry);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            json_object_set_new (
                json, numbers[i][0],
                json_integer (json_integer_value (json_object_get (item, numbers[i][1]))));
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
    //  While a copy runs, its name is that of the disk as well.
    if (!entry)
        error_set (err, disk ? ERR_OPERATION_INVALID : ERR_INVALID_ARG,
                   disk ? "domain '%s': its disk '%s' has no block job"
                        : "domain '%s' has no disk '%s'",
                   job->guest->name, name);
    return entry;
}

static int set_speed (job_t *job, const char *name, uint64_t bandwidth, error_t *err)
{
    xml_node_t *entry = entry_of (job, name, err);
    if (!entry)
        return -1;
    xml_set_u64 (entry, "@bandwidth", bandwidth);
    return qemu_block_command (job, "block-job-set-speed",
                               json_pack ("{s:s, s:I}", "device", xml_string (entry, "@id"),
                                          "speed", (json_int_t) bandwidth),
                               err);
}

static int check_pivot (job_t *job, const xml_node_t *entry, error_t *err)
{
    char state[32];
    block_type_t type = qemu_block_type (entry);
    const char *disk = xml_string (entry, "@disk");
    if (type != BLOCK_COPY && type != BLOCK_ACTIVE_COMMIT)
        return error_set (err, ERR_OPERATION_INVALID,
                          "pivot: the disk '%s' of domain '%s' has a %s, which needs no pivot", disk,
                          job->guest->name, xml_string (entry, "@type"));
    if (qemu_block_ask_job (job, xml_string (entry, "@id"), state, NULL, err))
        return -1;
    if (strcmp (state, "ready") == 0)
        return 0;
    return error_set (err, ERR_BLOCK_COPY_ACTIVE,
                      "pivot: the %s of the disk '%s' of domain '%s' is not ready yet: wait for the "
                      "event, or look at 'troupe blockjob %s %s'",
                      types[type_index (xml_string (entry, "@type"))].word, disk, job->guest->name,
                      job->guest->name, disk);
}

//  The intent is on disk before QEMU hears of it: if the daemon is killed, the next one knows what
//  was wanted.
static int tell_end (job_t *job, xml_node_t *entry, bool pivot, error_t *err)
{
    autofree char *id = text_copy (xml_string (entry, "@id"));
    xml_set (entry, "@state", pivot ? "pivoting" : "aborting");
    qemu_block_show_mirror (job, entry, false);
    if (job_record (job, err))
        return -1;
    if (pivot ? qemu_block_command (job, "job-complete", json_pack ("{s:s}", "id", id), err) == 0
              : qemu_block_command (job, "block-job-cancel", json_pack ("{s:s}", "device", id),
                                    err) == 0)
        return 0;
    error_t ignored = { 0 };
    xml_set (entry, "@state", "running");
    qemu_block_show_mirror (job, entry, false);
    job_record (job, &ignored); //  else conclude finds the intent, and asks once more
    return -1;
}

static int wait_over (job_t *job, const char *id, error_t *err)
{
    int64_t until = job_now (job) + CANCEL_MS;
    char state[32];
    for (int wait = FIRST_WAIT_MS; job_now (job) < until;
         wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        if (qemu_block_ask_job (job, id, state, NULL, err))
            return -1;
        if (!*state || strcmp (state, "concluded") == 0)
            return 0;
        if (job_wait (job, wait, err))
            return -1;
    }
    return error_set (err, ERR_OPERATION_TIMEOUT,
                      "domain '%s': the block job '%s' does not end; it goes on ending",
                      job->guest->name, id);
}

static int abort_job (job_t *job, const char *name, const block_abort_t *how, block_news_t *news,
                      error_t *err)
{
    xml_node_t *entry = entry_of (job, name, err);
    if (!entry || (how->pivot && check_pivot (job, entry, err)))
        return -1;
    autofree char *id = text_copy (xml_string (entry, "@id"));
    if (tell_end (job, entry, how->pivot, err))
        return -1;
    return how->async ? 0 : wait_over (job, id, err) || qemu_block_conclude (job, news, err);
}

const block_driver_t qemu_block_driver = {
    .copy = qemu_block_copy,
    .commit = qemu_block_commit,
    .pull = qemu_block_pull,
    .abort = abort_job,
    .speed = set_speed,
    .conclude = qemu_block_conclude,
    .list = list_jobs,
    .resize = qemu_block_resize,
    .size = qemu_block_size,
    .errors = qemu_block_errors,
};
