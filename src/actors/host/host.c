//  host.c: the daemon's start and end, and who is started again when it fails.

#include "actors/host/host_self.h"

#include "actors/services/disk.h"
#include "actors/services/disk_request.h"
#include "actors/domain/domain_files.h"
#include "actors/services/emulators.h"
#include "actors/links/links.h"
#include "actors/links/links_remover.h"
#include "actors/gateway/keyed_calls.h"
#include "actors/services/log.h"
#include "actors/network/network_files.h"
#include "actors/pci/devices.h"
#include "actors/pci/devices_reader.h"
#include "actors/services/spawner.h"
#include "actors/gateway/zap.h"
#include "actors/gateway/zmq_gateway.h"
#include "actors/libvirt/libvirt_gateway.h"
#include "util/file.h"
#include "util/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

enum {
    START_MS = 30000,
    NETWORK_START_MS = 60000,
    IDLE_LOOK_MS = 1000
};

//  Who the others lean on. When a disk actor or the spawner fails, nobody can trust what it
//  promised: the process ends, is started again, and adopts what runs.
static const struct {
    const char *address;
    const actor_class_t *class;
} helpers[] = {
    { "log", &log_class },
    { "disk/0", &disk_class },
    { "disk/1", &disk_class },
    { "spawner", &spawner_class },
    { "emulators", &emulators_class },
    { "zap", &zap_class },
    { "links/remover", &links_remover_class },
    { "links", &links_class },
    { DEVICES_READER_ADDRESS, &devices_reader_class },
    { DEVICES_ADDRESS, &devices_class },
    { KEYED_CALLS_ADDRESS, &keyed_calls_class },
};

static void start_helper (host_t *self, const char *address, const actor_class_t *class);
static void serve_when_ready (host_t *self);

static void helper_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    host_t *self = actor_state (actor);
    error_t err;
    msg_failed (down, &err);
    const actor_class_t *class = arg;
    if (actor_stopping (actor))
        return;
    if (class == &disk_class || class == &spawner_class ||
        !host_may_restart (self, &self->restarts))
        actor_panic (actor, "%s ended: %s", address, err.message);
    start_helper (self, address, class);
}

//  Whoever started the daemon, such as systemd, may wait for it.
static void tell_starter (host_t *self, const char *state)
{
    error_t err;
    if (self->config->notify && notify_send (self->config->notify, state, &err))
        actor_log (self->actor, LEVEL_WARNING, "%s", err.message);
}

static void helper_started (actor_t *actor, const msg_t *reply, void *arg)
{
    error_t err;
    if (msg_failed (reply, &err))
        actor_panic (actor, "start: %s", err.message);
    host_t *self = actor_state (actor);
    self->starting--;
    if (arg == &zmq_gateway_class)
        tell_starter (self, NOTIFY_READY);
    serve_when_ready (self);
}

static msg_t *helper_arguments (const host_t *self)
{
    msg_t *args = msg_request ("start");
    config_pack (self->config, msg_args (args));
    return args;
}

static void start_helper (host_t *self, const char *address, const actor_class_t *class)
{
    self->starting++;
    auto(msg_t) args = helper_arguments (self);
    actor_spawn (self->actor, address, class, &args, false, START_MS, helper_started,
                 (void *) (uintptr_t) class);
    actor_watch (self->actor, address, helper_down, (void *) (uintptr_t) class);
}

//  Serving.

static void autostart_domains (host_t *self)
{
    for (entry_t *entry = zhashx_first (self->domains.by_uuid); entry;
         entry = zhashx_next (self->domains.by_uuid)) {
        char address[MSG_ADDRESS_MAX];
        host_address_of (entry, address);
        auto(msg_t) msg = msg_request ("host.autostart");
        actor_send (self->actor, address, &msg);
    }
}

//  One that could not be started has said so in the log.
static void on_network_started (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) reply, (void) arg;
    host_t *self = actor_state (actor);
    if (--self->autostarting == 0)
        autostart_domains (self);
}

//  They compare their ports with the domains that run; and so it is with the host's devices.
static void tell_networks (host_t *self)
{
    for (entry_t *entry = zhashx_first (self->networks.by_uuid); entry;
         entry = zhashx_next (self->networks.by_uuid)) {
        char address[MSG_ADDRESS_MAX];
        host_address_of (entry, address);
        auto(msg_t) msg = msg_request ("host.serving");
        actor_send (self->actor, address, &msg);
    }
    auto(msg_t) msg = msg_request ("host.serving");
    actor_send (self->actor, DEVICES_ADDRESS, &msg);
}

