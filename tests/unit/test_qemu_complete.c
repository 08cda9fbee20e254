//  test_qemu_complete.c: what is filled into a definition, and what it is refused for.

#include "qemu_fixture.h"

static void test_a_small_definition_is_filled (void **state)
{
    (void) state;
    const char *text = "<domain type='qemu' id='3'><name>small</name><memory unit='GiB'>1</memory>"
                       "<os><type>hvm</type></os></domain>";
    error_t err = { 0 };
    auto(xml_t) document = qemu_completed_text (text, &err);
    assert_non_null (document);
    assert_string_equal (qemu_at (document, "@id"), "(none)");
    assert_int_equal (strlen (qemu_at (document, "uuid")), UUID_TEXT_SIZE - 1);
    assert_string_equal (qemu_at (document, "memory"), "1048576");
    assert_string_equal (qemu_at (document, "currentMemory/@unit"), "KiB");
    assert_string_equal (qemu_at (document, "vcpu"), "1");
    assert_string_equal (qemu_at (document, "os/type/@machine"), "pc-i440fx-7.2");
    assert_string_equal (qemu_at (document, "os/type/@arch"), "x86_64");
    assert_string_equal (qemu_at (document, "cpu/model"), "qemu64");
    assert_string_equal (qemu_at (document, "clock/@offset"), "utc");
    assert_string_equal (qemu_at (document, "on_reboot"), "restart");
    assert_string_equal (qemu_at (document, "devices/emulator"), "/usr/bin/qemu-system-x86_64");
    assert_string_equal (qemu_at (document, "devices/memballoon/@model"), "virtio");
    qemu_device (document, "input", "@type", "keyboard");
    qemu_device (document, "controller", "@model", "piix3-uhci");
}

static const char busy[] =
    "<!-- kept --><metadata><m:x "
    "xmlns:m='urn:m'>7</m:x></metadata><iothreads>2</iothreads><devices>"
    "<disk><source file='/a'/><target dev='vdb'/></disk>"
    "<disk><source file='/b'/><target dev='vda'/></disk>"
    "<disk device='cdrom'><target dev='sda' bus='sata'/></disk>"
    "<interface type='user'/><interface type='user'><model type='virtio'/></interface>"
    "<console/><channel><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    "<input type='tablet'/><graphics type='vnc'/><rng model='virtio'><backend "
    "model='random'/></rng>"
    "</devices>";

static void test_completing_twice_changes_nothing (void **state)
{
    (void) state;
    static const char *const machines[] = { "pc", "q35" };
    for (size_t i = 0; i < 2; i++) {
        auto(xml_t) once = qemu_completed (machines[i], busy);
        autofree char *first = xml_text (once);
        error_t err = { 0 };
        auto(xml_t) twice = qemu_completed_text (first, &err);
        assert_non_null (twice);
        autofree char *second = xml_text (twice);
        assert_string_equal (first, second);
        assert_has (first, "<!-- kept -->");
        assert_has (first, "<m:x xmlns:m='urn:m'>7</m:x>");
    }
}

static void test_a_running_guests_document_can_be_defined (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<devices><serial type='pty'><source path='/dev/pts/9'/><alias name='serial0'/>"
              "</serial><disk><source file='/a' index='1'/><target dev='vda'/>"
              "<alias name='ua-root'/></disk></devices>");
    autofree char *text = xml_text (document);
    assert_has_not (text, "pts");
    assert_has_not (text, "serial0");
    assert_has_not (text, "index='1'");
    assert_has (text, "ua-root");
}

//  A guest that is restored may find another folder, and none is made for a path that seems given.
static void test_sockets_that_the_daemon_made_are_made_anew (void **state)
{
    (void) state;
#define FOLDER "/r/run/troupe/qemu/460996d8-cb4a-487e-9510-bc4f7e08d9c5"
    auto(xml_t) made = qemu_completed (
        "pc", "<devices><channel type='unix'><source mode='bind' path='" FOLDER "/channel0'/>"
              "<target type='virtio' name='a'/></channel><graphics type='vnc' "
              "socket='" FOLDER "/vnc'><listen type='socket' socket='" FOLDER "/vnc'/></graphics>"
              "</devices>");
    autofree char *text = xml_text (made);
    assert_has_not (text, "/troupe/");
    assert_string_equal (qemu_at (made, "devices/graphics/listen/@type"), "socket");
    static const char *const given[] = { "/run/agent.sock", FOLDER "/below/agent", FOLDER "0/agent",
                                         "/troupe/qemu/agent" };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        autofree char *devices = text_format ("<devices><channel type='unix'><source mode='bind' "
                                              "path='%s'/><target type='virtio' name='a'/>"
                                              "</channel></devices>",
                                              given[i]);
        auto(xml_t) document = qemu_completed ("pc", devices);
        assert_string_equal (qemu_at (document, "devices/channel/source/@path"), given[i]);
    }
