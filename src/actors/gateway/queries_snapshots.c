//  queries_snapshots.c: which snapshots a domain has, from what its owner published
//  (snapshot_summary.h).

#include "actors/gateway/queries_snapshots.h"

#include "util/text.h"

#include <string.h>

static const value_t *tree_of (const snapshot_t *domain)
{
    return domain->tree ? document_root (domain->tree) : NULL;
}

static const value_t *find (const value_t *tree, const char *name)
{
    for (size_t i = 0; name && i < value_count (tree); i++)
        if (text_equals (value_get_str (value_at (tree, i), "name"), name))
            return value_at (tree, i);
    return NULL;
}

static const value_t *current_of (const value_t *tree)
{
    for (size_t i = 0; i < value_count (tree); i++)
        if (value_get_bool (value_at (tree, i), "current", false))
            return value_at (tree, i);
    return NULL;
}

static int unknown (const query_t *self, const snapshot_t *domain, const char *name, error_t *err)
{
    if (!name)
        return error_set (err, ERR_NO_DOMAIN_SNAPSHOT, "%s: domain '%s' has no current snapshot",
                          self->verb->name, domain->name);
    return error_set (err, ERR_NO_DOMAIN_SNAPSHOT,
                      "%s: domain '%s' has no snapshot '%s'; 'troupe snapshot-list' shows them",
                      self->verb->name, domain->name, name);
}

static const value_t *named (const query_t *self, const snapshot_t *domain, error_t *err)
{
    const value_t *tree = tree_of (domain);
    const char *name = value_get_str (self->args, "snapshot");
    const value_t *found = name ? find (tree, name) : current_of (tree);
    if (!found)
        unknown (self, domain, name, err);
    return found;
}

static void pack_facts (pack_t *pack, const value_t *snapshot)
{
    static const char *const keys[] = { "name",          "parent",      "description",
                                        "creation_time", "state",       "location",
                                        "children",      "descendants", "current" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const value_t *value = value_get (snapshot, keys[i]);
        pack_key (pack, keys[i]);
        if (value)
            pack_value (pack, value);
        else
            pack_nil (pack);
    }
}

//  Lists.

static bool flag (const query_t *self, const char *name)
{
    return value_get_bool (self->args, name, false);
}

static bool is_below (const value_t *tree, const value_t *snapshot, const char *ancestor, bool far)
{
    const char *parent;
    while (snapshot && (parent = value_get_str (snapshot, "parent"))) {
        if (strcmp (parent, ancestor) == 0)
            return true;
        snapshot = far ? find (tree, parent) : NULL;
    }
    return false;
}

//  A group of filters of which none is given admits all.
static bool group_matches (const query_t *self, const char *const *names, const char *is)
{
    bool any = false;
    for (; *names; names++) {
        if (flag (self, *names) && strcmp (*names, is) == 0)
            return true;
        any = any || flag (self, *names);
    }
    return !any;
}

//  An image may hold others; only those that are remembered are known.
static bool is_wanted (const query_t *self)
{
    return !flag (self, "no_metadata") || flag (self, "metadata");
}

static bool matches (const query_t *self, const value_t *tree, const value_t *snapshot)
{
    static const char *const kinds[] = { "inactive", "active", "disk_only", NULL };
    static const char *const locations[] = { "internal", "external", NULL };
    static const char *const ends[] = { "leaves", "no_leaves", NULL };
    const char *from = value_get_str (self->args, "from");
    const char *state = value_get_str (snapshot, "state");
    const char *kind = text_equals (state, "shutoff")         ? "inactive"
                       : text_equals (state, "disk-snapshot") ? "disk_only"
                                                              : "active";
    bool leaf = value_get_u64 (snapshot, "children", 0) == 0;
    return is_wanted (self) && group_matches (self, kinds, kind) &&
           group_matches (self, locations, value_get_str (snapshot, "location")) &&
           group_matches (self, ends, leaf ? "leaves" : "no_leaves") &&
           (!flag (self, "roots") || !value_get_str (snapshot, "parent")) &&
           (!from || is_below (tree, snapshot, from, flag (self, "descendants")));
}

static void pack_matching (const query_t *self, pack_t *result, const value_t *tree,
                           const value_t *snapshot)
{
    if (!matches (self, tree, snapshot))
        return;
    pack_map (result);
    pack_facts (result, snapshot);
    pack_end (result);
}

//  Those without a parent, then each behind its own.
static void pack_generations (const query_t *self, pack_t *result, const value_t *tree)
{
    size_t count = value_count (tree), first = 0, last = 0;
    autofree const value_t **ordered = memory_new (count + 1, sizeof *ordered);
    for (const char *parent = NULL; first <= last;) {
        for (size_t i = 0; i < count; i++) {
            const char *own = value_get_str (value_at (tree, i), "parent");
            if (last < count && (parent ? text_equals (own, parent) : !own))
                ordered[last++] = value_at (tree, i);
        }
        if (first == last)
            return;
        pack_matching (self, result, tree, ordered[first]);
        parent = value_get_str (ordered[first++], "name");
    }
}

int answer_snapshots (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    const value_t *tree = tree_of (domain);
    const char *from = value_get_str (self->args, "from");
    if (from && flag (self, "roots"))
        return error_set (err, ERR_INVALID_ARG, "%s: 'from' and 'roots' contradict each other",
                          self->verb->name);
    if (from && !find (tree, from))
        return unknown (self, domain, from, err);
    pack_array (result);
    if (flag (self, "topological"))
        pack_generations (self, result, tree);
    else
        for (size_t i = 0; i < value_count (tree); i++)
            pack_matching (self, result, tree, value_at (tree, i));
    pack_end (result);
    return 0;
}

//  One of them.

int answer_snapshot_info (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err)
{
    const value_t *snapshot = named (self, domain, err);
    if (!snapshot)
        return -1;
    pack_map (result);
    pack_key_str (result, "domain", domain->name);
    pack_facts (result, snapshot);
    pack_end (result);
    return 0;
}

int answer_snapshot_xml (const query_t *self, const snapshot_t *domain, pack_t *result,
                         error_t *err)
{
    const value_t *snapshot = named (self, domain, err);
    bool secure;
    if (query_secure (self, domain, &secure, err))
        return -1;
    if (!snapshot)
        return -1;
    const char *secret = secure ? value_get_str (snapshot, "xml_secure") : NULL;
    pack_map (result);
    pack_key_str (result, "name", value_get_str (snapshot, "name"));
    pack_key_str (result, "xml", secret ? secret : value_get_str (snapshot, "xml"));
    pack_end (result);
    return 0;
}
