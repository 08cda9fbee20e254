//  jobs_snapshot.c: snapshots are taken, redefined and deleted. That the file of the tree has one
//  is what makes it one: written once the driver has taken it, and again before it is forgotten.

#include "actors/jobs/jobs_snapshot.h"

#include "actors/domain/snapshot_summary.h"
#include "drivers/state.h"
#include "util/file.h"

#include <string.h>

static bool asked (const job_actor_t *self, const char *flag)
{
    return value_bool (job_arg (self, flag), false);
}

//  The tree.

static char *tree_path (const job_actor_t *self)
{
    return snapshot_tree_path (self->config->paths, self->driver->name, self->base.guest->uuid);
}

snapshot_tree_t *job_load_snapshots (const job_actor_t *self, error_t *err)
{
    autofree char *path = tree_path (self);
    return snapshot_tree_load (path, err);
}

void job_tell_snapshots (job_actor_t *self, const snapshot_tree_t *tree)
{
    auto(msg_t) msg = msg_request ("job.snapshots");
    pack_key (msg_args (msg), "snapshots");
    snapshot_summary_pack (msg_args (msg), tree);
    actor_send (self->actor, self->owner, &msg);
}

int job_save_snapshots (job_actor_t *self, const snapshot_tree_t *tree, error_t *err)
{
    autofree char *path = tree_path (self), *folder = file_folder (path);
    bool any = snapshot_tree_count (tree) > 0;
    autofree char *text = snapshot_tree_text (tree);
    if (file_make_folders (folder, 0700, err) ||
        (any ? job_write_file (&self->base, path, text, err)
             : job_remove_file (&self->base, path, err)))
        return -1;
    job_tell_snapshots (self, tree);
    return 0;
}

xml_node_t *job_named_snapshot (const job_actor_t *self, const snapshot_tree_t *tree, error_t *err)
{
    const char *name = value_str (job_arg (self, "snapshot"));
    xml_node_t *snapshot = snapshot_tree_find (tree, name);
    if (!snapshot)
        error_set (err, ERR_NO_DOMAIN_SNAPSHOT,
                   "domain '%s' has no snapshot '%s'; 'troupe snapshot-list' shows them",
                   self->base.guest->name, name);
    return snapshot;
}

int job_check_no_managed_save (const job_actor_t *self, error_t *err)
{
    bool saved;
    autofree char *path = job_managed_save (self, &saved);
    return saved ? error_set (
                       err, ERR_OPERATION_INVALID,
                       "the domain has a managed save, which would not fit its disks any more; "
                       "'troupe managedsave-remove' removes it")
                 : 0;
}

//  Taking one.

static xml_t *completed (job_actor_t *self, const xml_t *document, error_t *err)
{
    auto(xml_t) copy = xml_copy (document);
    return self->driver->complete (&self->base, copy, err) ? NULL : take (&copy);
}

static xml_t *given_xml (const job_actor_t *self, error_t *err)
{
    const char *text = value_str (job_arg (self, "xml"));
    return xml_parse (text, strlen (text), "snapshot XML", err);
}

static xml_t *make_document (job_actor_t *self, const snapshot_tree_t *tree, error_t *err)
{
    const guest_t *guest = self->base.guest;
    const xml_node_t *current = snapshot_tree_current (tree);
    auto(xml_t) given = job_arg (self, "xml") ? given_xml (self, err) : NULL;
    if (job_arg (self, "xml") && !given)
        return NULL;
    auto(xml_t) domain = completed (self, guest->live ? guest->live : guest->definition, err);
    snapshot_basis_t basis = { .domain = domain,
                               .inactive =
                                   guest->live && !self->transient ? guest->definition : NULL,
                               .state = guest->status.state,
                               .active = guest->live != NULL,
                               .disk_only = asked (self, "disk_only"),
                               .parent = current ? snapshot_name (current) : NULL,
                               .now_s = actor_wall_clock (self->actor) / 1000000 };
    return domain ? snapshot_xml_make (given, &basis, err) : NULL;
}

