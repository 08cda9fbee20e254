//  test_job.c: the life of a job, beside an owner and a host that only answer: its result, its
//  cancelling, the end of its owner, its undo.

#include "scene.h"
#include "unit.h"

#include "actors/services/disk.h"
#include "actors/services/disk_request.h"
#include "actors/jobs/job.h"
#include "actors/jobs/job_ops.h"
#include "drivers/snapshot_tree.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#include <unistd.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define CALL_MS 30000

static const char *folder; //  of the test
static paths_t *paths;
static config_t config;

//  The owner counts what it is told; it may refuse to record.

static struct {
    int records, undone;
    bool refuses;
} heard;

static void owner_handle (actor_t *self, msg_t **msg_p)
{
    error_t err;
    heard.undone += msg_is (*msg_p, "job.undone");
    if (msg_is (*msg_p, "test.panic"))
        actor_panic (self, "a test asked for it");
    if (!msg_is (*msg_p, "job.record"))
        return;
    heard.records++;
    error_set (&err, ERR_WRITE_FAILED, "the disk is full");
    auto(msg_t) reply = heard.refuses ? msg_error (&err) : msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t owner_class = { .kind = "domain", .handle = owner_handle };

static void host_handle (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_i64 (msg_result (reply), "id", 7);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t answering_class = { .kind = "host", .handle = host_handle };

static void open_scene (actor_t *self)
{
    error_t err;
    heard.records = heard.undone = 0;
    heard.refuses = false;
    paths = paths_new (PATHS_ROOT, folder, &err);
    check (paths && paths_create (paths, &err) == 0);
    autofree char *run = text_format ("%s/test", paths->run);
    check_equal (file_make_folders (run, 0700, &err), 0);
    config = (config_t){ .paths = paths, .launcher = "/bin/false", .instance = "01234567" };
    check_equal (scene_spawn (self, "host", &answering_class, false), 0);
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    check_equal (scene_spawn (self, "domain/" UUID, &owner_class, true), 0);
    scene_reset ();
}

static void close_scene (actor_t *self)
{
    scene_end_actor (self, "domain/" UUID);
    scene_end_actor (self, "disk/0");
    scene_end_actor (self, "disk/1");
    paths_destroy (&paths);
}

static size_t count_files (void)
{
    error_t err;
    autofree char *run = text_format ("%s/test", paths->run);
    auto(strings_t) names = file_list (run, "", &err);
    check (names != NULL);
    return names->count;
}

//  A job of KIND at job/1, whose answer comes to scene_await. The caller may add to the arguments.
static msg_t *job_args (const char *kind, const char *behaviour)
{
    autofree char *xml = text_format (
        "<domain type='test'><name>web</name><uuid>" UUID "</uuid><memory unit='KiB'>65536</memory>"
        "<currentMemory unit='KiB'>65536</currentMemory><vcpu>1</vcpu><os><type>hvm</type></os>"
        "<devices/><test:behaviour xmlns:test='https://troupe.dev/xml/test/1'>%s</test:behaviour>"
        "</domain>",
        behaviour);
    msg_t *args = msg_request ("run");
    pack_t *pack = msg_args (args);
    config_pack (&config, pack);
    pack_key_str (pack, "kind", kind);
    pack_key_str (pack, "owner", "domain/" UUID);
    pack_key_str (pack, "driver", "test");
    pack_key_str (pack, "uuid", UUID);
    pack_key_str (pack, "name", "web");
    pack_key_str (pack, "definition", xml);
    return args;
}

static void run_job (actor_t *self, msg_t **args_p)
{
    actor_spawn (self, "job/1", &job_class, args_p, false, CALL_MS, scene_keep, NULL);
}

static void start_guest (actor_t *self, const char *behaviour)
{
    msg_t *args = job_args ("start", behaviour);
    run_job (self, &args);
}

static void wait_for_files (actor_t *self, size_t count)
{
    scene_until (self, count_files () >= count);
}

static void scene_result (actor_t *self)
{
    open_scene (self);
    start_guest (self, "");
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    const value_t *result = msg_value (answer);
    check_equal (value_get_i64 (result, "id", 0), 7);
    check_equal (value_get_i64 (result, "state", 0), STATE_RUNNING);
    check (value_get_str (result, "live") && value_get_str (result, "record"));
    check_equal (count_files (), 3);
    check_equal (heard.records, 3);
    check_equal (heard.undone, 0);
    close_scene (self);
}

static void scene_cancelled (actor_t *self)
{
    open_scene (self);
    start_guest (self, "<test:delay op='start' step='2' ms='60000'/>");
    wait_for_files (self, 2);
    auto(msg_t) told = scene_ask (self, "job/1", "job.cancel", CALL_MS);
    check_equal (scene_code (told), 0);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_ABORTED);
    check_equal (count_files (), 0);
    close_scene (self);
    check_equal (heard.undone, 1);
}

static void scene_stopped (actor_t *self)
{
    open_scene (self);
    start_guest (self, "<test:delay op='start' step='1' ms='60000'/>");
    wait_for_files (self, 1);
    scene_end_actor (self, "job/1");
    check_equal (count_files (), 0);
    close_scene (self);
}

//  Nobody would own what it makes.
static void scene_owner_ends (actor_t *self)
{
    open_scene (self);
    start_guest (self, "<test:delay op='start' step='2' ms='60000'/>");
    wait_for_files (self, 2);
    msg_t *panic = msg_request ("test.panic");
    actor_send (self, "domain/" UUID, &panic);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_ABORTED);
    check_equal (count_files (), 0);
    close_scene (self);
}