#undef FOLDER
}

static void test_the_first_serial_port_is_the_first_console (void **state)
{
    (void) state;
    auto(xml_t) from_serial = qemu_completed (
        "pc", "<devices><serial type='file'><source path='/x'/></serial></devices>");
    assert_string_equal (qemu_at (from_serial, "devices/console/@type"), "file");
    assert_string_equal (qemu_at (from_serial, "devices/console/source/@path"), "/x");
    assert_string_equal (qemu_at (from_serial, "devices/console/target/@type"), "serial");
    auto(xml_t) from_console = qemu_completed ("pc", "<devices><console/></devices>");
    assert_string_equal (qemu_at (from_console, "devices/serial/target/model/@name"), "isa-serial");
    auto(xml_t) other =
        qemu_completed ("pc", "<devices><console><target type='virtio'/></console></devices>");
    assert_null (xml_find (xml_root (other), "devices/serial"));
}

static void test_disks_have_places_by_their_names (void **state)
{
    (void) state;
    auto(xml_t) document =
        qemu_completed ("pc", "<devices><disk><source file='/a'/><target dev='hdc'/></disk>"
                              "<disk><source file='/b'/><target dev='sdp'/></disk></devices>");
    const xml_node_t *ide = qemu_device (document, "disk", "target/@dev", "hdc");
    assert_string_equal (xml_string (ide, "target/@bus"), "ide");
    assert_string_equal (xml_string (ide, "address/@bus"), "1");
    assert_string_equal (xml_string (ide, "driver/@type"), "raw");
    //  Fifteen to a controller.
    const xml_node_t *scsi = qemu_device (document, "disk", "target/@dev", "sdp");
    assert_string_equal (xml_string (scsi, "address/@controller"), "1");
    qemu_device (document, "controller", "@model", "lsilogic");
}

//  The guest has a driver for those that it has.
static void test_another_scsi_controller_is_like_the_others (void **state)
{
    (void) state;
    auto(xml_t) document =
        qemu_completed ("q35", "<devices><controller type='scsi' index='0' model='virtio-scsi'/>"
                               "<disk><source file='/a'/><target dev='sda' bus='scsi'/>"
                               "<address type='drive' controller='2'/></disk></devices>");
    const xml_node_t *last = qemu_device (document, "controller", "@index", "2");
    assert_string_equal (xml_string (last, "@model"), "virtio-scsi");
    assert_string_equal (xml_string (last, "@type"), "scsi");
}

static void test_a_companion_without_index_joins_the_controller_before_it (void **state)
{
    (void) state;
    auto(xml_t) document =
        qemu_completed ("pc", "<devices><controller type='usb' model='piix3-uhci'/>"
                              "<controller type='usb' model='ich9-ehci1'/>"
                              "<controller type='usb' model='ich9-uhci1'/>"
                              "<controller type='usb' model='ich9-uhci2'/>"
                              "<controller type='usb' model='ich9-uhci3'/></devices>");
    static const char *const models[] = { "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3" };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const xml_node_t *usb = qemu_device (document, "controller", "@model", models[i]);
        assert_string_equal (xml_string (usb, "@index"), "1");
    }
}

static void test_ports_that_are_given_are_kept (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<devices><channel type='pty'><target type='virtio' name='a'/></channel>"
              "<channel type='pty'><target type='virtio' name='b'/>"
              "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel>"
              "<input type='tablet'/><input type='mouse' bus='usb'>"
              "<address type='usb' bus='0' port='1'/></input></devices>");
    const xml_node_t *a = qemu_device (document, "channel", "target/@name", "a");
    assert_string_equal (xml_string (a, "address/@port"), "2");
    const xml_node_t *tablet = qemu_device (document, "input", "@type", "tablet");
    assert_string_equal (xml_string (tablet, "address/@port"), "2");
}

#define PEER                                                                                       \
    "<interface type='vhostuser'><mac address='52:54:00:00:00:01'/><source type='unix' "           \
    "path='/run/peer' mode='client'/><model type='virtio'/></interface>"
#define CELL "<cpu><numa><cell cpus='0' memory='64' unit='MiB'/></numa></cpu>"
#define MOST "<maxMemory slots='1' unit='GiB'>1</maxMemory>"
#define PAGES(gib)                                                                                 \
    "<memoryBacking><hugepages><page size='" gib "' unit='GiB'/></hugepages></memoryBacking>"
#define ACPI "<features><acpi/></features>"
#define DIMM "<memory model='dimm'><target><size unit='MiB'>2</size></target></memory>"
#define TWO_DIMMS DIMM DIMM
#define DEVICE(model, more)                                                                        \
    "<devices><memory model='" model "'><target><size unit='MiB'>64</size>" more                   \
    "</target></memory></devices>"

#define PLACED(model, where)                                                                       \
    "<devices><memory model='" model "'><target><size unit='MiB'>64</size></target>"               \
    "<address " where "/></memory></devices>"

