//  test_qemu_command.c: the command line of a guest, by what must be in it for each part of its
//  definition. That QEMU takes it is tested by test_qemu_real.c.

#include "qemu_fixture.h"

#define UNNAMED "\"x-use-canonical-path-for-ramblock-id\":false"
#define SHARED "\"share\":true," UNNAMED
#define PRIVATE "\"share\":false," UNNAMED

static const struct {
    const char *machine, *rest;
    const char *has[6]; //  lines, each complete unless it ends in "*"
} cases[] = {
    //  The machine.
    { "pc",
      "",
      { "guest=fixture,debug-threads=on",
        "pc-i440fx-7.2,usb=off,dump-guest-core=off,acpi=off,"
        "memory-backend=pc.ram",
        "tcg", "size=524288k", "1,sockets=1,cores=1,threads=1", "strict=on" } },
    { "q35",
      "<features><acpi/><smm state='on'/><vmport state='off'/></features>",
      { "pc-q35-7.2,usb=off,vmport=off,smm=on,dump-guest-core=off,memory-backend=pc.ram" } },
    { "pc",
      "<vcpu current='2'>4</vcpu><cpu mode='maximum'><topology sockets='2' cores='2' threads='1'/>"
      "<feature name='avx' policy='disable'/></cpu>",
      { "2,maxcpus=4,sockets=2,cores=2,threads=1", "max,migratable=on,avx=off" } },
    { "pc",
      "<cpu check='full'><model>Haswell</model><feature name='pcid'/></cpu>",
      { "Haswell,pcid=on,enforce" } },
    { "pc",
      "<clock offset='localtime'><timer name='rtc' tickpolicy='catchup' track='guest'/>"
      "<timer name='hpet' present='no'/><timer name='pit' tickpolicy='delay'/></clock>",
      { "base=localtime,clock=vm,driftfix=slew", "kvm-pit.lost_tick_policy=delay",
        "pc-i440fx-7.2,usb=off,dump-guest-core=off,hpet=off,acpi=off,memory-backend=pc.ram" } },
    { "q35", "<pm><suspend-to-mem enabled='no'/></pm>", { "ICH9-LPC.disable_s3=1" } },
    { "pc", "<on_reboot>destroy</on_reboot>", { "-no-reboot", "-no-shutdown" } },
    { "pc", "<iothreads>1</iothreads>", { "{\"qom-type\":\"iothread\",\"id\":\"iothread1\"}" } },

    //  Memory: in cells, and more of it in devices.
    { "pc",
      "<vcpu>4</vcpu><features><acpi/></features><maxMemory slots='2' unit='GiB'>2</maxMemory>"
      "<cpu><numa><cell cpus='1' memory='100000'/><cell id='1' cpus='2-3' memory='1' unit='MiB'>"
      "<distances><sibling id='0' value='21'/></distances></cell></numa></cpu><devices>"
      "<memory model='dimm'><source><nodemask>0</nodemask></source><target><size>4000</size>"
      "<node>1</node></target><address type='dimm' base='0x100000000'/></memory></devices>",
      { "pc-i440fx-7.2,usb=off,dump-guest-core=off",
        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"ram-node0\",\"size\":102760448}",
        "node,nodeid=0,cpus=0-1,memdev=ram-node0", "dist,src=1,dst=0,val=21",
        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"objdimm0\",\"size\":4194304,"
        "\"host-nodes\":[0],\"policy\":\"bind\"}",
        "{\"driver\":\"pc-dimm\",\"id\":\"dimm0\",\"slot\":0,\"addr\":4294967296,\"node\":1,"
        "\"memdev\":\"objdimm0\"}" } },
    { "pc",
      "<maxMemory slots='1' unit='GiB'>2</maxMemory>"
      "<cpu><numa><cell memory='64' unit='MiB'/></numa></cpu><devices>"
      "<memory model='virtio-mem'><target><size unit='MiB'>64</size><requested>4096</requested>"
      "</target></memory></devices>",
      { "size=65536k,slots=1,maxmem=2097152k", "node,nodeid=0,cpus=0,memdev=ram-node0",
        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"objvirtiomem0\",\"size\":67108864,"
        "\"reserve\":false}",
        "{\"driver\":\"virtio-mem-pci\",\"id\":\"virtiomem0\",\"bus\":\"pci.0\",\"addr\":\"0x3\","
        "\"block-size\":2097152,\"requested-size\":4194304,\"node\":0,\"memdev\":"
        "\"objvirtiomem0\"}" } },

    //  What of the host is behind it.
    { "pc",
      "<memoryBacking><nosharepages/><locked/><source type='memfd'/></memoryBacking>",
      { "pc-i440fx-7.2,usb=off,dump-guest-core=off,mem-merge=off,acpi=off,memory-backend=pc.ram",
        "mem-lock=on",
        "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\",\"size\":536870912," SHARED
        "}" } },
    { "pc",
      "<memoryBacking><source type='file'/><allocation mode='immediate' threads='3'/><discard/>"
      "</memoryBacking>",
      { "{\"qom-type\":\"memory-backend-file\",\"id\":\"pc.ram\",\"size\":536870912," PRIVATE
        ",\"discard-data\":true,\"prealloc\":true,\"prealloc-threads\":3}" } },
    { "pc",
      "<memoryBacking><access mode='shared'/></memoryBacking>",
      { "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\",\"size\":536870912," SHARED
        "}" } },
    { "pc",
      "<memoryBacking><hugepages/></memoryBacking>",
      { "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"pc.ram\",\"size\":536870912,"
        "\"hugetlb\":true," PRIVATE ",\"prealloc\":true}" } },
    { "pc",
      "<memoryBacking><hugepages><page size='2' unit='M'/><page size='1' unit='G' nodeset='1'/>"
      "<page size='4' nodeset='2'/></hugepages><source type='file'/><access mode='shared'/>"
      "<allocation mode='ondemand'/></memoryBacking><vcpu>3</vcpu>"
      "<cpu><numa><cell memory='64' unit='MiB'/><cell memory='1' unit='GiB' "
      "memAccess='private'/><cell memory='64' unit='MiB' discard='yes'/></numa></cpu>",
      { "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram-node0\",\"size\":67108864,"
        "\"hugetlb\":true,\"hugetlbsize\":2097152," SHARED "}",
        "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram-node1\",\"size\":1073741824,"
        "\"hugetlb\":true,\"hugetlbsize\":1073741824," PRIVATE "}",
        "{\"qom-type\":\"memory-backend-file\",\"id\":\"ram-node2\",\"size\":67108864," SHARED
        ",\"discard-data\":true}" } },
    { "pc",
      "<maxMemory slots='2' unit='GiB'>2</maxMemory><features><acpi/></features>"
      "<memoryBacking><hugepages/><access mode='private'/></memoryBacking>"
      "<cpu><numa><cell memory='64' unit='MiB' memAccess='shared'/></numa></cpu><devices>"
      "<memory model='virtio-mem'><target><size unit='MiB'>64</size></target></memory>"
      "<memory model='dimm' access='private'><source><pagesize>4</pagesize></source><target>"
      "<size unit='MiB'>64</size></target></memory></devices>",
      { "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"objvirtiomem0\",\"size\":67108864,"
        "\"hugetlb\":true," SHARED ",\"reserve\":false}",
        "{\"driver\":\"virtio-mem-pci\",\"id\":\"virtiomem0\",\"bus\":\"pci.0\",\"addr\":\"0x3\","
        "\"block-size\":2097152,\"requested-size\":0,\"prealloc\":true,*",
        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"objdimm0\",\"size\":67108864}" } },

    //  Disks.
    { "pc",
      "<devices><disk><source file='/a,b'/><target dev='vda'/><driver type='qcow2' cache='none' "
      "discard='unmap'/><serial>s1</serial></disk></devices>",
      { "{\"driver\":\"file\",\"filename\":\"/a,b\",\"node-name\":\"disk-vda-file\",\"cache\":"
        "{\"direct\":true,\"no-flush\":false},\"auto-read-only\":true,\"discard\":\"unmap\"}",
        "{\"node-name\":\"disk-vda\",\"read-only\":false,\"discard\":\"unmap\",\"cache\":"
        "{\"direct\":true,\"no-flush\":false},\"driver\":\"qcow2\",\"file\":\"disk-vda-file\"}",
        "{\"driver\":\"virtio-blk-pci\",\"id\":\"virtio-disk0\",\"bus\":\"pci.0\",\"addr\":\"0x2\","
        "\"drive\":\"disk-vda\",\"bootindex\":1,\"serial\":\"s1\",\"write-cache\":\"on\"}" } },
    { "pc",
      "<devices><disk type='block' device='cdrom'><source dev='/dev/sr0'/><target dev='hdc'/>"
      "</disk></devices>",
      { "{\"driver\":\"host_device\",\"filename\":\"/dev/sr0\",*",
        "{\"node-name\":\"disk-hdc\",\"read-only\":true,*",
        "{\"driver\":\"ide-cd\",\"id\":\"ide0-1-0\",\"bus\":\"ide.1\",\"unit\":0,\"drive\":"
        "\"disk-hdc\"}" } },
    { "pc",
      "<devices><disk device='cdrom'><target dev='hdc'/></disk></devices>",
      { "{\"driver\":\"ide-cd\",\"id\":\"ide0-1-0\",\"bus\":\"ide.1\",\"unit\":0}" } },
    { "q35",
      "<devices><disk><source file='/a'/><target dev='sdb' bus='sata'/></disk></devices>",
      { "{\"driver\":\"ide-hd\",\"id\":\"sata0-0-1\",\"bus\":\"ide.1\",\"drive\":\"disk-sdb\","
        "\"bootindex\":1}" } },
    { "pc",
      "<devices><controller type='scsi' model='virtio-scsi'/><disk><source file='/a'/>"
      "<target dev='sda'/><driver error_policy='enospace'/></disk></devices>",
      { "{\"driver\":\"virtio-scsi-pci\",\"id\":\"scsi0\",\"bus\":\"pci.0\",\"addr\":\"0x2\"}",
        "{\"driver\":\"scsi-hd\",\"id\":\"scsi0-0-0-0\",\"bus\":\"scsi0.0\",\"channel\":0,"
        "\"scsi-id\":0,\"lun\":0,\"device_id\":\"drive-scsi0-0-0-0\",*" } },

    //  What it boots.
    { "pc",
      "<devices><disk><source file='/a'/><target dev='vda'/><boot order='2'/></disk>"
      "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/>"
      "<boot order='1'/></interface></devices>",
      { "{\"type\":\"user\",\"id\":\"hostnet0\"}",
        "{\"driver\":\"virtio-net-pci\",\"id\":\"net0\",\"bus\":\"pci.0\",\"addr\":\"0x2\","
        "\"netdev\":\"hostnet0\",\"mac\":\"52:54:00:00:00:01\",\"bootindex\":1}",
        "{\"driver\":\"virtio-blk-pci\",\"id\":\"virtio-disk0\",\"bus\":\"pci.0\",\"addr\":\"0x3\","
        "\"drive\":\"disk-vda\",\"bootindex\":2}" } },

    //  Character devices.
    { "pc",
      "<devices><serial type='pty'><log file='/l' append='off'/></serial></devices>",
      { "pty,id=charserial0,logfile=/l,logappend=off",
        "{\"driver\":\"isa-serial\",\"id\":\"serial0\",\"chardev\":\"charserial0\",\"index\":"
        "0}" } },
    { "pc",
      "<devices><serial type='tcp'><source mode='bind' host='::' service='4555'/>"
      "<protocol type='telnet'/></serial></devices>",
      { "socket,id=charserial0,host=::,port=4555,telnet=on,server=on,wait=off" } },
    { "pc",
      "<devices><channel type='unix'><source mode='connect' path='/s,t'>"
      "<reconnect enabled='yes' timeout='3'/></source><target type='virtio' name='a.0'/>"
      "</channel></devices>",
      { "socket,id=charchannel0,path=/s,,t,reconnect=3",
        "{\"driver\":\"virtserialport\",\"id\":\"channel0\",\"bus\":\"virtio-serial0.0\","
        "\"nr\":1,\"chardev\":\"charchannel0\",\"name\":\"a.0\"}" } },

    //  What comes from elsewhere.
    { "pc",
      "<devices><redirdev type='tcp'><source host='::1' service='4000'/></redirdev><redirfilter>"
      "<usbdev class='0x08' vendor='0x1234' product='-1' version='2.56' allow='yes'/>"
      "<usbdev allow='no'/></redirfilter></devices>",
      { "socket,id=charredir0,host=::1,port=4000",
        "{\"driver\":\"usb-redir\",\"id\":\"redir0\",\"bus\":\"usb.0\",\"port\":\"1\","
        "\"chardev\":\"charredir0\",\"filter\":\"0x08:0x1234:-1:0x0256:1|-1:-1:-1:-1:0\"}" } },
    { "pc",
      "<devices><shmem name='a' role='peer'><model type='ivshmem-plain'/><size unit='M'>2</size>"
      "</shmem></devices>",
      { "{\"qom-type\":\"memory-backend-file\",\"id\":\"objshmem0\",\"mem-path\":\"/dev/shm/a\","
        "\"size\":2097152,\"share\":true}",
        "{\"driver\":\"ivshmem-plain\",\"id\":\"shmem0\",\"bus\":\"pci.0\",\"addr\":\"0x3\","
        "\"memdev\":\"objshmem0\",\"master\":false}" } },

    { "pc",
      "<devices><vsock><cid address='4294967294'/><driver packed='on'/></vsock></devices>",
      { "{\"driver\":\"vhost-vsock-pci\",\"id\":\"vsock0\",\"packed\":true,\"bus\":\"pci.0\","
        "\"addr\":\"0x3\",\"guest-cid\":4294967294}" } },

    //  What one sees.
    { "pc",
      "<devices><graphics type='vnc' listen='::1' port='5907' passwd='x'/></devices>",
      { "[::1]:7,password=on,audiodev=audio1",
        "{\"driver\":\"cirrus-vga\",\"id\":\"video0\",\"bus\":\"pci.0\",\"addr\":\"0x2\"}" } },
    { "pc",
      "<devices><graphics type='vnc'/><video><model type='virtio' heads='2'/></video></devices>",
      { "127.0.0.1:0,to=59635,audiodev=audio1",
        "{\"driver\":\"virtio-vga\",\"id\":\"video0\",\"bus\":\"pci.0\",\"addr\":\"0x2\","
        "\"max_outputs\":2}" } },
    { "pc",
      "<devices><memballoon model='virtio' autodeflate='on'/></devices>",
      { "{\"driver\":\"virtio-balloon-pci\",\"id\":\"balloon0\",\"bus\":\"pci.0\",\"addr\":\"0x2\","
        "\"deflate-on-oom\":true}" } },
    { "pc",
      "<devices><rng model='virtio'><rate bytes='10'/><backend model='random'>/dev/r</backend>"
      "</rng><watchdog model='i6300esb' action='pause'/></devices>",
      { "{\"qom-type\":\"rng-random\",\"id\":\"objrng0\",\"filename\":\"/dev/r\"}",
        "{\"driver\":\"virtio-rng-pci\",\"id\":\"rng0\",\"bus\":\"pci.0\",\"addr\":\"0x3\",\"rng\":"
        "\"objrng0\",\"max-bytes\":10,\"period\":1000}",
        "watchdog=pause" } },
};

