//  test_qemu_capabilities.c: which model the host's processor is said to be.

#include "qemu_fixture.h"

#include "drivers/qemu/probe/qemu_capabilities.h"

//  <cpu> with the topology that it has before, of a host of which QEMU says FACTS; the caller frees
//  it.
static char *cpu_of (const char *facts)
{
    static const char before[] = "<cpu><topology sockets='1'/></cpu>";
    error_t err;
    autofree char *text = text_format ("%s%s", qemu_caps_text, facts);
    auto(qemu_caps_t) caps = qemu_caps_parse (text, &err);
    auto(xml_t) doc = xml_parse (before, strlen (before), "cpu", &err);
    assert_non_null (caps);
    qemu_capabilities_cpu (caps, xml_root (doc));
    return xml_node_text (xml_root (doc));
}

static void test_a_model_and_more (void **state)
{
    (void) state;
    autofree char *cpu = cpu_of ("host-model kvm Near +umip +avx\n");
    assert_has (cpu, "<model>Near</model>\n  <topology sockets='1'/>\n  <feature name='umip'/>\n"
                     "  <feature name='avx'/>\n");
}

//  TCG's model is not the host's, and a document of the host's can't say what a model lacks.
static void test_no_model (void **state)
{
    (void) state;
    static const char *const facts[] = { "host-model kvm Near +umip -mpx\n",
                                         "host-model kvm Near -mpx\n",
                                         "no-host-model kvm it does not work\n",
                                         "host-model tcg Near\n" };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        autofree char *cpu = cpu_of (facts[i]);
        assert_null (strstr (cpu, "<model>"));
        assert_null (strstr (cpu, "<feature"));
    }
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_model_and_more),
        cmocka_unit_test (test_no_model),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