//  Networks first: domains plug into them.
static void autostart (host_t *self)
{
    for (entry_t *entry = zhashx_first (self->networks.by_uuid); entry;
         entry = zhashx_next (self->networks.by_uuid)) {
        char address[MSG_ADDRESS_MAX];
        host_address_of (entry, address);
        auto(msg_t) msg = msg_request ("host.autostart");
        self->autostarting++;
        actor_request (self->actor, address, &msg, NETWORK_START_MS, on_network_started, NULL);
    }
    if (self->autostarting == 0)
        autostart_domains (self);
}

//  Once a boot: the mark lies in the folder that a boot empties.
static void autostart_once (host_t *self)
{
    autofree char *mark = text_format ("%s/autostarted", self->config->paths->run);
    if (access (mark, F_OK) == 0)
        return;
    char disk[MSG_ADDRESS_MAX];
    disk_address (mark, disk);
    auto(msg_t) request = disk_request ();
    disk_add_file (request, mark, "");
    actor_send (self->actor, disk, &request);
    autostart (self);
}

static const char *const gateways[] = { LIBVIRT_GATEWAY_ADDRESS, "zmq_gateway" };

static void look_idle (actor_t *actor, void *arg);

//  ARG: how many gateways were asked before.
static void on_idle (actor_t *actor, const msg_t *reply, void *arg)
{
    host_t *self = actor_state (actor);
    error_t err;
    uintptr_t next = (uintptr_t) arg + 1;
    const value_t *result = msg_value (reply);
    bool idle = !msg_failed (reply, &err) && value_get_u64 (result, "sessions", 1) == 0 &&
                value_get_u64 (result, "active", 1) == 0 &&
                value_get_i64 (result, "idle_ms", 0) > self->config->idle_exit_s * 1000;
    if (idle && next < sizeof gateways / sizeof *gateways)
        look_idle (actor, (void *) next);
    else if (idle) {
        actor_log (actor, LEVEL_INFO, "no client and no guest for %d s: ending",
                   self->config->idle_exit_s);
        actor_end (actor);
    } else
        actor_timer (actor, IDLE_LOOK_MS, look_idle, NULL);
}

static void look_idle (actor_t *actor, void *arg)
{
    auto(msg_t) request = msg_request ("gateway.idle");
    actor_request (actor, gateways[(uintptr_t) arg], &request, IDLE_LOOK_MS, on_idle, arg);
}

//  Not before the helpers are there: whoever connected before zap listens would be a stranger.
static void serve_when_ready (host_t *self)
{
    if (self->serving || !self->loaded || self->starting > 0)
        return;
    //  Who can connect to the native gateway's socket may take it that all the others are open.
    if (!self->gateways_open) {
        self->gateways_open = true;
        start_helper (self, LIBVIRT_GATEWAY_ADDRESS, &libvirt_gateway_class);
        return;
    }
    self->serving = true;
    auto(msg_t) settle = msg_request ("links.settle");
    actor_send (self->actor, "links", &settle);
    start_helper (self, "zmq_gateway", &zmq_gateway_class);
    actor_log (self->actor, LEVEL_INFO, "serving %zu domains and %zu networks after %lld ms",
               zhashx_size (self->domains.by_uuid), zhashx_size (self->networks.by_uuid),
               (long long) (actor_wall_clock (self->actor) - self->started_us) / 1000);
    tell_networks (self);
    autostart_once (self);
    host_watch_marks (self);
    if (self->config->idle_exit_s > 0)
        actor_timer (self->actor, IDLE_LOOK_MS, look_idle, NULL);
}

void host_serve (host_t *self)
{
    self->loaded = true;
    serve_when_ready (self);
}

//  Signals.

static void on_signal (actor_t *actor, int fd, short events, void *arg)
{
    (void) events;
    (void) arg;
    struct signalfd_siginfo info;
    if (read (fd, &info, sizeof info) != (ssize_t) sizeof info)
        return;
    actor_log (actor, LEVEL_INFO, "signal %u from process %u: ending; guests go on", info.ssi_signo,
               info.ssi_pid);
    tell_starter (actor_state (actor), NOTIFY_STOPPING);
    actor_end (actor);
}

static int open_signals (host_t *self, error_t *err)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    self->signal_fd = signalfd (-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (self->signal_fd < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "watch for signals");
    actor_watch_fd (self->actor, self->signal_fd, POLLIN, on_signal, NULL);
    return 0;
}

