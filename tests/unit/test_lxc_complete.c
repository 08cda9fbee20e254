//  test_lxc_complete.c: definitions of containers: what is filled in, what is refused, and what a
//  supervisor is told of them.

#include "container/container_spec.h"
#include "drivers/lxc/lxc_parts.h"
#include "fake_job.h"
#include "unit.h"
#include "util/text.h"

#include <unistd.h>

#define HEAD "<domain type='lxc'><name>web1</name><memory>65536</memory>"
#define OS "<os><type>exe</type><init>/init</init><initarg>a b</initarg></os>"
#define ROOT "<filesystem><source dir='/r'/><target dir='/'/></filesystem>"
#define IDMAP(ranges) HEAD OS "<idmap>" ranges "</idmap>" DEVICES ("") "</domain>"
#define GIVEN(type, source)                                                                        \
    "<hostdev mode='capabilities' type='" type "'><source>" source "</source></hostdev>"
#define HOSTDEV(type, source) HEAD OS DEVICES (GIVEN (type, source)) "</domain>"
#define RAM(usage, units, target)                                                                  \
    "<filesystem type='ram'><source usage='" usage "' units=\"" units "\"/><target dir='" target   \
    "'/></filesystem>"
#define SPACE(more)                                                                                \
    "<l:namespace xmlns:l='http://libvirt.org/schemas/domain/lxc/1.0'>" more "</l:namespace>"
#define SHARE(kind, type, value) "<l:share" kind " type='" type "' value='" value "'/>"
#define SHARES(more) HEAD OS DEVICES ("") SPACE (more) "</domain>"
#define DEVICES(more) "<devices>" ROOT more "</devices>"

static xml_t *complete (const char *text, error_t *err)
{
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    auto(xml_t) document = xml_parse (text, strlen (text), "domain XML", err);
    if (!document || lxc_complete (&fake.job, document, err))
        return NULL;
    return take (&document);
}

static void fills_in (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) document = complete (
        HEAD "<os><type>exe</type></os><devices><console tty='/dev/pts/3'><source path='/x'/>"
             "<alias name='console7'/></console><console/>" ROOT
             "<filesystem type='ram'><source usage='1' units='MiB'/><target dir='/./run//'/>"
             "</filesystem><filesystem type='file'><source file='/x.img'/><target dir='/x'/>"
             "</filesystem></devices></domain>",
        &err);
    if (!document)
        fail_msg ("%s", err.message);
    autofree char *text = xml_text (document);
    static const char *const has[] = {
        "<type arch='x86_64'>exe</type>\n    <init>/sbin/init</init>",
        "<on_reboot>restart</on_reboot>",
        "<clock offset='utc'/>",
        "<console type='pty'>\n      <target type='lxc' port='0'/>\n    </console>",
        "<target type='lxc' port='1'/>",
        "<filesystem type='mount' accessmode='passthrough'>",
        "<source usage='1024' units='KiB'/>\n      <target dir='/run'/>",
        "<driver type='loop' format='raw'/>",
    };
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (!strstr (text, has[i]))
            fail_msg ("'%s' is not in %s", has[i], text);
    //  Completing it again changes nothing.
    auto(xml_t) twice = complete (text, &err);
    autofree char *again = xml_text (twice);
    assert_string_equal (again, text);
}

