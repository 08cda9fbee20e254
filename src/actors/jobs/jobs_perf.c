//  jobs_perf.c: which performance events of a guest are counted.

#include "actors/jobs/jobs.h"

#include "util/perf.h"

#include <string.h>

static xml_node_t *find_event (const xml_node_t *perf, const char *name)
{
    xml_foreach (event, perf, "event")
        if (xml_equals (event, "@name", name))
            return event;
    return NULL;
}

static void set_event (xml_t *doc, const char *name, bool enabled)
{
    xml_node_t *perf = xml_ensure (xml_root (doc), "perf");
    xml_node_t *event = find_event (perf, name);
    if (!event) {
        event = xml_add (perf, "event");
        xml_set (event, "@name", name);
    }
    xml_set (event, "@enabled", enabled ? "yes" : "no");
}

static int set_events (job_actor_t *self, xml_t *doc, error_t *err)
{
    static const char *const words[] = { "disable", "enable" };
    for (size_t enable = 0; enable < 2; enable++) {
        const value_t *names = job_arg (self, words[enable]);
        for (size_t i = 0; i < value_count (names); i++) {
            const char *name = value_str (value_at (names, i));
            if (!perf_is_event (name))
                return error_set (err, ERR_INVALID_ARG,
                                  "set performance events of domain '%s': there is no event "
                                  "'%.64s'; 'troupe perf' lists them",
                                  self->base.guest->name, name);
            set_event (doc, name, enable == 1);
        }
    }
    return 0;
}

//  The owner opens the counters when it gets the record, or refuses that.
static int count_live (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    self->driver->perf_record (guest);
    return job_record (&self->base, err)
               ? error_prefix (err, "set performance events of domain '%s'", guest->name)
               : 0;
}

int job_run_perf_set (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool live, config;
    if (!self->driver->perf_record)
        return error_set (err, ERR_NO_SUPPORT,
                          "not supported: performance events of domain '%s': a guest of the driver "
                          "'%s' has none",
                          guest->name, self->driver->name);
    if (job_scope (self, "set performance events", &live, &config, err) ||
        (config && set_events (self, guest->definition, err)) ||
        (live && (set_events (self, guest->live, err) || count_live (self, err))))
        return -1;
    self->parts = (live ? PART_LIVE : 0u) | (config ? PART_DEFINITION : 0u);
    return 0;
}
