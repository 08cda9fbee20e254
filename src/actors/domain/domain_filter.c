//  domain_filter.c: the groups of a filter.

#include "actors/domain/domain_filter.h"

#include "drivers/state.h"

void domain_filter_read (domain_filter_t *self, const value_t *args)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = { { "active", &self->active },
                  { "inactive", &self->inactive },
                  { "persistent", &self->persistent },
                  { "transient", &self->transient },
                  { "autostart", &self->autostart },
                  { "no_autostart", &self->no_autostart },
                  { "state_running", &self->running },
                  { "state_paused", &self->paused },
                  { "state_shutoff", &self->shutoff },
                  { "state_other", &self->other },
                  { "with_snapshot", &self->with_snapshot },
                  { "without_snapshot", &self->without_snapshot },
                  { "with_checkpoint", &self->with_checkpoint },
                  { "without_checkpoint", &self->without_checkpoint },
                  { "with_managed_save", &self->with_managed_save },
                  { "without_managed_save", &self->without_managed_save } };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        *flags[i].flag = value_get_bool (args, flags[i].name, false);
}

static bool state_matches (const domain_filter_t *self, int state)
{
    if (!self->running && !self->paused && !self->shutoff && !self->other)
        return true;
    switch (state) {
    case STATE_RUNNING:
        return self->running;
    case STATE_PAUSED:
        return self->paused;
    case STATE_SHUTOFF:
        return self->shutoff;
    default:
        return self->other;
    }
}

//  A group of two: YES and NO ask for domains that have something, or that do not.
static bool pair_matches (bool yes, bool no, bool has)
{
    return yes == no || yes == has;
}

static bool has_any (const document_t *list)
{
    return list && value_count (document_root (list)) > 0;
}

bool domain_filter_matches (const domain_filter_t *self, const snapshot_t *domain)
{
    return pair_matches (self->active, self->inactive, domain->id > 0) &&
           pair_matches (self->persistent, self->transient, domain->persistent) &&
           pair_matches (self->autostart, self->no_autostart, domain->autostart) &&
           pair_matches (self->with_snapshot, self->without_snapshot, has_any (domain->tree)) &&
           pair_matches (self->with_checkpoint, self->without_checkpoint,
                         has_any (domain->checkpoints)) &&
           pair_matches (self->with_managed_save, self->without_managed_save,
                         domain->managed_save) &&
           state_matches (self, domain->state);
}
