//  test_qemu_host_model.c: which model and features stand for what an accelerator can give.

#include "qemu_fixture.h"

#include "drivers/qemu/command/qemu_host_model.h"

#define EXPAND(name)                                                                               \
    "query-cpu-model-expansion {\"type\":\"static\",\"model\":{\"name\":\"" name "\"}}"
#define PROPS(props) "{\"model\": {\"name\": \"base\", \"props\": {" props "}}}"
#define NAMED(name)                                                                                \
    "{\"name\": \"" name "\", \"alias-of\": \"" name "-v1\", \"migration-safe\": true}"

static const fake_reply_t replies[] = {
    { EXPAND ("max"),
      PROPS ("\"vendor\": \"AuthenticAMD\", \"family\": 15, \"avx\": true, \"sse\": true, "
             "\"umip\": true, \"mpx\": false") },
    { "query-cpu-definitions", "[" NAMED ("Near") ", " NAMED ("Far") ", " NAMED (
                                   "Other") ", {\"name\": \"Near-v1\", "
                                            "\"migration-safe\": true}, {\"name\": \"host\", "
                                            "\"alias-of\": \"x\", \"migration-safe\": false}, "
                                            "{\"name\": \"Old\", \"alias-of\": \"Old-v1\", "
                                            "\"migration-safe\": true, \"deprecated\": true}]" },
    { EXPAND ("Far"), PROPS ("\"vendor\": \"AuthenticAMD\"") },
    { EXPAND ("Near"),
      PROPS ("\"vendor\": \"AuthenticAMD\", \"avx\": true, \"sse\": true, \"mpx\": true") },
    //  Nearer still, but of another vendor.
    { EXPAND ("Other"),
      PROPS ("\"vendor\": \"GenuineIntel\", \"avx\": true, \"sse\": true, \"umip\": true") },
    { NULL, NULL },
};

static char *ask (const fake_reply_t *with, const char *accel)
{
    fake_job_t fake;
    error_t err = { 0 };
    fake_job_init (&fake, "/root");
    fake.replies = with;
    auto(text_t) text = text_new ();
    assert_int_equal (qemu_host_model_ask (&fake.job, accel, text, &err), 0);
    return text_finish (&text);
}

static void test_the_nearest_of_the_same_vendor (void **state)
{
    (void) state;
    autofree char *text = ask (replies, "tcg");
    assert_string_equal (text, "host-model tcg Near +umip -mpx\n");
}

static void test_why_there_is_none (void **state)
{
    (void) state;
    static const fake_reply_t refused[] = {
        { "query-cpu-model-expansion", "!static expansion is not there" }, { NULL, NULL }
    };
    autofree char *text = ask (refused, "kvm");
    assert_true (text_starts (text, "no-host-model kvm "));
    assert_has (text, "static expansion is not there\n");
    static const fake_reply_t nameless[] = { { EXPAND ("max"), PROPS ("\"avx\": true") },
                                             { "query-cpu-definitions", "[]" },
                                             { NULL, NULL } };
    autofree char *other = ask (nameless, "tcg");
    assert_has (other, "no named models");
}

static void test_an_abort_ends_the_probe (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    fake_job_init (&fake, "/root");
    fake.fail = "qmp";
    fake.fail_code = ERR_OPERATION_ABORTED;
    auto(text_t) text = text_new ();
    assert_int_equal (qemu_host_model_ask (&fake.job, "tcg", text, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_ABORTED);
}

static qemu_caps_t *caps_with (const char *facts)
{
    error_t err = { 0 };
    autofree char *text = text_format ("%s%s", qemu_caps_text, facts);
    return qemu_caps_parse (text, &err);
}

static xml_t *apply (const char *type, const char *cpu, const char *facts, error_t *err)
{
    auto(qemu_caps_t) caps = caps_with (facts);
    autofree char *text = text_format ("<domain type='%s'>%s</domain>", type, cpu);
    auto(xml_t) live = xml_parse (text, strlen (text), "live", err);
    assert_non_null (live);
    return qemu_host_model_apply (live, caps, err) ? NULL : take (&live);
}

#define FACTS "host-model tcg Near +umip +avx -mpx\nno-host-model kvm it does not work\n"

static void test_it_becomes_a_model_with_features (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) live =
        apply ("qemu",
               "<cpu mode='host-model'><topology sockets='1'/><feature policy='disable' "
               "name='avx'/></cpu>",
               FACTS, &err);
    assert_non_null (live);
    autofree char *text = xml_text (live);
    const xml_node_t *cpu = xml_find (xml_root (live), "cpu");
    assert_string_equal (xml_string (cpu, "@mode"), "custom");
    assert_string_equal (xml_string (cpu, "@match"), "exact");
    assert_string_equal (xml_string (cpu, "@check"), "full");
    assert_string_equal (xml_string (cpu, "model"), "Near");
    assert_string_equal (xml_string (cpu, "model/@fallback"), "forbid");
    const char *const features[][2] = { { "avx", "disable" },
                                        { "umip", "require" },
                                        { "mpx", "disable" } };
    size_t i = 0;
    xml_foreach (feature, cpu, "feature") {
        assert_string_equal (xml_string (feature, "@name"), features[i][0]);
        assert_string_equal (xml_string (feature, "@policy"), features[i++][1]);
    }
    assert_int_equal (i, 3);
    //  Again, or with another mode: it stays as it is.
    auto(qemu_caps_t) caps = caps_with ("host-model tcg Far\n");
    assert_int_equal (qemu_host_model_apply (live, caps, &err), 0);
    autofree char *again = xml_text (live);
    assert_string_equal (again, text);
}

static void test_what_an_accelerator_does_not_tell (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_null (apply ("kvm", "<cpu mode='host-model'/>", FACTS, &err));
    assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
    assert_has (err.message, "'host-model'");
    assert_has (err.message, ": it does not work");
    assert_null (apply ("qemu", "<cpu mode='host-model'/>", "", &err));
    assert_has (err.message, "could not be asked");
}

static void test_definitions (void **state)
{
    (void) state;
    error_t err = { 0 };
    autofree char *old =
        qemu_domain ("pc", "<cpu mode='host-model'><model fallback='allow'/></cpu>");
    auto(xml_t) document = qemu_completed_text (old, &err);
    assert_non_null (document);
    assert_string_equal (xml_string (xml_root (document), "cpu/@mode"), "host-model");
    autofree char *named =
        qemu_domain ("pc", "<cpu mode='host-model'><model>Haswell</model></cpu>");
    auto(xml_t) refused = qemu_completed_text (named, &err);
    assert_null (refused);
    assert_has (err.message, "cpu/model 'Haswell' with cpu/@mode 'host-model'");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_the_nearest_of_the_same_vendor),
        cmocka_unit_test (test_why_there_is_none),
        cmocka_unit_test (test_an_abort_ends_the_probe),
        cmocka_unit_test (test_it_becomes_a_model_with_features),
        cmocka_unit_test (test_what_an_accelerator_does_not_tell),
        cmocka_unit_test (test_definitions),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