//  LINE is one of LINES; "abc*" is any that begins with abc.
static bool has_line (const char *lines, const char *line)
{
    bool prefix = text_ends (line, "*");
    autofree char *sought = text_format ("\n%s", line);
    if (prefix)
        sought[strlen (sought) - 1] = 0;
    for (const char *at = lines; (at = strstr (at, sought)); at++)
        if (prefix || at[strlen (sought)] == '\n')
            return true;
    return false;
}

static void test_each_part_has_its_arguments (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        autofree char *lines = qemu_lines (cases[i].machine, cases[i].rest);
        for (size_t j = 0; j < 6 && cases[i].has[j]; j++)
            if (!has_line (lines, cases[i].has[j]))
                fail_msg ("'%s' is not in:\n%s", cases[i].has[j], lines);
    }
}

static void test_every_guest_is_started_stopped_and_confined (void **state)
{
    (void) state;
    static const char *const always[] = {
        "-S",
        "-nodefaults",
        "-no-user-config",
        "-no-shutdown",
        "socket,id=charmonitor,fd=3,server=on,wait=on",
        "chardev=charmonitor,id=monitor,mode=control",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "timestamp=on",
        "c0ffee00-1111-4222-8333-444455556666",
    };
    autofree char *lines = qemu_lines ("pc", "");
    assert_int_equal (strncmp (lines, "/usr/bin/qemu-system-x86_64\n", 28), 0);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!has_line (lines, always[i]))
            fail_msg ("'%s' is not in:\n%s", always[i], lines);
}

