//  queries.c: the verbs about a domain's state, answered from the snapshots.

#include "actors/gateway/queries.h"

#include "actors/gateway/queries_addresses.h"
#include "actors/gateway/queries_checkpoints.h"
#include "actors/domain/domain_filter.h"
#include "actors/gateway/queries_jobs.h"
#include "actors/gateway/queries_networks.h"
#include "actors/gateway/queries_snapshots.h"
#include "actors/gateway/queries_tune.h"

#include "drivers/state.h"
#include "util/text.h"

//  DOMAIN is the one that the arguments name; NULL if the verb has no such argument.
typedef int (answer_fn) (const query_t *self, const snapshot_t *domain, pack_t *result,
                         error_t *err);

static bool flag (const query_t *self, const char *name)
{
    return value_get_bool (self->args, name, false);
}

static bool is_active (const snapshot_t *domain)
{
    return domain->id > 0;
}

//  Pieces of results.

static void pack_identity (pack_t *pack, const snapshot_t *domain)
{
    pack_key_str (pack, "uuid", domain->uuid);
    pack_key_str (pack, "name", domain->name);
    pack_key_i64 (pack, "id", domain->id);
}

static void pack_state (pack_t *pack, const snapshot_t *domain)
{
    guest_state_t state = (guest_state_t) domain->state;
    pack_key_i64 (pack, "state", domain->state);
    pack_key_i64 (pack, "reason", domain->reason);
    pack_key_str (pack, "state_text", state_name (state));
    pack_key_str (pack, "reason_text", state_reason_name (state, domain->reason));
    pack_key_i64 (pack, "silent_since_us", domain->silent_since_us);
}

static void pack_row (pack_t *pack, const snapshot_t *domain)
{
    pack_map (pack);
    pack_identity (pack, domain);
    pack_key_i64 (pack, "state", domain->state);
    pack_key_i64 (pack, "reason", domain->reason);
    pack_key_str (pack, "state_text", state_name ((guest_state_t) domain->state));
    pack_key_bool (pack, "persistent", domain->persistent);
    pack_key_bool (pack, "autostart", domain->autostart);
    pack_key_str (pack, "title", domain->title);
    pack_key_str (pack, "driver", domain->driver);
    pack_end (pack);
}

static int answer_list (const query_t *self, const snapshot_t *none, pack_t *result, error_t *err)
{
    (void) none, (void) err;
    domain_filter_t filter;
    domain_filter_read (&filter, self->args);
    //  Without `all` only active domains are listed, or only inactive ones if `inactive` or
    //  `state_shutoff` is given.
    filter.inactive = !flag (self, "all") && (filter.inactive || filter.shutoff);
    filter.active = !flag (self, "all") && !filter.inactive;
    pack_array (result);
    const snapshot_t *domain;
    for (size_t i = 0; (domain = snapshots_at (self->snapshots, i)); i++)
        if (domain_filter_matches (&filter, domain))
            pack_row (result, domain);
    pack_end (result);
    return 0;
}

//  One domain.

static int answer_lookup (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err)
{
    (void) self, (void) err;
    pack_map (result);
    pack_identity (result, domain);
    pack_end (result);
    return 0;
}

//  All but its token, with which either side could be told that it is over.
static void pack_migration (pack_t *result, const snapshot_t *domain)
{
    static const char *const shown[] = { "role", "phase", "peer", "since_us", "trouble" };
    const value_t *migration = domain->migration ? document_root (domain->migration) : NULL;
    pack_key (result, "migration");
    if (!migration) {
        pack_nil (result);
        return;
    }
    pack_map (result);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        pack_key (result, shown[i]);
        pack_value (result, value_get (migration, shown[i]));
    }
    pack_end (result);
}

static int answer_info (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    (void) self, (void) err;
    pack_map (result);
    pack_identity (result, domain);
    pack_key_str (result, "driver", domain->driver);
    pack_key_str (result, "os_type", domain->os_type);
    pack_state (result, domain);
    pack_key_u64 (result, "vcpus", domain->vcpus);
    pack_key_u64 (result, "max_vcpus", domain->max_vcpus);
    pack_key_u64 (result, "memory_kib", domain->memory_kib);
    pack_key_u64 (result, "max_memory_kib", domain->max_memory_kib);
    pack_key_bool (result, "persistent", domain->persistent);
    pack_key_bool (result, "autostart", domain->autostart);
    pack_key_bool (result, "managed_save", domain->managed_save);
    pack_key_str (result, "title", domain->title);
    pack_key_str (result, "agent", domain->agent);
    pack_key_i64 (result, "changed_us", domain->changed_us);
    pack_migration (result, domain);
    pack_end (result);
    return 0;
}

//  For the other side of a migration: does the domain still know of it?
static int answer_inquire (const query_t *self, const snapshot_t *none, pack_t *result,
                           error_t *err)
{
    (void) none;
    const snapshot_t *domain =
        snapshots_by_uuid (self->snapshots, value_get_str (self->args, "uuid"));
    if (domain && domain->loading) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "what domain '%s' is in is not known, since its files could not be read yet; "
                   "ask again (the log says why)",
                   domain->name);
        err->retry = true;
        return -1;
    }
    const value_t *migration =
        domain && domain->migration ? document_root (domain->migration) : NULL;
    bool known = migration && text_equals (value_get_str (migration, "token"),
                                           value_get_str (self->args, "token"));
    pack_map (result);
    pack_key_bool (result, "known", known);
    pack_end (result);
    return 0;
}

static int answer_state (const query_t *self, const snapshot_t *domain, pack_t *result,
                         error_t *err)
{
    (void) self, (void) err;
    pack_map (result);
    pack_state (result, domain);
    pack_end (result);
    return 0;
}

