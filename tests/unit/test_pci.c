//  test_pci.c: the owner of a PCI device, in a model of sysfs: what it refuses, who has the group,
//  what it makes of what it finds. What is done to devices is the lab's test.

#include "slow_disk.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/pci/iommu_group.h"
#include "actors/pci/pci.h"
#include "sysfs_model.h"
#include "util/process.h"

#include <unistd.h>

#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"
#define GROUP IOMMU_GROUP_PREFIX "8"

static const char *folder; //  of the test
static char *root;         //  of the model
static paths_t *paths;
static config_t config;
static error_t last;

static const model_device_t *device_at (const char *address)
{
    for (size_t i = 0; i < sizeof model_devices / sizeof *model_devices; i++)
        if (strcmp (model_devices[i].address, address) == 0)
            return &model_devices[i];
    return NULL;
}

static void start (actor_t *self, const char *address, const actor_class_t *class, msg_t **args_p)
{
    scene_reset ();
    actor_spawn (self, address, class, args_p, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static void start_group (actor_t *self)
{
    auto(msg_t) args = msg_request ("start");
    pack_key_str (msg_args (args), "sysfs", root);
    pack_key_u64 (msg_args (args), "group", 8);
    start (self, GROUP, &iommu_group_class, &args);
}

static msg_t *start_args (const char *address)
{
    msg_t *args = msg_request ("start");
    config_pack (&config, msg_args (args));
    pack_key_str (msg_args (args), "sysfs", root);
    pack_key_str (msg_args (args), "address", address);
    return args;
}

static void start_device (actor_t *self, const char *address)
{
    char to[MSG_ADDRESS_MAX];
    snprintf (to, sizeof to, PCI_PREFIX "%s", address);
    auto(msg_t) args = start_args (address);
    start (self, to, &pci_class, &args);
}

static void open_folders (void)
{
    error_t err;
    root = model_new ();
    paths = paths_new (PATHS_ROOT, folder, &err);
    check (paths && paths_create (paths, &err) == 0);
    autofree char *run = text_format ("%s/pci", paths->run);
    check_equal (file_make_folders (run, 0700, &err), 0);
    config = (config_t){ .paths = paths, .launcher = "/bin/false", .instance = "01234567" };
}

static void open_scene (actor_t *self)
{
    open_folders ();
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
}

static void close_scene (actor_t *self, const char *address)
{
    char to[MSG_ADDRESS_MAX];
    snprintf (to, sizeof to, PCI_PREFIX "%s", address);
    scene_end_actor (self, to);
    scene_end_actor (self, "disk/0");
    scene_end_actor (self, "disk/1");
    paths_destroy (&paths);
    model_remove (&root);
}

static char *status_path (const char *address)
{
    return text_format ("%s/pci/%s.status", paths->run, address);
}

static bool has_status (const char *address)
{
    autofree char *path = status_path (address);
    return access (path, F_OK) == 0;
}

static void wait_for_end_of_status (actor_t *self, const char *address)
{
    scene_until (self, !has_status (address));
}

//  What an earlier daemon had on file: it was detached from igbvf, and, maybe, a guest's.
static void write_detached_for (const char *address, const char *holder)
{
    error_t err;
    process_t process;
    check_equal (process_identify (getpid (), &process, &err), 0);
    autofree char *path = status_path (address);
    autofree char *text =
        text_format ("<pcistatus boot='%s' phase='detached' driver='igbvf'>%s</pcistatus>",
                     process.boot_id, holder);
    check_equal (file_write (path, text, strlen (text), &err), 0);
}

static void write_detached (const char *address)
{
    write_detached_for (address, "");
}

static int ask (actor_t *self, const char *to, const char *verb, const char *device,
                const char *domain)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    pack_key_str (msg_args (msg), "domain", domain);
    pack_key_str (msg_args (msg), "domain_name", domain && *domain == '1' ? "one" : "two");
    auto(msg_t) answer = scene_call (self, to, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return scene_code (answer);
}

//  What others depend on is not taken from the host, nor reset under them.
static void scene_refused (actor_t *self)
{
    static const struct {
        const char *address, *words;
    } cases[] = { { MODEL_CARD, "its 2 virtual functions ('" MODEL_FUNCTION "', ...)" },
                  { MODEL_BRIDGE, "it is a bridge" },
                  { MODEL_FUNCTION, "in another network namespace" } };
    static const char *const verbs[] = { "nodedev.detach", "nodedev.reset" };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[MSG_ADDRESS_MAX];
        const char *address = cases[i].address;
        snprintf (to, sizeof to, PCI_PREFIX "%s", address);
        open_scene (self);
        //  The folder of interfaces is there as long as one is anywhere.
        model_write (root, "bus/pci/devices/" MODEL_FUNCTION "/net/eth7", "");
        model_write (root, "bus/pci/devices/" MODEL_FUNCTION "/net/eth7", NULL);
        start_device (self, address);
        for (size_t j = 0; j < sizeof verbs / sizeof *verbs; j++) {
            check_equal (ask (self, to, verbs[j], address, NULL), ERR_OPERATION_INVALID);
            check (strstr (last.message, cases[i].words));
        }
        check (!has_status (address));
        close_scene (self, address);
    }
}

//  The kernel gives its group's number to another device.
static void scene_gone_with_its_guest (actor_t *self)
{
    const char to[] = PCI_PREFIX MODEL_FUNCTION;
    open_scene (self);
    start_group (self);
    write_detached (MODEL_FUNCTION);
    model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    start_device (self, MODEL_FUNCTION);
    check_equal (ask (self, to, "pci.take", MODEL_FUNCTION, ONE), 0);
    check_equal (ask (self, GROUP, "group.take", "0000:01:10.2", TWO), ERR_OPERATION_INVALID);
    model_write (root, "bus/pci/devices/" MODEL_FUNCTION, NULL);
    auto(msg_t) msg = msg_request ("pci.gone");
    actor_send (self, to, &msg);
    wait_for_end_of_status (self, MODEL_FUNCTION);
    check_equal (ask (self, GROUP, "group.take", "0000:01:10.2", TWO), 0);
    scene_end_actor (self, GROUP);
    close_scene (self, MODEL_FUNCTION);
}

//  Its guest ended with the daemon away, and is started again at once: the device is given back for
//  the one that ended, before the new one takes it.
static void scene_compared_in_turn (actor_t *self)
{
    error_t err;
    const char to[] = PCI_PREFIX MODEL_FUNCTION;
    open_scene (self);
    start_group (self);
    write_detached_for (MODEL_FUNCTION, "<holder uuid='" ONE "' name='one' lent='no'/>");
    model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    auto(msg_t) args = start_args (MODEL_FUNCTION);
    actor_spawn (self, to, &pci_class, &args, false, PATIENCE_MS, NULL, NULL);
    auto(msg_t) compare = msg_request ("pci.compare");
    pack_key_array (msg_args (compare), "running");
    pack_end (msg_args (compare));
    actor_send (self, to, &compare);
    check_equal (ask (self, to, "pci.take", MODEL_FUNCTION, ONE), 0);
    //  Answered when all before it is done.
    check_equal (ask (self, to, "pci.give", MODEL_FUNCTION, TWO), 0);
    autofree char *path = status_path (MODEL_FUNCTION);
    autofree char *text = file_read (path, 4096, NULL, &err);
    check (text && strstr (text, "<holder uuid='" ONE));
    scene_end_actor (self, GROUP);
    close_scene (self, MODEL_FUNCTION);
}

//  It was detached, and somebody gave it to a third driver: it is not taken from that.
static void scene_bound_by_somebody (actor_t *self)
{
    open_scene (self);
    write_detached (MODEL_FUNCTION);
    model_driver (root, device_at (MODEL_FUNCTION), "uio_pci_generic");
    start_device (self, MODEL_FUNCTION);
    wait_for_end_of_status (self, MODEL_FUNCTION);
    close_scene (self, MODEL_FUNCTION);
}

//  The kernel's word that it went comes when there is another one already, and detached.
static void scene_there_again (actor_t *self)
{
    open_scene (self);
    write_detached (MODEL_FUNCTION);
    model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    start_device (self, MODEL_FUNCTION);
    auto(msg_t) msg = msg_request ("pci.gone");
    actor_send (self, PCI_PREFIX MODEL_FUNCTION, &msg);
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION, ONE), 0);
    scene_pass (self, 50);
    check (has_status (MODEL_FUNCTION));
    close_scene (self, MODEL_FUNCTION);
}

