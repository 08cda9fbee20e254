//  qemu_chains.c: see qemu_chains.h.

#include "drivers/qemu/storage/qemu_chains.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/snapshot_xml.h"
#include "util/file.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHAIN_MAX 256

char *qemu_chains_path (const char *path)
{
    char *real = realpath (path, NULL);
    return real ? real : text_copy (path);
}

//  Loading.

typedef struct {
    job_t *job;
    xml_t *known; //  images that were asked about: one question each
} loader_t;

static xml_node_t *image_at (const xml_node_t *list, const char *path)
{
    xml_foreach (image, list, "image")
        if (xml_equals (image, "@path", path))
            return image;
    return NULL;
}

//  A backing image that is no file of this host ends the chain.
static void set_backing (xml_node_t *image, const json_t *info)
{
    const char *backing = answer_string (info, "full-backing-filename");
    if (*backing != '/')
        return;
    autofree char *path = qemu_chains_path (backing);
    xml_set (image, "@backing", path);
    xml_set (image, "@named", answer_string (info, "backing-filename"));
    if (*answer_string (info, "backing-filename-format"))
        xml_set (image, "@backing_format", answer_string (info, "backing-filename-format"));
}

//  FORMAT NULL: qemu-img finds out. A file that is not there is no image.
static int ask_image (loader_t *self, const char *path, const char *format, xml_node_t **image,
                      error_t *err)
{
    xml_node_t *root = xml_root (self->known);
    *image = image_at (root, path);
    if (*image || file_is_missing (path))
        return 0;
    json_auto_t *info = qemu_img_info_as (self->job, path, format, err);
    if (!info)
        return -1;
    *image = xml_add (root, "image");
    xml_set (*image, "@path", path);
    xml_set (*image, "@format", answer_string (info, "format"));
    set_backing (*image, info);
    return 0;
}

static int add_images (loader_t *self, xml_node_t *use, const char *path, const char *format,
                       error_t *err)
{
    autofree char *real = qemu_chains_path (path);
    xml_node_t *image;
    path = real;
    for (size_t i = 0; path && i < CHAIN_MAX; i++) {
        if (ask_image (self, path, format, &image, err))
            return -1;
        if (!image)
            return 0;
        xml_add_copy (use, image);
        path = xml_string (image, "@backing");
        format = xml_string (image, "@backing_format");
    }
    return 0;
}

//  NULL and 0: the disk has no image there.
static int add_use (loader_t *self, xml_node_t *chains, const xml_t *document, const char *target,
                    xml_node_t **use, error_t *err)
{
    const xml_node_t *disk = document ? snapshot_find_disk (document, target) : NULL;
    const char *source = disk ? snapshot_disk_source (disk) : NULL;
    *use = NULL;
    if (!source)
        return 0;
    *use = xml_add (chains, "use");
    xml_set (*use, "@disk", target);
    xml_set (*use, "@source", source);
    return add_images (self, *use, source, qemu_block_format (disk), err);
}

static int add_domain (loader_t *self, xml_node_t *chains, const char *target, error_t *err)
{
    const guest_t *guest = self->job->guest;
    xml_node_t *live, *use;
    if (add_use (self, chains, guest->live, target, &live, err))
        return -1;
    if (live)
        xml_set (live, "@live", "yes");
    return add_use (self, chains, guest->definition, target, &use, err);
}

static const xml_node_t *entry_of (const xml_node_t *snapshot, const char *target)
{
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk")
        if (xml_equals (entry, "@name", target))
            return entry;
    return NULL;
}

static int add_overlay (loader_t *self, xml_node_t *chains, const xml_node_t *snapshot,
                        const xml_node_t *entry, error_t *err)
{
    xml_node_t *image;
    const char *path = snapshot_disk_source (entry);
    if (!path)
        return 0;
    autofree char *real = qemu_chains_path (path);
    //  What the guest wrote into an image that is no overlay could look like another format.
    if (ask_image (self, real, "qcow2", &image, err))
        return -1;
    const char *backing = image ? xml_string (image, "@backing") : NULL;
    if (!backing)
        return 0;
    xml_node_t *overlay = xml_add (chains, "overlay");
    xml_set (overlay, "@disk", xml_string (entry, "@name"));
    xml_set (overlay, "@snapshot", snapshot_name (snapshot));
    xml_set (overlay, "@path", real);
    xml_set (overlay, "@base", backing);
    return 0;
}