//  An effect whose intent is not on disk does not happen.
static void scene_record_refused (actor_t *self)
{
    open_scene (self);
    heard.refuses = true;
    start_guest (self, "");
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_WRITE_FAILED);
    check_equal (heard.records, 1);
    check_equal (count_files (), 0);
    close_scene (self);
}

static void pack_effect (pack_t *pack, const char *kind, const char *argument)
{
    pack_array (pack);
    pack_str (pack, kind);
    pack_str (pack, argument);
    pack_end (pack);
}

//  For a job that died: what it had recorded. All is tried, whatever fails.
static void scene_unwind (actor_t *self)
{
    error_t err;
    open_scene (self);
    autofree char *left = text_format ("%s/test/left", paths->run);
    check_equal (file_write (left, "", 0, &err), 0);
    msg_t *args = job_args ("unwind", "");
    pack_key_array (msg_args (args), "undo");
    pack_effect (msg_args (args), "file", left);
    pack_effect (msg_args (args), "of a later version", "x");
    pack_end (msg_args (args));
    run_job (self, &args);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_FAILED);
    check_equal (count_files (), 0);
    close_scene (self);
    check_equal (heard.undone, 0);
}

static void silent_handle (actor_t *self, msg_t **msg_p)
{
    error_t err;
    error_set (&err, ERR_OPERATION_TIMEOUT, "it is there still");
    auto(msg_t) reply = msg_error (&err);
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t silent_class = { .kind = "spawner", .handle = silent_handle };

//  What waits for one that does not answer now is tried again for as long as that lasts: the owner
//  is told which it is.
static void scene_unwind_unanswered (actor_t *self)
{
    open_scene (self);
    check_equal (scene_spawn (self, "spawner", &silent_class, false), 0);
    msg_t *args = job_args ("unwind", "");
    pack_key_array (msg_args (args), "undo");
    pack_effect (msg_args (args), "process", "4242:77:11111111-2222-3333-4444-555555555555");
    pack_end (msg_args (args));
    run_job (self, &args);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_TIMEOUT);
    scene_end_actor (self, "spawner");
    close_scene (self);
}

//  Nobody can say whether QEMU has a device: what it stands on stays, until that is known.
static void scene_unwind_unsure (actor_t *self)
{
    error_t err;
    open_scene (self);
    check_equal (scene_spawn (self, "spawner", &silent_class, false), 0);
    autofree char *left = text_format ("%s/test/left", paths->run);
    check_equal (file_write (left, "", 0, &err), 0);
    msg_t *args = job_args ("unwind", "");
    pack_key_str (msg_args (args), "record",
                  "<driver><process identity='4242:77:11111111-2222-3333-4444-555555555555'/>"
                  "<plug alias='net1'><interface type='user'/></plug></driver>");
    pack_key_array (msg_args (args), "undo");
    pack_effect (msg_args (args), "file", left);
    pack_effect (msg_args (args), "qemu.plug", "net1");
    pack_end (msg_args (args));
    run_job (self, &args);
    auto(msg_t) answer = scene_await (self, 1);
    check (scene_code (answer) != 0);
    check_equal (count_files (), 1);
    scene_end_actor (self, "spawner");
    close_scene (self);
}

