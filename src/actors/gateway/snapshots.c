//  snapshots.c: a gateway's view of all domains: one array in the order of names, for lists and for
//  look-ups by name, and a table each by uuid and by id.

#include "actors/gateway/snapshots.h"

#include "actors/runtime/table.h"
#include "drivers/state.h"
#include "msg/pack.h"
#include "util/text.h"

#include <inttypes.h>

struct snapshots {
    snapshot_t **by_name; //  by name, then by uuid (two may have one name for a moment: a rename)
    size_t count, room;
    zhashx_t *by_uuid, *by_id;
};

static void snapshot_destroy (snapshot_t **self_p)
{
    snapshot_t *self = take (self_p);
    if (!self)
        return;
    free (self->name);
    free (self->driver);
    free (self->type);
    free (self->os_type);
    free (self->agent);
    free (self->title);
    free (self->xml);
    free (self->xml_inactive);
    free (self->xml_secure);
    free (self->xml_inactive_secure);
    free (self->backup_xml);
    meter_destroy (&self->meter);
    document_destroy (&self->metadata);
    document_destroy (&self->tune);
    document_destroy (&self->job);
    document_destroy (&self->waiting);
    document_destroy (&self->blocks);
    document_destroy (&self->interfaces);
    document_destroy (&self->past);
    document_destroy (&self->checkpoints);
    document_destroy (&self->tree);
    document_destroy (&self->migration);
    free (self);
}

snapshots_t *snapshots_new (void)
{
    snapshots_t *self = memory_new (1, sizeof *self);
    self->by_uuid = zhashx_new ();
    self->by_id = table_by_u64 ();
    assert (self->by_uuid);
    zhashx_set_key_duplicator (self->by_uuid, NULL);
    zhashx_set_key_destructor (self->by_uuid, NULL);
    return self;
}

void snapshots_destroy (snapshots_t **self_p)
{
    snapshots_t *self = take (self_p);
    if (!self)
        return;
    zhashx_destroy (&self->by_uuid);
    zhashx_destroy (&self->by_id);
    for (size_t i = 0; i < self->count; i++)
        snapshot_destroy (&self->by_name[i]);
    free (self->by_name);
    free (self);
}

//  The place of the first that is not before NAME, UUID.
static size_t place_of (const snapshots_t *self, const char *name, const char *uuid)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp (self->by_name[middle]->name, name);
        if (order == 0)
            order = strcmp (self->by_name[middle]->uuid, uuid);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void enter (snapshots_t *self, snapshot_t *snapshot)
{
    if (self->count == self->room) {
        self->room = self->room * 2 + 16;
        self->by_name = memory_grow (self->by_name, self->room, sizeof *self->by_name);
    }
    size_t place = place_of (self, snapshot->name, snapshot->uuid);
    memmove (self->by_name + place + 1, self->by_name + place,
             (self->count - place) * sizeof *self->by_name);
    self->by_name[place] = snapshot;
    self->count++;
    zhashx_insert (self->by_uuid, snapshot->uuid, snapshot);
    if (snapshot->id > 0) {
        zhashx_delete (self->by_id, &snapshot->id); //  its key is part of the other's item
        zhashx_insert (self->by_id, &snapshot->id, snapshot);
    }
}

void snapshots_forget (snapshots_t *self, const char *uuid)
{
    snapshot_t *old = zhashx_lookup (self->by_uuid, uuid);
    if (!old)
        return;
    size_t place = place_of (self, old->name, old->uuid);
    assert (place < self->count && self->by_name[place] == old);
    self->count--;
    memmove (self->by_name + place, self->by_name + place + 1,
             (self->count - place) * sizeof *self->by_name);
    zhashx_delete (self->by_uuid, old->uuid);
    if (zhashx_lookup (self->by_id, &old->id) == old)
        zhashx_delete (self->by_id, &old->id);
    snapshot_destroy (&old);
}

static char *copy_text (const value_t *args, const char *key)
{
    const char *text = value_get_str (args, key);
    return text_copy (text ? text : "");
}

static void read_numbers (snapshot_t *self, const value_t *args)
{
    self->id = value_get_i64 (args, "id", -1);
    self->state = (int) value_get_i64 (args, "state", STATE_NOSTATE);
    self->reason = (int) value_get_i64 (args, "reason", 0);
    self->vcpus = value_get_u64 (args, "vcpus", 0);
    self->max_vcpus = value_get_u64 (args, "max_vcpus", 0);
    self->config_vcpus = value_get_u64 (args, "config_vcpus", self->vcpus);
    self->config_max_vcpus = value_get_u64 (args, "config_max_vcpus", self->max_vcpus);
    self->memory_kib = value_get_u64 (args, "memory_kib", 0);
    self->max_memory_kib = value_get_u64 (args, "max_memory_kib", 0);
    self->balloon_kib = value_get_u64 (args, "balloon_kib", 0);
    self->persistent = value_get_bool (args, "persistent", false);
    self->autostart = value_get_bool (args, "autostart", false);
    self->managed_save = value_get_bool (args, "managed_save", false);
    self->loading = value_get_bool (args, "loading", false);
    self->changed_us = value_get_i64 (args, "changed_us", 0);
    self->silent_since_us = value_get_i64 (args, "silent_since_us", 0);
}

static document_t *read_array (const value_t *args, const char *key)
{
    const value_t *array = value_get (args, key);
    return value_count (array) > 0 ? document_of_value (array) : NULL;
}