static const struct {
    const char *text, *message;
} refused[] = {
    { HEAD DEVICES ("") "</domain>", "<os><type>exe</type></os> is missing" },
    { HEAD "<os><type>hvm</type></os>" DEVICES ("") "</domain>", "os/type 'hvm'" },
    { HEAD OS "</domain>", "without a root" },
    { HEAD OS DEVICES (ROOT) "</domain>", "two of this target" },
    { HEAD OS DEVICES (
          "<filesystem><source dir='/x'/><target dir='//./'/></filesystem>") "</domain>",
      "filesystem '/': there are two of this target" },
    { HEAD OS DEVICES (RAM ("1", "KiB", "/a/b") RAM ("1", "KiB", "/a/./b//")) "</domain>",
      "filesystem '/a/b': there are two of this target" },
    { HEAD OS DEVICES (RAM ("1", "KiB", "/dev/")) "</domain>", "a container has a '/dev' of its" },
    { HEAD OS DEVICES (RAM ("1", "KiB", "/proc")) "</domain>", "has a '/proc' of its own" },
    { HEAD OS DEVICES (RAM ("-1", "KiB", "/x")) "</domain>", "filesystem '/x': /" },
    { HEAD OS DEVICES (RAM ("0", "KiB", "/x")) "</domain>", "is missing or 0" },
    { HEAD OS DEVICES (RAM ("1", "K'", "/x")) "</domain>", "units='K''/>: the unit is not known" },
    { HEAD OS DEVICES (RAM ("18446744073709551615", "KiB", "/x")) "</domain>",
      "more than can be counted" },
    { HEAD OS DEVICES (RAM ("9223372036854775808", "b", "/x")) "</domain>",
      "more than can be counted" },
    { HEAD OS DEVICES ("<emulator>/usr/bin/qemu</emulator>") "</domain>", "devices/emulator" },
    { HEAD OS DEVICES ("<filesystem><source dir='x'/><target dir='/x'/></filesystem>") "</domain>",
      "filesystem '/x': source 'x'" },
    { HEAD OS DEVICES (
          "<filesystem><source dir='/x'/><target dir='/a/../b'/></filesystem>") "</domain>",
      "'/a/../b'" },
    { HEAD OS DEVICES ("<filesystem type='ram'><target dir='/x'/></filesystem>") "</domain>",
      "filesystem '/x'" },
    { HEAD OS DEVICES ("<filesystem type='template'/>") "</domain>",
      "filesystem/@type 'template'" },
    { HEAD OS DEVICES ("<filesystem type='file'><source dir='/x'/><target dir='/x'/>"
                       "</filesystem>") "</domain>",
      "filesystem '/x': a source/@dir does not go with type 'file'" },
    { HEAD OS DEVICES ("<filesystem type='block'><source dev='x'/><target dir='/x'/>"
                       "</filesystem>") "</domain>",
      "filesystem '/x': source 'x'" },
    { HEAD OS DEVICES ("<filesystem><driver type='loop'/><source dir='/x'/><target dir='/x'/>"
                       "</filesystem>") "</domain>",
      "a <driver> goes with type 'file' only" },
    { HEAD "<os><type>exe</type><init>/a</init><init>/b</init></os>" DEVICES ("") "</domain>",
      "there are 2 <init>" },
    { HEAD OS DEVICES ("<interface type='ethernet'><target dev='a0'/></interface><interface "
                       "type='ethernet'><target dev='a0'/></interface>") "</domain>",
      "two interfaces have the target/@dev 'a0'" },
    { HEAD OS DEVICES ("<interface type='user'/>") "</domain>", "devices/interface/@type" },
    { HEAD OS DEVICES ("<interface type='network'/>") "</domain>", "needs a source/@network" },
    { HEAD OS DEVICES ("<hostdev/>") "</domain>", "it has no mode, or no type" },
    { HOSTDEV ("storage", "<char>/dev/x</char>"), "its source/block '' is no plain path in /dev" },
    { HOSTDEV ("storage", "<block>/etc/x</block>"), "'/etc/x' is no plain path in /dev" },
    { HOSTDEV ("storage", "<block>/dev/../x</block>"), "is no plain path in /dev" },
    { HOSTDEV ("misc", "<char>/dev//null</char>"), "'/dev//null' is no plain path in /dev" },
    { HOSTDEV ("misc", "<char>/dev/./null</char>"), "'/dev/./null' is no plain path in /dev" },
    { HOSTDEV ("usb", "<interface>eth0</interface>"), "devices/hostdev/@type 'usb'" },
    { HOSTDEV ("net", "<block>/dev/x</block>"), "no source/interface" },
    { HOSTDEV ("net", "<interface>eth0:1</interface>"), "'eth0:1' is no name of a link" },
    { HOSTDEV ("net", "<interface>lo</interface>"), "the link 'lo'" },
    { HOSTDEV ("net", "<interface>eth+</interface>"), "the link 'eth+'" },
    { HEAD OS DEVICES (GIVEN ("net", "<interface>eth0</interface>")
                           GIVEN ("net", "<interface>eth0</interface>")) "</domain>",
      "hostdev 'eth0': there are two of it" },
    { HEAD OS DEVICES (
          GIVEN ("net", "<interface>eth0</interface>") "<interface type='ethernet'><guest "
                                                       "dev='eth0'/></interface>") "</domain>",
      "two interfaces 'eth0'" },
    { HOSTDEV ("misc", "<char>/dev/null</char>"), "a '/dev/null' of its own" },
    { HOSTDEV ("misc", "<char>/dev/pts/3</char>"), "a '/dev/pts/3' of its own" },
    { HOSTDEV ("misc", "<char>/dev/tty1</char>"), "a '/dev/tty1' of its own" },
    { HEAD OS DEVICES (GIVEN ("misc", "<char>/dev/kvm</char>")
                           GIVEN ("misc", "<char>/dev/kvm</char>")) "</domain>",
      "hostdev '/dev/kvm': there are two of it" },
    { HEAD OS "<idmap/>" DEVICES ("") "</domain>", "no <uid start='0' .../>" },
    { IDMAP ("<uid start='0' target='1' count='1'/>"), "no <gid start='0' .../>" },
    { IDMAP ("<uid start='1' target='1' count='1'/>"), "no <uid start='0' .../>" },
    { IDMAP ("<uid start='0' target='1'/>"), "a <uid> has no count" },
    { IDMAP ("<uid start='0' target='x' count='1'/>"), "idmap: " },
    { IDMAP ("<uid start='0' target='1' count='0'/>"), "count is at least 1" },
    { IDMAP ("<uid start='0' target='4294967290' count='10'/>"), "no such ids" },
    { IDMAP ("<uid start='0' target='1' count='99999999999'/>"), "32 bits" },
    { IDMAP ("<uid start='0' target='1000' count='10'/><uid start='9' target='1' count='1'/>"),
      "start='0' and start='9' overlap in the container" },
    { IDMAP ("<uid start='0' target='1000' count='10'/>"
             "<uid start='50' target='1009' count='1'/>"),
      "start='0' and start='50' overlap on the host" },
    { HEAD OS "<cputune><global_quota>5000</global_quota></cputune>" DEVICES ("") "</domain>",
      "<cputune/global_quota>" },
    { HEAD OS "<cputune><quota>5</quota></cputune>" DEVICES ("") "</domain>",
      "from 1000 to 18446744073709551" },
    { HEAD OS "<resource><partition>a</partition></resource>" DEVICES ("") "</domain>",
      "resource/partition 'a'" },
    { HEAD OS
      "<features><capabilities><x state='on'/></capabilities></features>" DEVICES ("") "</domain>",
      "capabilities/x" },
    { HEAD "<os><type>exe</type><initenv name='a=b'>c</initenv></os>" DEVICES ("") "</domain>",
      "os/initenv: 'a=b'" },
    { HEAD "<os><type>exe</type><initdir>etc</initdir></os>" DEVICES ("") "</domain>",
      "os/initdir 'etc'" },
    { HEAD OS DEVICES ("") "<l:x xmlns:l='http://libvirt.org/schemas/domain/lxc/1.0'/></domain>",
      "<x> of LXC's namespace" },
    { HEAD OS "<devices>" ROOT SPACE ("") "</devices></domain>", "<namespace> of LXC's namespace" },
    { HEAD OS DEVICES ("") SPACE ("") SPACE ("") "</domain>", "two <lxc:namespace>" },
    { SHARES (SHARE ("pid", "pid", "1")), "<sharepid> in <lxc:namespace>" },
    { SHARES ("<x/>"), "<x> in <lxc:namespace>" },
    { SHARES ("<l:sharenet type='pid'/>"), "lxc:sharenet: it has no type, or no value" },
    { SHARES ("<l:sharenet type='pid' value='1' x='y'/>"), "lxc:sharenet/@x" },
    { SHARES ("<l:sharenet type='pid' value='1'><x/></l:sharenet>"), "lxc:sharenet/x" },
    { SHARES (SHARE ("net", "uuid", "1")), "lxc:sharenet/@type 'uuid'" },
    { SHARES (SHARE ("net", "pid", "0")), "lxc:sharenet" },
    { SHARES (SHARE ("net", "pid", "x")), "lxc:sharenet" },
    { SHARES (SHARE ("net", "netns", "../x")), "'../x': it is no name" },
    { SHARES (SHARE ("net", "netns", "..")), "'..': it is no name" },
    { SHARES (SHARE ("net", "netns", "")), "'': it is no name" },
    { SHARES (SHARE ("uts", "netns", "red")), "lxc:shareuts of type 'netns'" },
    { SHARES (SHARE ("ipc", "name", "web1")), "can't share with itself" },
    { SHARES (SHARE ("ipc", "name", "")), "name a container" },
    { SHARES (SHARE ("ipc", "name", "a") SHARE ("ipc", "name", "b")), "lxc:shareipc: there are" },
    { HEAD OS "<features><privnet/></features>" DEVICES ("")
          SPACE (SHARE ("net", "name", "db1")) "</domain>",
      "features/privnet with lxc:sharenet" },
    { HEAD OS DEVICES ("<interface type='ethernet'/>")
          SPACE (SHARE ("net", "name", "db1")) "</domain>",
      "devices/interface with lxc:sharenet" },
    { HEAD OS DEVICES (GIVEN ("net", "<interface>up0</interface>"))
          SPACE (SHARE ("net", "name", "db1")) "</domain>",
      "of type 'net' with lxc:sharenet" },
    { HEAD OS
      "<features><capabilities><net_admin state='on'/></capabilities></features><idmap>"
      "<uid start='0' target='9' count='9'/><gid start='0' target='9' count='9'/></idmap>" DEVICES (
          "") SPACE (SHARE ("net", "name", "db1")) "</domain>",
      "capabilities/net_admin with <idmap> and lxc:sharenet" },
};

