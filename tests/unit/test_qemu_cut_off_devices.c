//  test_qemu_cut_off_devices.c: devices that are attached and detached, cut off at each step: QEMU,
//  the live document and the definition agree on whether there is one, and nothing of one that is
//  not there is left.

#include "cut_off.h"
#include "drivers/definition.h"
#include "drivers/qemu/command/qemu_alias.h"

//  USB lets go of a device at once, without a guest that helps.
static char *usb_disk (void)
{
    return text_format ("<disk><source file='%s/vdb2'/><target dev='sdc' bus='usb'/></disk>",
                        self.real.root);
}

static xml_t *parse (const char *text)
{
    error_t err = { 0 };
    xml_t *doc = xml_parse (text, strlen (text), "device XML", &err);
    if (!doc)
        fail_msg ("%s", err.message);
    return doc;
}

static xml_node_t *find_disk (const xml_t *doc)
{
    xml_foreach (each, xml_find (xml_root (doc), "devices"), "disk")
        if (xml_equals (each, "target/@dev", "sdc"))
            return each;
    return NULL;
}

//  What QEMU has of it.
static bool has_device (const char *alias)
{
    autofree char *name = text_format ("\"name\": \"%s\"", alias);
    autofree char *packed = text_format ("\"name\":\"%s\"", alias);
    static const char ask[] =
        "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral\"}}";
    return count_in (ask, name) + count_in (ask, packed) > 0;
}

static int count_nodes (void)
{
    static const char ask[] =
        "{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}";
    return count_in (ask, "\"disk-sdc");
}

static void forget_plan (void)
{
    xml_destroy (&guest ()->planned);
    strings_destroy (&guest ()->news);
}

//  As the job does that does both halves.
static int run_both (int (*live) (error_t *err), error_t *err)
{
    int rc = live (err);
    if (rc == 0) {
        xml_destroy (&guest ()->definition);
        guest ()->definition = xml_copy (guest ()->planned);
    }
    forget_plan ();
    return rc;
}

static int attach_live (error_t *err)
{
    autofree char *text = usb_disk ();
    auto(xml_t) device = parse (text);
    return qemu_driver.attach (job (), device, err);
}

static int detach_live (error_t *err)
{
    return qemu_driver.detach (job (), find_disk (guest ()->live), err);
}

static int run_attach (error_t *err)
{
    autofree char *text = usb_disk ();
    auto(xml_t) device = parse (text);
    guest ()->planned = xml_copy (guest ()->definition);
    definition_add (xml_find (xml_root (guest ()->planned), "devices"), xml_root (device));
    if (qemu_driver.complete (job (), guest ()->planned, err))
        return -1;
    return run_both (attach_live, err);
}

static int run_detach (error_t *err)
{
    guest ()->planned = xml_copy (guest ()->definition);
    xml_remove (find_disk (guest ()->planned));
    return run_both (detach_live, err);
}

static void check_whole (void)
{
    bool there = has_device ("usb-disk2");
    check (is_there () && real_guest_runs (&self));
    check ((find_disk (guest ()->live) != NULL) == there);
    //  Of a detaching that was called off, what the guest lets go of all the same goes from itself
    //  only.
    bool defined = find_disk (guest ()->definition) != NULL;
    check (defined == there || (death.how == CANCELLED && defined));
    check ((count_nodes () > 0) == there);
    forget_plan ();
}

static void prepare (bool there)
{
    error_t err = { 0 };
    prepare_guest ();
    if (find_disk (guest ()->definition) && !find_disk (guest ()->live))
        xml_remove (find_disk (guest ()->definition));
    if (!has_file ("vdb2"))
        make_image ("vdb2 4M");
    bool has = find_disk (guest ()->live) != NULL;
    if (has == there)
        return;
    if (there ? run_attach (&err) : run_detach (&err))
        fail_msg ("%s", err.message);
    job ()->closed = job ()->plugging = false;
}

static void prepare_without (void)
{
    prepare (false);
}

static void prepare_with (void)
{
    prepare (true);
}

static void test_disk (void **state)
{
    (void) state;
    static const scenario_t attached = { prepare_without, run_attach, check_whole, false };
    static const scenario_t detached = { prepare_with, run_detach, check_whole, false };
    cut_off_everywhere (&attached);
    cut_off_everywhere (&detached);
    remove_file ("vdb2");
    end_guest ();
}

//  A channel needs a controller, which comes with it: each is there, or not.

static int run_channel (error_t *err)
{
    auto(xml_t) device = parse ("<channel type='unix'><target type='virtio' name='org.x.0'/>"
                                "</channel>");
    int rc = qemu_driver.attach (job (), device, err);
    strings_destroy (&guest ()->news);
    return rc;
}

static void check_channel (void)
{
    static const char *const aliases[] = { "virtio-serial0", "channel0" };
    check (is_there () && real_guest_runs (&self));
    for (size_t i = 0; i < 2; i++)
        check ((qemu_alias_find (guest ()->live, aliases[i]) != NULL) == has_device (aliases[i]));
    check (count_in ("{\"execute\":\"query-chardev\"}", "\"charchannel0\"") ==
           has_device ("channel0"));
    strings_destroy (&guest ()->news);
    end_guest ();
    guest ()->name = NULL;
}

static void test_channel (void **state)
{
    (void) state;
    static const scenario_t attached = { prepare_guest, run_channel, check_channel, false };
    cut_off_everywhere (&attached);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_disk, setup, teardown),
        cmocka_unit_test_setup_teardown (test_channel, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
