//  host_domains.c: names and uuids of domains and networks, ids of domains; the jobs that bring new
//  definitions.

#include "actors/domain/domain.h"
#include "actors/domain/domain_files.h"
#include "actors/host/host_self.h"
#include "actors/jobs/job.h"
#include "actors/network/network.h"
#include "actors/network/network_files.h"
#include "util/text.h"

enum {
    JOB_MS = 25 * 3600000, //  a restore takes as long as a slow disk wants
    LOAD_MS = 60000,
    MAX_RESTARTS = 5,
    RESTART_SERIES_MS = 60000, //  so many restarts within this time are too many
    START_AGAIN_MS = 5000      //  an owner that could not be started
};

void host_address_of (const entry_t *entry, char address[MSG_ADDRESS_MAX])
{
    snprintf (address, MSG_ADDRESS_MAX, "%s/%s", entry->registry->noun, entry->uuid);
}

//  Which of the two an owner's address is about.
static registry_t *registry_of_address (host_t *self, const char *address)
{
    return text_starts (address, "network/") ? &self->networks : &self->domains;
}

//  Messages of owners and their jobs are about domains, unless they say something else.
static registry_t *registry_of (host_t *self, const msg_t *msg)
{
    return text_equals (msg_str (msg, "noun"), "network") ? &self->networks : &self->domains;
}

static entry_t *entry_of (host_t *self, const msg_t *msg)
{
    return registry_find (registry_of (self, msg), msg_str (msg, "uuid"));
}

//  Owners: started, watched, started again.

static void owner_down (actor_t *actor, const char *address, const msg_t *down, void *arg);

static void owner_started (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (actor, LEVEL_ERROR, "%s", err.message);
}

void host_spawn_owner (host_t *self, entry_t *entry, bool load, const char *crashed)
{
    char address[MSG_ADDRESS_MAX];
    host_address_of (entry, address);
    const actor_class_t *class =
        entry->registry == &self->networks ? &network_class : &domain_class;
    auto(msg_t) args = msg_request ("start");
    pack_t *pack = msg_args (args);
    config_pack (self->config, pack);
    pack_key_str (pack, "uuid", entry->uuid);
    pack_key_str (pack, "name", *entry->name ? entry->name : entry->uuid);
    pack_key_str (pack, "driver", entry->driver);
    pack_key_bool (pack, "load", load);
    pack_key_bool (pack, "again", load && entry->restarts.count > 0);
    pack_key_str (pack, "crashed", crashed);
    actor_spawn (self->actor, address, class, &args, true, LOAD_MS, owner_started, NULL);
    actor_watch (self->actor, address, owner_down, NULL);
}

bool host_may_restart (host_t *self, restarts_t *restarts)
{
    int64_t now = actor_now (self->actor);
    if (now - restarts->since_ms > RESTART_SERIES_MS)
        *restarts = (restarts_t){ .since_ms = now };
    return ++restarts->count <= MAX_RESTARTS;
}

static void give_ids (host_t *self);

static void set_ready (host_t *self, entry_t *entry)
{
    if (entry->ready)
        return;
    entry->ready = true;
    self->loading--;
    give_ids (self);
    if (self->loading == 0)
        host_serve (self);
}

static void reply_granted (host_t *self, msg_t **msg_p, const entry_t *entry, bool is_new);

//  Whoever reserved the uuid meanwhile gets a new owner for it.
static void owner_left (host_t *self, entry_t *entry)
{
    entry->leaving = false;
    host_spawn_owner (self, entry, false, NULL);
    for (host_job_t *job = zhashx_first (self->jobs); job; job = zhashx_next (self->jobs))
        if (job->reserving && job->registry == entry->registry &&
            strcmp (job->granted, entry->uuid) == 0)
            reply_granted (self, &job->reserving, entry, true);
}

static void start_now (actor_t *actor, void *arg)
{
    host_t *self = actor_state (actor);
    autofree char *address = arg;
    entry_t *entry = registry_find (registry_of_address (self, address), strchr (address, '/') + 1);
    if (entry)
        host_spawn_owner (self, entry, true, NULL);
}