static void refuses (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        error_t err = { 0 };
        auto(xml_t) document = complete (refused[i].text, &err);
        if (document || !strstr (err.message, refused[i].message))
            fail_msg ("%s: '%s'", refused[i].text, err.message);
    }
}

//  What the supervisor reads is what the driver says.
static void describes_the_container (void **state)
{
    (void) state;
    static const char *const folders[] = { "/sys/fs/cgroup/x", NULL };
    container_spec_t spec;
    error_t err = { 0 };
    auto(xml_t) document = complete (
        HEAD OS
        "<on_reboot>destroy</on_reboot>"
        "<idmap><uid start='0' target='1000' count='10'/><gid start='0' target='7' count='2'/>"
        "<gid start='5' target='90' count='1'/></idmap><devices>"
        "<filesystem><source dir='/d'/><target dir='/data'/><readonly/></filesystem>" ROOT GIVEN (
            "net", "<interface>eth7</interface>") "</devices></domain>",
        &err);
    json_t *json = lxc_spec (document, "/run/x.init", folders, json_array (), json_array ());
    if (container_spec_read (&spec, json, &err))
        fail_msg ("%s", err.message);
    json_decref (json);
    assert_string_equal (spec.argv[0], "/init");
    assert_string_equal (spec.argv[1], "a b");
    assert_string_equal (spec.cgroups[0], folders[0]);
    assert_string_equal (spec.given[0], "eth7");
    assert_string_equal (spec.uid_map, "0 1000 10\n");
    assert_string_equal (spec.gid_map, "0 7 2\n5 90 1\n");
    assert_string_equal (spec.filesystems[0].source, "/r");
    assert_string_equal (spec.filesystems[1].target, "/data");
    assert_true (spec.filesystems[1].readonly && spec.network && !spec.restart);
    container_spec_close (&spec);
}

