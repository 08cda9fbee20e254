//  test_devices_holds.c: a USB, SCSI or mediated device is one guest's, whatever becomes of the
//  daemon, until that gives it back or does not run any more.

#include "devices_scene.h"

#include "actors/services/disk.h"
#include "drivers/state.h"
#include "sysfs_model.h"

#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"
#define THREE "33333333-3333-4333-8333-333333333333"
#define TABLET "usb:001:002"
#define DISK "scsi:1:0:2:0"

static config_t config;
static char *root;
static error_t last;

static void start_all (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    devices_begin (self, &config, root);
}

static void restart (actor_t *self)
{
    scene_end_actor (self, DEVICES_ADDRESS);
    devices_begin (self, &config, root);
}

static int ask (actor_t *self, const char *verb, const char *device, const char *domain,
                bool shared)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    pack_key_str (msg_args (msg), "domain", domain);
    pack_key_str (msg_args (msg), "domain_name", strcmp (domain, ONE) == 0 ? "one" : "two");
    pack_key_bool (msg_args (msg), "shared", shared);
    auto(msg_t) answer = scene_call (self, DEVICES_ADDRESS, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return scene_code (answer);
}

static int hold (actor_t *self, const char *device, const char *domain, bool shared)
{
    return ask (self, "device.hold", device, domain, shared);
}

static int release (actor_t *self, const char *device, const char *domain)
{
    return ask (self, "device.release", device, domain, false);
}

static bool is_on_file (void)
{
    autofree char *path = text_format ("%s/devices.status", config.paths->run);
    return access (path, F_OK) == 0;
}

static void scene_alone (actor_t *self)
{
    start_all (self);
    check_equal (hold (self, TABLET, ONE, false), 0);
    check_equal (hold (self, TABLET, ONE, false), 0);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    check (strstr (last.message, "'" TABLET "' can't go to domain 'two': domain 'one' has it"));
    check_equal (hold (self, "usb:001:003", TWO, false), 0);
    check_equal (release (self, TABLET, TWO), 0);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    check_equal (release (self, TABLET, ONE), 0);
    check_equal (hold (self, TABLET, TWO, false), 0);
    check_equal (hold (self, "0000:01:10.2", TWO, false), ERR_INVALID_ARG);
    check_equal (release (self, TABLET, TWO), 0);
    check (is_on_file ());
    check_equal (release (self, "usb:001:003", TWO), 0);
    check (!is_on_file ());
}

static void scene_shared (actor_t *self)
{
    start_all (self);
    check_equal (hold (self, DISK, ONE, true), 0);
    check_equal (hold (self, DISK, TWO, false), ERR_OPERATION_INVALID);
    check_equal (hold (self, DISK, TWO, true), 0);
    check_equal (release (self, DISK, ONE), 0);
    check_equal (hold (self, DISK, ONE, false), ERR_OPERATION_INVALID);
    check_equal (release (self, DISK, TWO), 0);
    check_equal (hold (self, DISK, ONE, false), 0);
    check_equal (hold (self, DISK, TWO, true), ERR_OPERATION_INVALID);
    check_equal (release (self, DISK, ONE), 0);
}