#define CHANNEL(path, name)                                                                        \
    "<channel type='unix'><source mode='bind' path='" path "'/><target type='virtio' "             \
    "name='" name "'/></channel>"
#define ON_USB(where)                                                                              \
    "<devices><hub type='usb'><address type='usb' bus='0' port='1'/></hub>"                        \
    "<input type='tablet'><address type='usb' " where "/></input></devices>"
#define RNG(more) "<devices><rng model='virtio'><backend model='random'/>" more "</rng></devices>"
#define VDA(more) "<devices><disk><source file='/a'/><target dev='vda'/>" more "</disk></devices>"
#define CONTROLLER(what) "<devices><controller " what "/></devices>"
#define QUEUES(count)                                                                              \
    "<devices><controller type='scsi' model='virtio-scsi'><driver queues='" count "'/>"            \
    "</controller></devices>"
#define NET(more)                                                                                  \
    "<devices><interface type='user'><model type='virtio'/>" more "</interface></devices>"
#define BESIDE(other) "<devices>" CHANNEL ("/run/a", "org.x") other "</devices>"

static const struct {
    const char *rest;
    error_code_t code;
    const char *says;
} refusals[] = {
    { "<currentMemory unit='b'>18446744073709551615</currentMemory>", ERR_XML_ERROR,
      "currentMemory, in whole KiB, is more than 64 bits" },
    { "<maxMemory slots='2'>9</maxMemory>", ERR_CONFIG_UNSUPPORTED, "without a NUMA node" },
    { CELL "<maxMemory slots='2'>9</maxMemory>", ERR_CONFIG_UNSUPPORTED, "<maxMemory> 9 KiB" },
    { CELL "<maxMemory unit='GiB'>9</maxMemory>", ERR_XML_ERROR, "and slots" },
    { "<cpu><numa/></cpu>", ERR_XML_ERROR, "has no <cell>" },
    { "<cpu><numa><cell id='1' memory='1'/></numa></cpu>", ERR_CONFIG_UNSUPPORTED,
      "the id 1 where 0 is next" },
    { "<cpu><numa><cell cpus='0' memory='1'/><cell cpus='0' memory='1'/></numa></cpu>",
      ERR_CONFIG_UNSUPPORTED, "the vcpu 0 is in two" },
    { "<cpu><numa><cell cpus='1' memory='1'/></numa></cpu>", ERR_CONFIG_UNSUPPORTED,
      "has the vcpu 1, but <vcpu> says 1" },
    { "<cpu><numa><cell cpus='0'/></numa></cpu>", ERR_XML_ERROR, "has no memory" },
    { ON_USB ("bus='1' port='1'"), ERR_XML_ERROR, "the USB bus 1 is not there" },
    { ON_USB ("bus='0' port='3'"), ERR_XML_ERROR, "the USB bus 0 has no port '3'" },
    { ON_USB ("bus='0' port='0'"), ERR_XML_ERROR, "the USB bus 0 has no port '0'" },
    { ON_USB ("bus='0' port='2.1'"), ERR_XML_ERROR, "the USB bus 0 has no hub for the port '2.1'" },
    { ON_USB ("bus='0' port='1.9'"), ERR_XML_ERROR, "the USB bus 0 has no port '1.9'" },
    { RNG ("<address type='pci' slot='9'/><address type='pci' slot='8'/>"), ERR_XML_ERROR,
      "rng 'virtio': it has two <address>" },
    { RNG ("<rate bytes='0'/>"), ERR_XML_ERROR, "the rng's <rate> is 0 bytes in 1000 ms" },
    { RNG ("<rate period='5'/>"), ERR_XML_ERROR, "the rng's <rate> is 0 bytes in 5 ms" },
    { RNG ("<rate bytes='1' period='0'/>"), ERR_XML_ERROR, "the rng's <rate> is 1 bytes in 0 ms" },
    { RNG ("<rate bytes='x'/>"), ERR_XML_ERROR, "the rng's <rate>: " },
    { VDA ("<driver queues='1025'/>"), ERR_XML_ERROR,
      "disk 'vda': driver/@queues is '1025', not a whole number from 1 to 1024" },
    { VDA ("<driver queue_size='100'/>"), ERR_XML_ERROR, "'100', not a power of two from 4" },
    { VDA ("<blockio logical_block_size='x'/>"), ERR_XML_ERROR, "logical_block_size is 'x'" },
    { VDA ("<blockio logical_block_size='4096'/>"), ERR_XML_ERROR,
      "4096 bytes, are larger than the physical ones, 512" },
    { VDA ("<geometry cyls='0' heads='1' secs='1'/>"), ERR_XML_ERROR, "geometry/@cyls is '0'" },
    { CONTROLLER ("type='virtio-serial' ports='0'"), ERR_XML_ERROR,
      "controller 'virtio-serial' 0: @ports is '0', not a whole number from 1 to 511" },
    { CONTROLLER ("type='virtio-serial' ports='100000'"), ERR_XML_ERROR, "@ports is '100000'" },
    { CONTROLLER ("type='usb' model='qemu-xhci' ports='16'"), ERR_XML_ERROR, "from 1 to 15" },
    { CONTROLLER ("type='virtio-serial' vectors='-1'"), ERR_XML_ERROR, "@vectors is '-1'" },
    { CONTROLLER ("type='ide' index='1'"), ERR_CONFIG_UNSUPPORTED,
      "type 'ide' with index 1 of the machine 'pc-i440fx-7.2'" },
    { QUEUES ("99999"), ERR_XML_ERROR, "driver/@queues is '99999', not a whole number from 1" },
    { "<devices><controller type='virtio-serial' ports='1'/>" CHANNEL ("/run/a", "a") "</devices>",
      ERR_XML_ERROR, "the virtio-serial controller 0 has no free port" },
    { NET ("<driver rx_queue_size='128'/>"), ERR_XML_ERROR, "rx_queue_size is '128', not a power" },
    { NET ("<ip address='10.0.2.0' prefix='33'/>"), ERR_XML_ERROR, "from 1 to 32" },
    { NET ("<address type='usb' bus='0' port='1'/>"), ERR_XML_ERROR,
      "its address is of type 'usb'; it has to be of type 'pci', or to be left out" },
    { "<devices><video><model type='qxl' heads='17'/></video></devices>", ERR_XML_ERROR,
      "model/@heads is '17'" },
    { "<devices><memballoon model='virtio'><stats period='x'/></memballoon></devices>",
      ERR_XML_ERROR, "memballoon 'virtio': stats/@period is 'x'" },
    { "<devices><serial type='pty'><target port='4'/></serial></devices>", ERR_XML_ERROR,
      "target/@port is '4', not a whole number from 0 to 3" },
    { RNG ("<address type='usb' bus='0' port='1'/>"), ERR_XML_ERROR,
      "rng 'virtio': its address is of type 'usb'; it has to be of type 'pci'" },
    { RNG ("<address type='pci' slot='9' port='1'/>"), ERR_XML_ERROR,
      "its address is of type 'pci', which has no port" },
    { RNG ("<address slot='9'/>"), ERR_XML_ERROR, "its <address> has no type" },
    { VDA ("<address type='drive' controller='0'/>"), ERR_XML_ERROR,
      "disk 'vda': its address is of type 'drive'; it has to be of type 'pci'" },
    { "<devices><channel type='pty'><target type='virtio'/><address type='pci' slot='9'/></channel>"
      "</devices>",
      ERR_XML_ERROR, "it has to be of type 'virtio-serial'" },
    { "<devices><input type='mouse' bus='ps2'><address type='usb' bus='0' port='1'/></input>"
      "</devices>",
      ERR_XML_ERROR, "input 'mouse': it has no address, and here one of type 'usb'" },
    { "<devices><serial type='tcp'><source mode='bind' host='::1' service='99999'/></serial>"
      "</devices>",
      ERR_XML_ERROR, "source/@service '99999' is no TCP port" },
    { "<devices><redirdev bus='usb'/></devices>", ERR_XML_ERROR, "a redirdev has no type" },
    { "<devices><redirdev bus='usb' type='spicevmc'/></devices>", ERR_CONFIG_UNSUPPORTED,
      "@type 'spicevmc'; it can be tcp|unix" },
    { "<devices><redirdev type='unix'/></devices>", ERR_XML_ERROR, "needs source/@path" },
    { "<devices><redirfilter><usbdev version='2' allow='no'/></redirfilter></devices>",
      ERR_XML_ERROR, "version '2'" },
    { "<devices><redirfilter><usbdev/></redirfilter></devices>", ERR_XML_ERROR, "no allow" },
    { "<devices><redirfilter><usbdev class='0x100' allow='no'/></redirfilter></devices>",
      ERR_XML_ERROR, "@class" },
    { "<devices><shmem name='../a'><model type='ivshmem-plain'/></shmem></devices>", ERR_XML_ERROR,
      "has '../a'" },
    { "<devices><shmem name='a'><model type='ivshmem-plain'/><size unit='M'>3</size></shmem>"
      "</devices>",
      ERR_CONFIG_UNSUPPORTED, "a power of two" },
    { "<devices><shmem name='a'><model type='ivshmem-plain'/>"
      "<size unit='KiB'>9007199254740992</size></shmem></devices>",
      ERR_CONFIG_UNSUPPORTED, "at most 4 EiB" },
    { "<devices><shmem name='a'><model type='ivshmem-doorbell'/></shmem></devices>",
      ERR_CONFIG_UNSUPPORTED, "'ivshmem-doorbell'" },
    { "<devices><vsock model='virtio-transitional'/></devices>", ERR_CONFIG_UNSUPPORTED,
      "'virtio-transitional'" },
    { "<devices><vsock/><vsock/></devices>", ERR_XML_ERROR, "two vsocks" },
    { "<devices><vsock><cid auto='no'/></vsock></devices>", ERR_XML_ERROR, "and has ''" },
    { "<devices><vsock><cid address='2'/></vsock></devices>", ERR_XML_ERROR, "and has '2'" },
    { "<devices><vsock><cid address='4294967295'/></vsock></devices>", ERR_XML_ERROR,
      "from 3 to 4294967294" },
    { "<devices><vsock><cid auto='yes' address='x'/></vsock></devices>", ERR_XML_ERROR,
      "not a whole number" },
    { "<devices><rng model='virtio'><backend model='builtin'/><boot order='1'/></rng></devices>",
      ERR_CONFIG_UNSUPPORTED, "<devices/rng/boot>" },
    { "<devices><rng model='virtio'><source path='/dev/random'/></rng></devices>",
      ERR_CONFIG_UNSUPPORTED, "<devices/rng/source>" },
    { "<devices><redirdev type='unix'><source path='/a' append='on'/></redirdev></devices>",
      ERR_CONFIG_UNSUPPORTED, "source/@append" },
    { DEVICE ("dimm", ""), ERR_CONFIG_UNSUPPORTED, "needs a NUMA node" },
    { CELL DEVICE ("dimm", ""), ERR_CONFIG_UNSUPPORTED, "needs <maxMemory" },
    { CELL MOST DEVICE ("dimm", ""), ERR_CONFIG_UNSUPPORTED, "without ACPI" },
    { CELL MOST DEVICE ("dimm", "<block>2048</block>"), ERR_CONFIG_UNSUPPORTED,
      "target/block of a memory device of model 'dimm'" },
    { CELL MOST DEVICE ("dimm", "<node>1</node>"), ERR_XML_ERROR, "target/node" },
    { CELL MOST ACPI DEVICE ("dimm", "<address base='0x100000000'/>"), ERR_CONFIG_UNSUPPORTED,
      "target/address with @model 'dimm'" },
    { CELL MOST PLACED ("dimm", "type='pci' slot='9'"), ERR_XML_ERROR,
      "memory 'dimm': its address is of type 'pci'; it has to be of type 'dimm'" },
    { CELL MOST ACPI PLACED ("dimm", "type='dimm' bus='0'"), ERR_XML_ERROR,
      "memory 'dimm': its address is of type 'dimm', which has no bus" },
    { CELL MOST PLACED ("virtio-mem", "type='dimm' slot='0'"), ERR_XML_ERROR,
      "memory 'virtio-mem': its address is of type 'dimm'; it has to be of type 'pci'" },
    { "<devices><disk><source file='/a'/><target dev='sda' bus='scsi'/><address type='pci' "
      "slot='9'/></disk></devices>",
      ERR_XML_ERROR, "disk 'sda': its address is of type 'pci'; it has to be of type 'drive'" },
    { CELL MOST PLACED ("virtio-mem", "type='pci' slot='9' base='0x100000000'"), ERR_XML_ERROR,
      "its address is of type 'pci', which has no base" },
    { CELL MOST DEVICE ("virtio-mem", "<block>3000</block>"), ERR_CONFIG_UNSUPPORTED,
      "a power of two" },
    { CELL MOST DEVICE ("virtio-mem", "<requested>5</requested>"), ERR_CONFIG_UNSUPPORTED,
      "multiples of its block" },
    { CELL MOST PAGES ("1") DEVICE ("virtio-mem", "<block unit='MiB'>2</block>"),
      ERR_CONFIG_UNSUPPORTED, "blocks of 2048 KiB in pages of 1048576 KiB" },
    { CELL MOST PAGES ("1") DEVICE ("virtio-mem", ""), ERR_CONFIG_UNSUPPORTED,
      "multiples of its block (1048576 KiB)" },
    { CELL MOST "<memoryBacking><locked/></memoryBacking>" DEVICE ("virtio-mem", ""),
      ERR_CONFIG_UNSUPPORTED, "memory 'virtio-mem' of a guest with <memoryBacking><locked/>" },
    { "<memoryBacking><discard/></memoryBacking>", ERR_CONFIG_UNSUPPORTED,
      "discard of <memory>, which is in no file" },
    { "<memoryBacking><source type='file'/></memoryBacking>" CELL MOST ACPI
      "<devices><memory model='dimm' discard='yes'><source><pagesize unit='MiB'>2</pagesize>"
      "</source><target><size unit='MiB'>64</size></target></memory></devices>",
      ERR_CONFIG_UNSUPPORTED, "discard of memory 'dimm', which is in no file" },
    { CELL MOST DEVICE ("nvdimm", ""), ERR_CONFIG_UNSUPPORTED, "@model 'nvdimm'" },
    { CELL MOST ACPI "<devices>" TWO_DIMMS "</devices>", ERR_CONFIG_UNSUPPORTED,
      "all 1 slots for memory are taken" },
    { "<devices><disk><transient/></disk></devices>", ERR_CONFIG_UNSUPPORTED,
      "not supported: <devices/disk/transient>" },
    { "<devices><disk><source file='/a'/><target dev='sda' bus='scsi'/><wwn>xyz</wwn></disk>"
      "</devices>",
      ERR_XML_ERROR, "disk 'sda': wwn 'xyz': it has to be 16 hexadecimal digits" },
    { "<devices><interface type='user'><mac address='00:00:00:00:00:00'/></interface></devices>",
      ERR_XML_ERROR, "00:00:00:00:00:00" },
    { "<devices><disk type='network'/></devices>", ERR_CONFIG_UNSUPPORTED,
      "not supported: devices/disk/@type 'network'; it can be file|block" },
    { "<devices><interface type='ethernet'><target dev='a0'/></interface>"
      "<interface type='ethernet'><target dev='a0'/></interface></devices>",
      ERR_XML_ERROR, "two interfaces have the target/@dev 'a0'" },
    { "<devices><interface type='mcast'/></devices>", ERR_CONFIG_UNSUPPORTED,
      "devices/interface/@type 'mcast'" },
    { "<devices><serial type='stdio'/></devices>", ERR_CONFIG_UNSUPPORTED, "'stdio'" },
    { "<on_poweroff>preserve</on_poweroff>", ERR_CONFIG_UNSUPPORTED, "on_poweroff 'preserve'" },
    { "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>",
      ERR_CONFIG_UNSUPPORTED, "<commandline> of QEMU's namespace" },
    { "<devices><disk><source file='/a'/><target dev='hda'/><driver queues='2'/></disk></devices>",
      ERR_CONFIG_UNSUPPORTED, "driver/@queues with target/@bus 'ide'" },
    { "<devices><interface type='user'><model type='e1000'/><driver iommu='on'/></interface>"
      "</devices>",
      ERR_CONFIG_UNSUPPORTED, "only virtio devices have it" },
    { "<devices><disk><source file='/a'/><target dev='sdh' bus='scsi'/></disk></devices>",
      ERR_CONFIG_UNSUPPORTED, "'lsilogic' has units 0 to 6: give it another <address>" },
    { "<memoryBacking><source type='tmpfs'/></memoryBacking>", ERR_CONFIG_UNSUPPORTED,
      "not supported: memoryBacking/source/@type 'tmpfs'; it can be file|anonymous|memfd" },
    { "<memoryBacking><allocation threads='2'/></memoryBacking>", ERR_CONFIG_UNSUPPORTED,
      "<allocation threads='2'/> without mode='immediate'" },
    { "<memoryBacking><hugepages/><source type='anonymous'/></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "<memory> in huge pages, with <source type='anonymous'/>" },
    { "<memoryBacking><hugepages><page size='1' unit='G'/></hugepages></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "<memory>: it has 524288 KiB, which is no multiple of" },
    { "<memoryBacking><hugepages><page size='3' unit='M'/></hugepages></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "pages of 3072 KiB" },
    { "<memoryBacking><hugepages><page unit='M'/></hugepages></memoryBacking>", ERR_XML_ERROR,
      "<page> of <hugepages> has the size '' (M)" },
    { "<memoryBacking><hugepages><page size='2048' nodeset='0-1'/></hugepages></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "the guest has no NUMA cell 1" },
    { "<memoryBacking><hugepages><page size='2048' nodeset='0'/><page size='4' nodeset='0'/>"
      "</hugepages></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "two <page> for one NUMA cell" },
    { "<memoryBacking><hugepages><page size='2048'/><page size='4'/></hugepages></memoryBacking>",
      ERR_CONFIG_UNSUPPORTED, "two <page> without a nodeset" },
    { "<devices>" PEER "</devices>", ERR_CONFIG_UNSUPPORTED,
      "interface '52:54:00:00:00:01' of type 'vhostuser': its peer needs all of the guest's "
      "memory, and <memory> is not shared; write <memoryBacking>" },
    { "<memoryBacking><access mode='shared'/></memoryBacking><cpu><numa><cell memory='65536' "
      "memAccess='private'/></numa></cpu><devices>" PEER "</devices>",
      ERR_CONFIG_UNSUPPORTED, "and the NUMA cell 0 is not shared" },
    { "<vcpu current='3'>2</vcpu>", ERR_XML_ERROR, "more than the 2 vcpus" },
    { "<vcpu>300</vcpu>", ERR_CONFIG_UNSUPPORTED, "has at most 255" },
    { "<vcpu>4</vcpu><cpu><topology sockets='1' cores='3' threads='1'/></cpu>",
      ERR_CONFIG_UNSUPPORTED, "makes 3 vcpus" },
    { "<cpu><model>Nehalem</model></cpu>", ERR_CONFIG_UNSUPPORTED, "cpu/model 'Nehalem'" },
    { "<devices><disk><source file='/a'/><target dev='vda'/></disk>"
      "<disk><source file='/b'/><target dev='vda'/></disk></devices>",
      ERR_XML_ERROR, "disk 'vda': another device has the same target 'vda'" },
    { "<devices><disk><source file='/a'/><target dev='hda'/>"
      "<address type='drive' controller='0' bus='0' unit='1'/></disk>"
      "<disk><source file='/b'/><target dev='hdb'/></disk></devices>",
      ERR_XML_ERROR, "the same drive address" },
    { "<devices><interface type='user'><boot order='1'/></interface>"
      "<disk><source file='/a'/><target dev='vda'/><boot order='1'/></disk></devices>",
      ERR_XML_ERROR, "the same boot order 1" },
    { "<devices><disk><target dev='vda'/></disk></devices>", ERR_NO_SOURCE,
      "disk 'vda': it has no <source file='...'/>" },
    { "<devices><disk><source file='/a'/></disk></devices>", ERR_NO_TARGET, "no <target" },
    { "<devices><disk><source file='a'/><target dev='vda'/></disk></devices>", ERR_XML_ERROR,
      "not absolute" },
    { "<devices><interface type='user'><mac address='01:00:00:00:00:01'/></interface></devices>",
      ERR_XML_ERROR, "multicast" },
    { "<devices><channel><target type='virtio'/>"
      "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel>"
      "<channel><target type='virtio'/>"
      "<address type='virtio-serial' controller='0' bus='0' port='1'/></channel></devices>",
      ERR_XML_ERROR, "another device has its address" },
    { BESIDE (CHANNEL ("/run/b", "org.x")), ERR_XML_ERROR,
      "channel 'org.x': another device has the same target name 'org.x'" },
    { BESIDE (CHANNEL ("/run//a", "org.y")), ERR_XML_ERROR,
      "channel 'org.y': channel 'org.x' listens at the same socket '/run//a'" },
    { BESIDE ("<redirdev type='unix'><source mode='bind' path='/run/a'/></redirdev>"),
      ERR_XML_ERROR, "redirdev 'unix': channel 'org.x' listens at the same socket '/run/a'" },
    { BESIDE ("<graphics type='vnc'><listen type='socket' socket='/run/a'/></graphics>"),
      ERR_XML_ERROR, "graphics 'vnc': channel 'org.x' listens at the same socket '/run/a'" },
    { BESIDE ("<interface type='vhostuser'><source type='unix' mode='server' path='/run/a'/>"
              "<model type='virtio'/></interface>"),
      ERR_XML_ERROR, "listens at the same socket '/run/a'" },
    { "<devices>" CHANNEL ("agent", "org.x") "</devices>", ERR_XML_ERROR,
      "channel 'org.x': source/@path 'agent' is not an absolute path" },
    { "<devices><serial type='file'><source path='a.log'/></serial></devices>", ERR_XML_ERROR,
      "serial 'file': source/@path 'a.log' is not an absolute path" },
    { "<devices><serial type='pty'><log file='a.log'/></serial></devices>", ERR_XML_ERROR,
      "serial 'pty': log/@file 'a.log' is not an absolute path" },
};

//  A second end of one's own socket, and a port that is the console too, are no second socket.
static void test_sockets_and_names_that_only_seem_taken (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<devices><serial type='unix'><source mode='bind' path='/run/a'/></serial>"
              "<channel type='unix'><source mode='connect' path='/run/a'/>"
              "<target type='virtio' name='org.x'/></channel>" CHANNEL ("/run/ab", "org.x.0")
                  CHANNEL ("/run", "org") "</devices>");
    assert_string_equal (qemu_at (document, "devices/console/source/@path"), "/run/a");
}

//  <memory> is all of it, and of a guest that has it all, so is <currentMemory>. A slot of PCI is
//  none of memory.
static void test_memory_is_of_cells_and_devices (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<currentMemory>524288</currentMemory><features><acpi/></features>"
              "<maxMemory slots='4' unit='GiB'>1</maxMemory>" CELL
              "<devices><memory model='dimm'><target><size unit='MiB'>3</size></target>"
              "<address type='dimm' slot='1'/></memory>"
              "<memory model='dimm'><target><size unit='MiB'>2</size></target></memory>"
              "<memory model='dimm'><target><size unit='MiB'>2</size></target></memory>"
              "<memory model='virtio-mem'><target><size unit='MiB'>2</size></target>"
              "<address type='pci' bus='0x00' slot='0x02'/></memory></devices>");
    const xml_node_t *domain = xml_root (document);
    assert_string_equal (xml_string (domain, "memory"), "75776");
    assert_string_equal (xml_string (domain, "currentMemory"), "75776");
    const xml_node_t *device = xml_find (domain, "devices/memory");
    assert_string_equal (xml_string (device, "target/size"), "4096");
    assert_string_equal (xml_string (device, "target/node"), "0");
    device = xml_next (device, "memory");
    assert_string_equal (xml_string (device, "address/@slot"), "0");
    device = xml_next (device, "memory");
    assert_string_equal (xml_string (device, "address/@slot"), "2");
}

//  Whichever way it is said, with a peer or not.
static void test_memory_that_is_shared_and_in_pages (void **state)
{
    (void) state;
    static const char *const shared[] = {
        "<memoryBacking><source type='memfd'/></memoryBacking>",
        "<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>",
        "<memoryBacking><hugepages/></memoryBacking><cpu><numa><cell memory='65536' "
        "memAccess='shared'/></numa></cpu>",
    };
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        autofree char *rest = text_format ("%s<devices>" PEER "</devices>", shared[i]);
        auto(xml_t) document = qemu_completed ("pc", rest);
        assert_non_null (xml_find (xml_root (document), "memoryBacking"));
    }
    auto(xml_t) document = qemu_completed (
        "pc", "<memoryBacking><hugepages><page size='2' unit='M' nodeset='0'/></hugepages>"
              "</memoryBacking>");
    assert_string_equal (qemu_at (document, "memoryBacking/hugepages/page/@size"), "2048");
    assert_string_equal (qemu_at (document, "memoryBacking/hugepages/page/@unit"), "KiB");
}

//  A block is at least a page.
static void test_blocks_that_are_pages (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc",
        "<cpu><numa><cell memory='1' unit='GiB'/></numa></cpu>"
        "<maxMemory slots='1' unit='GiB'>3</maxMemory>" PAGES (
            "1") "<devices><memory model='virtio-mem'><source><pagesize unit='MiB'>4</pagesize>"
                 "</source><target><size unit='MiB'>64</size></target></memory><memory "
                 "model='virtio-mem'><target><size "
                 "unit='GiB'>1</size></target></memory></devices>");
    const xml_node_t *device = xml_find (xml_root (document), "devices/memory");
    assert_string_equal (xml_string (device, "target/block"), "4096");
    assert_string_equal (xml_string (xml_next (device, "memory"), "target/block"), "1048576");
}

static void test_each_refusal_names_its_cause (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        error_t err = qemu_refused ("pc", refusals[i].rest);
        assert_has (err.message, refusals[i].says);
        assert_int_equal (err.code, refusals[i].code);
    }
}