static int answer_vcpus (const query_t *self, const snapshot_t *domain, pack_t *result,
                         error_t *err)
{
    (void) self, (void) err;
    pack_map (result);
    if (domain->persistent) {
        pack_key_u64 (result, "config_max", domain->config_max_vcpus);
        pack_key_u64 (result, "config_current", domain->config_vcpus);
    }
    if (is_active (domain)) {
        pack_key_u64 (result, "live_max", domain->max_vcpus);
        pack_key_u64 (result, "live_current", domain->vcpus);
    }
    pack_end (result);
    return 0;
}

static const char *first_of (const char *a, const char *b)
{
    return a ? a : b;
}

int query_secure (const query_t *self, const snapshot_t *domain, bool *secure, error_t *err)
{
    *secure = flag (self, "security_info");
    if (*secure && self->role < ACCESS_WRITE)
        return error_set (err, ERR_OPERATION_DENIED,
                          "%s: security_info of domain '%s' needs the right to write, and this "
                          "connection may only read",
                          self->verb->name, domain->name);
    return 0;
}

static int answer_xml (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    bool secure;
    if (query_secure (self, domain, &secure, err))
        return -1;
    const char *live = domain->xml, *inactive = domain->xml_inactive;
    if (secure) {
        live = first_of (domain->xml_secure, live);
        inactive = first_of (domain->xml_inactive_secure, inactive);
    }
    //  A domain has one of them at least: transient ones no inactive XML of their own.
    bool definition = flag (self, "inactive") || !is_active (domain);
    const char *xml = definition ? first_of (inactive, live) : first_of (live, inactive);
    if (!xml)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: the XML of domain '%s' could not be read", self->verb->name,
                          domain->name);
    pack_map (result);
    pack_key_str (result, "xml", xml);
    pack_end (result);
    return 0;
}

//  The map of metadata that is meant; NULL if there is none.
static const value_t *metadata_of (const query_t *self, const snapshot_t *domain)
{
    if (!domain->metadata)
        return NULL;
    const value_t *root = document_root (domain->metadata);
    bool config = flag (self, "config") || !is_active (domain);
    return value_get (root, config ? "config" : "live");
}

static int answer_metadata (const query_t *self, const snapshot_t *domain, pack_t *result,
                            error_t *err)
{
    const char *verb = self->verb->name;
    const char *type = value_get_str (self->args, "type"), *uri = value_get_str (self->args, "uri");
    bool element = text_equals (type, "element");
    if (element != (uri != NULL))
        return error_set (err, ERR_INVALID_ARG, "%s: argument 'uri' goes with type 'element', %s",
                          verb, element ? "and is missing" : "and with no other");
    if (flag (self, "config") && !domain->persistent)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: domain '%s' is transient: it has no definition", verb, domain->name);
    const value_t *metadata = metadata_of (self, domain);
    const char *text = element ? value_get_str (value_get (metadata, "elements"), uri)
                               : value_get_str (metadata, type);
    if (!text)
        return error_set (err, ERR_NO_DOMAIN_METADATA, "%s: domain '%s' has no %s%s", verb,
                          domain->name, element ? "metadata element of " : type,
                          element ? uri : "");
    pack_map (result);
    pack_key_str (result, "metadata", text);
    pack_end (result);
    return 0;
}

//  The table.

static const struct {
    const char *verb;
    answer_fn *answer;
} answers[] = {
    { "domain.info", answer_info },
    { "domain.state", answer_state },
    { "domain.list", answer_list },
    { "domain.lookup", answer_lookup },
    { "domain.xml", answer_xml },
    { "domain.vcpus", answer_vcpus },
    { "domain.metadata_get", answer_metadata },
    { "domain.job_info", answer_job_info },
    { "snapshot.list", answer_snapshots },
    { "snapshot.info", answer_snapshot_info },
    { "snapshot.xml", answer_snapshot_xml },
    { "domain.jobs", answer_jobs },
    { "domain.block_jobs", answer_block_jobs },
    { "migration.inquire", answer_inquire },
    { "domain.backup_xml", answer_backup_xml },
    { "domain.addresses", answer_addresses },
    { "domain.memory_parameters", answer_parameters },
    { "domain.blkio_parameters", answer_parameters },
    { "domain.scheduler_parameters", answer_parameters },
    { "domain.numa_parameters", answer_parameters },
    { "domain.vcpu_pins", answer_vcpu_pins },
    { "domain.emulator_pins", answer_emulator_pins },
    { "domain.iothread_pins", answer_iothread_pins },
    { "domain.block_io_parameters", answer_block_io },
    { "domain.interface_parameters", answer_interface_limits },
    { "checkpoint.list", answer_checkpoints },
    { "checkpoint.info", answer_checkpoint_info },
    { "checkpoint.xml", answer_checkpoint_xml },
};

static answer_fn *find_answer (const verb_t *verb)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (text_equals (answers[i].verb, verb->name))
            return answers[i].answer;
    return NULL;
}

bool query_known (const verb_t *verb)
{
    return find_answer (verb) || network_query_known (verb);
}

int query_answer (const query_t *self, pack_t *result, error_t *err)
{
    if (network_query_known (self->verb))
        return network_query_answer (self, result, err);
    answer_fn *answer = find_answer (self->verb);
    if (!answer)
        return error_set (err, ERR_NO_SUPPORT, "%s: it is not answered from snapshots",
                          self->verb->name);
    const value_t *named = value_get (self->args, "domain");
    const snapshot_t *domain = NULL;
    if (named) {
        domain = snapshots_resolve (self->snapshots, self->verb->name, named, err);
        if (!domain)
            return -1;
    }
    return answer (self, domain, result, err);
}