//  What the node goes back to, as the domain is told that leaves it, with what it found itself;
//  "": nothing.
static void leave (actor_t *self, const char *domain, const char *found, const char *wanted)
{
    auto(msg_t) msg = msg_request ("device.leave");
    pack_key_str (msg_args (msg), "device", DISK);
    pack_key_str (msg_args (msg), "domain", domain);
    pack_key_str (msg_args (msg), "before", found);
    auto(msg_t) answer = scene_call (self, DEVICES_ADDRESS, &msg, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    const char *back = value_get_str (msg_value (answer), "before");
    check_text (back ? back : "", wanted);
}

//  The first guest found whose the node was; it goes back with the last one, whichever that is, and
//  nobody gets the device while that is done.
static void scene_left (actor_t *self)
{
    static const char before[] = "0:6:1:2:3:/dev/sg2";
    start_all (self);
    check_equal (hold (self, DISK, ONE, true), 0);
    check_equal (hold (self, DISK, TWO, true), 0);
    leave (self, ONE, before, "");
    check_equal (release (self, DISK, ONE), 0);
    restart (self);
    check_equal (hold (self, DISK, ONE, true), 0);
    leave (self, TWO, NULL, "");
    leave (self, TWO, NULL, "");
    leave (self, ONE, NULL, before);
    check_equal (hold (self, DISK, TWO, true), ERR_OPERATION_INVALID);
    check (strstr (last.message, "domain 'one' has it, and is giving it back; try again"));
    check (last.retry);
    //  It was cut off in that, and takes it again: it gives back no more.
    check_equal (hold (self, DISK, ONE, true), 0);
    check_equal (hold (self, DISK, TWO, true), 0);
    check_equal (release (self, DISK, TWO), 0);
    leave (self, ONE, NULL, before);
    check_equal (release (self, DISK, ONE), 0);
    check_equal (hold (self, DISK, TWO, true), 0);
    leave (self, TWO, NULL, "");
    check_equal (release (self, DISK, TWO), 0);
    //  Of one that never left, being lost, too.
    check_equal (hold (self, DISK, ONE, true), 0);
    check_equal (hold (self, DISK, TWO, true), 0);
    check_equal (hold (self, DISK, THREE, true), 0);
    leave (self, ONE, before, "");
    check_equal (release (self, DISK, TWO), 0);
    leave (self, THREE, NULL, before);
    check_equal (release (self, DISK, THREE), 0);
    check (!is_on_file ());
}

static void publish_running (actor_t *self)
{
    auto(msg_t) event = msg_event ("snapshot");
    pack_key_i64 (msg_args (event), "id", 7);
    pack_key_i64 (msg_args (event), "state", STATE_RUNNING);
    actor_publish (self, "domain/" ONE, &event);
}

//  What is on file holds after a restart; once all domains are loaded, of those that run alone.
static void scene_restart (actor_t *self)
{
    start_all (self);
    check_equal (hold (self, TABLET, ONE, false), 0);
    check_equal (hold (self, DISK, TWO, true), 0);
    restart (self);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    check_equal (hold (self, DISK, ONE, false), ERR_OPERATION_INVALID);
    publish_running (self);
    auto(msg_t) serving = msg_request ("host.serving");
    actor_send (self, DEVICES_ADDRESS, &serving);
    int refused = -1;
    for (int i = 0; i < PATIENCE_MS && refused; i++) {
        scene_pass (self, 1);
        refused = hold (self, DISK, ONE, false);
    }
    check_equal (refused, 0);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    check_equal (release (self, DISK, ONE), 0);
    check_equal (release (self, TABLET, ONE), 0);
}

//  A guest that ended with the daemon away is started again at once: it keeps what it takes then.
static void scene_taken_again (actor_t *self)
{
    start_all (self);
    check_equal (hold (self, DISK, TWO, false), 0);
    restart (self);
    auto(msg_t) serving = msg_request ("host.serving");
    auto(msg_t) compare = msg_request ("devices.compare");
    actor_send (self, DEVICES_ADDRESS, &serving);
    actor_send (self, DEVICES_ADDRESS, &compare);
    check_equal (hold (self, DISK, TWO, false), 0);
    check_equal (hold (self, TABLET, TWO, false), 0);
    check_equal (hold (self, DISK, ONE, false), ERR_OPERATION_INVALID);
    check_equal (release (self, DISK, TWO), 0);
    check_equal (release (self, TABLET, TWO), 0);
}

#define PORT_PATH "devices/pci0000:00/usb1/"

//  A USB device NAME that has the number of TABLET, in place of what was there.
static void plug (const char *name)
{
    const struct {
        const char *attribute, *text;
    } attributes[] = { { "busnum", "1" }, { "devnum", "2" } };
    autofree char *real = text_format ("%s/" PORT_PATH "%s", root, name);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        autofree char *path = text_format (PORT_PATH "%s/%s", name, attributes[i].attribute);
        model_write (root, path, attributes[i].text);
    }
    model_link (root, "bus/usb/devices/1-1", real);
}

//  The guest's tablet is gone, and another one has its number by now: that is nobody's, also if it
//  happened with the daemon away.
static void scene_number_again (actor_t *self)
{
    start_all (self);
    plug ("first");
    check_equal (hold (self, TABLET, ONE, false), 0);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    restart (self);
    check_equal (hold (self, TABLET, TWO, false), ERR_OPERATION_INVALID);
    plug ("second");
    check_equal (hold (self, TABLET, TWO, false), 0);
    check_equal (release (self, TABLET, ONE), 0);
    check_equal (hold (self, TABLET, ONE, false), ERR_OPERATION_INVALID);
    check (strstr (last.message, "domain 'two' has it"));
    model_write (root, "bus/usb/devices/1-1", NULL);
    check_equal (hold (self, TABLET, ONE, false), 0);
    check_equal (release (self, TABLET, ONE), 0);
    check (!is_on_file ());
}

SCENE_TEST (alone)
SCENE_TEST (shared)
SCENE_TEST (restart)
SCENE_TEST (taken_again)
SCENE_TEST (number_again)
SCENE_TEST (left)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_alone),        cmocka_unit_test (test_shared),
        cmocka_unit_test (test_restart),      cmocka_unit_test (test_taken_again),
        cmocka_unit_test (test_number_again), cmocka_unit_test (test_left),
    };
    root = model_new ();
    autofree char *run = text_format ("%s/run", root);
    paths_t paths = { .run = run };
    config = (config_t){ .paths = &paths };
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    model_remove (&root);
    return failed;
}
