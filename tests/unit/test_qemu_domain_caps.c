//  test_qemu_domain_caps.c: what a guest can have is what both the table of elements and the
//  emulator have.

#include "qemu_fixture.h"

#include "drivers/qemu/probe/qemu_domain_caps.h"
#include "drivers/qemu/probe/qemu_schema.h"

static const char caps_text[] =
    QEMU_CAPS_HEADER "\n"
                     "version 7.2.22\narch x86_64\nkvm no\n"
                     "machine pc-q35-7.2 q35 288 pc.ram\n"
                     "machine pc-i440fx-7.2 pc 255 pc.ram\n"
                     "machine microvm - 288 microvm.ram\n"
                     "device VGA\ndevice virtio-vga\ndevice virtio-blk-pci\ndevice ide-hd\n"
                     "device usb-storage\ndevice vmgenid\ndevice virtio-rng-pci\n"
                     "host-model tcg EPYC +umip -osvw\n"
                     "cpu-model-tcg Haswell current pcid hle\n"
                     "cpu-model-tcg qemu64 current\n"
                     "cpu-model-tcg Old deprecated\n"
                     "cpu-model-kvm Other current\n";

static xml_t *ask (const char *caps, const guest_kind_t *kind, error_t *err)
{
    static const char empty[] = "<domainCapabilities/>";
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.caps = caps;
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "empty", err);
    if (qemu_domain_capabilities (&fake.job, kind, xml_root (doc), err))
        return NULL;
    return take (&doc);
}

static xml_t *capabilities (const guest_kind_t *kind)
{
    error_t err = { 0 };
    xml_t *doc = ask (caps_text, kind, &err);
    if (!doc)
        fail_msg ("%s", err.message);
    return doc;
}