//  It could not be started at all: limits of the machine. What has files, and perhaps a guest, is
//  not given up; a new one is.
static void start_later (host_t *self, entry_t *entry)
{
    if (entry->empty) {
        registry_remove (entry->registry, &entry);
        return;
    }
    set_ready (self, entry); //  the others are not to wait for it
    char address[MSG_ADDRESS_MAX];
    host_address_of (entry, address);
    actor_timer (self->actor, START_AGAIN_MS, start_now, text_copy (address));
}

static void owner_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) arg;
    host_t *self = actor_state (actor);
    entry_t *entry = registry_find (registry_of_address (self, address), strchr (address, '/') + 1);
    error_t err;
    if (!entry || !msg_failed (down, &err) || actor_stopping (actor))
        return;
    if (entry->leaving && entry->grants > 0)
        owner_left (self, entry);
    else if (entry->leaving) {
        actor_stop (actor, address); //  a panic keeps the address
        registry_remove (entry->registry, &entry);
    } else if (msg_head (down)->reason == END_PANIC) {
        bool again = host_may_restart (self, &entry->restarts);
        host_spawn_owner (self, entry, again, again ? NULL : err.message);
        if (!again)
            set_ready (self, entry); //  the others are not to wait for it
    } else
        start_later (self, entry);
}

static void load_all (host_t *self, registry_t *registry, const strings_t *uuids,
                      const char *driver)
{
    for (size_t i = 0; i < uuids->count; i++) {
        if (registry_find (registry, uuids->items[i]))
            continue;
        entry_t *entry = registry_add (registry, uuids->items[i], driver);
        self->loading++;
        host_spawn_owner (self, entry, true, NULL);
    }
}

int host_load (host_t *self, error_t *err)
{
    auto(strings_t) networks = network_list_files (self->config->paths, err);
    if (!networks)
        return -1;
    load_all (self, &self->networks, networks, self->networks.noun);
    for (const driver_t *const *driver = drivers; *driver; driver++) {
        auto(strings_t) uuids = domain_list_files (self->config->paths, *driver, err);
        if (!uuids)
            return -1;
        load_all (self, &self->domains, uuids, (*driver)->name);
    }
    if (self->loading == 0)
        host_serve (self);
    return 0;
}

//  Reservations end with the job that holds them.

static void remove_if_empty (host_t *self, entry_t *entry)
{
    if (!entry->empty || entry->grants > 0 || entry->leaving)
        return;
    char address[MSG_ADDRESS_MAX];
    host_address_of (entry, address);
    registry_leave (entry->registry, entry);
    actor_stop (self->actor, address);
}

static void conclude (host_t *self, host_job_t *job)
{
    entry_t *entry = *job->granted ? registry_find (job->registry, job->granted) : NULL;
    *job->granted = 0;
    if (!entry)
        return;
    registry_end_grant (entry);
    remove_if_empty (self, entry);
}

void host_job_destroy (host_job_t **job_p)
{
    host_job_t *job = take (job_p);
    msg_t *other;
    while (job->others && (other = zlistx_detach (job->others, NULL)))
        msg_destroy (&other);
    zlistx_destroy (&job->others);
    msg_destroy (&job->request);
    msg_destroy (&job->reserving);
    free (job);
}

static void answer (actor_t *actor, msg_t **request_p, const msg_t *reply)
{
    error_t err;
    if (msg_failed (reply, &err)) {
        actor_reply_error (actor, request_p, &err);
        return;
    }
    auto(msg_t) answer = msg_reply ();
    const value_t *value = value_get (msg_value (reply), "value");
    if (value)
        pack_value (msg_result (answer), value);
    actor_reply (actor, request_p, &answer);
}

static void start_job (host_t *self, host_job_t *job);

//  Nobody waited for the first answer any more, but others do.
static bool go_on_for_others (host_t *self, host_job_t *job)
{
    msg_t *next = job->others ? zlistx_detach (job->others, NULL) : NULL;
    if (!next)
        return false;
    msg_destroy (&job->request);
    job->request = next;
    start_job (self, job);
    return true;
}

static void on_job_done (actor_t *actor, const msg_t *reply, void *arg)
{
    host_t *self = actor_state (actor);
    host_job_t *job = arg;
    msg_t *other;
    if (msg_is_late (reply) && go_on_for_others (self, job))
        return;
    conclude (self, job);
    actor_stop (actor, job->address); //  when it did not end in time
    answer (actor, &job->request, reply);
    while (job->others && (other = zlistx_detach (job->others, NULL)))
        answer (actor, &other, reply);
    if (self->capabilities == job)
        self->capabilities = NULL;
    zhashx_delete (self->jobs, job->address);
    host_job_destroy (&job);
}