static int add_snapshot (loader_t *self, xml_node_t *chains, const xml_node_t *snapshot,
                         const char *target, error_t *err)
{
    static const char *const places[] = { "no", "internal", "external" };
    xml_node_t *use;
    auto(xml_t) then = snapshot_domain (snapshot, false);
    const xml_node_t *entry = entry_of (snapshot, target);
    if (add_use (self, chains, then, target, &use, err))
        return error_prefix (err, "snapshot '%s'", snapshot_name (snapshot));
    if (!use)
        return 0;
    snapshot_place_t place = entry ? snapshot_disk_place (entry) : SNAPSHOT_NO;
    xml_set (use, "@snapshot", snapshot_name (snapshot));
    xml_set (use, "@place", places[place]);
    return place == SNAPSHOT_EXTERNAL ? add_overlay (self, chains, snapshot, entry, err) : 0;
}

static int add_disk (loader_t *self, xml_node_t *chains, const snapshot_tree_t *tree,
                     const char *target, error_t *err)
{
    if (add_domain (self, chains, target, err))
        return -1;
    for (const xml_node_t *each = snapshot_tree_first (tree); each;
         each = snapshot_tree_next (each))
        if (add_snapshot (self, chains, each, target, err))
            return -1;
    return 0;
}

//  The disks that no external snapshot is of: they may stand on an image that is to be merged.
static int add_others (loader_t *self, xml_node_t *chains, const xml_t *document,
                       strings_t *targets, error_t *err)
{
    xml_foreach (disk, document ? xml_find (xml_root (document), "devices") : NULL, "disk") {
        const char *target = xml_string (disk, "target/@dev");
        if (!target || strings_contain (targets, target))
            continue;
        strings_add (targets, target);
        if (add_domain (self, chains, target, err))
            return error_prefix (err, "disk '%s'", target);
    }
    return 0;
}

static strings_t *external_disks (const snapshot_tree_t *tree)
{
    strings_t *targets = strings_new ();
    for (const xml_node_t *each = snapshot_tree_first (tree); each;
         each = snapshot_tree_next (each))
        xml_foreach (entry, xml_find (each, "disks"), "disk") {
            const char *target = xml_string (entry, "@name");
            if (snapshot_disk_place (entry) == SNAPSHOT_EXTERNAL &&
                !strings_contain (targets, target))
                strings_add (targets, target);
        }
    return targets;
}

static xml_t *empty_document (const char *text)
{
    error_t never;
    return xml_parse (text, strlen (text), "chains", &never);
}

xml_t *qemu_chains_load (job_t *job, const snapshot_tree_t *tree, error_t *err)
{
    auto(xml_t) chains = empty_document ("<chains/>");
    auto(xml_t) known = empty_document ("<images/>");
    auto(strings_t) targets = external_disks (tree);
    loader_t self = { job, known };
    for (size_t i = 0; i < targets->count; i++)
        if (add_disk (&self, xml_root (chains), tree, targets->items[i], err)) {
            error_prefix (err, "disk '%s'", targets->items[i]);
            return NULL;
        }
    if (add_others (&self, xml_root (chains), job->guest->live, targets, err) ||
        add_others (&self, xml_root (chains), job->guest->definition, targets, err))
        return NULL;
    return take (&chains);
}

//  Planning.

typedef struct {
    xml_node_t *chains, *plan;
    const char *disk, *snapshot;
    const xml_node_t *own; //  the snapshot's <use>
    const char *base;      //  its image
    xml_node_t *top;       //  what stands on that; NULL: nothing
    const xml_node_t *by;  //  in whose <use>
} planner_t;

static bool is_other (const planner_t *self, const xml_node_t *use)
{
    return use != self->own && xml_equals (use, "@disk", self->disk);
}

static bool is_first (const xml_node_t *use, const char *path)
{
    const xml_node_t *first = xml_first (use, "image");
    return first && xml_equals (first, "@path", path);
}

//  What stands right on PATH; NULL: nothing does, or it is not there.
static xml_node_t *above (const xml_node_t *use, const char *path)
{
    xml_node_t *last = NULL;
    xml_foreach (image, use, "image") {
        if (xml_equals (image, "@path", path))
            return last;
        last = image;
    }
    return NULL;
}

//  How people call whose chain it is. The caller frees it.
static char *user_name (const xml_node_t *use)
{
    const char *snapshot = xml_string (use, "@snapshot");
    return snapshot ? text_format ("snapshot '%s'", snapshot)
                    : text_copy ("what the domain uses now");
}