//  It goes while something is done to it, which fails: nothing stays on file.

static msg_t *waiting;       //  for the program's end
static _Atomic bool started; //  the scene looks at it from its own thread

static void spawner_handle (actor_t *self, msg_t **msg_p)
{
    error_t err;
    if (msg_is (*msg_p, "process.spawn")) {
        waiting = take (msg_p);
        started = true;
        return;
    }
    error_set (&err, ERR_OPERATION_FAILED, "there is no such device");
    if (msg_is (*msg_p, "test.fail"))
        actor_reply_error (self, &waiting, &err);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t spawner_class = { .kind = "spawner", .handle = spawner_handle };

static void scene_gone_meanwhile (actor_t *self)
{
    const char to[] = PCI_PREFIX MODEL_FUNCTION;
    open_scene (self);
    check_equal (scene_spawn (self, "spawner", &spawner_class, false), 0);
    write_detached (MODEL_FUNCTION);
    model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    start_device (self, MODEL_FUNCTION);
    auto(msg_t) reset = msg_request ("nodedev.reset");
    pack_key_str (msg_args (reset), "device", MODEL_FUNCTION);
    scene_reset ();
    actor_request (self, to, &reset, PATIENCE_MS, scene_keep, NULL);
    scene_until (self, started);
    model_write (root, "bus/pci/devices/" MODEL_FUNCTION, NULL);
    auto(msg_t) gone = msg_request ("pci.gone");
    actor_send (self, to, &gone);
    auto(msg_t) told = scene_ask (self, "spawner", "test.fail", PATIENCE_MS);
    wait_for_end_of_status (self, MODEL_FUNCTION);
    scene_end_actor (self, "spawner");
    close_scene (self, MODEL_FUNCTION);
}

//  What troupe-pci would do: one run after another, as the test says.

enum {
    STUCK = -1 //  instead of a code: it does not end
};

//  wanted, saved: what is to be set, and to be set again; NULL: not looked at.
typedef struct {
    const char *command, *wanted, *saved, *said;
    int code;
} run_t;

static const run_t *_Atomic script; //  two threads look at it
static _Atomic size_t runs;         //  that came

static const char *argument (const msg_t *request, size_t index)
{
    const value_t *argv = msg_arg (request, "argv");
    return index < value_count (argv) ? value_str (value_at (argv, index)) : "";
}

static void play_spawn (actor_t *self, msg_t **msg_p)
{
    const run_t *run = &script[runs];
    error_t err;
    check_text (argument (*msg_p, 2), run->command ? run->command : "(no more)");
    if (run->wanted)
        check_text (argument (*msg_p, 6), run->wanted);
    if (run->saved)
        check_text (argument (*msg_p, 7), run->saved);
    if (run->said)
        check_equal (file_write (msg_str (*msg_p, "log"), run->said, strlen (run->said), &err), 0);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "process", "4242:77:11111111-2222-3333-4444-555555555555");
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void play_end (actor_t *self, msg_t **msg_p, int code)
{
    error_t err;
    error_set (&err, ERR_OPERATION_TIMEOUT, "it does not end");
    if (code == STUCK) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_i64 (msg_result (reply), "code", code);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void play_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "process.spawn")) {
        play_spawn (self, msg_p);
        return;
    }
    if (msg_is (*msg_p, "process.go")) {
        play_end (self, msg_p, script[runs++].code);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t player_class = { .kind = "spawner", .handle = play_handle };

//  DETACHED: what is on file of the device besides; NULL: it is the host's.
static void start_player (actor_t *self, const run_t *wanted, const char *detached)
{
    script = wanted;
    runs = 0;
    check_equal (scene_spawn (self, "spawner", &player_class, false), 0);
    start_group (self);
    if (detached) {
        write_detached_for (MODEL_FUNCTION, detached);
        model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    }
    start_device (self, MODEL_FUNCTION);
}

static void open_played (actor_t *self, const run_t *wanted, const char *detached)
{
    open_scene (self);
    start_player (self, wanted, detached);
}

static void close_played (actor_t *self)
{
    scene_end_actor (self, "spawner");
    scene_end_actor (self, GROUP);
    close_scene (self, MODEL_FUNCTION);
}

static bool is_on_file (const char *words)
{
    error_t err;
    autofree char *path = status_path (MODEL_FUNCTION);
    autofree char *text = file_read (path, 4096, NULL, &err);
    return text && strstr (text, words);
}

static void check_on_file (const char *words)
{
    check (is_on_file (words));
}

static int take_with_settings (actor_t *self, const char *settings)
{
    auto(msg_t) msg = msg_request ("pci.take");
    pack_key_str (msg_args (msg), "device", MODEL_FUNCTION);
    pack_key_str (msg_args (msg), "domain", ONE);
    pack_key_str (msg_args (msg), "domain_name", "one");
    pack_key_bool (msg_args (msg), "managed", true);
    pack_key_str (msg_args (msg), "settings", settings);
    auto(msg_t) answer = scene_call (self, PCI_PREFIX MODEL_FUNCTION, &msg, PATIENCE_MS);
    return scene_code (answer);
}

#define BEFORE "mac=52:54:00:00:00:01,vlan=0:0"
#define WANTED "mac=52:54:00:00:00:02,vlan=5:0"

//  It could not be given to the guest, and the card still sets what that wanted: what was before
//  stays on file, and is set again as often as it takes.
static void scene_settings_stay_on_file (actor_t *self)
{
    static const run_t script_of_it[] = {
        { "read", NULL, NULL, BEFORE "\n", 0 },
        { "detach", WANTED, BEFORE, "it did not work\n", 1 },
        { "read", NULL, NULL, WANTED "\n", 0 },
        { "return", NULL, BEFORE, "nor did this\n", 1 },
        { "return", NULL, BEFORE, NULL, 0 },
        { 0 },
    };
    open_played (self, script_of_it, NULL);
    check_equal (take_with_settings (self, WANTED), ERR_OPERATION_FAILED);
    check_on_file ("returning");
    check_on_file (BEFORE);
    wait_for_end_of_status (self, MODEL_FUNCTION);
    check_equal (runs, 5);
    close_played (self);
}

//  Nothing was changed: nothing has to go back.
static void scene_settings_as_before (actor_t *self)
{
    static const run_t script_of_it[] = { { "read", NULL, NULL, BEFORE "\n", 0 },
                                          { "detach", WANTED, BEFORE, "process 7 uses it\n", 1 },
                                          { "read", NULL, NULL, BEFORE "\n", 0 },
                                          { 0 } };
    open_played (self, script_of_it, NULL);
    check_equal (take_with_settings (self, WANTED), ERR_OPERATION_FAILED);
    check (!has_status (MODEL_FUNCTION));
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION, ONE), 0);
    check_equal (runs, 3);
    close_played (self);
}

