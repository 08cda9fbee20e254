//  qemu_block.c: see qemu_block.h. Asking is here; what changes something is in qemu_block_image.c.

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

#define QMP_MS 10000
#define CHAIN_MAX 256

//  The document.

xml_node_t *qemu_block_element (const xml_t *document, const char *name)
{
    xml_foreach (disk, xml_find (xml_root (document), "devices"), "disk")
        if (xml_equals (disk, "target/@dev", name))
            return disk;
    xml_foreach (disk, xml_find (xml_root (document), "devices"), "disk")
        if (text_equals (qemu_block_path (disk), name))
            return disk;
    return NULL;
}

static int no_disk (const job_t *job, const char *name, error_t *err)
{
    auto(text_t) names = text_new ();
    xml_foreach (disk, xml_find (xml_root (job->guest->live), "devices"), "disk")
        text_addf (names, "%s%s", names->size ? ", " : "", xml_string (disk, "target/@dev"));
    return error_set (err, ERR_INVALID_ARG, "domain '%s' has no disk '%s'; it has: %s",
                      job->guest->name, name, names->size ? names->data : "none");
}

static const char *const job_words[][2] = {
    { "copy", "is being copied" },
    { "commit", "is being committed" },
    { "active-commit", "is being committed" },
    { "pull", "is being pulled" },
};

xml_node_t *qemu_block_job_of (const guest_t *guest, const char *target)
{
    xml_foreach (entry, guest->record ? xml_root (guest->record) : NULL, "blockjob")
        if (!target || xml_equals (entry, "@disk", target))
            return entry;
    return NULL;
}

int qemu_block_check_idle (const guest_t *guest, const char *target, const char *what, error_t *err)
{
    const xml_node_t *entry = qemu_block_job_of (guest, target);
    const char *doing = "is in a block job";
    if (!entry)
        return 0;
    for (size_t i = 0; i < sizeof job_words / sizeof *job_words; i++)
        if (xml_equals (entry, "@type", job_words[i][0]))
            doing = job_words[i][1];
    const char *disk = xml_string (entry, "@disk");
    return error_set (err, ERR_OPERATION_INVALID,
                      "%s: the disk '%s' of domain '%s' %s: wait for its end, or abort it with "
                      "'troupe blockjob %s %s --abort'",
                      what, disk, guest->name, doing, guest->name, disk);
}

//  QEMU's answers.

typedef struct {
    json_t *nodes; //  query-named-block-nodes
    json_t *graph; //  x-debug-query-block-graph
} map_t;

static void map_close (map_t *self)
{
    json_decref (self->nodes);
    json_decref (self->graph);
}

static int map_open (map_t *self, job_t *job, error_t *err)
{
    self->nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
    self->graph =
        self->nodes ? job_qmp (job, "x-debug-query-block-graph", NULL, QMP_MS, err) : NULL;
    return self->graph ? 0 : -1;
}

static const json_t *node_of (const map_t *self, const char *name)
{
    return answer_entry (self->nodes, "node-name", name);
}

static const char *name_of_id (const map_t *self, json_int_t id)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get (self->graph, "nodes"), i,
                        item) if (json_integer_value (json_object_get (item, "id")) ==
                                  id) return answer_string (item, "name");
    return "";
}

//  The node that NAME has as its child ROLE ("backing", "file"); "": none.
static const char *child_of (const map_t *self, const char *name, const char *role)
{
    const json_t *node = answer_entry (json_object_get (self->graph, "nodes"), "name", name);
    json_int_t id = json_integer_value (json_object_get (node, "id"));
    size_t i;
    json_t *edge;
    json_array_foreach (
        json_object_get (self->graph, "edges"), i,
        edge) if (node && json_integer_value (json_object_get (edge, "parent")) == id &&
                  strcmp (answer_string (edge, "name"), role) ==
                      0) return name_of_id (self,
                                            json_integer_value (json_object_get (edge, "child")));
    return "";
}

//  What jobs put between a device and its images.
static bool is_filter (const json_t *node)
{
    static const char *const filters[] = { "mirror_top",        "commit_top", "copy-on-read",
                                           "copy-before-write", "throttle",   "preallocate" };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (strcmp (answer_string (node, "drv"), filters[i]) == 0)
            return true;
    return false;
}

static const char *below_filters (const map_t *self, const char *name)
{
    for (size_t i = 0; i < CHAIN_MAX && is_filter (node_of (self, name)); i++) {
        const char *below = child_of (self, name, "backing");
        name = *below ? below : child_of (self, name, "file");
    }
    return name;
}