static int refuse_branches (const planner_t *self, const xml_node_t *use, error_t *err)
{
    autofree char *one = user_name (self->by), *other = user_name (use);
    const xml_node_t *named = xml_string (use, "@snapshot") ? use : self->by;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: its image '%s' can't take over two branches: %s and %s both "
                      "stand on it; delete snapshot '%s' before",
                      self->base, one, other, xml_string (named, "@snapshot"));
}

static int refuse_use (const xml_node_t *use, const char *what, const char *path, error_t *err)
{
    autofree char *user = user_name (use);
    return error_set (err, ERR_OPERATION_UNSUPPORTED, "not supported: %s %s '%s'", user, what,
                      path);
}

static int find_top (planner_t *self, error_t *err)
{
    xml_foreach (use, self->chains, "use") {
        xml_node_t *image = is_other (self, use) ? above (use, self->base) : NULL;
        if (!image)
            continue;
        if (self->top && !xml_equals (image, "@path", xml_string (self->top, "@path")))
            return refuse_branches (self, use, err);
        if (!self->top)
            self->by = use;
        self->top = image;
    }
    return 0;
}

//  Another disk's image goes on standing on what it stands on now.
static int check_other_disk (const planner_t *self, const xml_node_t *use, error_t *err)
{
    const char *top = xml_string (self->top, "@path");
    const char *used = image_at (use, top) ? top : image_at (use, self->base) ? self->base : NULL;
    bool kept =
        xml_equals (use, "@place", "internal") && used == self->base && is_first (use, self->base);
    if (!used || kept || xml_equals (use, "@place", "no"))
        return 0;
    autofree char *user = user_name (use);
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s depends on its image '%s' too, as disk '%s'", user, used,
                      xml_string (use, "@disk"));
}

//  The base gets other content, and what is only in the top is lost.
static int check_users (const planner_t *self, error_t *err)
{
    const char *top = xml_string (self->top, "@path");
    xml_foreach (use, self->chains, "use") {
        if (!xml_equals (use, "@disk", self->disk) && check_other_disk (self, use, err))
            return -1;
        if (!is_other (self, use))
            continue;
        const char *place = xml_string (use, "@place");
        if (is_first (use, self->base) && (!place || text_equals (place, "external")))
            return refuse_use (use, "depends on its image", self->base, err);
        if (is_first (use, top) && text_equals (place, "internal"))
            return refuse_use (use, "is inside of the image to be merged,", top, err);
    }
    return 0;
}

static bool is_live (const xml_node_t *use)
{
    return xml_equals (use, "@live", "yes");
}

static bool is_known (const xml_node_t *merge, const char *path)
{
    xml_foreach (above, merge, "above")
        if (xml_equals (above, "@path", path))
            return true;
    return false;
}

//  An image that names the top relative to itself goes on doing so.
static void add_above (const planner_t *self, xml_node_t *merge, const xml_node_t *use,
                       const xml_node_t *image)
{
    const char *path = xml_string (image, "@path"), *named = xml_string (image, "@named");
    if (is_known (merge, path))
        return;
    autofree char *folder = file_folder (path);
    autofree char *relative = named && *named != '/' ? file_relative (folder, self->base) : NULL;
    xml_node_t *added = xml_add (merge, "above");
    xml_set (added, "@path", path);
    xml_set (added, "@named", relative ? relative : xml_string (self->own, "@source"));
    xml_set (added, "@live", is_live (use) ? "yes" : "no");
}

static bool is_device (const char *path)
{
    struct stat status;
    return stat (path, &status) == 0 && S_ISBLK (status.st_mode);
}

//  A device is the user's, and stays.
static void add_drop (const planner_t *self, const char *path)
{
    if (is_device (path))
        return;
    xml_set (xml_add (self->plan, "drop"), "@path", path);
}

static void add_merge (const planner_t *self)
{
    const char *top = xml_string (self->top, "@path");
    xml_node_t *merge = xml_add (self->plan, "merge");
    xml_set (merge, "@disk", self->disk);
    xml_set (merge, "@top", top);
    xml_set (merge, "@base", self->base);
    xml_set (merge, "@name", xml_string (self->own, "@source"));
    xml_set (merge, "@format", xml_string (xml_first (self->own, "image"), "@format"));
    xml_set (merge, "@live", "no");
    for (const xml_node_t *image = xml_next (xml_first (self->own, "image"), "image"); image;
         image = xml_next (image, "image"))
        xml_set (xml_add (merge, "below"), "@path", xml_string (image, "@path"));
    xml_foreach (use, self->chains, "use") {
        xml_node_t *image = is_other (self, use) ? above (use, top) : NULL;
        if (is_other (self, use) && image_at (use, top) && is_live (use))
            xml_set (merge, "@live", "yes");
        if (image)
            add_above (self, merge, use, image);
    }
    add_drop (self, top);
}