//  The program holds the device locked, so that another one could not look: what was before stays
//  on file, as if it were changed.
static void scene_program_is_stuck (actor_t *self)
{
    static const run_t script_of_it[] = { { "read", NULL, NULL, BEFORE "\n", 0 },
                                          { "detach", WANTED, BEFORE, NULL, STUCK },
                                          { "return", NULL, BEFORE, NULL, 0 },
                                          { 0 } };
    open_played (self, script_of_it, NULL);
    check_equal (take_with_settings (self, WANTED), ERR_OPERATION_TIMEOUT);
    wait_for_end_of_status (self, MODEL_FUNCTION);
    check_equal (runs, 3);
    close_played (self);
}

#define OF_HOST BEFORE ",trust=0,port="
#define LEFT "<saved settings='" OF_HOST "'/>"

//  The card still sets what the last guest wanted: the next one, which wants nothing, gets what the
//  host had, and nothing is to be set again then. Who could not get it leaves all as it was.
static void scene_nothing_of_the_last_guest (actor_t *self)
{
    static const run_t script_of_it[] = {
        { "detach", OF_HOST, OF_HOST, "it did not work\n", 1 },
        { "read", NULL, NULL, WANTED ",trust=1,port=\n", 0 },
        { "detach", OF_HOST, OF_HOST, NULL, 0 },
        { 0 },
    };
    open_played (self, script_of_it, LEFT);
    check_equal (take_with_settings (self, NULL), ERR_OPERATION_FAILED);
    check_on_file (OF_HOST);
    check (!is_on_file ("holder"));
    check_equal (take_with_settings (self, NULL), 0);
    check_on_file ("<holder uuid='" ONE);
    check (!is_on_file ("saved"));
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION, ONE), 0);
    check_equal (runs, 3);
    close_played (self);
}

