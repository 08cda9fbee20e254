//  test_iommu_group.c: a group is one guest's, and only if the host uses nothing of it.

#include "scene.h"

#include "actors/pci/iommu_group.h"
#include "sysfs_model.h"

#define ONE "11111111-1111-4111-8111-111111111111"
#define TWO "22222222-2222-4222-8222-222222222222"
#define OTHER_TWIN "0000:03:02.0"
#define GROUP IOMMU_GROUP_PREFIX "7"

static error_t last;

static void start_group (actor_t *self, const char *root)
{
    auto(msg_t) args = msg_request ("start");
    pack_key_str (msg_args (args), "sysfs", root);
    pack_key_u64 (msg_args (args), "group", 7);
    scene_reset ();
    actor_spawn (self, GROUP, &iommu_group_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static int ask (actor_t *self, const char *verb, const char *device, const char *domain)
{
    auto(msg_t) msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    pack_key_str (msg_args (msg), "domain", domain);
    pack_key_str (msg_args (msg), "domain_name", strcmp (domain, ONE) == 0 ? "one" : "two");
    auto(msg_t) answer = scene_call (self, GROUP, &msg, PATIENCE_MS);
    msg_failed (answer, &last);
    return scene_code (answer);
}

static void release (actor_t *self, const char *device)
{
    auto(msg_t) msg = msg_request ("group.release");
    pack_key_str (msg_args (msg), "device", device);
    actor_send (self, GROUP, &msg);
}

static void scene_one_guest (actor_t *self)
{
    char *root = model_new ();
    start_group (self, root);
    check_equal (ask (self, "group.take", MODEL_TWIN, ONE), 0);
    check_equal (ask (self, "group.take", MODEL_TWIN, ONE), 0);
    check_equal (ask (self, "group.take", OTHER_TWIN, ONE), 0);
    check_equal (ask (self, "group.take", OTHER_TWIN, TWO), ERR_OPERATION_INVALID);
    check (strstr (last.message, "domain 'one' has '" MODEL_TWIN "'"));
    release (self, MODEL_TWIN);
    check_equal (ask (self, "group.take", MODEL_TWIN, TWO), ERR_OPERATION_INVALID);
    check (strstr (last.message, "domain 'one' has '" OTHER_TWIN "'"));
    release (self, OTHER_TWIN);
    check_equal (ask (self, "group.take", MODEL_TWIN, TWO), 0);
    check_equal (ask (self, "group.take", "not an address", TWO), ERR_INVALID_ARG);
    scene_end_actor (self, GROUP);
    model_remove (&root);
}

static const model_device_t *device_at (const char *address)
{
    for (size_t i = 0; i < sizeof model_devices / sizeof *model_devices; i++)
        if (strcmp (model_devices[i].address, address) == 0)
            return &model_devices[i];
    return NULL;
}

//  A bridge in the group is in nobody's way, even with a driver.
static void scene_used_by_the_host (actor_t *self)
{
    char *root = model_new ();
    model_driver (root, device_at (MODEL_BRIDGE), "shpchp");
    start_group (self, root);
    model_driver (root, device_at (MODEL_TWIN), "vfio-pci");
    check_equal (ask (self, "group.check", MODEL_TWIN, ONE), ERR_OPERATION_INVALID);
    check (strstr (last.message, "'" OTHER_TWIN "'") && strstr (last.message, "driver 'e1000'"));
    model_driver (root, device_at (OTHER_TWIN), NULL);
    check_equal (ask (self, "group.check", MODEL_TWIN, ONE), 0);
    model_driver (root, device_at (OTHER_TWIN), "pci-stub");
    check_equal (ask (self, "group.check", MODEL_TWIN, ONE), 0);
    scene_end_actor (self, GROUP);
    model_remove (&root);
}

SCENE_TEST (one_guest)
SCENE_TEST (used_by_the_host)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_one_guest),
        cmocka_unit_test (test_used_by_the_host),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
