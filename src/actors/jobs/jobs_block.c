//  jobs_block.c: what is done with the disks of a running guest.

#include "actors/jobs/jobs.h"
#include "util/text.h"

static const block_driver_t *block_driver (const job_actor_t *self, const char *what, error_t *err)
{
    if (!self->driver->block)
        job_unsupported (self, what, err);
    return self->driver->block;
}

static const char *text_arg (const job_actor_t *self, const char *name)
{
    return value_str (job_arg (self, name));
}

static bool flag_arg (const job_actor_t *self, const char *name)
{
    return value_bool (job_arg (self, name), false);
}

static uint64_t number_arg (const job_actor_t *self, const char *name)
{
    uint64_t number = 0;
    value_u64 (job_arg (self, name), &number);
    return number;
}

int job_run_block_resize (job_actor_t *self, error_t *err)
{
    const block_driver_t *driver = block_driver (self, "resize a disk of", err);
    return driver ? driver->resize (&self->base, text_arg (self, "disk"), number_arg (self, "size"),
                                    flag_arg (self, "capacity"), err)
                  : -1;
}

//  What the owner is told of block jobs.

static void pack_object (pack_t *pack, json_t *object)
{
    const char *key;
    json_t *value;
    pack_map (pack);
    json_object_foreach (object, key, value)
    {
        if (json_is_integer (value))
            pack_key_i64 (pack, key, json_integer_value (value));
        else if (json_is_string (value))
            pack_key_str (pack, key, json_string_value (value));
        else
            pack_key_bool (pack, key, json_is_true (value));
    }
    pack_end (pack);
}

static void pack_objects (pack_t *pack, const char *key, const json_t *list)
{
    size_t i;
    json_t *object;
    pack_key_array (pack, key);
    json_array_foreach (list, i, object) pack_object (pack, object);
    pack_end (pack);
}

int job_run_block_info (job_actor_t *self, error_t *err)
{
    size_t i;
    json_t *disk;
    json_auto_t *list = json_array ();
    const block_driver_t *driver = block_driver (self, "measure the disks of", err);
    self->parts = 0;
    if (!driver || driver->measure (&self->base, text_arg (self, "disk"), list, err))
        return -1;
    zlistx_purge (self->undo); //  programs that have ended
    pack_array (&self->value);
    json_array_foreach (list, i, disk) pack_object (&self->value, disk);
    pack_end (&self->value);
    return 0;
}

//  How all block jobs of the guest are, now that something was done. If QEMU does not say so now,
//  it will when the owner asks again.
static void report (job_actor_t *self, const json_t *news)
{
    error_t err = { 0 };
    json_auto_t *list = json_array ();
    self->parts = PART_LIVE;
    if (self->driver->block->list (&self->base, list, &err))
        actor_log (self->actor, LEVEL_WARNING, "%s", err.message);
    pack_map (&self->blocks);
    pack_objects (&self->blocks, "jobs", list);
    pack_objects (&self->blocks, "news", news);
    pack_end (&self->blocks);
}

//  Beginning.

static block_start_t start_of (const job_actor_t *self)
{
    const value_t *by = msg_arg (self->start, "by");
    return (block_start_t){ .disk = text_arg (self, "disk"),
                            .bandwidth = number_arg (self, "bandwidth"),
                            .since_us = actor_wall_clock (self->actor),
                            .asked = value_get (by, "client") != NULL,
                            .uid = value_get_u64 (by, "uid", 0),
                            .key = value_get_str (by, "key"),
                            .client = value_get_u64 (by, "client", 0) };
}