static snapshot_t *snapshot_read (const char *uuid, const value_t *args)
{
    snapshot_t *self = memory_new (1, sizeof *self);
    snprintf (self->uuid, sizeof self->uuid, "%s", uuid);
    self->name = copy_text (args, "name");
    self->driver = copy_text (args, "driver");
    self->type = copy_text (args, "type");
    self->os_type = copy_text (args, "os_type");
    self->agent = copy_text (args, "agent");
    self->title = copy_text (args, "title");
    read_numbers (self, args);
    self->xml = text_copy (value_get_str (args, "xml"));
    self->xml_inactive = text_copy (value_get_str (args, "xml_inactive"));
    self->xml_secure = text_copy (value_get_str (args, "xml_secure"));
    self->xml_inactive_secure = text_copy (value_get_str (args, "xml_inactive_secure"));
    self->backup_xml = text_copy (value_get_str (args, "backup_xml"));
    self->meter = meter_new (value_get (args, "meter"));
    self->metadata = document_of_value (value_get (args, "metadata"));
    self->tune = document_of_value (value_get (args, "tune"));
    self->job = document_of_value (value_get (args, "job"));
    self->waiting = read_array (args, "waiting");
    self->blocks = read_array (args, "block_jobs");
    self->interfaces = read_array (args, "interfaces");
    self->migration = document_of_value (value_get (args, "migration"));
    self->past = read_array (args, "past");
    self->checkpoints = read_array (args, "checkpoints");
    return self;
}

int snapshots_apply (snapshots_t *self, const char *uuid, const value_t *args, error_t *err)
{
    if (!value_get_str (args, "name") || !value_get (args, "state") ||
        strlen (uuid) >= UUID_TEXT_SIZE)
        return error_set (err, ERR_INTERNAL_ERROR,
                          "snapshot of domain %s: it has no name or state; it was left out", uuid);
    snapshot_t *old = zhashx_lookup (self->by_uuid, uuid);
    document_t *tree = old ? take (&old->tree) : NULL;
    snapshots_forget (self, uuid);
    snapshot_t *snapshot = snapshot_read (uuid, args);
    snapshot->tree = tree;
    enter (self, snapshot);
    return 0;
}

void snapshots_set_tree (snapshots_t *self, const char *uuid, const value_t *array)
{
    snapshot_t *snapshot = zhashx_lookup (self->by_uuid, uuid);
    if (!snapshot)
        return;
    document_destroy (&snapshot->tree);
    snapshot->tree = value_count (array) > 0 ? document_of_value (array) : NULL;
}

size_t snapshots_count (const snapshots_t *self)
{
    return self->count;
}

const snapshot_t *snapshots_at (const snapshots_t *self, size_t index)
{
    return index < self->count ? self->by_name[index] : NULL;
}

const snapshot_t *snapshots_by_uuid (const snapshots_t *self, const char *uuid)
{
    return zhashx_lookup (self->by_uuid, uuid);
}

const snapshot_t *snapshots_by_name (const snapshots_t *self, const char *name)
{
    const snapshot_t *found = snapshots_at (self, place_of (self, name, ""));
    return found && strcmp (found->name, name) == 0 ? found : NULL;
}

const snapshot_t *snapshots_by_id (const snapshots_t *self, int64_t id)
{
    return zhashx_lookup (self->by_id, &id);
}

static bool is_decimal (const char *text, uint64_t *number)
{
    return text[strspn (text, "0123456789")] == 0 && text_to_u64 (text, number);
}

static const snapshot_t *find_text (const snapshots_t *self, const char *text)
{
    const snapshot_t *found = NULL;
    char uuid[UUID_TEXT_SIZE];
    uint64_t id;
    if (is_decimal (text, &id) && id <= INT64_MAX)
        found = snapshots_by_id (self, (int64_t) id);
    if (!found && uuid_normalize (text, uuid))
        found = snapshots_by_uuid (self, uuid);
    return found ? found : snapshots_by_name (self, text);
}

int snapshots_unknown (const char *verb, const char *domain, error_t *err)
{
    return error_set (err, ERR_NO_DOMAIN,
                      "%s: no domain has the name, uuid or id '%s'; 'troupe list --all' shows them",
                      verb, domain);
}

static long long seconds_since (int64_t us, int64_t now_us)
{
    return us < now_us ? (long long) (now_us - us) / 1000000 : 0;
}

int snapshots_late (const snapshots_t *self, const char *verb, const char *domain, int64_t now_us,
                    error_t *err)
{
    const snapshot_t *found = find_text (self, domain);
    const value_t *job = found && found->job ? document_root (found->job) : NULL;
    auto(text_t) why = text_new ();
    if (found && found->silent_since_us > 0)
        text_addf (why, "; its hypervisor has not responded for %lld s",
                   seconds_since (found->silent_since_us, now_us));
    if (value_get_str (job, "kind"))
        text_addf (why, "; its job '%s' has been active for %lld s, 'troupe jobs' shows it",
                   value_get_str (job, "kind"),
                   seconds_since (value_get_i64 (job, "since_us", now_us), now_us));
    return error_set (err, ERR_OPERATION_TIMEOUT, "%s: domain '%s': not done within the deadline%s",
                      verb, domain, why->data);
}

const snapshot_t *snapshots_resolve (const snapshots_t *self, const char *verb,
                                     const value_t *domain, error_t *err)
{
    const char *text = value_str (domain);
    uint64_t id = 0;
    char digits[32];
    const snapshot_t *found = NULL;
    if (text)
        found = find_text (self, text);
    else if (value_u64 (domain, &id) && id <= INT64_MAX)
        found = snapshots_by_id (self, (int64_t) id);
    snprintf (digits, sizeof digits, "%" PRIu64, id);
    if (!found)
        snapshots_unknown (verb, text ? text : digits, err);
    return found;
}