void host_share_job (host_t *self, host_job_t *job, msg_t **request_p)
{
    if (!job->others)
        job->others = zlistx_new ();
    actor_admit (self->actor, *request_p, JOB_MS + 10000);
    zlistx_add_end (job->others, take (request_p));
}

static void start_job (host_t *self, host_job_t *job)
{
    auto(msg_t) args = msg_request ("run");
    pack_t *pack = msg_args (args);
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", job->kind);
    pack_key_str (pack, "owner", actor_address (self->actor));
    const value_t *given = value_get (msg_root (job->request), "args");
    if (given) {
        pack_key (pack, "args");
        pack_value (pack, given);
    }
    const value_t *by = value_get (msg_root (job->request), "by");
    if (by) {
        pack_key (pack, "by");
        pack_value (pack, by);
    }
    actor_spawn_for (self->actor, job->request, job->address, &job_class, &args, JOB_MS,
                     on_job_done, job);
}

host_job_t *host_run_job (host_t *self, const char *kind, msg_t **request_p)
{
    host_job_t *job = memory_new (1, sizeof *job);
    job->request = take (request_p);
    job->kind = kind;
    job->registry = text_starts (kind, "network_") ? &self->networks : &self->domains;
    snprintf (job->address, sizeof job->address, "job/%llu",
              (unsigned long long) ++self->job_count);
    zhashx_insert (self->jobs, job->address, job);
    start_job (self, job);
    return job;
}

void host_define (host_t *self, msg_t **msg_p)
{
    static const char *const jobs[][2] = {
        { "domain.define", "define" },
        { "domain.create_xml", "create_xml" },
        { "domain.restore", "restore_file" },
        { "network.define", "network_define" },
        { "network.create_xml", "network_create_xml" },
        { "image.xml", "image_xml" },
        { "image.define", "image_define" },
        { "migration.prepare", "migrate_prepare" },
        { "migration.resolve", "migrate_resolve" },
        { "host.sysinfo", "sysinfo" },
        { "interface.list", "interfaces" },
        { "interface.xml", "interface_xml" },
        { "host.domain_capabilities", "domain_capabilities" },
        { "host.domain_native", "domain_native" },
        { "host.cpu_models", "cpu_models" },
        { "host.cpu_compare", "cpu_compare" },
        { "host.cpu_baseline", "cpu_baseline" },
        { "host.hypervisor_cpu_compare", "cpu_compare" },
        { "host.hypervisor_cpu_baseline", "hypervisor_cpu_baseline" },
        { "host.max_vcpus", "max_vcpus" },
        { "host.hypervisor", "hypervisor" },
        { "host.shared_memory_set", "shared_memory_set" },
        { "host.pages_allocate", "pages_allocate" },
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (msg_is (*msg_p, jobs[i][0])) {
            host_run_job (self, jobs[i][1], msg_p);
            return;
        }
}

//  What jobs ask.

static void reply_nil (host_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    actor_reply (self->actor, msg_p, &reply);
}

static void reply_granted (host_t *self, msg_t **msg_p, const entry_t *entry, bool is_new)
{
    char address[MSG_ADDRESS_MAX];
    host_address_of (entry, address);
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_str (pack, "address", address);
    pack_key_str (pack, "name", entry->name);
    pack_key_bool (pack, "new", is_new);
    pack_end (pack);
    actor_reply (self->actor, msg_p, &reply);
}

//  Whoever restores a domain from a file knows what it was called then.
static const char *name_to_reserve (host_t *self, const msg_t *msg)
{
    const entry_t *entry = entry_of (self, msg);
    bool keep = msg_flag (msg, "keep_name") && entry && *entry->name;
    return keep ? entry->name : msg_str (msg, "name");
}

void host_reserve (host_t *self, msg_t **msg_p)
{
    host_job_t *job = zhashx_lookup (self->jobs, msg_head (*msg_p)->from);
    const char *name = msg_str (*msg_p, "driver"), *bridge = msg_str (*msg_p, "bridge");
    const driver_t *driver = name ? driver_by_name (name) : NULL;
    bool is_new;
    error_t err;
    entry_t *entry = NULL;
    if (!job)
        error_set (&err, ERR_OPERATION_ABORTED, "%s took too long, and nobody waits for it",
                   msg_head (*msg_p)->from);
    else if (registry_check_bridge (job->registry, msg_str (*msg_p, "uuid"), bridge, &err) == 0)
        entry = registry_reserve (job->registry, msg_str (*msg_p, "uuid"),
                                  name_to_reserve (self, *msg_p),
                                  driver ? driver->name : job->registry->noun, &is_new, &err);
    if (!entry) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    snprintf (job->granted, sizeof job->granted, "%s", entry->uuid);
    registry_set_bridge (entry, BRIDGE_WANTED, bridge);
    if (entry->leaving) {
        job->reserving = take (msg_p);
        return;
    }
    if (is_new)
        host_spawn_owner (self, entry, false, NULL);
    reply_granted (self, msg_p, entry, is_new);
}

//  Topic "network/UUID": which bridges it makes.
void host_hear_network (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) actor;
    host_t *self = arg;
    entry_t *entry = registry_find (&self->networks, topic + strlen ("network/"));
    const value_t *bridges = msg_arg (event, "own_bridges"); //  none of one that is gone
    for (int i = BRIDGE_LIVE; entry && i <= BRIDGE_CONFIG; i++)
        registry_set_bridge (entry, i, value_str (value_at (bridges, (size_t) i)));
}