//  A job whose steps are the test's.
static job_actor_t *begin_job (actor_t *actor, const msg_t *args)
{
    static const job_kind_t kind = { "testing", NULL };
    job_actor_t *self = actor_state (actor);
    self->actor = actor;
    self->start = args;
    self->kind = &kind;
    self->base.ops = &job_actor_ops;
    self->undo = job_undo_new ();
    pack_init (&self->value);
    guest_t *guest = memory_new (1, sizeof *guest);
    guest->name = text_copy ("web");
    self->base.guest = guest;
    snprintf (self->owner, sizeof self->owner, "domain/" UUID);
    snprintf (self->monitor, sizeof self->monitor, "monitor/" UUID);
    return self;
}

//  It pushes an undo, commits, and is cancelled then.
static int committing_start (actor_t *actor, const msg_t *args, error_t *err)
{
    job_actor_t *self = begin_job (actor, args);
    check_equal (job_undo (&self->base, "file", "/no/such/file", err), 0);
    int rc = job_commit (&self->base, err);
    check_equal (zlistx_size (self->undo), rc ? 1 : 0);
    self->cancelled = true;
    error_t late;
    check_equal (job_wait (&self->base, 1, &late), rc ? -1 : 0);
    actor_end (actor);
    return rc;
}

//  What is committed is neither undone nor cancelled; what could not be made durable is.
static void scene_committed (actor_t *self)
{
    actor_class_t class = job_class;
    class.start = committing_start;
    open_scene (self);
    check_equal (scene_spawn (self, "job/1", &class, false), 0);
    check_equal (heard.records, 1);
    heard.refuses = true;
    check_equal (scene_spawn (self, "job/2", &class, false), ERR_WRITE_FAILED);
    check_equal (heard.records, 2);
    close_scene (self);
}

//  A monitor that ends with its QEMU, while a command is on its way to it.

static msg_t *unanswered;

static void ending_handle (actor_t *self, msg_t **msg_p)
{
    unanswered = take (msg_p);
    actor_end (self);
}

static const actor_class_t ending_class = { .kind = "monitor", .handle = ending_handle };

static int asking_start (actor_t *actor, const msg_t *args, error_t *err)
{
    job_actor_t *self = begin_job (actor, args);
    check (job_qmp (&self->base, "query-status", NULL, CALL_MS, err) == NULL);
    check_text (err->message, "QEMU of domain 'web' ended before it answered 'query-status'");
    return -1;
}

//  Nobody has cancelled the job; it may do what there is to be done when QEMU has ended.
static void scene_monitor_ends (actor_t *self)
{
    actor_class_t class = job_class;
    class.start = asking_start;
    open_scene (self);
    check_equal (scene_spawn (self, "monitor/" UUID, &ending_class, false), 0);
    check_equal (scene_spawn (self, "job/1", &class, false), ERR_OPERATION_FAILED);
    msg_destroy (&unanswered);
    close_scene (self);
}

//  A disk that answers when it is told to.

static msg_t *held;

static void held_disk_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "disk.write"))
        held = take (msg_p);
    else if (msg_is (*msg_p, "test.go")) {
        auto(msg_t) reply = msg_reply ();
        actor_reply (self, &held, &reply);
    }
}

static const actor_class_t held_disk_class = { .kind = "disk", .handle = held_disk_handle };

static struct {
    bool written;
    int after; //  the code of what came next
} writer;

static int writing_start (actor_t *actor, const msg_t *args, error_t *err)
{
    static const job_kind_t kind = { "writing", NULL };
    job_actor_t *self = actor_state (actor);
    (void) args;
    self->actor = actor;
    self->kind = &kind;
    self->base.ops = &job_actor_ops;
    self->undo = job_undo_new ();
    pack_init (&self->value);
    self->base.guest = memory_new (1, sizeof *self->base.guest);
    snprintf (self->base.guest->uuid, sizeof self->base.guest->uuid, UUID);
    writer.written = job_write_file (&self->base, "/a/file", "text", err) == 0;
    writer.after = job_write_file (&self->base, "/another", "text", err) ? (int) err->code : 0;
    return -1;
}