static void add_image (qemu_disk_t *disk, const map_t *map, const char *name)
{
    const json_t *node = node_of (map, name);
    const char *file = child_of (map, name, "file");
    const json_t *protocol = *file ? node_of (map, file) : node;
    const json_t *image = json_object_get (node, "image");
    disk->chain = memory_grow (disk->chain, disk->count + 1, sizeof *disk->chain);
    qemu_image_t *added = &disk->chain[disk->count++];
    *added = (qemu_image_t){ .format = text_copy (answer_string (node, "drv")),
                             .block = strcmp (answer_string (protocol, "drv"), "host_device") == 0,
                             .capacity = answer_number (image, "virtual-size"),
                             .allocation = answer_number (image, "actual-size") };
    snprintf (added->node, sizeof added->node, "%s", name);
    if (answer_string (protocol, "file")[0] == '/')
        added->path = text_copy (answer_string (protocol, "file"));
}

static int fill_chain (qemu_disk_t *disk, job_t *job, error_t *err)
{
    map_t map = { 0 };
    int rc = map_open (&map, job, err);
    const char *name = rc ? "" : below_filters (&map, disk->root);
    while (*name && node_of (&map, name) && disk->count < CHAIN_MAX) {
        add_image (disk, &map, name);
        name = below_filters (&map, child_of (&map, name, "backing"));
    }
    map_close (&map);
    return rc;
}

//  A device's path ends with its id, or with its part that has the medium.
static bool is_device (const char *path, const char *alias)
{
    autofree char *middle = text_format ("/%s/", alias), *end = text_format ("/%s", alias);
    return strcmp (path, alias) == 0 || strstr (path, middle) || text_ends (path, end);
}

static int fill_root (qemu_disk_t *disk, job_t *job, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-block", NULL, QMP_MS, err);
    if (!list)
        return -1;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        if (!is_device (answer_string (item, "qdev"), qemu_alias (disk->element)))
            continue;
        disk->qdev = text_copy (answer_string (item, "qdev"));
        snprintf (disk->root, sizeof disk->root, "%s",
                  answer_string (json_object_get (item, "inserted"), "node-name"));
        return 0;
    }
    return error_set (err, ERR_INTERNAL_ERROR, "QEMU of domain '%s' has no device '%s' (disk '%s')",
                      job->guest->name, qemu_alias (disk->element), disk->target);
}

qemu_disk_t *qemu_block_find (job_t *job, const char *name, error_t *err)
{
    if (!job->guest->live) {
        error_set (err, ERR_OPERATION_INVALID, "domain '%s' is not running", job->guest->name);
        return NULL;
    }
    xml_node_t *element = qemu_block_element (job->guest->live, name);
    if (!element) {
        no_disk (job, name, err);
        return NULL;
    }
    auto(qemu_disk_t) disk = memory_new (1, sizeof *disk);
    disk->element = element;
    disk->target = xml_string (element, "target/@dev");
    if (fill_root (disk, job, err) || (*disk->root && fill_chain (disk, job, err)))
        return NULL;
    return take (&disk);
}

void qemu_disk_destroy (qemu_disk_t **self_p)
{
    qemu_disk_t *self = take (self_p);
    for (size_t i = 0; self && i < self->count; i++) {
        free (self->chain[i].path);
        free (self->chain[i].format);
    }
    if (self) {
        free (self->chain);
        free (self->qdev);
    }
    free (self);
}

size_t qemu_disk_index (const qemu_disk_t *self, const char *name)
{
    size_t target = strlen (self->target);
    uint64_t index = 0;
    autofree char *digits = NULL;
    if (strncmp (name, self->target, target) == 0 && name[target] == '[' && text_ends (name, "]"))
        digits = text_copy_bytes (name + target + 1, strlen (name) - target - 2);
    if (digits && text_to_u64 (digits, &index))
        return index < self->count ? (size_t) index : self->count;
    for (size_t i = 0; i < self->count; i++)
        if (text_equals (self->chain[i].path, name))
            return i;
    return self->count;
}

char *qemu_block_name (job_t *job, const char *target, error_t *err)
{
    json_auto_t *nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
    for (size_t i = 1; nodes; i++) {
        autofree char *name = text_format ("disk-%s-%zu", target, i);
        autofree char *file = text_format ("%s-file", name);
        if (!answer_entry (nodes, "node-name", name) && !answer_entry (nodes, "node-name", file))
            return take (&name);
    }
    return NULL;
}
