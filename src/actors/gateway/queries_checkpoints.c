//  queries_checkpoints.c: which checkpoints a domain has, from what its owner published
//  (checkpoint_summary.h).

#include "actors/gateway/queries_checkpoints.h"

#include "util/text.h"

static const value_t *all_of (const snapshot_t *domain)
{
    return domain->checkpoints ? document_root (domain->checkpoints) : NULL;
}

static const value_t *find (const value_t *all, const char *name)
{
    for (size_t i = 0; i < value_count (all); i++)
        if (text_equals (value_get_str (value_at (all, i), "name"), name))
            return value_at (all, i);
    return NULL;
}

static const value_t *named (const query_t *self, const snapshot_t *domain, const char *argument,
                             error_t *err)
{
    const char *name = value_get_str (self->args, argument);
    const value_t *found = find (all_of (domain), name);
    if (!found)
        error_set (err, ERR_NO_DOMAIN_CHECKPOINT,
                   "%s: domain '%s' has no checkpoint '%s'; 'troupe checkpoint-list' shows them",
                   self->verb->name, domain->name, name);
    return found;
}

static void pack_facts (pack_t *pack, const value_t *checkpoint)
{
    static const char *const texts[] = { "name", "parent", "description" };
    static const char *const numbers[] = { "creation_time", "children", "descendants" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pack_key_str (pack, texts[i], value_get_str (checkpoint, texts[i]));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        pack_key_u64 (pack, numbers[i], value_get_u64 (checkpoint, numbers[i], 0));
}

static bool is_below (const query_t *self, const value_t *all, const value_t *checkpoint,
                      const char *from)
{
    bool far = value_get_bool (self->args, "descendants", false);
    for (size_t i = value_count (all); checkpoint && i > 0; i--) {
        const char *parent = value_get_str (checkpoint, "parent");
        if (parent && text_equals (parent, from))
            return true;
        checkpoint = far && parent ? find (all, parent) : NULL;
    }
    return false;
}

static bool matches (const query_t *self, const value_t *all, const value_t *checkpoint)
{
    const char *from = value_get_str (self->args, "from");
    bool leaf = value_get_u64 (checkpoint, "children", 0) == 0;
    bool root = value_get_str (checkpoint, "parent") == NULL;
    bool leaves = value_get_bool (self->args, "leaves", false);
    bool no_leaves = value_get_bool (self->args, "no_leaves", false);
    return (!value_get_bool (self->args, "roots", false) || root) &&
           (leaves == no_leaves || leaves == leaf) &&
           (!from || is_below (self, all, checkpoint, from));
}

int answer_checkpoints (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    const value_t *all = all_of (domain);
    if (value_get_str (self->args, "from") && !named (self, domain, "from", err))
        return -1;
    pack_array (result);
    for (size_t i = 0; i < value_count (all); i++)
        if (matches (self, all, value_at (all, i))) {
            pack_map (result);
            pack_facts (result, value_at (all, i));
            pack_end (result);
        }
    pack_end (result);
    return 0;
}

int answer_checkpoint_info (const query_t *self, const snapshot_t *domain, pack_t *result,
                            error_t *err)
{
    const value_t *checkpoint = named (self, domain, "checkpoint", err);
    if (!checkpoint)
        return -1;
    pack_map (result);
    pack_key_str (result, "domain", domain->name);
    pack_facts (result, checkpoint);
    pack_end (result);
    return 0;
}

int answer_checkpoint_xml (const query_t *self, const snapshot_t *domain, pack_t *result,
                           error_t *err)
{
    const value_t *checkpoint = named (self, domain, "checkpoint", err);
    if (!checkpoint)
        return -1;
    pack_map (result);
    pack_key_str (result, "name", value_get_str (checkpoint, "name"));
    pack_key_str (result, "xml", value_get_str (checkpoint, "xml"));
    pack_end (result);
    return 0;
}
