//  test_devices_owners.c: PCI devices of guests that ended with the daemon away go back, however
//  long their owners take to say whose they are.

#include "devices_scene.h"
#include "slow_disk.h"
#include "unit.h"

#include "actors/pci/iommu_group.h"
#include "actors/pci/pci.h"
#include "actors/services/disk.h"
#include "drivers/state.h"
#include "sysfs_model.h"
#include "util/process.h"

#include <czmq.h>

#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"
#define OTHER_FUNCTION "0000:01:10.2"
#define GROUP IOMMU_GROUP_PREFIX "8"

static const char *folder; //  of the test
static config_t config;
static char *root; //  of the model
static paths_t *paths;
static error_t last;

static char *status_path (const char *address)
{
    return text_format ("%s/pci/%s.status", config.paths->run, address);
}

static void write_held (const char *address, const char *domain)
{
    error_t err;
    process_t process;
    check_equal (process_identify (getpid (), &process, &err), 0);
    autofree char *path = status_path (address);
    autofree char *text = text_format ("<pcistatus boot='%s' phase='detached' driver='igbvf'>"
                                       "<holder uuid='%s' name='it' lent='no'/></pcistatus>",
                                       process.boot_id, domain);
    check_equal (file_write (path, text, strlen (text), &err), 0);
}

static bool is_held (const char *address)
{
    error_t err;
    autofree char *path = status_path (address);
    autofree char *text = file_read (path, 4096, NULL, &err);
    return text && strstr (text, "<holder");
}

static void publish_running (actor_t *self)
{
    auto(msg_t) event = msg_event ("snapshot");
    pack_key_i64 (msg_args (event), "id", 7);
    pack_key_i64 (msg_args (event), "state", STATE_RUNNING);
    actor_publish (self, "domain/" TWO, &event);
}

static void open_scene (void)
{
    error_t err;
    root = model_new ();
    paths = paths_new (PATHS_ROOT, folder, &err);
    check (paths && paths_create (paths, &err) == 0);
    config = (config_t){ .paths = paths, .launcher = "/bin/false", .instance = "01234567" };
    autofree char *run = text_format ("%s/pci", paths->run);
    check_equal (file_make_folders (run, 0700, &err), 0);
}

static void close_scene (actor_t *self)
{
    scene_end_actor (self, DEVICES_ADDRESS);
    scene_end_actor (self, "disk/0");
    scene_end_actor (self, "disk/1");
    paths_destroy (&paths);
    model_remove (&root);
}

static void scene_compare (actor_t *self)
{
    open_scene ();
    slow_disk_open (self);
    write_held (MODEL_FUNCTION, ONE);
    write_held (OTHER_FUNCTION, TWO);
    devices_begin (self, &config, root);
    publish_running (self);
    auto(msg_t) serving = msg_request ("host.serving");
    actor_send (self, DEVICES_ADDRESS, &serving);
    //  Once it answers this, it has compared.
    auto(msg_t) list = scene_ask (self, DEVICES_ADDRESS, "nodedev.list", PATIENCE_MS);
    auto(msg_t) again = scene_ask (self, DEVICES_ADDRESS, "nodedev.list", PATIENCE_MS);
    slow_disk_pass (self);
    scene_until (self, !is_held (MODEL_FUNCTION));
    check (is_held (OTHER_FUNCTION));
    close_scene (self);
}

static int ask (actor_t *self, const char *to, const char *verb, const char *device)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    pack_key_str (msg_args (msg), "domain", TWO);
    pack_key_str (msg_args (msg), "domain_name", "two");
    auto(msg_t) answer = scene_call (self, to, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return scene_code (answer);
}

//  Its group knows that a guest has it, before anything is asked.
static void open_with_holder (actor_t *self)
{
    open_scene ();
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    write_held (MODEL_FUNCTION, ONE);
    devices_begin (self, &config, root);
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION), 0);
}

//  A group's owner that ended unforeseen, and is started again, knows who has the group.
static void scene_group_again (actor_t *self)
{
    open_with_holder (self);
    check_equal (ask (self, GROUP, "group.take", OTHER_FUNCTION), ERR_OPERATION_INVALID);
    scene_end_actor (self, GROUP);
    auto(msg_t) list = scene_ask (self, DEVICES_ADDRESS, "nodedev.list", PATIENCE_MS);
    check_equal (ask (self, PCI_PREFIX MODEL_FUNCTION, "pci.give", MODEL_FUNCTION), 0);
    check_equal (ask (self, GROUP, "group.take", OTHER_FUNCTION), ERR_OPERATION_INVALID);
    close_scene (self);
}

//  One that ended too often to be started again by itself is once somebody wants something of it,
//  and knows who has the group then.
static void scene_group_ends_often (actor_t *self)
{
    open_with_holder (self);
    for (int i = 0; i < 4; i++) {
        scene_end_actor (self, GROUP);
        auto(msg_t) list = scene_ask (self, DEVICES_ADDRESS, "nodedev.list", PATIENCE_MS);
        check_equal (scene_code (list), 0);
    }
    check (ask (self, GROUP, "group.take", OTHER_FUNCTION) && strstr (last.message, "nobody is"));
    check_equal (ask (self, DEVICES_ADDRESS, "pci.give", MODEL_FUNCTION), 0);
    check_equal (ask (self, GROUP, "group.take", OTHER_FUNCTION), ERR_OPERATION_INVALID);
    check (strstr (last.message, "domain 'it' has '" MODEL_FUNCTION "'"));
    close_scene (self);
}

#define OWNERS_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        folder = *state;                                                                           \
        scene_run (scene_##name);                                                                  \
    }

OWNERS_TEST (compare)
OWNERS_TEST (group_again)
OWNERS_TEST (group_ends_often)

int main (void)
{
    const struct CMUnitTest tests[] = { unit_test_in_folder (test_compare),
                                        unit_test_in_folder (test_group_again),
                                        unit_test_in_folder (test_group_ends_often) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
