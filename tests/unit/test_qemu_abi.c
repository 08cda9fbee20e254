//  test_qemu_abi.c: which changes of a document a saved guest would not notice.

#include "drivers/qemu/command/qemu_abi.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

#define BASE                                                                                       \
    "<domain type='qemu'><name>web</name><uuid>1</uuid><memory unit='KiB'>65536</memory>"          \
    "<vcpu placement='static'>2</vcpu>"                                                            \
    "<os><type machine='pc-i440fx-7.2'>hvm</type><kernel>/boot/a</kernel></os>"                    \
    "<devices><emulator>/usr/bin/qemu</emulator>"                                                  \
    "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"                 \
    "<disk type='file'><source file='/b'/><target dev='vdb' bus='virtio'/></disk>"                 \
    "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>"  \
    "<graphics type='vnc' port='-1'/></devices></domain>"

//  Checks BASE against BASE with PATH set to VALUE (NULL: removed).
static int check (const char *path, const char *value, error_t *err)
{
    auto(xml_t) before = unit_xml (BASE);
    auto(xml_t) after = unit_xml (BASE);
    if (value)
        xml_set (xml_root (after), path, value);
    else
        xml_remove_path (xml_root (after), path);
    return qemu_abi_check (before, after, err);
}

static void test_what_only_the_host_sees_may_change (void **state)
{
    (void) state;
    static const char *const changes[][2] = {
        { "title", "another" },
        { "on_poweroff", "restart" },
        { "vcpu/@cpuset", "0" },
        { "vcpu/@placement", NULL },
        { "os/kernel", "/boot/b" },
        { "devices/emulator", "/opt/qemu" },
        { "devices/disk/source/@file", "/elsewhere/a" },
        { "devices/disk/@type", "block" },
        { "devices/disk/driver/@cache", "none" },
        { "devices/disk/alias/@name", "ua-1" },
        { "devices/interface/link/@state", "down" },
        { "devices/graphics/@port", "5901" },
        { "devices/graphics", NULL },
        { "memoryBacking/source/@type", "memfd" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        error_t err = { 0 };
        if (check (changes[i][0], changes[i][1], &err))
            fail_msg ("%s: %s", changes[i][0], err.message);
    }
}

static void test_hardware_may_not_change (void **state)
{
    (void) state;
    static const char *const changes[][3] = {
        { "memory", "131072", "memory/# is '131072', and was '65536'" },
        { "vcpu", "3", "vcpu/# is '3', and was '2'" },
        { "vcpu/@current", "1", "vcpu/@current is new: '1'" },
        { "uuid", "2", "uuid/# is '2', and was '1'" },
        { "os/type/@machine", "pc-q35-7.2",
          "os/type/@machine is 'pc-q35-7.2', and was 'pc-i440fx-7.2'" },
        { "os/kernel", NULL, "os/kernel is missing" },
        { "cpu/@mode", "maximum", "cpu is new" },
        { "devices/disk/target/@bus", "ide",
          "disk 'vda': devices/disk/target/@bus is 'ide', and was 'virtio'" },
        { "devices/disk/readonly", "", "disk 'vda': devices/disk/readonly is new" },
        { "devices/disk", NULL, "disk 'vda': devices/disk/target/@dev is 'vdb', and was 'vda'" },
        { "devices/interface/mac/@address", "52:54:00:00:00:02",
          "interface '52:54:00:00:00:01': devices/interface/mac/@address is '52:54:00:00:00:02', "
          "and was '52:54:00:00:00:01'" },
        { "devices/interface/model", NULL,
          "interface '52:54:00:00:00:01': devices/interface/model is missing" },
        { "devices/rng/@model", "virtio", "rng 'virtio': devices/rng is new" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        error_t err = { 0 };
        assert_int_equal (check (changes[i][0], changes[i][1], &err), -1);
        assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
        const char *told = "the changed XML describes other hardware than the saved guest's: ";
        assert_memory_equal (err.message, told, strlen (told));
        assert_string_equal (err.message + strlen (told), changes[i][2]);
    }
}

//  How the list is written, and in which order they came, only the host sees.
static void test_vcpus (void **state)
{
    (void) state;
    static const struct {
        const char *vcpus, *wrong;
    } cases[] = {
        { "<vcpus><vcpu id='0' enabled='yes' order='1'/><vcpu id='1' enabled='yes'/>"
          "<vcpu id='2' enabled='no'/></vcpus>",
          NULL },
        { "", NULL },
        { "<vcpus><vcpu id='0' enabled='yes'/><vcpu id='2' enabled='yes'/></vcpus>",
          "vcpu 1 is missing" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        autofree char *text =
            text_format ("<domain><vcpu current='2'>3</vcpu>%s<devices/></domain>", cases[i].vcpus);
        auto(xml_t) before = unit_xml ("<domain><vcpu current='2'>3</vcpu><devices/></domain>");
        auto(xml_t) after = unit_xml (text);
        assert_int_equal (qemu_abi_check (before, after, &err), cases[i].wrong ? -1 : 0);
        if (cases[i].wrong)
            assert_non_null (strstr (err.message, cases[i].wrong));
    }
}

static void test_another_order_of_other_kinds_is_the_same (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) one = unit_xml ("<domain><devices><a x='1' y='2'/><b/></devices><c/></domain>");
    auto(xml_t) two = unit_xml ("<domain><c/><devices><b/><a y='2' x='1'/></devices></domain>");
    assert_int_equal (qemu_abi_check (one, two, &err), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_what_only_the_host_sees_may_change),
        cmocka_unit_test (test_hardware_may_not_change),
        cmocka_unit_test (test_vcpus),
        cmocka_unit_test (test_another_order_of_other_kinds_is_the_same),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
