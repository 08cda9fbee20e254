//  emulators.c: owns what is known about emulators.

#include "actors/services/emulators.h"

#include "actors/config.h"
#include "actors/services/emulator_cache.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "util/file.h"

#include <czmq.h>
#include <inttypes.h>

enum {
    PROBE_MS = 14000,
    //  In a row, of a file that changes while it is probed, or of one that hangs, or crashes.
    PROBES_MAX = 3,
    DISK_MS = 60000
};

typedef struct {
    char *path;
    emulator_file_t file; //  what is known, or being probed, is of this
    char *capabilities;   //  NULL: not known
    zlistx_t *waiting;    //  msg_t: who waits for the probe
    int probes;           //  0: none runs
    char job[MSG_ADDRESS_MAX];
} emulator_t;

typedef struct {
    const config_t *config;
    zhashx_t *known; //  emulator_t by path
    uint64_t last_probe;
} emulators_t;

static void destroy_msg (void **item_p)
{
    msg_destroy ((msg_t **) item_p);
}

static void emulator_destroy (void **item_p)
{
    emulator_t *self = take ((emulator_t **) item_p);
    free (self->path);
    free (self->capabilities);
    zlistx_destroy (&self->waiting);
    free (self);
}

static emulator_t *emulator_for (emulators_t *self, const char *path)
{
    emulator_t *emulator = zhashx_lookup (self->known, path);
    if (emulator)
        return emulator;
    emulator = memory_new (1, sizeof *emulator);
    emulator->path = text_copy (path);
    emulator->waiting = zlistx_new ();
    zlistx_set_destructor (emulator->waiting, destroy_msg);
    zhashx_insert (self->known, path, emulator);
    return emulator;
}

static void reply_capabilities (actor_t *self, const emulator_t *emulator, msg_t **request_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "capabilities", emulator->capabilities);
    pack_end (msg_result (reply));
    actor_reply (self, request_p, &reply);
}

//  The cache.

static void on_written (actor_t *self, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (self, LEVEL_WARNING, "an emulator will be probed again after a restart: %s",
                   err.message);
}

static void write_cache (actor_t *self, const emulator_t *emulator)
{
    const emulators_t *emulators = actor_state (self);
    autofree char *name = emulator_cache_path (emulators->config->paths->cache, emulator->path);
    autofree char *text =
        emulator_cache_text (emulator->path, &emulator->file, emulator->capabilities);
    msg_t *request = msg_request ("disk.write");
    pack_t *pack = msg_args (request);
    pack_key_array (pack, "files");
    pack_map (pack);
    pack_key_str (pack, "path", name);
    pack_key_str (pack, "text", text);
    pack_end (pack);
    actor_request (self, "disk/0", &request, DISK_MS, on_written, NULL);
}

static void read_cache (actor_t *self, emulator_t *emulator)
{
    const emulators_t *emulators = actor_state (self);
    error_t err;
    autofree char *name = emulator_cache_path (emulators->config->paths->cache, emulator->path);
    emulator->capabilities = emulator_cache_read (name, emulator->path, &emulator->file, &err);
    if (!emulator->capabilities && err.code != ERR_OK)
        actor_log (self, LEVEL_WARNING, "cached capabilities of '%s' are not used: %s",
                   emulator->path, err.message);
}

//  Probing.

static void answer_all (actor_t *self, emulator_t *emulator)
{
    msg_t *request;
    while ((request = zlistx_detach (emulator->waiting, NULL)))
        reply_capabilities (self, emulator, &request);
}

//  Nothing is kept of an emulator that could not be probed.
static void fail_all (actor_t *self, emulator_t *emulator, const error_t *err)
{
    emulators_t *emulators = actor_state (self);
    msg_t *request;
    while ((request = zlistx_detach (emulator->waiting, NULL)))
        actor_reply_error (self, &request, err);
    zhashx_delete (emulators->known, emulator->path);
}

static void on_probed (actor_t *self, const msg_t *reply, void *arg);

//  The address is new each time: a job that is being cancelled keeps its own for a while.
static void probe (actor_t *self, emulator_t *emulator)
{
    emulators_t *emulators = actor_state (self);
    char hash[EMULATOR_HASH_SIZE];
    emulator_hash (emulator->path, hash);
    snprintf (emulator->job, sizeof emulator->job, "job/probe-%s-%" PRIu64, hash,
              ++emulators->last_probe);
    emulator->probes++;
    msg_t *args = msg_request ("probe");
    config_pack (emulators->config, msg_args (args));
    pack_key_str (msg_args (args), "path", emulator->path);
    actor_spawn (self, emulator->job, &probe_job_class, &args, false, PROBE_MS, on_probed,
                 emulator);
}