static void test_a_password_is_never_an_argument (void **state)
{
    (void) state;
    autofree char *lines =
        qemu_lines ("pc", "<devices><graphics type='vnc' passwd='s3cret'/></devices>");
    assert_has_not (lines, "s3cret");
}

static void test_a_bridge_comes_before_what_is_behind_it (void **state)
{
    (void) state;
    autofree char *lines = qemu_lines (
        "q35", "<devices><interface type='user'><model type='rtl8139'/></interface></devices>");
    const char *port = strstr (lines, "\"driver\":\"pcie-root-port\",\"id\":\"pci.1\"");
    const char *bridge = strstr (lines, "\"driver\":\"pcie-pci-bridge\",\"id\":\"pci.2\"");
    const char *card = strstr (lines, "\"driver\":\"rtl8139\"");
    assert_non_null (port);
    assert_true (port < bridge);
    assert_true (bridge < card);
}

static void test_direct_boot_and_firmware (void **state)
{
    (void) state;
    error_t err = { 0 };
    const char *text =
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type machine='q35'>hvm</type>"
        "<loader readonly='yes' secure='yes' type='pflash'>/f</loader><nvram>/v</nvram>"
        "<kernel>/k</kernel><initrd>/i</initrd><cmdline>console=ttyS0 a,b</cmdline></os>"
        "<features><smm state='on'/></features><cpu mode='host-passthrough'/></domain>";
    auto(xml_t) live = qemu_completed_text (text, &err);
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    assert_non_null (live);
    qemu_set_aliases (live);
    auto(strings_t) args = qemu_command (live, NULL, caps, &err);
    static const char *const has[] = {
        "kvm",
        "host,migratable=on",
        "/k",
        "/i",
        "console=ttyS0 a,b",
        "driver=cfi.pflash01,property=secure,value=on",
        "{\"node-name\":\"pflash0\",\"read-only\":true,\"driver\":\"raw\",\"file\":\"pflash0-"
        "file\"}",
        "{\"node-name\":\"pflash1\",\"read-only\":false,\"driver\":\"raw\",\"file\":\"pflash1-"
        "file\"}",
    };
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (!strings_contain (args, has[i]))
            fail_msg ("'%s' is not there", has[i]);
}

