//  jobs_migrate_offline.c: a domain's definition goes to another host, and nothing else of it: its
//  disks are where both see them, or are copied by others.

#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate.h"
#include "actors/jobs/jobs_snapshot.h"
#include "util/text.h"

#include <string.h>

enum {
    DEFINE_MS = 120000 //  a slow emulator
};

int migrate_check_left (job_actor_t *self, error_t *err)
{
    if (!value_bool (job_arg (self, "undefine_source"), false))
        return 0;
    if (self->base.guest->checkpoints)
        return error_set (err, ERR_OPERATION_INVALID,
                          "it has checkpoints, which would be forgotten; delete them, or leave it "
                          "defined here");
    auto(snapshot_tree_t) tree = job_load_snapshots (self, err);
    if (!tree)
        return -1;
    size_t count = snapshot_tree_count (tree);
    return count == 0
               ? 0
               : error_set (err, ERR_OPERATION_INVALID,
                            "it has %zu snapshots, which would be forgotten; delete them, or "
                            "leave it defined here",
                            count);
}

//  The guest that was saved needs its definition here.
static int check_saved (job_actor_t *self, error_t *err)
{
    bool there;
    autofree char *path = job_managed_save (self, &there);
    if (!there || !value_bool (job_arg (self, "undefine_source"), false))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "it has a managed save, which stays on this host; start it, remove that "
                      "(managedsave-remove), or leave it defined here");
}

//  As it is to be defined there; the caller frees it.
static char *document (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    const char *given = value_str (job_arg (self, "xml"));
    const char *name = value_str (job_arg (self, "name"));
    auto(xml_t) doc =
        given ? xml_parse (given, strlen (given), "definition", err) : xml_copy (guest->definition);
    if (!doc)
        return NULL;
    xml_set (xml_root (doc), "name", name ? name : guest->name);
    xml_set (xml_root (doc), "uuid", guest->uuid);
    return xml_text (doc);
}

static char *checked_document (job_actor_t *self, error_t *err)
{
    return migrate_check_left (self, err) || check_saved (self, err) ? NULL : document (self, err);
}

static int tell_peer (job_actor_t *self, const char *endpoint, error_t *err)
{
    char peer[MSG_ADDRESS_MAX];
    pack_t args;
    autofree char *text = checked_document (self, err);
    if (!text || migrate_open_peer (self, endpoint, peer, err) || migrate_greet (self, peer, err))
        return -1;
    migrate_begin_args (&args);
    pack_key_str (&args, "xml", text);
    return migrate_call (self, peer, "domain.define", &args, DEFINE_MS, NULL, err)
               ? error_prefix (err, "the other daemon")
               : 0;
}

//  Defined on both hosts it does no harm, whoever is killed in between.
int job_run_migrate_offline (job_actor_t *self, error_t *err)
{
    const char *endpoint = value_str (job_arg (self, "peer"));
    return tell_peer (self, endpoint, err)
               ? error_prefix (err, "migrate the definition of domain '%s' to %s",
                               self->base.guest->name, endpoint)
               : 0;
}

//  For a client that tells the other daemon.
int job_run_migrate_definition (job_actor_t *self, error_t *err)
{
    autofree char *text = checked_document (self, err);
    if (!text)
        return error_prefix (err, "migrate the definition of domain '%s'", self->base.guest->name);
    pack_map (&self->value);
    pack_key_str (&self->value, "xml", text);
    pack_end (&self->value);
    return 0;
}