static void test_names_and_machines_that_are_none (void **state)
{
    (void) state;
    static const char *const texts[][2] = {
        { "<domain type='qemu'><name>a/b</name></domain>", "has a '/' in it" },
        { "<domain type='qemu'><name>a\nb</name></domain>", "has a newline in it" },
        { "<domain type='qemu'/>", "<name> is missing" },
        { "<domain type='qemu'><name>a</name><uuid>7</uuid></domain>", "uuid '7'" },
        { "<domain type='qemu'><name>a</name></domain>", "<os><type>hvm</type></os> is missing" },
        { "<domain type='qemu'><name>a</name><os><type>hvm</type></os></domain>",
          "<memory> is missing or 0" },
        { "<domain type='xen'><name>a</name></domain>", "@type 'xen'" },
        { "<network/>", "not <domain>" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        assert_null (qemu_completed_text (texts[i][0], &err));
        assert_has (err.message, texts[i][1]);
    }
    error_t err = qemu_refused ("pc-i440fx-99", "");
    assert_has (err.message, "os/type/@machine 'pc-i440fx-99'");
    err = qemu_refused ("microvm", "");
    assert_has (err.message, "families pc and q35");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_small_definition_is_filled),
        cmocka_unit_test (test_completing_twice_changes_nothing),
        cmocka_unit_test (test_a_running_guests_document_can_be_defined),
        cmocka_unit_test (test_sockets_that_the_daemon_made_are_made_anew),
        cmocka_unit_test (test_the_first_serial_port_is_the_first_console),
        cmocka_unit_test (test_disks_have_places_by_their_names),
        cmocka_unit_test (test_another_scsi_controller_is_like_the_others),
        cmocka_unit_test (test_a_companion_without_index_joins_the_controller_before_it),
        cmocka_unit_test (test_ports_that_are_given_are_kept),
        cmocka_unit_test (test_memory_is_of_cells_and_devices),
        cmocka_unit_test (test_sockets_and_names_that_only_seem_taken),
        cmocka_unit_test (test_memory_that_is_shared_and_in_pages),
        cmocka_unit_test (test_blocks_that_are_pages),
        cmocka_unit_test (test_each_refusal_names_its_cause),
        cmocka_unit_test (test_names_and_machines_that_are_none),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
