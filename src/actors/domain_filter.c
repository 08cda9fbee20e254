//  domain_filter.c: the groups of a filter.

#include "actors/domain_filter.h"

#include "drivers/state.h"

void domain_filter_read (domain_filter_t *self, const value_t *args)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = { { "active", &self->active },         { "inactive", &self->inactive },
                  { "persistent", &self->persistent }, { "transient", &self->transient },
                  { "autostart", &self->autostart },   { "no_autostart", &self->no_autostart },
                  { "state_running", &self->running }, { "state_paused", &self->paused },
                  { "state_shutoff", &self->shutoff }, { "state_other", &self->other } };
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

bool domain_filter_matches (const domain_filter_t *self, const snapshot_t *domain)
{
    return pair_matches (self->active, self->inactive, domain->id > 0) &&
           pair_matches (self->persistent, self->transient, domain->persistent) &&
           pair_matches (self->autostart, self->no_autostart, domain->autostart) &&
           state_matches (self, domain->state);
}
