//  jobs_checkpoint.c: checkpoints are made, deleted and measured.

#include "actors/jobs/jobs.h"
#include "drivers/checkpoint.h"

static bool asked (const job_actor_t *self, const char *flag)
{
    return value_bool (job_arg (self, flag), false);
}

int job_run_checkpoint_create (job_actor_t *self, error_t *err)
{
    autofree char *name = NULL;
    checkpoint_options_t options = { .xml = value_str (job_arg (self, "xml")),
                                     .redefine = asked (self, "redefine"),
                                     .validate = asked (self, "validate"),
                                     .quiesce = asked (self, "quiesce"),
                                     .now_s = actor_wall_clock (self->actor) / 1000000 };
    if (!self->driver->checkpoint_create)
        return job_unsupported (self, "make a checkpoint of", err);
    if (self->driver->checkpoint_create (&self->base, &options, &name, err))
        return -1;
    self->parts = PART_CHECKPOINTS;
    pack_map (&self->value);
    pack_key_str (&self->value, "name", name);
    pack_end (&self->value);
    return 0;
}

static const char *named (const job_actor_t *self, error_t *err)
{
    const char *name = value_str (job_arg (self, "checkpoint"));
    if (checkpoint_find (self->base.guest->checkpoints, name))
        return name;
    error_set (err, ERR_NO_DOMAIN_CHECKPOINT,
               "domain '%s' has no checkpoint '%s'; 'troupe checkpoint-list' shows them",
               self->base.guest->name, name);
    return NULL;
}

int job_run_checkpoint_delete (job_actor_t *self, error_t *err)
{
    const xml_t *all = self->base.guest->checkpoints;
    const char *name = named (self, err);
    if (!name)
        return -1;
    bool below = asked (self, "children") || asked (self, "children_only");
    auto(strings_t) names = strings_new ();
    xml_foreach (each, xml_root (all), "domaincheckpoint")
        if (below && checkpoint_is_below (all, each, name))
            strings_add (names, checkpoint_name (each));
    if (!asked (self, "children_only"))
        strings_add (names, name);
    self->parts = PART_CHECKPOINTS;
    return self->driver->checkpoint_delete (&self->base, names, asked (self, "metadata"), err);
}

int job_run_checkpoint_measure (job_actor_t *self, error_t *err)
{
    auto(xml_t) measured = NULL;
    const char *name = named (self, err);
    if (!name || self->driver->checkpoint_measure (&self->base, name, &measured, err))
        return -1;
    autofree char *xml = xml_text (measured);
    pack_map (&self->value);
    pack_key_str (&self->value, "name", name);
    pack_key_str (&self->value, "xml", xml);
    pack_end (&self->value);
    return 0;
}

//  Those of a running domain stay with it, as long as it runs; then its file goes with the domain.
int job_check_checkpoints (job_actor_t *self, error_t *err)
{
    const guest_t *guest = self->base.guest;
    size_t count = checkpoints_count (guest->checkpoints);
    if (count == 0 || guest->live || asked (self, "checkpoints_metadata"))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "undefine domain '%s': it has %zu checkpoints; say checkpoints_metadata "
                      "(forget them; images keep their bitmaps), or delete them",
                      guest->name, count);
}