//  What the next one does not say is not what the last one said.
static void scene_unsaid_is_the_hosts (actor_t *self)
{
    static const run_t script_of_it[] = {
        { "detach", WANTED ",trust=0,port=", OF_HOST, NULL, 0 },
        { "restore", NULL, NULL, NULL, 0 },
        { 0 },
    };
    open_played (self, script_of_it, LEFT);
    check_equal (take_with_settings (self, WANTED), 0);
    check_on_file (OF_HOST);
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION, ONE), 0);
    check (!is_on_file ("saved"));
    check_equal (runs, 2);
    close_played (self);
}

//  The group's owner is started again while it is asked for the first time.

static msg_t *asked;            //  group.take
static _Atomic bool asking;     //  the scene looks at it from its own thread
static _Atomic size_t released; //  how often

static void group_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "group.take")) {
        asked = take (msg_p);
        asking = true;
        return;
    }
    if (msg_is (*msg_p, "group.release"))
        released++;
    auto(msg_t) granted = msg_reply ();
    auto(msg_t) reply = msg_reply ();
    if (msg_is (*msg_p, "test.grant"))
        actor_reply (self, &asked, &granted);
    actor_reply (self, msg_p, &reply);
}

static const actor_class_t group_class = { .kind = "group", .handle = group_handle };

