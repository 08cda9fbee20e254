//  test_qemu_cpu.c: what a processor is to the host's, and what several have in common.

#include "qemu_fixture.h"

#include "drivers/qemu/probe/qemu_cpu.h"
#include "drivers/qemu/probe/qemu_cpu_questions.h"

#define EXPAND(name)                                                                               \
    "query-cpu-model-expansion {\"type\":\"static\",\"model\":{\"name\":\"" name "\"}}"
#define EXPAND_WITH(name, props)                                                                   \
    "query-cpu-model-expansion {\"type\":\"static\",\"model\":{\"name\":\"" name                   \
    "\",\"props\":{" props "}}}"
#define INTEL(props)                                                                               \
    "{\"model\": {\"props\": {\"vendor\": \"GenuineIntel\", \"level\": 13, " props "}}}"
#define AMD(props) "{\"model\": {\"props\": {\"vendor\": \"AuthenticAMD\", " props "}}}"
#define NAMED(name)                                                                                \
    "{\"name\": \"" name "\", \"alias-of\": \"" name "-v1\", \"migration-safe\": true}"
#define ON(name) "\"" name "\": true"
#define OFF(name) "\"" name "\": false"

//  The host has sse, avx, umip and invtsc.
#define HOST INTEL (ON ("sse") "," ON ("avx") "," ON ("umip") "," ON ("invtsc") "," OFF ("hle"))

static const fake_reply_t replies[] = {
    { EXPAND ("max"), HOST },
    { EXPAND ("host"), INTEL (ON ("sse")) },
    { EXPAND ("Small"), INTEL (ON ("sse") "," OFF ("avx")) },
    { EXPAND ("Middle"), INTEL (ON ("sse") "," ON ("avx")) },
    { EXPAND ("Large"), INTEL (ON ("sse") "," ON ("avx") "," ON ("hle") "," ON ("rtm")) },
    { EXPAND ("Other"), AMD (ON ("sse") "," ON ("avx")) },
    { EXPAND ("Old"), INTEL (ON ("sse") "," ON ("avx")) },
    { EXPAND ("Same"), HOST },
    { EXPAND ("Lost"), "!unable to find CPU model 'Lost'" },
    { EXPAND_WITH ("Large", "\"hle\":false,\"rtm\":false"), INTEL (ON ("sse") "," ON ("avx")) },
    { EXPAND_WITH ("Large", "\"hle\":true,\"rtm\":true"),
      INTEL (ON ("sse") "," ON ("avx") "," ON ("hle") "," ON ("rtm")) },
    { EXPAND_WITH ("Small", "\"umip\":true"), INTEL (ON ("sse") "," ON ("umip")) },
    { EXPAND_WITH ("Small", "\"umip\":false"), INTEL (ON ("sse")) },
    { EXPAND_WITH ("Middle", "\"umip\":true,\"invtsc\":true"), HOST },
    { EXPAND_WITH ("Middle", "\"umip\":false,\"invtsc\":false"),
      INTEL (ON ("sse") "," ON ("avx")) },
    { "query-cpu-definitions",
      "[" NAMED ("Small") "," NAMED ("Other") "," NAMED ("Middle") "," NAMED (
          "Large") ", {\"name\": \"Old\", \"alias-of\": \"Old-v1\", \"migration-safe\": true, "
                   "\"deprecated\": true}, {\"name\": \"Same\", \"migration-safe\": true}]" },
    { NULL, NULL },
};

#define MODEL(name) "<cpu><model>" name "</model></cpu>"
#define WITH(name, features) "<cpu><model>" name "</model>" features "</cpu>"
#define FEATURE(policy, name) "<feature policy='" policy "' name='" name "'/>"

static fake_job_t fake;

static xml_t *parse (const char *text)
{
    error_t err;
    fake_job_init (&fake, "/root");
    fake.replies = replies;
    xml_t *doc = xml_parse (text, strlen (text), "cpu", &err);
    assert_non_null (doc);
    return doc;
}

static void assert_relation (const char *text, const char *expected, const char *reason)
{
    error_t err = { 0 };
    const char *relation;
    auto(text_t) why = text_new ();
    auto(xml_t) doc = parse (text);
    assert_int_equal (
        qemu_compare_ask (&fake.job, "tcg", "x86_64", xml_root (doc), &relation, why, &err), 0);
    assert_string_equal (relation, expected);
    assert_string_equal (why->data ? why->data : "", reason);
}

static void test_models_are_sets (void **state)
{
    (void) state;
    assert_relation (MODEL ("Small"), "superset", "");
    assert_relation (MODEL ("Same"), "identical", "");
    assert_relation (MODEL ("Large"), "incompatible", "the host lacks hle, rtm");
    assert_relation ("<cpu mode='host-passthrough'/>", "identical", "");
    assert_relation ("<cpu mode='host-model'/>", "identical", "");
    assert_relation ("<cpu match='strict'><model>Middle</model></cpu>", "incompatible",
                     "it is to match strictly, and the host has more: invtsc, umip");
}

static void test_policies (void **state)
{
    (void) state;
    assert_relation (WITH ("Large", FEATURE ("disable", "hle") FEATURE ("disable", "rtm")),
                     "superset", "");
    assert_relation (WITH ("Large", FEATURE ("optional", "hle") FEATURE ("force", "rtm")),
                     "superset", "");
    assert_relation (WITH ("Large", FEATURE ("require", "hle") FEATURE ("require", "rtm")),
                     "incompatible", "the host lacks hle, rtm");
    assert_relation (WITH ("Small", "<feature name='umip'/>"), "superset", "");
    assert_relation (WITH ("Small", FEATURE ("forbid", "umip")), "incompatible",
                     "the host has umip");
    assert_relation (WITH ("Middle", FEATURE ("optional", "umip") FEATURE ("optional", "invtsc")),
                     "identical", "");
}