//  What the probe found out, checked: only what the driver can read is kept.
static int read_probe (emulator_t *emulator, const msg_t *reply, error_t *err)
{
    if (msg_failed (reply, err))
        return -1;
    const char *text = value_get_str (msg_value (reply), "capabilities");
    auto(qemu_caps_t) caps = qemu_caps_parse (text ? text : "", err);
    if (!caps)
        return error_prefix (err, "probe emulator '%s'", emulator->path);
    emulator->capabilities = text_copy (text);
    return 0;
}

//  An emulator is updated while it is probed: what was found out may be of the old one.
static void probe_again (actor_t *self, emulator_t *emulator, const emulator_file_t *file)
{
    error_t err;
    emulator->file = *file;
    if (emulator->probes < PROBES_MAX) {
        probe (self, emulator);
        return;
    }
    error_set (&err, ERR_OPERATION_FAILED,
               "probe emulator '%s': its file changed again and again meanwhile; try again later",
               emulator->path);
    err.retry = true;
    fail_all (self, emulator, &err);
}

//  QEMU answers in a tenth of a second. One that hung in its start, on a machine that was short of
//  memory, say, has been ended; nobody's guest was in it, so it may have another try. So may one
//  that ended without saying why.
static bool may_do_better (actor_t *self, const emulator_t *emulator, const msg_t *reply)
{
    error_t err;
    if (!msg_failed (reply, &err) || (err.code != ERR_OPERATION_TIMEOUT && !err.retry) ||
        emulator->probes >= PROBES_MAX)
        return false;
    actor_log (self, LEVEL_WARNING, "%s; it is tried again", err.message);
    return true;
}

static void on_probed (actor_t *self, const msg_t *reply, void *arg)
{
    emulator_t *emulator = arg;
    error_t err;
    emulator_file_t file;
    actor_stop (self, emulator->job); //  when it did not end in time
    if (emulator_file_look (emulator->path, &file, &err)) {
        fail_all (self, emulator, &err);
        return;
    }
    if (!emulator_file_equals (&file, &emulator->file)) {
        probe_again (self, emulator, &file);
        return;
    }
    if (may_do_better (self, emulator, reply)) {
        probe (self, emulator);
        return;
    }
    if (read_probe (emulator, reply, &err)) {
        err.retry = false; //  it was
        fail_all (self, emulator, &err);
        return;
    }
    emulator->probes = 0;
    write_cache (self, emulator);
    answer_all (self, emulator);
}

//  Requests.

static void handle_get (actor_t *self, msg_t **msg_p)
{
    emulators_t *emulators = actor_state (self);
    const char *path = msg_str (*msg_p, "path");
    emulator_file_t file;
    error_t err;
    if (emulator_file_look (path ? path : "", &file, &err)) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    emulator_t *emulator = emulator_for (emulators, path);
    if (emulator->probes > 0) {
        zlistx_add_end (emulator->waiting, take (msg_p));
        return;
    }
    if (!emulator->capabilities || !emulator_file_equals (&file, &emulator->file)) {
        free (take (&emulator->capabilities));
        emulator->file = file;
        read_cache (self, emulator);
    }
    if (emulator->capabilities) {
        reply_capabilities (self, emulator, msg_p);
        return;
    }
    zlistx_add_end (emulator->waiting, take (msg_p));
    probe (self, emulator);
}

static void emulators_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "emulator.get"))
        handle_get (self, msg_p);
}

static int emulators_start (actor_t *self, const msg_t *args, error_t *err)
{
    emulators_t *emulators = actor_state (self);
    emulators->config = config_of (args);
    emulators->known = zhashx_new ();
    zhashx_set_destructor (emulators->known, emulator_destroy);
    //  Without the folder nothing is kept, which each write will say.
    autofree char *folder = text_format ("%s/qemu", emulators->config->paths->cache);
    if (file_make_folders (folder, 0700, err))
        actor_log (self, LEVEL_WARNING, "%s", err->message);
    return 0;
}

static void emulators_stop (actor_t *self)
{
    emulators_t *emulators = actor_state (self);
    zhashx_destroy (&emulators->known);
}

const actor_class_t emulators_class = { .kind = "emulators",
                                        .state_size = sizeof (emulators_t),
                                        .max_requests = 1024,
                                        .start = emulators_start,
                                        .handle = emulators_handle,
                                        .stop = emulators_stop };
