//  test_qemu_caps.c: what an emulator can do, from QMP's answers to the text and back.

#include "qemu_fixture.h"

static qemu_caps_t *parse (void)
{
    error_t err = { 0 };
    qemu_caps_t *caps = qemu_caps_parse (qemu_caps_text, &err);
    assert_non_null (caps);
    return caps;
}

static void test_facts_are_found (void **state)
{
    (void) state;
    auto(qemu_caps_t) caps = parse ();
    assert_int_equal (qemu_caps_version (caps), 7002022);
    assert_string_equal (qemu_caps_arch (caps), "x86_64");
    assert_true (qemu_caps_kvm (caps));
    assert_true (qemu_caps_device (caps, "rtl8139"));
    assert_false (qemu_caps_device (caps, "rtl813"));
    assert_false (qemu_caps_device (caps, "qemu64"));
    assert_true (qemu_caps_cpu (caps, "Haswell"));
}

static void test_a_machine_is_found_by_name_and_alias (void **state)
{
    (void) state;
    auto(qemu_caps_t) caps = parse ();
    qemu_machine_t machine;
    assert_true (qemu_caps_machine (caps, "pc", &machine));
    assert_string_equal (machine.name, "pc-i440fx-7.2");
    assert_int_equal (machine.max_vcpus, 255);
    assert_string_equal (machine.ram_id, "pc.ram");
    assert_true (qemu_caps_machine (caps, "pc-i440fx-6.2", &machine));
    assert_string_equal (machine.alias, "");
    assert_false (qemu_caps_machine (caps, "virt", &machine));
    assert_false (qemu_caps_machine (caps, "-", &machine));
}

static void test_other_texts_are_refused (void **state)
{
    (void) state;
    static const char *const texts[] = { "", "troupe-qemu-caps 99\nversion 7.2.1\narch x86_64\n",
                                         QEMU_CAPS_HEADER "\n", QEMU_CAPS_HEADER "\narch x86_64\n",
                                         QEMU_CAPS_HEADER "\narch x86_64\nversion seven\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        assert_null (qemu_caps_parse (texts[i], &err));
        assert_int_equal (err.code, ERR_PARSE_FAILED);
    }
}

static const fake_reply_t replies[] = {
    { "query-version", "{\"qemu\":{\"major\":8,\"minor\":1,\"micro\":0},\"package\":\"\"}" },
    { "query-target", "{\"arch\":\"i386\"}" },
    { "query-kvm", "{\"enabled\":false,\"present\":true}" },
    { "query-machines", "[{\"name\":\"pc-i440fx-8.1\",\"alias\":\"pc\",\"cpu-max\":8,"
                        "\"default-ram-id\":\"pc.ram\"},{\"name\":\"none\",\"cpu-max\":1}]" },
    { "query-cpu-definitions",
      "[{\"name\":\"qemu32\",\"alias-of\":\"qemu32-v1\",\"unavailable-features\":[]},"
      "{\"name\":\"Fast\",\"alias-of\":\"Fast-v1\",\"deprecated\":true,"
      "\"unavailable-features\":[\"hle\",\"a b\",\"rtm\"]},{\"name\":\"two words\"}]" },
    { "qom-list-types", "[{\"name\":\"e1000\"}]" },
    { NULL, NULL },
};

static void test_a_probe_leaves_nothing_behind (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/root");
    fake.replies = replies;
    error_t err = { 0 };
    autofree char *text = qemu_probe (&fake.job, "/usr/bin/qemu-system-i386", &err);
    assert_non_null (text);
    assert_has (text, "machine none - 1 -\n");
    assert_has_not (text, "two words");
    assert_has (text, "cpu-model-tcg qemu32 current\n");
    assert_has (text, "cpu-model-tcg Fast deprecated hle rtm\n");
    auto(qemu_caps_t) caps = qemu_caps_parse (text, &err);
    assert_int_equal (qemu_caps_version (caps), 8001000);
    const char *ends[] = { "undo file /root/qemu/probe-",
                           "spawn /usr/bin/qemu-system-i386",
                           "undo process",
                           "go",
                           "monitor_open",
                           "monitor_close",
                           "kill 4242 9",
                           "wait_exit 4242",
                           "remove_file /root/qemu/probe-" };
    const char *at = fake.trace;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        at = strstr (at, ends[i]);
        assert_non_null (at);
    }
}

static void test_a_probe_that_fails_names_the_emulator (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/root");
    fake.fail = "monitor_open";
    error_t err = { 0 };
    assert_null (qemu_probe (&fake.job, "/opt/qemu", &err));
    assert_has (err.message, "probe the emulator '/opt/qemu'");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_facts_are_found),
        cmocka_unit_test (test_a_machine_is_found_by_name_and_alias),
        cmocka_unit_test (test_other_texts_are_refused),
        cmocka_unit_test (test_a_probe_leaves_nothing_behind),
        cmocka_unit_test (test_a_probe_that_fails_names_the_emulator),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
