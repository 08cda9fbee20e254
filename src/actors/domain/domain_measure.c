//  domain_measure.c: measurements: beside everything, with a budget; what does not answer in time
//  is answered from the last known values.

#include "actors/domain/domain.h"
#include "actors/domain/domain_self.h"
#include "actors/jobs/job.h"
#include "drivers/meter.h"

enum {
    MEASURE_MS = 200, //  beside the last known values
    MOST_MS = 60000
};

//  The last known values of what a measurement measures.
static document_t **last_of (domain_t *self, const measurement_t *measurement)
{
    return msg_is (measurement->request, "domain.measure") ? &self->stats : &self->usage;
}

static void pack_stale (const document_t *last, pack_t *pack)
{
    const value_t *usage = document_root (last);
    pack_map (pack);
    for (size_t i = 0; i < value_count (usage); i++) {
        const char *key = value_key_at (usage, i);
        pack_key (pack, key);
        if (strcmp (key, "stale") == 0)
            pack_bool (pack, true);
        else
            pack_value (pack, value_val_at (usage, i));
    }
    pack_end (pack);
}

void measurement_destroy (measurement_t **self_p)
{
    measurement_t *self = take (self_p);
    msg_destroy (&self->request);
    free (self);
}

//  Unless that guest ended meanwhile: they are no values of the next one.
static void keep (domain_t *self, const measurement_t *measurement, document_t **values_p)
{
    document_t **last = last_of (self, measurement);
    if (measurement->id != self->id)
        return;
    document_destroy (last);
    *last = take (values_p);
}

//  What the driver measured, and what we count of its process ourselves.
static document_t *complete (const domain_t *self, const measurement_t *measurement,
                             const value_t *value)
{
    pack_t pack;
    error_t never;
    if (!self->perf || last_of ((domain_t *) self, measurement) != &self->stats)
        return document_of_value (value);
    pack_init (&pack);
    pack_map (&pack);
    for (size_t i = 0; i < value_count (value); i++) {
        const char *key = value_key_at (value, i);
        const value_t *part = value_val_at (value, i);
        pack_key (&pack, key);
        if (strcmp (key, "stats") != 0) {
            pack_value (&pack, part);
            continue;
        }
        pack_map (&pack);
        for (size_t n = 0; n < value_count (part); n++) {
            pack_key (&pack, value_key_at (part, n));
            pack_value (&pack, value_val_at (part, n));
        }
        domain_pack_perf (self, &pack);
        pack_end (&pack);
    }
    pack_end (&pack);
    document_t *all = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, &never);
    pack_close (&pack);
    return all;
}

static void answer_measured (domain_t *self, measurement_t *measurement, const msg_t *reply)
{
    auto(msg_t) answer = msg_reply ();
    document_t **last = last_of (self, measurement);
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (failed && (err.code != ERR_OPERATION_TIMEOUT || !*last)) {
        if (err.code == ERR_OPERATION_TIMEOUT)
            error_set (&err, err.code,
                       "domain '%s': its hypervisor did not answer within the budget, and nothing "
                       "was measured before",
                       self->name);
        actor_reply_error (self->actor, &measurement->request, &err);
        return;
    }
    if (failed)
        pack_stale (*last, msg_result (answer));
    else {
        auto(document_t) now = complete (self, measurement, value_get (msg_value (reply), "value"));
        pack_value (msg_result (answer), document_root (now));
        keep (self, measurement, &now);
    }
    actor_reply (self->actor, &measurement->request, &answer);
}

static void on_measured (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    measurement_t *measurement = arg;
    zlistx_detach (self->measuring, zlistx_find (self->measuring, measurement));
    answer_measured (self, measurement, reply);
    //  Past its budget, the job is of no use to anybody.
    actor_stop (actor, measurement->address);
    measurement_destroy (&measurement);
}

void domain_set_meter (domain_t *self, const char *record)
{
    error_t ignored; //  a damaged record is somebody else's matter: it was loaded by a job
    guest_t guest = { 0 };
    meter_place_t place = { 0 };
    document_destroy (&self->meter);
    auto(xml_t) doc = record && self->driver && self->driver->meter
                          ? xml_parse_own (record, strlen (record), "record", &ignored)
                          : NULL;
    if (!doc)
        return;
    pack_t pack;
    pack_init (&pack);
    guest.record = doc;
    self->driver->meter (&guest, &place);
    meter_pack (&place, &pack);
    self->meter = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &ignored);
    pack_close (&pack);
}

static const operation_t measuring[] = {
    { "domain.usage", CLASS_QUERY, ASYNC_NONE, "usage", 0, MEASURE_MS, true, NULL },
    { "domain.measure", CLASS_QUERY, ASYNC_NONE, "stats", 0, MEASURE_MS, true, NULL },
};

//  Of what was never measured there is nothing but an error to answer instead, unless it is known
//  already that the hypervisor does not respond.
static int budget_of (domain_t *self, const measurement_t *measurement)
{
    bool first = !*last_of (self, measurement) && !self->silent_us;
    uint64_t budget =
        msg_u64 (measurement->request, "budget", first ? DOMAIN_FIRST_MEASURE_MS : MEASURE_MS);
    return budget < MOST_MS ? (int) budget : MOST_MS;
}

void domain_measure (domain_t *self, msg_t **request_p)
{
    if (!domain_active (self)) {
        error_t err;
        error_set (&err, ERR_OPERATION_INVALID, "%s: domain '%s' is %s", msg_verb (*request_p),
                   self->name, self->loading ? "being loaded; try again" : "not running");
        domain_refuse (self, request_p, &err);
        return;
    }
    measurement_t *measurement = memory_new (1, sizeof *measurement);
    measurement->id = self->id;
    measurement->request = take (request_p);
    zlistx_add_end (self->measuring, measurement);
    snprintf (measurement->address, sizeof measurement->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = domain_job_arguments (
        self, &measuring[msg_is (measurement->request, "domain.measure")], measurement->request);
    actor_spawn_for (self->actor, measurement->request, measurement->address, &job_class, &args,
                     budget_of (self, measurement), on_measured, measurement);
}
