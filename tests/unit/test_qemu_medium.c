//  test_qemu_medium.c: a drive whose guest moves the tray as well.

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "fake_job.h"
#include "unit_xml.h"

#define ALIAS "sata0-0-0"
#define REFUSED "QEMU refused blockdev-remove-medium: GenericError: "

//  What QEMU has of the drive.
static struct {
    fake_job_t fake;
    job_ops_t ops;
    xml_node_t *drive;
    bool open, medium, busy;
    int closings; //  as often the guest closes the tray in the moment in which the medium is to go
} self;

static json_t *drive_json (void)
{
    json_t *drive = json_pack ("{s:s, s:b}", "qdev", ALIAS, "tray_open", self.open);
    if (self.medium)
        json_object_set_new (drive, "inserted", json_pack ("{s:s}", "node-name", "disk-sda"));
    return json_pack ("[o]", drive);
}

static json_t *remove_medium (error_t *err)
{
    if (self.closings > 0) {
        self.open = false;
        self.closings--;
    }
    self.medium = self.medium && (!self.open || self.busy);
    if (!self.medium)
        return json_object ();
    error_set (err, ERR_OPERATION_FAILED, REFUSED "%s",
               self.open ? "Node is busy" : "Tray of device '" ALIAS "' is not open");
    return NULL;
}

static json_t *answer (job_t *job, const char *execute, json_t *arguments, int ms, error_t *err)
{
    json_t *other = fake_qmp (job, execute, arguments, ms, err);
    bool asks = strcmp (execute, "query-block") == 0;
    bool removes = strcmp (execute, "blockdev-remove-medium") == 0;
    if (strcmp (execute, "blockdev-open-tray") == 0)
        self.open = true;
    if (strcmp (execute, "blockdev-close-tray") == 0)
        self.open = false;
    if (!asks && !removes)
        return other;
    json_decref (other);
    return asks ? drive_json () : remove_medium (err);
}

//  There is another image in it than the document has by now.
static const fake_reply_t nodes[] = {
    { "query-named-block-nodes",
      "[{\"node-name\":\"disk-sda\",\"drv\":\"raw\",\"file\":\"/old.iso\"}]" },
    { NULL, NULL }
};

static int setup (void **state)
{
    (void) state;
    fake_job_init (&self.fake, "/nowhere");
    self.fake.replies = nodes;
    self.ops = *self.fake.job.ops;
    self.ops.qmp = answer;
    self.fake.job.ops = &self.ops;
    self.fake.guest.name = "web";
    self.fake.guest.live =
        unit_xml ("<domain><devices><disk type='file' device='cdrom'><target dev='sda' bus='sata'/>"
                  "<alias name='" ALIAS "'/></disk></devices></domain>");
    self.drive = xml_find (xml_root (self.fake.guest.live), "devices/disk");
    self.medium = true;
    self.open = self.busy = false;
    self.closings = 0;
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    fake_job_clear (&self.fake);
    return 0;
}

//  It looked for a medium, while the old one was on its way out.
static void test_a_guest_that_closes_the_tray (void **state)
{
    (void) state;
    error_t err = { 0 };
    self.closings = 3;
    if (qemu_medium_restore (&self.fake.job, self.drive, false, &err))
        fail_msg ("%s", err.message);
    assert_false (self.medium);
    assert_false (self.open);
}

//  Not for ever; and the words are QEMU's.
static void test_a_guest_that_never_leaves_it_open (void **state)
{
    (void) state;
    error_t err = { 0 };
    self.closings = 1000;
    assert_int_equal (qemu_medium_restore (&self.fake.job, self.drive, false, &err), -1);
    assert_string_equal (err.message, REFUSED "Tray of device '" ALIAS "' is not open");
    assert_true (self.closings > 900);
}

static void test_another_refusal_is_told_at_once (void **state)
{
    (void) state;
    error_t err = { 0 };
    self.busy = true;
    assert_int_equal (qemu_medium_restore (&self.fake.job, self.drive, false, &err), -1);
    assert_string_equal (err.message, REFUSED "Node is busy");
    const char *first = strstr (self.fake.trace, "qmp blockdev-remove-medium");
    assert_null (strstr (first + 1, "qmp blockdev-remove-medium"));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (test_a_guest_that_closes_the_tray),
        TEST (test_a_guest_that_never_leaves_it_open),
        TEST (test_another_refusal_is_told_at_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