//  Life.

//  A user's own daemon may not make bridges.
static int make_networks (host_t *self, error_t *err)
{
    const paths_t *paths = self->config->paths;
    uint8_t random[16];
    char uuid[UUID_TEXT_SIZE];
    bool new;
    if (network_make_folders (paths, &new, err))
        return -1;
    actor_random (self->actor, random, sizeof random);
    uuid_from_random (random, uuid);
    return new && paths->mode != PATHS_SESSION ? network_ship_default (paths, uuid, err) : 0;
}

static int host_start (actor_t *actor, const msg_t *args, error_t *err)
{
    host_t *self = actor_state (actor);
    self->actor = actor;
    self->config = config_of (args);
    self->next_id = 1;
    self->signal_fd = -1;
    self->started_us = actor_wall_clock (actor);
    self->jobs = zhashx_new ();
    self->want_ids = zlistx_new ();
    registry_open (&self->domains, "domain");
    registry_open (&self->networks, "network");
    actor_subscribe (actor, "network/", host_hear_network, self);
    if (open_signals (self, err) || domain_make_folders (self->config->paths, err) ||
        domain_sweep (self->config->paths, err) || make_networks (self, err))
        return -1;
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++)
        start_helper (self, helpers[i].address, helpers[i].class);
    actor_log (actor, LEVEL_INFO, "trouped " TROUPE_VERSION " starts, instance %s",
               self->config->instance);
    return host_load (self, err);
}

static const struct {
    const char *verb;
    host_verb_fn *run;
} host_verbs[] = {
    { "domain.define", host_define },
    { "domain.create_xml", host_define },
    { "host.reserve", host_reserve },
    { "host.release", host_release },
    { "host.loaded", host_loaded },
    { "host.ready", host_ready },
    { "host.filled", host_filled },
    { "host.empty", host_empty },
    { "host.rename", host_rename },
    { "host.name", host_name },
    { "host.next_id", host_next_id },
    { "host.info", host_info },
    { "domain.restore", host_define },
    { "network.define", host_define },
    { "network.create_xml", host_define },
    { "image.xml", host_define },
    { "image.define", host_define },
    { "migration.prepare", host_define },
    { "migration.resolve", host_define },
    { "host.find", host_find },
    { "host.version", host_version },
    { "host.capabilities", host_capabilities },
    { "host.cpu_stats", host_measure },
    { "host.cpu_map", host_measure },
    { "host.memory_stats", host_measure },
    { "host.cells", host_measure },
    { "host.pages", host_measure },
    { "host.shared_memory", host_measure },
    { "interface.list", host_define },
    { "interface.xml", host_define },
    { "host.sysinfo", host_define },
    { "host.domain_native", host_define },
    { "host.cpu_models", host_define },
    { "host.cpu_compare", host_define },
    { "host.cpu_baseline", host_define },
    { "host.hypervisor_cpu_compare", host_define },
    { "host.hypervisor_cpu_baseline", host_define },
    { "host.hypervisor", host_define },
    { "host.shared_memory_set", host_define },
    { "host.pages_allocate", host_define },
    { "host.max_vcpus", host_define },
    { "host.domain_capabilities", host_define },
};

static void host_handle (actor_t *actor, msg_t **msg_p)
{
    for (size_t i = 0; i < sizeof host_verbs / sizeof *host_verbs; i++)
        if (msg_is (*msg_p, host_verbs[i].verb)) {
            host_verbs[i].run (actor_state (actor), msg_p);
            return;
        }
}

static void host_stop (actor_t *actor)
{
    host_t *self = actor_state (actor);
    for (host_job_t *job = self->jobs ? zhashx_first (self->jobs) : NULL; job;
         job = zhashx_next (self->jobs))
        host_job_destroy (&job);
    zhashx_destroy (&self->jobs);
    msg_t *msg;
    while (self->want_ids && (msg = zlistx_detach (self->want_ids, NULL)))
        msg_destroy (&msg);
    zlistx_destroy (&self->want_ids);
    registry_close (&self->domains);
    registry_close (&self->networks);
    if (self->signal_fd >= 0)
        close (self->signal_fd);
}

const actor_class_t host_class = { .kind = "host",
                                   .state_size = sizeof (host_t),
                                   .max_requests = 8192,
                                   .stop_rank = 2,
                                   .start = host_start,
                                   .handle = host_handle,
                                   .stop = host_stop };