static void scene_claim_meanwhile (actor_t *self)
{
    const char to[] = PCI_PREFIX MODEL_FUNCTION;
    open_scene (self);
    check_equal (scene_spawn (self, GROUP, &group_class, false), 0);
    write_detached (MODEL_FUNCTION);
    model_driver (root, device_at (MODEL_FUNCTION), "vfio-pci");
    start_device (self, MODEL_FUNCTION);
    auto(msg_t) request = msg_request ("pci.take");
    pack_key_str (msg_args (request), "domain", ONE);
    pack_key_str (msg_args (request), "domain_name", "one");
    scene_reset ();
    actor_request (self, to, &request, PATIENCE_MS, scene_keep, NULL);
    scene_until (self, asking);
    auto(msg_t) claim = msg_request ("pci.claim");
    pack_key_i64 (msg_args (claim), "group", 8);
    actor_send (self, to, &claim);
    auto(msg_t) told = scene_ask (self, GROUP, "test.grant", PATIENCE_MS);
    auto(msg_t) taken = scene_await (self, 1);
    check_equal (scene_code (taken), 0);
    check_equal (ask (self, to, "pci.give", MODEL_FUNCTION, ONE), 0);
    auto(msg_t) heard = scene_ask (self, GROUP, "test.hear", PATIENCE_MS);
    check_equal (released, 1);
    scene_end_actor (self, GROUP);
    close_scene (self, MODEL_FUNCTION);
}

static void keep_code (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    *(int *) arg = scene_code (reply);
}

static void ask_later (actor_t *self, const char *verb, int *code)
{
    auto(msg_t) msg = msg_request (verb);
    *code = -1;
    actor_request (self, PCI_PREFIX MODEL_FUNCTION, &msg, PATIENCE_MS, keep_code, code);
}

//  Who wants it detached comes when the return is not even on file: that is not begun.
static void scene_return_is_cancelled (actor_t *self)
{
    static const run_t none[] = { { 0 } };
    int returned, detached;
    open_folders ();
    slow_disk_open (self);
    start_player (self, none, "");
    ask_later (self, "nodedev.reattach", &returned);
    ask_later (self, "nodedev.detach", &detached);
    slow_disk_pass (self);
    scene_until (self, returned != -1 && detached != -1);
    check_equal (returned, ERR_OPERATION_ABORTED);
    check_equal (detached, 0);
    check_on_file ("detached");
    check_equal (runs, 0);
    close_played (self);
    scene_end_actor (self, "disk/9");
}

#define PCI_TEST(name)                                                                             \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        folder = *state;                                                                           \
        scene_run (scene_##name);                                                                  \
    }

PCI_TEST (refused)
PCI_TEST (gone_with_its_guest)
PCI_TEST (compared_in_turn)
PCI_TEST (bound_by_somebody)
PCI_TEST (there_again)
PCI_TEST (gone_meanwhile)
PCI_TEST (settings_stay_on_file)
PCI_TEST (settings_as_before)
PCI_TEST (return_is_cancelled)
PCI_TEST (program_is_stuck)
PCI_TEST (nothing_of_the_last_guest)
PCI_TEST (unsaid_is_the_hosts)
PCI_TEST (claim_meanwhile)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_refused),
        unit_test_in_folder (test_gone_with_its_guest),
        unit_test_in_folder (test_compared_in_turn),
        unit_test_in_folder (test_bound_by_somebody),
        unit_test_in_folder (test_there_again),
        unit_test_in_folder (test_gone_meanwhile),
        unit_test_in_folder (test_settings_stay_on_file),
        unit_test_in_folder (test_settings_as_before),
        unit_test_in_folder (test_return_is_cancelled),
        unit_test_in_folder (test_program_is_stuck),
        unit_test_in_folder (test_nothing_of_the_last_guest),
        unit_test_in_folder (test_unsaid_is_the_hosts),
        unit_test_in_folder (test_claim_meanwhile),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