static int read_dest (const job_actor_t *self, block_copy_t *copy, xml_t **doc_p, error_t *err)
{
    const char *text = text_arg (self, "xml");
    if (!text || copy->path)
        return error_set (err, ERR_INVALID_ARG, "copy: one of path and xml says where to");
    *doc_p = xml_parse (text, strlen (text), "disk XML", err);
    if (!*doc_p)
        return -1;
    const xml_node_t *disk = xml_root (*doc_p);
    copy->block = xml_equals (disk, "@type", "block");
    if (!xml_is (disk, "disk") || (!copy->block && !xml_equals (disk, "@type", "file")))
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "not supported: copy: a <disk> with type 'file' or 'block' says where to");
    copy->path = xml_string (disk, copy->block ? "source/@dev" : "source/@file");
    copy->format = xml_string (disk, "driver/@type");
    return copy->path ? 0
                      : error_set (err, ERR_XML_ERROR, "disk XML: <source> names no %s",
                                   copy->block ? "dev" : "file");
}

int job_run_block_copy (job_actor_t *self, error_t *err)
{
    auto(xml_t) doc = NULL;
    block_start_t start = start_of (self);
    block_copy_t copy = { .path = text_arg (self, "path"),
                          .format = text_arg (self, "format"),
                          .shallow = flag_arg (self, "shallow"),
                          .reuse = flag_arg (self, "reuse_external"),
                          .block = flag_arg (self, "block"),
                          .synchronous = flag_arg (self, "synchronous_writes"),
                          .granularity = number_arg (self, "granularity"),
                          .buffer = number_arg (self, "buffer") };
    const block_driver_t *driver = block_driver (self, "copy a disk of", err);
    if (!driver || ((text_arg (self, "xml") || !copy.path) && read_dest (self, &copy, &doc, err)))
        return -1;
    if (copy.path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "copy: the path '%s' is not absolute", copy.path);
    if (driver->copy (&self->base, &start, &copy, err))
        return -1;
    report (self, NULL);
    return 0;
}

int job_run_block_commit (job_actor_t *self, error_t *err)
{
    block_start_t start = start_of (self);
    block_commit_t commit = { .base = text_arg (self, "base"),
                              .top = text_arg (self, "top"),
                              .shallow = flag_arg (self, "shallow"),
                              .active = flag_arg (self, "active"),
                              .remove = flag_arg (self, "delete"),
                              .relative = flag_arg (self, "keep_relative") };
    const block_driver_t *driver = block_driver (self, "commit images of", err);
    if (!driver || driver->commit (&self->base, &start, &commit, err))
        return -1;
    report (self, NULL);
    return 0;
}

int job_run_block_pull (job_actor_t *self, error_t *err)
{
    block_start_t start = start_of (self);
    block_pull_t pull = { .base = text_arg (self, "base"),
                          .relative = flag_arg (self, "keep_relative") };
    const block_driver_t *driver = block_driver (self, "pull images of", err);
    if (!driver || driver->pull (&self->base, &start, &pull, err))
        return -1;
    report (self, NULL);
    return 0;
}

//  What is under way.

static int conclude (job_actor_t *self, error_t *err)
{
    json_auto_t *news = json_array ();
    if (self->driver->block->conclude (&self->base, news, err))
        return -1;
    report (self, news);
    return 0;
}

int job_run_block_conclude (job_actor_t *self, error_t *err)
{
    return block_driver (self, "end a block job of", err) ? conclude (self, err) : -1;
}

int job_run_block_abort (job_actor_t *self, error_t *err)
{
    block_abort_t how = { .pivot = flag_arg (self, "pivot"), .async = flag_arg (self, "async") };
    const block_driver_t *driver = block_driver (self, "end a block job of", err);
    if (!driver || driver->abort (&self->base, text_arg (self, "disk"), &how, err))
        return -1;
    return conclude (self, err);
}

int job_run_block_speed (job_actor_t *self, error_t *err)
{
    const block_driver_t *driver = block_driver (self, "limit a block job of", err);
    if (!driver ||
        driver->speed (&self->base, text_arg (self, "disk"), number_arg (self, "bandwidth"), err))
        return -1;
    report (self, NULL);
    return 0;
}

int job_run_block_list (job_actor_t *self, error_t *err)
{
    if (!block_driver (self, "look at the block jobs of", err))
        return -1;
    report (self, NULL);
    self->parts = 0;
    return 0;
}