static int check_wishes (const job_actor_t *self, error_t *err)
{
    static const char *const pairs[][2] = { { "halt", "live" },
                                            { "disk_only", "live" },
                                            { "no_metadata", "current" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (asked (self, pairs[i][0]) && asked (self, pairs[i][1]))
            return error_set (err, ERR_INVALID_ARG, "'%s' and '%s' contradict each other",
                              pairs[i][0], pairs[i][1]);
    if (asked (self, "current") && !asked (self, "redefine"))
        return error_set (err, ERR_INVALID_ARG,
                          "'current' goes with 'redefine': a new snapshot is always current");
    return 0;
}

//  What only these kinds admit.
static int check_kind (const job_actor_t *self, const xml_node_t *snapshot, error_t *err)
{
    bool external = snapshot_is_external (snapshot);
    bool memory = snapshot_memory (snapshot) == SNAPSHOT_EXTERNAL;
    if (asked (self, "live") && !memory)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: live, unless the memory goes to a file (memspec)");
    if (asked (self, "reuse_external") && !external)
        return error_set (err, ERR_INVALID_ARG, "reuse_external: no part of it is external");
    if (asked (self, "quiesce") && (!external || memory || !self->base.guest->live))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: quiesce, unless the guest runs, and only its disks are "
                          "taken (disk_only)");
    if (asked (self, "halt") && !self->base.guest->live)
        return error_set (err, ERR_INVALID_ARG, "halt: the domain is not running");
    //  It would go on with the images that the new ones stand on, and spoil them.
    return external && !self->base.guest->live ? job_check_no_managed_save (self, err) : 0;
}

static int check_new (const job_actor_t *self, const snapshot_tree_t *tree, const xml_node_t *made,
                      error_t *err)
{
    if (snapshot_tree_find (tree, snapshot_name (made)))
        return error_set (err, ERR_OPERATION_INVALID, "the domain has a snapshot '%s' already",
                          snapshot_name (made));
    return check_kind (self, made, err);
}

static int halt_guest (job_actor_t *self, error_t *err)
{
    if (!asked (self, "halt"))
        return 0;
    if (self->driver->destroy (&self->base, false, err))
        return error_prefix (err, "the snapshot is taken, but the guest does not end");
    self->base.guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    return 0;
}

//  With a guest that is to be halted that is part of it: a daemon that ends behind it left one that
//  runs on.
static int commit (job_actor_t *self, error_t *err)
{
    job_t *job = &self->base;
    guest_status_t status = job->guest->status;
    if (!asked (self, "halt") || !self->driver->note_end)
        return job_commit (job, err);
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    self->driver->note_end (job->guest);
    if (job_commit (job, err) == 0)
        return 0;
    job->guest->status = status;
    self->driver->forget_end (job);
    return -1;
}

//  Before the commit: behind it nobody would undo anything, and a daemon that starts then has to
//  find the images that the guest uses by now.
static int keep_documents (job_actor_t *self, error_t *err)
{
    if (job_write_definition (&self->base, err))
        return -1;
    job_tell_documents (self);
    return 0;
}

static int take_snapshot (job_actor_t *self, snapshot_tree_t *tree, xml_node_t *made, error_t *err)
{
    job_t *job = &self->base;
    bool keep = !asked (self, "no_metadata");
    unsigned flags = (asked (self, "reuse_external") ? SNAPSHOT_REUSE : 0u) |
                     (asked (self, "live") ? SNAPSHOT_LIVE : 0u) |
                     (asked (self, "quiesce") ? SNAPSHOT_QUIESCE : 0u) |
                     (keep ? 0u : SNAPSHOT_UNKNOWN);
    if (!self->driver->snapshot_create)
        return job_unsupported (self, "take a snapshot of", err);
    if (check_new (self, tree, made, err) || self->driver->snapshot_create (job, made, flags, err))
        return -1;
    if (keep) {
        if (snapshot_tree_add (tree, made, false, err))
            return -1;
        snapshot_tree_set_current (tree, snapshot_name (made));
        if (job_save_snapshots (self, tree, err))
            return -1;
    }
    if ((snapshot_is_external (made) && keep_documents (self, err)) || commit (self, err))
        return -1;
    if (self->driver->snapshot_taken)
        self->driver->snapshot_taken (job);
    const guest_t *guest = job->guest;
    self->parts = (guest->live ? PART_LIVE : 0u) |
                  (guest->live && !job->written ? PART_STATUS : 0u) |
                  (snapshot_is_external (made) && !self->transient ? PART_DEFINITION : 0u);
    return halt_guest (self, err);
}

//  Redefining one: nothing but what is known of it.

static int redefine (job_actor_t *self, snapshot_tree_t *tree, char **name, error_t *err)
{
    auto(xml_t) given = job_arg (self, "xml") ? given_xml (self, err) : NULL;
    if (!given)
        return job_arg (self, "xml") ? -1
                                     : error_set (err, ERR_INVALID_ARG, "'redefine' needs the xml");
    const char *wanted = snapshot_name (xml_root (given));
    xml_node_t *old = wanted ? snapshot_tree_find (tree, wanted) : NULL;
    auto(xml_t) made = snapshot_xml_redefine (given, old, self->base.guest->uuid, err);
    if (!made || snapshot_tree_add (tree, xml_root (made), true, err))
        return -1;
    *name = text_copy (wanted);
    if (asked (self, "current"))
        snapshot_tree_set_current (tree, wanted);
    return job_save_snapshots (self, tree, err);
}

static int take_new (job_actor_t *self, snapshot_tree_t *tree, char **name, error_t *err)
{
    auto(xml_t) made = make_document (self, tree, err);
    if (!made || take_snapshot (self, tree, xml_root (made), err))
        return -1;
    *name = text_copy (snapshot_name (xml_root (made)));
    return 0;
}

int job_run_snapshot_create (job_actor_t *self, error_t *err)
{
    autofree char *name = NULL;
    auto(snapshot_tree_t) tree = job_load_snapshots (self, err);
    if (!tree || check_wishes (self, err) ||
        (asked (self, "redefine") ? redefine : take_new) (self, tree, &name, err))
        return error_prefix (err, "snapshot of domain '%s'", self->base.guest->name);
    pack_map (&self->value);
    pack_key_str (&self->value, "name", name);
    pack_end (&self->value);
    return 0;
}

//  Deleting.

static int delete_one (job_actor_t *self, snapshot_tree_t *tree, const char *name, bool last,
                       error_t *err)
{
    job_t *job = &self->base;
    if (!asked (self, "metadata") && self->driver->snapshot_delete (job, tree, name, last, err))
        return -1;
    snapshot_tree_remove (tree, name);
    if (job_save_snapshots (self, tree, err))
        return -1;
    //  What the last one pushed goes with the job's end, and so is the history's: in one step.
    if (last)
        return 0;
    if (job->guest->redefined)
        job_tell_documents (self);
    int rc = job_commit (job, err);
    self->committed = false; //  what comes next can be called off
    return rc;
}

//  The leaves first: a parent's data may be needed by its children.
static const char *deepest_below (const snapshot_tree_t *tree, const char *name)
{
    for (xml_node_t *each = snapshot_tree_first (tree); each; each = snapshot_tree_next (each))
        if (snapshot_tree_is_below (tree, each, name) &&
            snapshot_tree_children (tree, snapshot_name (each)) == 0)
            return snapshot_name (each);
    return NULL;
}

//  All that the request means, in the order in which they go. The caller owns the list.
static strings_t *doomed_snapshots (job_actor_t *self, const snapshot_tree_t *tree, error_t *err)
{
    auto(strings_t) names = strings_new ();
    autofree char *text = snapshot_tree_text (tree);
    auto(snapshot_tree_t) rest = snapshot_tree_parse (text, err);
    const char *name = value_str (job_arg (self, "snapshot")), *leaf;
    bool only_below = asked (self, "children_only"), below = only_below || asked (self, "children");
    while (rest && below && (leaf = deepest_below (rest, name))) {
        strings_add (names, leaf);
        snapshot_tree_remove (rest, names->items[names->count - 1]);
    }
    if (!only_below)
        strings_add (names, name);
    return rest ? take (&names) : NULL;
}

static bool any_external (const snapshot_tree_t *tree, const strings_t *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (snapshot_is_external (snapshot_tree_find (tree, names->items[i])))
            return true;
    return false;
}

static int check_deletable (job_actor_t *self, const snapshot_tree_t *tree, const strings_t *names,
                            error_t *err)
{
    if (asked (self, "metadata"))
        return 0;
    if (!self->driver->snapshot_delete)
        return job_unsupported (self, "delete a snapshot of", err);
    //  Images are merged that it needs.
    if (!self->base.guest->live && any_external (tree, names) &&
        job_check_no_managed_save (self, err))
        return -1;
    return self->driver->snapshot_deletable
               ? self->driver->snapshot_deletable (&self->base, tree, names, err)
               : 0;
}

static int delete_snapshots (job_actor_t *self, snapshot_tree_t *tree, error_t *err)
{
    if (asked (self, "children") && asked (self, "children_only"))
        return error_set (err, ERR_INVALID_ARG,
                          "'children' and 'children_only' contradict each other");
    auto(strings_t) names =
        job_named_snapshot (self, tree, err) ? doomed_snapshots (self, tree, err) : NULL;
    if (!names || check_deletable (self, tree, names, err))
        return -1;
    for (size_t i = 0; i < names->count; i++)
        if (delete_one (self, tree, names->items[i], i + 1 == names->count, err))
            return -1;
    return 0;
}

int job_run_snapshot_delete (job_actor_t *self, error_t *err)
{
    auto(snapshot_tree_t) tree = job_load_snapshots (self, err);
    if (!tree || delete_snapshots (self, tree, err))
        return error_prefix (err, "delete snapshot '%s' of domain '%s'",
                             value_str (job_arg (self, "snapshot")), self->base.guest->name);
    self->parts = self->base.guest->live ? PART_LIVE : PART_RECORD;
    return 0;
}