static void refused (const guest_kind_t *kind, const char *words)
{
    error_t err = { 0 };
    assert_null (ask (caps_text, kind, &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_has (err.message, words);
}

//  The values of an enumeration, with a blank before each.
static char *values_of (const xml_node_t *node, const char *name)
{
    auto(text_t) text = text_new ();
    xml_foreach (list, node, "enum")
        if (xml_equals (list, "@name", name))
            xml_foreach (value, list, "value")
                text_addf (text, " %s", xml_string (value, "."));
    return text_finish (&text);
}

static void test_what_is_not_said_is_chosen (void **state)
{
    (void) state;
    auto(xml_t) doc = capabilities (&(guest_kind_t){ 0 });
    const xml_node_t *root = xml_root (doc);
    assert_string_equal (xml_string (root, "path"), "/usr/bin/qemu-system-x86_64");
    assert_string_equal (xml_string (root, "domain"), "qemu"); //  this one was built without KVM
    assert_string_equal (xml_string (root, "machine"), "pc-i440fx-7.2");
    assert_string_equal (xml_string (root, "arch"), "x86_64");
    assert_string_equal (xml_string (root, "vcpu/@max"), "255");
}

static void test_what_is_said_counts (void **state)
{
    (void) state;
    static const char i386[] = QEMU_CAPS_HEADER "\nversion 7.2.22\narch i386\nkvm no\n"
                                                "machine pc-q35-7.2 q35 288 pc.ram\n";
    error_t err = { 0 };
    guest_kind_t kind = { .type = "qemu", .emulator = "/opt/qemu", .machine = "q35" };
    auto(xml_t) doc = ask (i386, &kind, &err);
    assert_string_equal (xml_string (xml_root (doc), "path"), "/opt/qemu");
    assert_string_equal (xml_string (xml_root (doc), "arch"), "i686");
    kind.arch = "x86_64";
    assert_null (ask (i386, &kind, &err));
    assert_has (err.message, "runs no guests of the architecture 'x86_64'; it is one of 'i386'");
    //  One of x86_64 can run both.
    kind.arch = "i686";
    auto(xml_t) both = capabilities (&kind);
    assert_string_equal (xml_string (xml_root (both), "arch"), "i686");
    kind.arch = "s390x";
    refused (&kind, "runs no guests of the architecture 's390x'; it is one of 'x86_64'");
}

static void test_kinds_that_there_are_not (void **state)
{
    (void) state;
    refused (&(guest_kind_t){ .arch = "s390x" }, "architecture 's390x'");
    refused (&(guest_kind_t){ .machine = "isapc" }, "no machine 'isapc'");
    refused (&(guest_kind_t){ .machine = "microvm" }, "no machine 'microvm'");
    refused (&(guest_kind_t){ .type = "kvm" }, "built without KVM");
    refused (&(guest_kind_t){ .emulator = "qemu" }, "not absolute");
}

static void test_devices_are_those_of_the_emulator (void **state)
{
    (void) state;
    auto(xml_t) doc = capabilities (&(guest_kind_t){ .type = "qemu", .machine = "q35" });
    const xml_node_t *devices = xml_find (xml_root (doc), "devices");
    assert_string_equal (xml_string (xml_root (doc), "vcpu/@max"), "288");
    autofree char *models = values_of (xml_find (devices, "video"), "modelType");
    assert_string_equal (models, " vga virtio none");
    autofree char *buses = values_of (xml_find (devices, "disk"), "bus");
    assert_string_equal (buses, " ide sata virtio usb");
    autofree char *kinds = values_of (xml_find (devices, "disk"), "diskDevice");
    assert_has (kinds, " disk cdrom");
    autofree char *backends = values_of (xml_find (devices, "rng"), "backendModel");
    assert_string_equal (backends, " random builtin");
    assert_string_equal (xml_string (xml_root (doc), "features/genid/@supported"), "yes");
    assert_string_equal (xml_string (xml_root (doc), "features/vmcoreinfo/@supported"), "no");
    assert_string_equal (xml_string (xml_root (doc), "features/hyperv/@supported"), "no");
}

static const xml_node_t *mode_of (const xml_t *doc, const char *name)
{
    xml_foreach (mode, xml_find (xml_root (doc), "cpu"), "mode")
        if (xml_equals (mode, "@name", name))
            return mode;
    fail_msg ("no mode %s", name);
    return NULL;
}

static void test_processors (void **state)
{
    (void) state;
    auto(xml_t) doc = capabilities (&(guest_kind_t){ .type = "qemu" });
    assert_true (xml_equals (mode_of (doc, "host-passthrough"), "@supported", "no"));
    assert_true (xml_equals (mode_of (doc, "maximum"), "@supported", "yes"));
    autofree char *host = xml_node_text (mode_of (doc, "host-model"));
    assert_has (host, "<model fallback='forbid'>EPYC</model>");
    assert_has (host, "<feature policy='require' name='umip'/>");
    assert_has (host, "<feature policy='disable' name='osvw'/>");
    autofree char *custom = xml_node_text (mode_of (doc, "custom"));
    assert_has (custom, "<model usable='no' deprecated='no'>Haswell</model>");
    assert_has (custom, "<model usable='yes' deprecated='no'>qemu64</model>");
    assert_has (custom, "<model usable='yes' deprecated='yes'>Old</model>");
    assert_has_not (custom, "Other");
}

//  Whatever is added to the table of elements shows by itself.
static void test_values_of_the_table (void **state)
{
    (void) state;
    auto(strings_t) modes = qemu_schema_values ("domain/os/type", "arch");
    assert_int_equal (modes->count, 2);
    assert_string_equal (modes->items[1], "i686");
    auto(strings_t) text = qemu_schema_values ("domain/os/type", "#");
    assert_int_equal (text->count, 1);
    assert_string_equal (text->items[0], "hvm");
    auto(strings_t) any = qemu_schema_values ("domain/os/type", "machine");
    assert_int_equal (any->count, 0);
    assert_null (qemu_schema_values ("domain/os/type", "machin"));
    assert_null (qemu_schema_values ("domain/nothing", "arch"));
    assert_true (qemu_schema_has ("domain/os"));
    assert_false (qemu_schema_has ("domain/o"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_what_is_not_said_is_chosen),
        cmocka_unit_test (test_what_is_said_counts),
        cmocka_unit_test (test_kinds_that_there_are_not),
        cmocka_unit_test (test_devices_are_those_of_the_emulator),
        cmocka_unit_test (test_processors),
        cmocka_unit_test (test_values_of_the_table),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