static void test_vendor_and_architecture (void **state)
{
    (void) state;
    assert_relation ("<cpu><model>Small</model><vendor>Intel</vendor></cpu>", "superset", "");
    assert_relation ("<cpu><model>Small</model><vendor>AMD</vendor></cpu>", "incompatible",
                     "the host's vendor is Intel");
    assert_relation ("<cpu><arch>i686</arch><model>Small</model></cpu>", "superset", "");
    assert_relation ("<cpu><arch>s390x</arch><model>z14</model></cpu>", "incompatible",
                     "it is of the architecture 's390x', and not 'x86_64'");
}

static void assert_refused (const char *text, error_code_t code, const char *words)
{
    error_t err = { 0 };
    const char *relation;
    auto(text_t) why = text_new ();
    auto(xml_t) doc = parse (text);
    assert_int_equal (
        qemu_compare_ask (&fake.job, "tcg", "x86_64", xml_root (doc), &relation, why, &err), -1);
    assert_int_equal (err.code, code);
    assert_has (err.message, words);
}

static void test_what_is_no_cpu (void **state)
{
    (void) state;
    assert_refused ("<domain/>", ERR_XML_ERROR, "the element is <domain>, not <cpu>");
    assert_refused ("<cpu/>", ERR_XML_ERROR, "it names no <model>");
    assert_refused (MODEL ("Lost"), ERR_CONFIG_UNSUPPORTED,
                    "cpu model 'Lost': unable to find CPU model 'Lost'");
    assert_refused (WITH ("Small", FEATURE ("maybe", "umip")), ERR_XML_ERROR,
                    "feature 'umip' has the policy 'maybe'");
    assert_refused (WITH ("Small", "<feature policy='require'/>"), ERR_XML_ERROR,
                    "a <feature> has no name");
}

//  "MODEL vendor +FEATURE ...", or the error.
static char *baseline (const char *text, cpu_question_t question)
{
    static const char empty[] = "<cpu/>";
    error_t err = { 0 };
    auto(xml_t) doc = parse (text);
    auto(xml_t) cpu = xml_parse (empty, sizeof empty - 1, "cpu", &err);
    xml_node_t *root = xml_root (cpu);
    if (qemu_baseline_ask (&fake.job, "tcg", &question, xml_root (doc), root, &err))
        return text_copy (err.message);
    assert_true (xml_equals (root, "@mode", "custom") && xml_equals (root, "@match", "exact"));
    auto(text_t) said = text_new ();
    const char *vendor = xml_string (root, "vendor");
    text_addf (said, "%s%s%s", xml_string (root, "model"), vendor ? " " : "", vendor ? vendor : "");
    xml_foreach (feature, root, "feature") {
        assert_true (xml_equals (feature, "@policy", "require"));
        text_addf (said, " +%s", xml_string (feature, "@name"));
    }
    return text_finish (&said);
}

static void assert_baseline (const char *text, cpu_question_t question, const char *expected)
{
    autofree char *said = baseline (text, question);
    assert_string_equal (said, expected);
}

static void test_the_nearest_model_and_the_rest (void **state)
{
    (void) state;
    const cpu_question_t plain = { 0 };
    assert_baseline (MODEL ("Large"), plain, "Large");
    assert_baseline (MODEL ("Same"), plain, "Middle +invtsc +umip");
    assert_baseline ("<cpus>" MODEL ("Large") MODEL ("Same") "</cpus>", plain, "Middle");
    assert_baseline ("<cpus>" MODEL ("Large") MODEL ("Small") "</cpus>", plain, "Small");
    assert_baseline ("<cpus>" MODEL ("Other") "</cpus>", plain, "Other");
    //  Deprecated, but it is what was given.
    assert_baseline (MODEL ("Old"), plain, "Old");
    assert_baseline ("<cpu><model>Middle</model><vendor>Intel</vendor></cpu>", plain,
                     "Middle Intel");
}

static void test_what_is_left_out_or_listed (void **state)
{
    (void) state;
    assert_baseline (MODEL ("Same"), (cpu_question_t){ .migratable = true }, "Middle +umip");
    assert_baseline (MODEL ("Middle"), (cpu_question_t){ .features = true }, "Middle +avx +sse");
    assert_baseline (MODEL ("Large"), (cpu_question_t){ .possible = true }, "Middle");
}

static void test_no_baseline (void **state)
{
    (void) state;
    const cpu_question_t plain = { 0 };
    assert_baseline ("<cpus/>", plain, "there are no cpus");
    assert_baseline ("<cpus><cpu><model>Small</model><vendor>Intel</vendor></cpu>"
                     "<cpu><model>Other</model><vendor>AMD</vendor></cpu></cpus>",
                     plain, "the cpus are of different vendors: Intel and AMD");
    autofree char *said = baseline ("<cpus><domain/></cpus>", plain);
    assert_has (said, "the element is <domain>, not <cpu>");
    autofree char *other = baseline ("<cpu><arch>s390x</arch><model>z14</model></cpu>", plain);
    assert_has (other, "not supported: cpus of the architecture 's390x'");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_models_are_sets),
        cmocka_unit_test (test_policies),
        cmocka_unit_test (test_vendor_and_architecture),
        cmocka_unit_test (test_what_is_no_cpu),
        cmocka_unit_test (test_the_nearest_model_and_the_rest),
        cmocka_unit_test (test_what_is_left_out_or_listed),
        cmocka_unit_test (test_no_baseline),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
