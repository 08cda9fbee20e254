//  test_qemu_cut_off_devices.c: devices that are attached and detached, cut off at each step: QEMU,
//  the live document and the definition agree on whether there is one, and nothing of one that is
//  not there is left.

#include "cut_off.h"
#include "drivers/definition.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "unit_xml.h"

enum {
    DETACH_MS = 20000
};

//  USB lets go of a device at once, without a guest that helps.
static char *usb_disk (void)
{
    return text_format ("<disk><source file='%s/vdb2'/><target dev='sdc' bus='usb'/></disk>",
                        self.real.root);
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
    auto(xml_t) device = unit_xml (text);
    return qemu_driver.attach (job (), device, err);
}

static int detach_live (error_t *err)
{
    bool gone = false;
    if (qemu_driver.detach (job (), find_disk (guest ()->live), DETACH_MS, &gone, err))
        return -1;
    return gone ? 0 : error_set (err, ERR_OPERATION_TIMEOUT, "QEMU still has the disk");
}

static int run_attach (error_t *err)
{
    autofree char *text = usb_disk ();
    auto(xml_t) device = unit_xml (text);
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
    auto(xml_t) device = unit_xml ("<channel type='unix'><target type='virtio' name='org.x.0'/>"
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

//  A drive has the medium that the document says.

static void attach_text (const char *text)
{
    error_t err = { 0 };
    auto(xml_t) device = unit_xml (text);
    if (qemu_driver.attach (job (), device, &err))
        fail_msg ("%s", err.message);
    job ()->closed = job ()->plugging = false;
    strings_destroy (&guest ()->news);
}

static char *drive_text (const char *medium)
{
    return text_format ("<disk device='cdrom'><source file='%s/%s'/><driver type='qcow2'/>"
                        "<target dev='sda' bus='scsi'/></disk>",
                        self.real.root, medium);
}

static const char *medium_of_document (void)
{
    const xml_node_t *drive = qemu_alias_find (guest ()->live, "scsi0-0-0-0");
    return xml_string (drive, "source/@file");
}

static void prepare_drive (void)
{
    prepare_guest ();
    if (qemu_alias_find (guest ()->live, "scsi0-0-0-0"))
        return;
    make_image ("one 4M");
    make_image ("two 4M");
    autofree char *drive = drive_text ("one");
    attach_text ("<controller type='scsi' model='virtio-scsi'/>");
    attach_text (drive);
}

static int run_medium (error_t *err)
{
    bool first = text_ends (medium_of_document (), "one");
    autofree char *text = drive_text (first ? "two" : "one");
    auto(xml_t) wanted = unit_xml (text);
    xml_node_t *drive = qemu_alias_find (guest ()->live, "scsi0-0-0-0");
    return qemu_driver.update (job (), drive, wanted, false, err);
}

static void check_medium (void)
{
    check (is_there () && real_guest_runs (&self));
    autofree char *answer = real_guest_ask (&self, "{\"execute\":\"query-block\"}", false);
    const char *path = medium_of_document ();
    check (strstr (answer, path));
    check (!strstr (answer, text_ends (path, "one") ? "/two\"" : "/one\""));
    check (!strstr (answer, "\"tray_open\": true") && !strstr (answer, "\"tray_open\":true"));
}

static void test_medium (void **state)
{
    (void) state;
    static const scenario_t changed = { prepare_drive, run_medium, check_medium, false };
    cut_off_everywhere (&changed);
    remove_file ("one");
    remove_file ("two");
    end_guest ();
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_disk, setup, teardown),
        cmocka_unit_test_setup_teardown (test_channel, setup, teardown),
        cmocka_unit_test_setup_teardown (test_medium, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