static void test_a_machine_that_is_gone (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) live = qemu_completed ("pc-i440fx-6.2", "");
    auto(qemu_caps_t) caps = qemu_caps_parse (
        QEMU_CAPS_HEADER "\nversion 9.0.0\narch x86_64\nmachine pc-i440fx-9.0 pc 255 pc.ram\n",
        &err);
    qemu_set_aliases (live);
    assert_null (qemu_command (live, NULL, caps, &err));
    assert_has (err.message, "os/type/@machine 'pc-i440fx-6.2'");
}

//  Of a guest that is, the record says where its files go.
static void test_memory_in_a_file_has_a_folder (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) live =
        qemu_completed ("pc", "<memoryBacking><source type='file'/></memoryBacking>");
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    auto(xml_t) record = xml_parse ("<record/>", strlen ("<record/>"), "record", &err);
    qemu_set_aliases (live);
    assert_null (qemu_command (live, record, caps, &err));
    assert_has (err.message, "<memory> is to be in a file, and the guest's record names no folder");
    xml_set (xml_root (record), "ram/@path", "/lib/ram");
    auto(strings_t) args = qemu_command (live, record, caps, &err);
    assert_true (args && strings_contain (args, "{\"qom-type\":\"memory-backend-file\",\"id\":"
                                                "\"pc.ram\",\"size\":536870912," PRIVATE
                                                ",\"mem-path\":\"/lib/ram\"}"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_each_part_has_its_arguments),
        cmocka_unit_test (test_every_guest_is_started_stopped_and_confined),
        cmocka_unit_test (test_a_password_is_never_an_argument),
        cmocka_unit_test (test_a_bridge_comes_before_what_is_behind_it),
        cmocka_unit_test (test_direct_boot_and_firmware),
        cmocka_unit_test (test_a_machine_that_is_gone),
        cmocka_unit_test (test_memory_in_a_file_has_a_folder),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