static void finds_what_it_shares (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    fake_job_init (&fake, "/nowhere");
    autofree char *text =
        text_format (SHARES (SHARE ("ipc", "pid", "%d") SHARE ("uts", "pid", "%d")),
                     (int) getpid (), (int) getpid ());
    auto(xml_t) document = complete (text, &err);
    fake.guest.live = document;
    json_t *list = lxc_share_list (&fake.job, &err);
    assert_int_equal (json_array_size (list), 2);
    process_t own, found;
    const json_t *first = json_array_get (list, 0);
    assert_int_equal (process_identify (getpid (), &own, &err), 0);
    assert_true (
        process_from_text (json_string_value (json_object_get (first, "process")), &found));
    assert_int_equal (found.pid, own.pid);
    assert_int_equal (found.start_time, own.start_time);
    assert_string_equal (json_string_value (json_object_get (first, "space")), "ipc");
    json_decref (list);
    autofree char *again = xml_text (document);
    assert_non_null (strstr (again, "<l:shareuts type='pid' value="));
}

static void refuses_what_is_not_there (void **state)
{
    (void) state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        //  A pid beyond those that the kernel gives.
        { SHARES (SHARE ("net", "pid", "2147483647")),
          "lxc:sharenet: the host has no process 2147483647" },
        { SHARES (SHARE ("net", "netns", "troupe-none")),
          "lxc:sharenet: open the network namespace '/run/netns/troupe-none': No such file" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_job_t fake;
        error_t err = { 0 };
        fake_job_init (&fake, "/nowhere");
        auto(xml_t) document = complete (cases[i].text, &err);
        fake.guest.live = document;
        assert_null (lxc_share_list (&fake.job, &err));
        if (!strstr (err.message, cases[i].message))
            fail_msg ("%s: '%s'", cases[i].text, err.message);
    }
}

