//  test_qemu_agent.c: what a guest's agent is asked, command by command.

#include "drivers/qemu/qemu_agent.h"

#include "drivers/channel.h"
#include "drivers/qemu/qemu_agent_ask.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "fake_job.h"
#include "unit_xml.h"

static fake_job_t fake;
static error_t err;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.guest.record = unit_xml ("<driver/>");
    err = (error_t){ 0 };
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    fake_job_clear (&fake);
    return 0;
}

static bool is_recorded (void)
{
    return xml_find (xml_root (fake.guest.record), "freeze");
}

static void forget_trace (void)
{
    fake.trace[0] = 0;
}

//  Around a snapshot.

static const fake_reply_t thawed[] = { { "guest-fsfreeze-status", "\"thawed\"" },
                                       { "guest-fsfreeze-freeze", "2" },
                                       { "guest-fsfreeze-thaw", "2" },
                                       { NULL, NULL } };

static void test_the_undo_is_there_before_the_freeze (void **state)
{
    (void) state;
    fake.replies = thawed;
    assert_int_equal (qemu_agent_freeze (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "agent guest-fsfreeze-status\nundo qemu.thaw\nrecord\n"
                                     "agent guest-fsfreeze-freeze\n");
    assert_true (is_recorded ());
    forget_trace ();
    assert_int_equal (qemu_agent_thaw (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "agent guest-fsfreeze-thaw\nrecord\n");
    assert_false (is_recorded ());
    //  Neither the undo nor a second thaw has anything to do now.
    forget_trace ();
    assert_int_equal (qemu_agent_undo_thaw (&fake.job, "", &err), 0);
    assert_int_equal (qemu_agent_thaw (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "");
}

static void test_what_the_user_froze_stays_so (void **state)
{
    (void) state;
    static const fake_reply_t frozen[] = { { "guest-fsfreeze-status", "\"frozen\"" },
                                           { NULL, NULL } };
    fake.replies = frozen;
    assert_int_equal (qemu_agent_freeze (&fake.job, &err), 0);
    assert_int_equal (qemu_agent_thaw (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "agent guest-fsfreeze-status\n");
    assert_int_equal (fake.undo_count, 0);
}

static void test_a_freeze_that_fails_is_undone (void **state)
{
    (void) state;
    fake.replies = thawed;
    fake.fail = "agent guest-fsfreeze-freeze";
    assert_int_equal (qemu_agent_freeze (&fake.job, &err), -1);
    //  It may have frozen some of them.
    assert_true (is_recorded ());
    assert_string_equal (fake.undos[0].kind, "qemu.thaw");
    forget_trace ();
    assert_int_equal (qemu_driver.undo (&fake.job, "thaw", "", &err), 0);
    assert_string_equal (fake.trace, "agent guest-fsfreeze-thaw\n");
    assert_false (is_recorded ());
}

//  The owner, which sees what the record says, tries again.
static void test_an_agent_that_does_not_thaw_is_left_to_the_owner (void **state)
{
    (void) state;
    fake.replies = thawed;
    assert_int_equal (qemu_agent_freeze (&fake.job, &err), 0);
    fake.fail = "agent guest-fsfreeze-thaw";
    assert_int_equal (qemu_agent_thaw (&fake.job, &err), -1);
    assert_int_equal (qemu_agent_undo_thaw (&fake.job, "", &err), 0);
    assert_true (is_recorded ());
}

static void test_without_an_agent_nothing_is_begun (void **state)
{
    (void) state;
    fake.fail = "agent guest-fsfreeze-status";
    fake.fail_code = ERR_AGENT_UNRESPONSIVE;
    assert_int_equal (qemu_agent_freeze (&fake.job, &err), -1);
    assert_int_equal (err.code, ERR_AGENT_UNRESPONSIVE);
    assert_int_equal (fake.undo_count, 0);
    assert_false (is_recorded ());
}

//  What users ask.

//  WHAT with ARGS (JSON) gives RESULT (JSON), or the error with these words if that begins with
//  '!'.
typedef struct {
    const char *what, *args, *trace, *result;
} row_t;

static void check_row (const row_t *row)
{
    json_auto_t *args = json_loads (row->args, 0, NULL);
    forget_trace ();
    json_auto_t *result = qemu_agent (&fake.job, row->what, args, &err);
    char *text = result ? json_dumps (result, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY)
                        : text_format ("!%s", err.message);
    assert_string_equal (fake.trace, row->trace);
    if (row->result[0] == '!' && !result)
        assert_non_null (strstr (text, row->result + 1));
    else
        assert_string_equal (text, row->result);
    free (text);
}

static void check_rows (const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_row (&rows[i]);
}

//  As long as the record says, and else as long as the command usually takes.
static void test_patience (void **state)
{
    (void) state;
    static const row_t name = { "hostname", "{}", "agent guest-get-host-name\n",
                                "{\"hostname\":\"h\"}" };
    static const row_t unheard = { "hostname", "{}", "agent guest-get-host-name\n",
                                   "!is not waited for" };
    static const row_t end = { "shutdown", "{}", "agent guest-shutdown {\"mode\":\"powerdown\"}\n",
                               "null" };
    static const fake_reply_t replies[] = { { "guest-get-host-name", "{\"host-name\":\"h\"}" },
                                            { NULL, NULL } };
    xml_node_t *record = xml_root (fake.guest.record);
    fake.replies = replies;
    check_row (&name);
    assert_int_equal (fake.agent_ms, QEMU_AGENT_INFO_MS);
    xml_set (record, "agent/@timeout", "3");
    check_row (&name);
    assert_int_equal (fake.agent_ms, 3000);
    xml_set (record, "agent/@timeout", "-2");
    check_row (&name);
    assert_int_equal (fake.agent_ms, QEMU_AGENT_BLOCK_MS);
    assert_int_equal (fake.agent_how, 0);
    xml_set (record, "agent/@timeout", "0");
    check_row (&unheard);
    assert_int_equal (fake.agent_how, AGENT_UNHEARD);
    //  No answer is what a guest that goes gives.
    check_row (&end);
}

static void test_freezing_and_thawing (void **state)
{
    (void) state;
    static const row_t rows[] = {
        { "fs_freeze", "{}", "agent guest-fsfreeze-freeze\n", "{\"count\":2}" },
        { "fs_freeze", "{\"mountpoints\":[\"/a\"]}",
          "agent guest-fsfreeze-freeze-list {\"mountpoints\":[\"/a\"]}\n", "{\"count\":1}" },
        { "fs_thaw", "{}", "agent guest-fsfreeze-thaw\n", "{\"count\":2}" },
        { "fs_thaw", "{\"mountpoints\":[\"/a\"]}", "", "!thaws all at once" },
        { "shutdown", "{}", "agent guest-shutdown {\"mode\":\"powerdown\"}\n", "null" },
        { "reboot", "{}", "agent guest-shutdown {\"mode\":\"reboot\"}\n", "null" },
    };
    static const fake_reply_t replies[] = { { "guest-fsfreeze-freeze", "2" },
                                            { "guest-fsfreeze-freeze-list", "1" },
                                            { "guest-fsfreeze-thaw", "2" },
                                            { NULL, NULL } };
    fake.replies = replies;
    check_rows (rows, sizeof rows / sizeof *rows);
    //  While a job keeps them frozen nobody else thaws them.
    xml_set (xml_root (fake.guest.record), "freeze/@by", "job");
    check_row (&(row_t){ "fs_thaw", "{}", "", "!a job froze them" });
    check_row (&(row_t){ "thaw", "{}", "agent guest-fsfreeze-thaw\n", "{\"count\":2}" });
}

static void test_commands (void **state)
{
    (void) state;
    static const row_t rows[] = {
        { "command", "{\"command\":\"{\\\"execute\\\":\\\"a\\\"}\"}", "agent a\n",
          "{\"reply\":\"{\\\"return\\\":[1]}\"}" },
        { "command",
          "{\"command\":\"{\\\"execute\\\":\\\"a\\\",\\\"arguments\\\":{\\\"b\\\":1}}\"}",
          "agent a {\"b\":1}\n", "{\"reply\":\"{\\\"return\\\":[1]}\"}" },
        { "command", "{\"command\":\"{\\\"execute\\\":\\\"a\\\"}\",\"timeout\":0}", "agent a\n",
          "{\"reply\":null}" },
        { "command", "{\"command\":\"guest-ping\"}", "", "!agent command for domain 'g'" },
        { "command", "{\"command\":\"{}\"}", "", "!there is no \"execute\"" },
        { "command", "{\"command\":\"[]\"}", "", "!there is no \"execute\"" },
        { "command", "{\"command\":\"{\\\"execute\\\":\\\"a\\\"}\",\"timeout\":-3}", "",
          "!-3 is no timeout" },
    };
    static const fake_reply_t replies[] = { { "a", "[1]" }, { NULL, NULL } };
    fake.replies = replies;
    check_rows (rows, sizeof rows / sizeof *rows);
}

static void test_a_machine_that_nobody_could_wake (void **state)
{
    (void) state;
    static const row_t rows[] = {
        { "pm_suspend", "{\"target\":\"mem\"}", "qmp query-current-machine\n",
          "!its machine type can't be woken" },
        { "pm_suspend", "{\"target\":\"disk\"}", "agent guest-suspend-disk\n", "null" },
    };
    static const fake_reply_t replies[] = {
        { "query-current-machine", "{\"wakeup-suspend-support\":false}" }, { NULL, NULL }
    };
    fake.replies = replies;
    check_rows (rows, sizeof rows / sizeof *rows);
}

static void test_changes (void **state)
{
    (void) state;
    static const row_t rows[] = {
        { "time", "{}", "agent guest-get-time\n", "{\"nseconds\":7,\"seconds\":3}" },
        { "time_set", "{\"seconds\":3,\"nseconds\":7}",
          "agent guest-set-time {\"time\":3000000007}\n", "null" },
        { "time_set", "{\"sync\":true}", "qmp rtc-reset-reinjection\nagent guest-set-time\n",
          "null" },
        { "time_set", "{}", "", "!either sync, or seconds" },
        { "time_set", "{\"seconds\":3,\"nseconds\":1000000000}", "", "!either sync, or seconds" },
        { "time_set", "{\"seconds\":9223372036854775807}", "", "!either sync, or seconds" },
        { "vcpus", "{}", "agent guest-get-vcpus\n",
          "{\"offlinable\":\"1-2,7\",\"online\":\"0,2,7\",\"vcpus\":\"0-2,7\"}" },
        { "vcpus_set", "{\"cpus\":\"1-2\",\"online\":true}",
          "agent guest-set-vcpus {\"vcpus\":[{\"logical-id\":1,\"online\":true},"
          "{\"logical-id\":2,\"online\":true}]}\n",
          "null" },
        { "vcpus_set", "{\"cpus\":\"1\"}",
          "agent guest-set-vcpus {\"vcpus\":[{\"logical-id\":1,\"online\":false}]}\n",
          "!changed 2 of 1 CPUs" },
        { "vcpus_set", "{\"cpus\":\"x\"}", "", "!CPUs of domain 'g'" },
        { "vcpus_set", "{\"vcpus\":1}",
          "agent guest-get-vcpus\nagent guest-set-vcpus "
          "{\"vcpus\":[{\"logical-id\":7,\"online\":false},"
          "{\"logical-id\":2,\"online\":false}]}\n",
          "null" },
        { "vcpus_set", "{\"vcpus\":3}", "agent guest-get-vcpus\n", "null" },
        { "vcpus_set", "{\"vcpus\":9}", "agent guest-get-vcpus\n", "!has 4, and uses 3" },
        { "password_set", "{\"user\":\"u\",\"password\":\"pass\"}",
          "agent guest-set-user-password {\"username\":\"u\",\"password\":\"cGFzcw==\","
          "\"crypted\":false}\n",
          "null" },
        { "ssh_keys", "{\"user\":\"u\"}",
          "agent guest-ssh-get-authorized-keys {\"username\":\"u\"}\n", "[\"ssh-ed25519 A\"]" },
        { "ssh_keys_set", "{\"user\":\"u\",\"keys\":[\"k\"],\"reset\":true}",
          "agent guest-ssh-add-authorized-keys "
          "{\"username\":\"u\",\"keys\":[\"k\"],\"reset\":true}\n",
          "null" },
        { "ssh_keys_set", "{\"user\":\"u\",\"keys\":[\"k\"],\"remove\":true}",
          "agent guest-ssh-remove-authorized-keys {\"username\":\"u\",\"keys\":[\"k\"]}\n",
          "null" },
        { "ssh_keys_set", "{\"user\":\"u\",\"reset\":true,\"remove\":true}", "",
          "!remove does not go with reset" },
        { "pm_suspend", "{\"target\":\"mem\"}",
          "qmp query-current-machine\nagent guest-suspend-ram\n", "null" },
        { "pm_suspend", "{\"target\":\"hybrid\",\"duration\":0}",
          "qmp query-current-machine\nagent guest-suspend-hybrid\n", "null" },
        { "pm_suspend", "{\"target\":\"disk\"}", "agent guest-suspend-disk\n", "null" },
        { "pm_suspend", "{\"target\":\"mem\",\"duration\":60}", "", "!not supported: a duration" },
        { "hostname", "{}", "agent guest-get-host-name\n", "{\"hostname\":\"h\"}" },
        { "fs_trim", "{\"minimum\":4096}", "agent guest-fstrim {\"minimum\":4096}\n",
          "!none of the guest's file systems can be trimmed: no" },
    };
    static const fake_reply_t replies[] = {
        { "guest-get-time", "3000000007" },
        { "query-current-machine", "{\"wakeup-suspend-support\":true}" },
        { "guest-get-vcpus", "[{\"logical-id\":0,\"online\":true,\"can-offline\":false},"
                             "{\"logical-id\":7,\"online\":true,\"can-offline\":true},"
                             "{\"logical-id\":2,\"online\":true,\"can-offline\":true},"
                             "{\"logical-id\":1,\"online\":false,\"can-offline\":true}]" },
        { "guest-set-vcpus", "2" },
        { "guest-ssh-get-authorized-keys", "{\"keys\":[\"ssh-ed25519 A\"]}" },
        { "guest-get-host-name", "{\"host-name\":\"h\"}" },
        { "guest-fstrim", "{\"paths\":[{\"path\":\"/\",\"error\":\"no\"}]}" },
        { NULL, NULL }
    };
    fake.replies = replies;
    check_rows (rows, sizeof rows / sizeof *rows);
}

#define DISK(address)                                                                              \
    "{\"bus-type\":\"virtio\",\"bus\":0,\"target\":0,\"unit\":0,\"dev\":\"/dev/x\","               \
    "\"serial\":\"S\",\"pci-controller\":{\"domain\":0,\"bus\":0,\"slot\":" address                \
    ",\"function\":0}}"

static const fake_reply_t told[] = {
    { "guest-get-users", "[{\"user\":\"u\",\"login-time\":1.5}]" },
    { "guest-get-osinfo", "{\"id\":\"debian\",\"kernel-release\":\"6\"}" },
    { "guest-get-timezone", "{\"offset\":3600,\"zone\":\"CET\"}" },
    { "guest-get-host-name", "!The command guest-get-host-name has not been found" },
    { "guest-get-fsinfo",
      "[{\"name\":\"vda1\",\"mountpoint\":\"/\",\"type\":\"ext4\","
      "\"used-bytes\":1,\"total-bytes\":2,\"disk\":[" DISK ("4") "," DISK ("5") "]}]" },
    { "guest-get-disks",
      "[{\"name\":\"/dev/vda\",\"partition\":false,\"address\":" DISK (
          "4") "},"
               "{\"name\":\"/dev/vda1\",\"partition\":true,\"dependencies\":[\"/dev/vda\"]}]" },
    { "guest-network-get-interfaces", "[{\"name\":\"eth0\",\"hardware-address\":\"m\",\"ip-"
                                      "addresses\":[{\"ip-address-type\":\"ipv4\","
                                      "\"ip-address\":\"a\",\"prefix\":24}]},{\"name\":\"x\"}]" },
    { NULL, NULL }
};

static void set_disks (void)
{
    fake.replies = told;
    fake.guest.live = unit_xml (
        "<domain><devices><disk><target dev='vda' bus='virtio'/>"
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/></disk>"
        "<disk><target dev='sda' bus='sata'/>"
        "<address type='drive' controller='0' bus='0' target='0' unit='1'/></disk>"
        "</devices></domain>");
}

static void test_what_an_agent_tells (void **state)
{
    (void) state;
    set_disks ();
    check_row (
        &(row_t){ "guest_info", "{\"types\":[\"user\",\"os\",\"timezone\"]}",
                  "agent guest-get-users\nagent guest-get-osinfo\nagent "
                  "guest-get-timezone\n",
                  "{\"os.id\":\"debian\",\"os.kernel-release\":\"6\",\"timezone.name\":\"CET\","
                  "\"timezone.offset\":3600,\"user.0.login-time\":1500,\"user.0.name\":\"u\","
                  "\"user.count\":1}" });
    check_row (
        &(row_t){ "guest_info", "{\"types\":[\"filesystem\"]}", "agent guest-get-fsinfo\n",
                  "{\"fs.0.disk.0.alias\":\"vda\",\"fs.0.disk.0.device\":\"/dev/x\","
                  "\"fs.0.disk.0.serial\":\"S\",\"fs.0.disk.1.device\":\"/dev/x\","
                  "\"fs.0.disk.1.serial\":\"S\",\"fs.0.disk.count\":2,"
                  "\"fs.0.fstype\":\"ext4\",\"fs.0.mountpoint\":\"/\",\"fs.0.name\":\"vda1\","
                  "\"fs.0.total-bytes\":2,\"fs.0.used-bytes\":1,\"fs.count\":1}" });
    check_row (&(row_t){ "guest_info", "{\"types\":[\"disk\"]}", "agent guest-get-disks\n",
                         "{\"disk.0.alias\":\"vda\",\"disk.0.guest_bus\":\"virtio\","
                         "\"disk.0.name\":\"/dev/vda\",\"disk.0.partition\":false,"
                         "\"disk.0.serial\":\"S\",\"disk.1.dependency.0.name\":\"/dev/vda\","
                         "\"disk.1.dependency.count\":1,\"disk.1.name\":\"/dev/vda1\","
                         "\"disk.1.partition\":true,\"disk.count\":2}" });
    check_row (&(row_t){ "guest_info", "{\"types\":[\"interface\"]}",
                         "agent guest-network-get-interfaces\n",
                         "{\"if.0.addr.0.addr\":\"a\",\"if.0.addr.0.prefix\":24,"
                         "\"if.0.addr.0.type\":\"ipv4\",\"if.0.addr.count\":1,"
                         "\"if.0.hwaddr\":\"m\",\"if.0.name\":\"eth0\",\"if.1.addr.count\":0,"
                         "\"if.1.name\":\"x\",\"if.count\":2}" });
    //  What was asked for by name has to be known; of all, it is left out.
    check_row (&(row_t){ "guest_info", "{\"types\":[\"hostname\"]}", "agent guest-get-host-name\n",
                         "!has not been found" });
    json_auto_t *all = qemu_agent (&fake.job, "guest_info", NULL, &err);
    assert_non_null (all);
    assert_null (json_object_get (all, "hostname"));
    assert_int_equal (json_integer_value (json_object_get (all, "if.count")), 2);
    check_row (&(row_t){ "guest_info", "{\"types\":[\"os\",\"weather\"]}", "", "!'weather'" });
}

static void test_file_systems_and_interfaces (void **state)
{
    (void) state;
    set_disks ();
    check_row (&(row_t){ "fs_info", "{}", "agent guest-get-fsinfo\n",
                         "[{\"mountpoint\":\"/\",\"name\":\"vda1\",\"targets\":[\"vda\"],"
                         "\"type\":\"ext4\"}]" });
    check_row (&(row_t){ "interfaces", "{}", "agent guest-network-get-interfaces\n",
                         "[{\"addresses\":[{\"address\":\"a\",\"prefix\":24,\"type\":\"ipv4\"}],"
                         "\"mac\":\"m\",\"name\":\"eth0\"},"
                         "{\"addresses\":[],\"mac\":\"\",\"name\":\"x\"}]" });
    json_auto_t *sata =
        json_loads ("{\"bus-type\":\"sata\",\"bus\":0,\"target\":0,\"unit\":1}", 0, NULL);
    assert_string_equal (qemu_agent_disk_target (&fake.job, sata), "sda");
}

//  Which channel is the agent's.

static bool find (const char *channels, channel_t *channel)
{
    autofree char *text = text_format ("<domain><devices>%s</devices></domain>", channels);
    auto(xml_t) live = unit_xml (text);
    bool found = channel_find_agent (live, channel);
    //  The strings are the document's.
    if (found)
        assert_string_equal (channel->path, "/a");
    return found;
}

#define AGENT(source, name, state)                                                                 \
    "<channel type='unix'>" source "<target type='virtio' name='" name "'" state "/>"              \
    "<alias name='channel0'/></channel>"

static void test_the_agents_channel (void **state)
{
    (void) state;
    channel_t channel;
    const char *other = AGENT ("<source mode='bind' path='/b'/>", "org.spice.0", "");
    autofree char *both =
        text_format ("%s%s", other, AGENT ("<source path='/a'/>", CHANNEL_AGENT_NAME, ""));
    assert_true (find (both, &channel));
    assert_int_equal (channel.state, CHANNEL_UNKNOWN);
    assert_true (
        find (AGENT ("<source path='/a'/>", CHANNEL_AGENT_NAME, " state='connected'"), &channel));
    assert_int_equal (channel.state, CHANNEL_OPEN);
    assert_true (find (AGENT ("<source path='/a'/>", CHANNEL_AGENT_NAME, " state='disconnected'"),
                       &channel));
    assert_int_equal (channel.state, CHANNEL_CLOSED);
    assert_false (find (other, &channel));
    //  Somebody else listens there.
    assert_false (
        find (AGENT ("<source mode='connect' path='/a'/>", CHANNEL_AGENT_NAME, ""), &channel));
    assert_false (find ("", &channel));
}

static void test_the_state_of_a_channel (void **state)
{
    (void) state;
    auto(xml_t) live = unit_xml ("<domain><devices>" AGENT ("", "a", "") "</devices></domain>");
    static const char state_path[] = "devices/channel/target/@state";
    channel_set_state (live, "channel1", true);
    assert_null (xml_string (xml_root (live), state_path));
    channel_set_state (live, "channel0", true);
    assert_string_equal (xml_string (xml_root (live), state_path), "connected");
    channel_set_state (live, "channel0", false);
    assert_string_equal (xml_string (xml_root (live), state_path), "disconnected");
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

//  An agent may answer anything.
static void test_keys_that_are_none (void **state)
{
    (void) state;
    static const fake_reply_t replies[] = { { "guest-ssh-get-authorized-keys", "{\"keys\":7}" },
                                            { NULL, NULL } };
    fake.replies = replies;
    check_row (&(row_t){ "ssh_keys", "{\"user\":\"u\"}",
                         "agent guest-ssh-get-authorized-keys {\"username\":\"u\"}\n",
                         "!its agent answers without any" });
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        TEST (test_the_undo_is_there_before_the_freeze),
        TEST (test_what_the_user_froze_stays_so),
        TEST (test_a_freeze_that_fails_is_undone),
        TEST (test_an_agent_that_does_not_thaw_is_left_to_the_owner),
        TEST (test_without_an_agent_nothing_is_begun),
        TEST (test_patience),
        TEST (test_freezing_and_thawing),
        TEST (test_commands),
        TEST (test_keys_that_are_none),
        TEST (test_changes),
        TEST (test_a_machine_that_nobody_could_wake),
        TEST (test_what_an_agent_tells),
        TEST (test_file_systems_and_interfaces),
        TEST (test_the_agents_channel),
        TEST (test_the_state_of_a_channel),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