static bool is_used (const planner_t *self, const char *path)
{
    xml_foreach (use, self->chains, "use")
        if (use != self->own && image_at (use, path))
            return true;
    return false;
}

static bool domain_has_disk (const planner_t *self)
{
    xml_foreach (use, self->chains, "use")
        if (xml_equals (use, "@disk", self->disk) && !xml_string (use, "@snapshot"))
            return true;
    return false;
}

//  What was made when the snapshot was taken, and nobody uses: the domain went back since. Of a
//  disk that the domain has under this name no more nobody knows who uses it.
static void drop_overlay (const planner_t *self)
{
    if (!domain_has_disk (self))
        return;
    xml_foreach (overlay, self->chains, "overlay")
        if (xml_equals (overlay, "@disk", self->disk) &&
            xml_equals (overlay, "@snapshot", self->snapshot) &&
            xml_equals (overlay, "@base", self->base) &&
            !is_used (self, xml_string (overlay, "@path")))
            add_drop (self, xml_string (overlay, "@path"));
}

static void forget_top (const planner_t *self)
{
    autofree char *top = text_copy (xml_string (self->top, "@path"));
    xml_foreach (use, self->chains, "use") {
        xml_node_t *image = is_other (self, use) ? image_at (use, top) : NULL;
        if (image && is_first (use, top))
            xml_set (use, "@source", xml_string (self->own, "@source"));
        if (image)
            xml_remove (image);
    }
}

static xml_node_t *use_of (const xml_node_t *chains, const char *disk, const char *snapshot)
{
    xml_foreach (use, chains, "use")
        if (xml_equals (use, "@disk", disk) && xml_equals (use, "@snapshot", snapshot))
            return use;
    return NULL;
}

static int plan_disk (planner_t *self, error_t *err)
{
    xml_node_t *own = use_of (self->chains, self->disk, self->snapshot);
    const xml_node_t *first = own ? xml_first (own, "image") : NULL;
    self->own = own;
    if (!first)
        return 0; //  its image is not there any more
    self->base = xml_string (first, "@path");
    if (find_top (self, err) || (self->top && check_users (self, err)))
        return error_prefix (err, "disk '%s'", self->disk);
    drop_overlay (self);
    if (self->top) {
        add_merge (self);
        forget_top (self);
    }
    return 0;
}

static void forget_snapshot (xml_node_t *chains, const char *name)
{
    xml_node_t *next;
    for (xml_node_t *each = xml_first (chains, NULL); each; each = next) {
        next = xml_next (each, NULL);
        if (xml_equals (each, "@snapshot", name))
            xml_remove (each);
    }
}

int qemu_chains_plan (xml_t *chains, const xml_node_t *snapshot, xml_node_t *plan, error_t *err)
{
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        planner_t self = { .chains = xml_root (chains),
                           .plan = plan,
                           .disk = xml_string (entry, "@name"),
                           .snapshot = snapshot_name (snapshot) };
        if (snapshot_disk_place (entry) == SNAPSHOT_EXTERNAL && plan_disk (&self, err))
            return -1;
    }
    forget_snapshot (xml_root (chains), snapshot_name (snapshot));
    return 0;
}

//  Documents.

//  LEVEL becomes what is below it.
static void take_below (xml_node_t *level, const xml_node_t *below)
{
    const char *path = qemu_block_path (below);
    auto(xml_t) copy = xml_from_node (below);
    const xml_node_t *next = xml_find (xml_root (copy), "backingStore");
    xml_set (level, xml_is (level, "disk") ? "driver/@type" : "format/@type",
             qemu_block_format (below));
    qemu_block_set_source (level, path, xml_equals (below, "@type", "block"));
    xml_remove_path (level, "backingStore");
    if (next)
        xml_add_copy (level, next);
}

bool qemu_chains_rewrite (xml_node_t *disk, const char *top, const char *name, const char *format)
{
    for (xml_node_t *level = disk; level; level = xml_find (level, "backingStore")) {
        const char *path = qemu_block_path (level);
        autofree char *real = path ? qemu_chains_path (path) : NULL;
        const xml_node_t *below = xml_find (level, "backingStore");
        if (!real || strcmp (real, top) != 0)
            continue;
        if (below && qemu_block_path (below)) {
            take_below (level, below);
            return true;
        }
        xml_set (level, xml_is (level, "disk") ? "driver/@type" : "format/@type", format);
        qemu_block_set_source (level, name, is_device (name));
        return true;
    }
    return false;
}
