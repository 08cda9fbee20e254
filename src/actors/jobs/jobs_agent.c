//  jobs_agent.c: what is asked of a guest's agent. These jobs run beside all others, so they change
//  neither the guest's documents nor its record; what has to change there does so in a job that the
//  owner admits.

#include "actors/jobs/jobs.h"

#include "drivers/channel.h"
#include "util/text.h"

enum {
    OWNER_MS = 60000
};

//  Arguments and results, which drivers see as JSON.

static json_t *json_of (const value_t *value)
{
    int64_t number;
    if (value_str (value))
        return json_string (value_str (value));
    if (value && value->type == MSGPACK_OBJECT_BOOLEAN)
        return json_boolean (value_bool (value, false));
    if (value_i64 (value, &number))
        return json_integer (number);
    if (!value || value->type != MSGPACK_OBJECT_ARRAY)
        return json_null ();
    json_t *array = json_array ();
    for (size_t i = 0; i < value_count (value); i++)
        json_array_append_new (array, json_of (value_at (value, i)));
    return array;
}

json_t *job_arguments_json (const job_actor_t *self)
{
    const value_t *given = msg_arg (self->start, "args");
    json_t *args = json_object ();
    for (size_t i = 0; i < value_count (given); i++)
        json_object_set_new (args, value_key_at (given, i), json_of (value_val_at (given, i)));
    return args;
}

static void pack_members (pack_t *pack, const json_t *json)
{
    const char *key;
    json_t *member;
    pack_map (pack);
    json_object_foreach ((json_t *) (uintptr_t) json, key, member)
    {
        pack_key (pack, key);
        job_pack_json (pack, member);
    }
    pack_end (pack);
}

static void pack_items (pack_t *pack, const json_t *json)
{
    pack_array (pack);
    for (size_t i = 0; i < json_array_size (json); i++)
        job_pack_json (pack, json_array_get (json, i));
    pack_end (pack);
}

void job_pack_json (pack_t *pack, const json_t *json)
{
    if (json_is_object (json))
        pack_members (pack, json);
    else if (json_is_array (json))
        pack_items (pack, json);
    else if (json_is_string (json))
        pack_str (pack, json_string_value (json));
    else if (json_is_integer (json))
        pack_i64 (pack, json_integer_value (json));
    else if (json_is_real (json))
        pack_double (pack, json_real_value (json));
    else if (json_is_boolean (json))
        pack_bool (pack, json_is_true (json));
    else
        pack_nil (pack);
}

//  The kind of the job is "agent." and what the agent is to do.
int job_run_agent (job_actor_t *self, error_t *err)
{
    json_auto_t *args = job_arguments_json (self);
    const char *what = strchr (self->kind->name, '.') + 1;
    json_auto_t *result = self->driver->agent (&self->base, what, args, err);
    if (!result)
        return -1;
    job_pack_json (&self->value, result);
    return 0;
}

//  A reboot that was asked for before is called off: else the guest would start again.
int job_run_agent_shutdown (job_actor_t *self, error_t *err)
{
    if (guest_reboots (self->base.guest)) {
        auto(msg_t) msg = msg_request ("guest.no_restart");
        if (job_tell (self, self->owner, &msg, OWNER_MS, err))
            return -1;
    }
    return job_run_agent (self, err);
}

int job_run_no_restart (job_actor_t *self, error_t *err)
{
    (void) err;
    guest_restore_poweroff (self->base.guest);
    self->parts = PART_LIVE;
    return 0;
}

int job_run_ports (job_actor_t *self, error_t *err)
{
    (void) err;
    const value_t *ports = msg_arg (self->start, "args");
    for (size_t i = 0; i < value_count (ports); i++)
        channel_set_state (self->base.guest->live, value_key_at (ports, i),
                           value_bool (value_val_at (ports, i), false));
    self->parts = PART_LIVE;
    return 0;
}

//  Into the record, as <agent timeout/>; jobs of now and later read it there.
int job_run_agent_timeout (job_actor_t *self, error_t *err)
{
    enum {
        BLOCK = -2,
        USUAL = -1,
        SECONDS_MAX = 24 * 3600
    };
    int64_t seconds = BLOCK;
    guest_t *guest = self->base.guest;
    value_i64 (job_arg (self, "timeout"), &seconds);
    if (seconds < BLOCK || seconds > SECONDS_MAX)
        return error_set (err, ERR_INVALID_ARG,
                          "set the agent's timeout of domain '%s': %lld is none; it is 0 to %d s, "
                          "-1 (the usual times) or -2 (as long as it takes)",
                          guest->name, (long long) seconds, SECONDS_MAX);
    if (!self->driver->agent)
        return error_set (err, ERR_NO_SUPPORT,
                          "set the agent's timeout of domain '%s': the driver '%s' has no guest "
                          "agents",
                          guest->name, self->driver->name);
    xml_remove_path (xml_root (guest->record), "agent");
    if (seconds != USUAL)
        xml_setf (xml_root (guest->record), "agent/@timeout", "%lld", (long long) seconds);
    self->parts = PART_RECORD;
    return 0;
}

int job_run_thawed (job_actor_t *self, error_t *err)
{
    (void) err;
    if (self->base.guest->record)
        xml_remove_path (xml_root (self->base.guest->record), "freeze");
    self->parts = PART_RECORD;
    return 0;
}
