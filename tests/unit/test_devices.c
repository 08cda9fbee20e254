//  test_devices.c: which devices a host has, as clients ask for them.

#include "scene.h"

#include "actors/config.h"
#include "actors/pci/devices.h"
#include "actors/pci/devices_reader.h"
#include "sysfs_model.h"
#include "util/xml.h"

static error_t last;
static paths_t paths;
static const config_t config = { .paths = &paths };

//  ROOT is the model; the status files are in it, too.
static void start_devices (actor_t *self, const char *root)
{
    paths.run = (char *) root;
    auto(msg_t) args = msg_request ("start");
    config_pack (&config, msg_args (args));
    pack_key_str (msg_args (args), "sysfs", root);
    check_equal (scene_spawn (self, DEVICES_READER_ADDRESS, &devices_reader_class, false), 0);
    scene_reset ();
    actor_spawn (self, DEVICES_ADDRESS, &devices_class, &args, false, PATIENCE_MS, scene_keep,
                 NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static void end_devices (actor_t *self, char **root_p)
{
    scene_end_actor (self, DEVICES_ADDRESS);
    scene_end_actor (self, DEVICES_READER_ADDRESS);
    model_remove (root_p);
}

static msg_t *ask (actor_t *self, const char *verb, const char *device)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    msg_t *answer = scene_call (self, DEVICES_ADDRESS, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return answer;
}

//  How many devices have this capability; NULL: any. -1: it is refused.
static int count_of (actor_t *self, const char *capability)
{
    auto(msg_t) msg = msg_request ("nodedev.list");
    if (capability) {
        pack_key_array (msg_args (msg), "capabilities");
        pack_str (msg_args (msg), capability);
        pack_end (msg_args (msg));
    }
    auto(msg_t) answer = scene_call (self, DEVICES_ADDRESS, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return scene_code (answer) ? -1 : (int) value_count (value_get (msg_root (answer), "result"));
}

static void scene_list (actor_t *self)
{
    char *root = model_new ();
    start_devices (self, root);
    check_equal (count_of (self, NULL), 11);
    check_equal (count_of (self, "system"), 1);
    check_equal (count_of (self, "pci"), 8);
    check_equal (count_of (self, "net"), 2);
    check_equal (count_of (self, "usb_device"), 0);
    check_equal (count_of (self, "mdev_types"), 0);
    check_equal (count_of (self, "tape"), -1);
    check (strstr (last.message, "the capability 'tape'"));
    end_devices (self, &root);
}

//  A card can be found by its address; its document comes from who may wait.
static void scene_document (actor_t *self)
{
    char *root = model_new ();
    start_devices (self, root);
    auto(msg_t) answer = ask (self, "nodedev.xml", MODEL_CARD);
    const char *text = value_get_str (value_get (msg_root (answer), "result"), "xml");
    check (text && strstr (text, "<name>pci_0000_01_00_0</name>"));
    auto(msg_t) computer = ask (self, "nodedev.xml", "computer");
    check_equal (scene_code (computer), 0);
    auto(msg_t) none = ask (self, "nodedev.xml", "usb_1_1");
    check_equal (scene_code (none), ERR_NO_NODE_DEVICE);
    end_devices (self, &root);
}

//  What nobody told of is noticed by who asks: then the list is mended.
static void scene_renamed (actor_t *self)
{
    char *root = model_new ();
    start_devices (self, root);
    model_write (root, MODEL_CARD_PATH "/net/eth0/address", "52:54:00:12:34:57");
    auto(msg_t) stale = ask (self, "nodedev.xml", "net_eth0_52_54_00_12_34_56");
    check_equal (scene_code (stale), ERR_NO_NODE_DEVICE);
    auto(msg_t) gone = ask (self, "nodedev.info", "net_eth0_52_54_00_12_34_56");
    check_equal (scene_code (gone), ERR_NO_NODE_DEVICE);
    check (strstr (last.message, "is gone"));
    auto(msg_t) known = ask (self, "nodedev.xml", "net_eth0_52_54_00_12_34_57");
    check_equal (scene_code (known), 0);
    check_equal (count_of (self, "net"), 2);
    end_devices (self, &root);
}

//  Only PCI devices are detached.
static void scene_refused (actor_t *self)
{
    char *root = model_new ();
    start_devices (self, root);
    auto(msg_t) answer = ask (self, "nodedev.detach", "net_lo_00_00_00_00_00_00");
    check_equal (scene_code (answer), ERR_INVALID_ARG);
    check (strstr (last.message, "'net_lo_00_00_00_00_00_00' is no PCI device"));
    end_devices (self, &root);
}

SCENE_TEST (list)
SCENE_TEST (document)
SCENE_TEST (renamed)
SCENE_TEST (refused)

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_list),
        cmocka_unit_test (test_document),
        cmocka_unit_test (test_renamed),
        cmocka_unit_test (test_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