static bool has (const char *features, const char *capability)
{
    error_t err = { 0 };
    autofree char *text =
        text_format (HEAD OS "<features>%s</features>" DEVICES ("") "</domain>", features);
    auto(xml_t) document = complete (text, &err);
    assert_non_null (document);
    auto(strings_t) kept = lxc_capabilities_kept (xml_root (document));
    return strings_contain (kept, capability);
}

static void leaves_capabilities (void **state)
{
    (void) state;
    assert_true (has ("", "chown"));
    assert_false (has ("", "sys_admin"));
    assert_false (has ("", "mknod"));
    assert_false (has ("", "net_admin")); //  it has the host's network
    assert_true (has ("<privnet/>", "net_admin"));
    assert_true (
        has ("<capabilities policy='default'><mknod state='on'/></capabilities>", "mknod"));
    assert_false (has ("<capabilities><chown state='off'/></capabilities>", "chown"));
    assert_true (has ("<capabilities><chown state='off'/></capabilities>", "kill"));
    assert_true (has ("<capabilities policy='allow'/>", "sys_admin"));
    assert_false (
        has ("<capabilities policy='allow'><sys_time state='off'/></capabilities>", "sys_time"));
    assert_false (has ("<capabilities policy='deny'/>", "chown"));
    assert_true (has ("<capabilities policy='deny'><kill state='on'/></capabilities>", "kill"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (fills_in),
        cmocka_unit_test (refuses),
        cmocka_unit_test (describes_the_container),
        cmocka_unit_test (finds_what_it_shares),
        cmocka_unit_test (refuses_what_is_not_there),
        cmocka_unit_test (leaves_capabilities),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