//  What is on its way to the disk gets there: undo, which looks at files, has to find it.
static void scene_cancelled_while_it_writes (actor_t *self)
{
    char address[MSG_ADDRESS_MAX];
    actor_class_t class = job_class;
    class.start = writing_start;
    held = NULL;
    disk_address (UUID, address);
    check_equal (scene_spawn (self, address, &held_disk_class, false), 0);
    scene_reset ();
    auto(msg_t) args = msg_request ("run");
    actor_spawn (self, "job/1", &class, &args, false, CALL_MS, scene_keep, NULL);
    auto(msg_t) told = scene_ask (self, "job/1", "job.cancel", CALL_MS);
    check_equal (scene_code (told), 0);
    check_equal (scene_count (), 0);
    msg_t *go = msg_request ("test.go");
    actor_send (self, address, &go);
    auto(msg_t) answer = scene_await (self, 1);
    check (writer.written);
    check_equal (writer.after, ERR_OPERATION_ABORTED);
    check_equal (scene_code (answer), ERR_OPERATION_ABORTED);
    scene_end_actor (self, address);
}

//  A disk that says that it failed when the first definition was there already.
static struct {
    char *definition;
    int writes;
} late_disk;

static void late_disk_handle (actor_t *self, msg_t **msg_p)
{
    error_t err;
    const char *text = value_get_str (value_at (msg_arg (*msg_p, "files"), 0), "text");
    bool definition = text && text_starts (text, "<domain ");
    if (definition) {
        free (late_disk.definition);
        late_disk.definition = text_copy (text);
        late_disk.writes++;
    }
    error_set (&err, ERR_WRITE_FAILED, "sync its folder: input/output error");
    auto(msg_t) reply = definition && late_disk.writes == 1 ? msg_error (&err) : msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t late_disk_class = { .kind = "disk", .handle = late_disk_handle };

static void put_snapshot (void)
{
    error_t err;
    static const char xml[] =
        "<domainsnapshot><name>one</name><state>shutoff</state><creationTime>1</creationTime>"
        "<domain type='test'><name>web</name><uuid>" UUID "</uuid><memory unit='KiB'>32768</memory>"
        "<vcpu>1</vcpu><os><type>hvm</type></os></domain></domainsnapshot>";
    auto(xml_t) snapshot = xml_parse (xml, strlen (xml), "a snapshot", &err);
    autofree char *path = snapshot_tree_path (paths, "test", UUID), *above = file_folder (path);
    auto(snapshot_tree_t) tree = snapshot_tree_load (path, &err);
    check (snapshot && tree && snapshot_tree_add (tree, xml_root (snapshot), false, &err) == 0);
    autofree char *text = snapshot_tree_text (tree);
    check_equal (file_make_folders (above, 0700, &err), 0);
    check_equal (file_write (path, text, strlen (text), &err), 0);
}

//  The definition that comes with a snapshot, and was not to stay, is not found by the next daemon.
static void scene_revert_not_written (actor_t *self)
{
    open_scene (self);
    scene_end_actor (self, "disk/0");
    scene_end_actor (self, "disk/1");
    check_equal (scene_spawn (self, "disk/0", &late_disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &late_disk_class, false), 0);
    scene_reset ();
    late_disk.writes = 0;
    put_snapshot ();
    msg_t *args = job_args ("snapshot_revert", "");
    pack_key_map (msg_args (args), "args");
    pack_key_str (msg_args (args), "snapshot", "one");
    pack_end (msg_args (args));
    run_job (self, &args);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_WRITE_FAILED);
    check_equal (late_disk.writes, 2);
    check (strstr (late_disk.definition, ">65536<"));
    free (take (&late_disk.definition));
    close_scene (self);
}

#define job_test(name)                                                                             \
    static void name (void **state)                                                                \
    {                                                                                              \
        folder = *state;                                                                           \
        scene_run (scene_##name);                                                                  \
    }

job_test (result) job_test (cancelled) job_test (stopped) job_test (owner_ends)
    job_test (record_refused) job_test (unwind) job_test (unwind_unanswered)
        job_test (unwind_unsure) job_test (committed) job_test (monitor_ends)
            job_test (revert_not_written) job_test (cancelled_while_it_writes)

                int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (result),
        unit_test_in_folder (cancelled),
        unit_test_in_folder (stopped),
        unit_test_in_folder (owner_ends),
        unit_test_in_folder (record_refused),
        unit_test_in_folder (unwind),
        unit_test_in_folder (unwind_unanswered),
        unit_test_in_folder (unwind_unsure),
        unit_test_in_folder (committed),
        unit_test_in_folder (monitor_ends),
        unit_test_in_folder (revert_not_written),
        unit_test_in_folder (cancelled_while_it_writes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