void host_release (host_t *self, msg_t **msg_p)
{
    host_job_t *job = zhashx_lookup (self->jobs, msg_head (*msg_p)->from);
    if (job)
        conclude (self, job);
    reply_nil (self, msg_p);
}

typedef int (naming_fn) (registry_t *self, entry_t *entry, const char *name, error_t *err);

static void give_name (host_t *self, msg_t **msg_p, naming_fn *give)
{
    entry_t *entry = entry_of (self, *msg_p);
    error_t err;
    if (!entry)
        error_set (&err, ERR_NO_DOMAIN, "name a %s: none has the uuid %s",
                   registry_of (self, *msg_p)->noun, msg_str (*msg_p, "uuid"));
    if (!entry || give (entry->registry, entry, msg_str (*msg_p, "name"), &err))
        actor_reply_error (self->actor, msg_p, &err);
    else
        reply_nil (self, msg_p);
}

void host_rename (host_t *self, msg_t **msg_p)
{
    give_name (self, msg_p, registry_claim);
}

void host_name (host_t *self, msg_t **msg_p)
{
    give_name (self, msg_p, registry_name);
}

static void give_id (host_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_i64 (msg_result (reply), "id", self->next_id);
    pack_end (msg_result (reply));
    self->next_id = self->next_id == INT32_MAX ? 1 : self->next_id + 1;
    actor_reply (self->actor, msg_p, &reply);
}

//  Not before the ids of all guests that run already are known: those that are still being loaded
//  want one themselves.
static void give_ids (host_t *self)
{
    msg_t *msg;
    if (self->loading > self->loading_wants)
        return;
    while ((msg = zlistx_detach (self->want_ids, NULL)))
        give_id (self, &msg);
    self->loading_wants = 0;
}

void host_next_id (host_t *self, msg_t **msg_p)
{
    self->loading_wants += msg_flag (*msg_p, "loading");
    zlistx_add_end (self->want_ids, take (msg_p));
    give_ids (self);
}

void host_loaded (host_t *self, msg_t **msg_p)
{
    int64_t id = msg_i64 (*msg_p, "id", -1);
    if (id >= self->next_id && id < INT32_MAX)
        self->next_id = (int) id + 1;
    host_name (self, msg_p);
}

//  What owners tell.

void host_ready (host_t *self, msg_t **msg_p)
{
    entry_t *entry = entry_of (self, *msg_p);
    if (entry)
        set_ready (self, entry);
}

void host_filled (host_t *self, msg_t **msg_p)
{
    entry_t *entry = entry_of (self, *msg_p);
    if (entry && !entry->leaving)
        entry->empty = false;
}

void host_empty (host_t *self, msg_t **msg_p)
{
    entry_t *entry = entry_of (self, *msg_p);
    if (!entry)
        return;
    entry->empty = true;
    set_ready (self, entry);
    remove_if_empty (self, entry);
}
