"""Every command of virsh: it works here, or in another test, or is refused in words that say why."""

import os
import re
import subprocess
import unittest
from unittest import mock
from xml.etree import ElementTree

from guest import AGENT_DEVICES, AgentTest
from harness import PATIENCE, until
from libvirt_client import Virsh, uri
from network import Site, network, usable

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = "5dad6d55-5ca7-4a1f-8f1d-ff5e2b9e71c0"

#   Which test has the command.
ELSEWHERE = {
    "test_libvirt_cpu": "cpu-baseline cpu-compare hypervisor-cpu-baseline hypervisor-cpu-compare",
    "test_libvirt_devices": "blkdeviotune domiftune iothreadadd iothreaddel iothreadset",
    "test_libvirt_disks": """
        attach-device attach-disk backup-begin backup-dumpxml blockcommit blockcopy blockjob blockpull blockresize
        checkpoint-create-as checkpoint-delete checkpoint-dumpxml checkpoint-info checkpoint-list checkpoint-parent
        cpu-stats desc detach-device detach-device-alias detach-disk domblkerror domblkinfo domblklist domblkstat
        domblkthreshold domcontrol domfsfreeze domfsinfo domfsthaw domfstrim domhostname domifaddr domjobinfo
        dommemstat domrename domstats domtime dump guestinfo guestvcpus inject-nmi metadata perf send-key
        set-lifecycle-action""",
    "test_libvirt_network": """
        net-autostart net-create net-define net-destroy net-dhcp-leases net-dumpxml net-info net-list net-name
        net-port-list net-start net-undefine net-update net-uuid""",
    "test_libvirt_qemu": "qemu-monitor-command screenshot",
    "test_libvirt_stream": "console",
    "test_libvirt_snapshot": """
        checkpoint-create managedsave managedsave-define managedsave-dumpxml managedsave-remove restore save
        save-image-define save-image-dumpxml snapshot-create-as snapshot-current snapshot-delete snapshot-dumpxml
        snapshot-info snapshot-list snapshot-parent snapshot-revert""",
    "test_libvirt_migrate": """
        migrate migrate-compcache migrate-getmaxdowntime migrate-getspeed migrate-setmaxdowntime migrate-setspeed""",
    "test_libvirt_tune": """
        allocpages blkiotune emulatorpin freecell freepages iface-dumpxml iface-list iface-mac iothreadinfo iothreadpin memtune
        node-memory-tune nodecpumap nodecpustats nodedev-detach nodedev-dumpxml nodedev-info nodedev-list
        nodememstats numatune schedinfo setmaxmem setmem setvcpus vcpucount vcpuinfo vcpupin""",
    "test_lxc_enter": "send-process-signal",
    "test_qemu_vcpus": "setvcpu",
    "test_libvirt_virsh": """
        autostart capabilities create define destroy domid dominfo domstate domuuid dumpxml hostname list nodeinfo
        resume start suspend undefine uri version""",
}

#   Those that say nothing to the daemon, or nothing to it that they are about.
OF_VIRSH = [
    ["connect"],
    ["echo", "hello"],
    ["exit"],
    ["help"],
    ["pwd"],
    ["quit"],
    ["secret-event", "--list"],
    ["pool-event", "--list"],
    ["nodedev-event", "--list"],
]

#   What it can't be: the words behind "not supported by this connection driver: ".
UNSUPPORTED = {
    "CONNECT_DOMAIN_XML_FROM_NATIVE": [["domxml-from-native", "qemu-argv", "XML"]],
    "CONNECT_DOMAIN_XML_TO_NATIVE": [["domxml-to-native", "qemu-argv", "XML"]],
    "CONNECT_FIND_STORAGE_POOL_SOURCES": [
        ["find-storage-pool-sources", "dir"],
        ["find-storage-pool-sources-as", "dir"],
    ],
    "CONNECT_GET_STORAGE_POOL_CAPABILITIES": [["pool-capabilities"]],
    "CONNECT_LIST_ALL_NWFILTER_BINDINGS": [["nwfilter-binding-list"]],
    "CONNECT_NUM_OF_NWFILTERS": [["nwfilter-list"]],
    "CONNECT_NUM_OF_SECRETS": [["secret-list"]],
    "CONNECT_NUM_OF_STORAGE_POOLS": [["pool-list"]],
    "DOMAIN_ATTACH": [["qemu-attach", "1"]],
    "DOMAIN_FD_ASSOCIATE": [["dom-fd-associate", "web", "n", "0"]],
    "DOMAIN_GET_LAUNCH_SECURITY_INFO": [["domlaunchsecinfo", "web"]],
    "DOMAIN_SET_LAUNCH_SECURITY_STATE": [
        ["domsetlaunchsecstate", "web", "--secrethdr", "XML", "--secret", "XML"],
    ],
    "DOMAIN_OPEN_NAMESPACE": [["lxc-enter-namespace", "web", "--", "/bin/true"]],
    "INTERFACE_CHANGE_BEGIN": [["iface-begin"]],
    "INTERFACE_CHANGE_COMMIT": [["iface-commit"]],
    "INTERFACE_CHANGE_ROLLBACK": [["iface-rollback"]],
    "INTERFACE_CREATE": [["iface-start", "lo"]],
    "INTERFACE_DEFINE_XML": [["iface-bridge", "lo", "br0"], ["iface-define", "XML"]],
    "INTERFACE_DESTROY": [["iface-destroy", "lo"]],
    "INTERFACE_UNDEFINE": [["iface-undefine", "lo"]],
    "NODE_DEVICE_CREATE": [["nodedev-start", "computer"]],
    "NODE_DEVICE_CREATE_XML": [["nodedev-create", "XML"]],
    "NODE_DEVICE_DEFINE_XML": [["nodedev-define", "XML"]],
    "NODE_DEVICE_DESTROY": [["nodedev-destroy", "computer"]],
    "NODE_DEVICE_SET_AUTOSTART": [["nodedev-autostart", "computer"]],
    "NODE_DEVICE_UNDEFINE": [["nodedev-undefine", "computer"]],
    "NODE_GET_SEV_INFO": [["nodesevinfo"]],
    "NODE_SUSPEND_FOR_DURATION": [["nodesuspend", "mem", "60"]],
    "NWFILTER_BINDING_CREATE_XML": [["nwfilter-binding-create", "XML"]],
    "NWFILTER_BINDING_LOOKUP_BY_PORT_DEV": [["nwfilter-binding-delete", "x"], ["nwfilter-binding-dumpxml", "x"]],
    "NWFILTER_DEFINE_XML": [["nwfilter-define", "XML"]],
    "NWFILTER_LOOKUP_BY_NAME": [["nwfilter-dumpxml", "x"], ["nwfilter-edit", "x"], ["nwfilter-undefine", "x"]],
    "SECRET_DEFINE_XML": [["secret-define", "XML"]],
    "SECRET_LOOKUP_BY_UUID": [
        ["secret-dumpxml", UUID],
        ["secret-get-value", UUID],
        ["secret-set-value", UUID, "aaaa"],
        ["secret-undefine", UUID],
    ],
    "STORAGE_POOL_CREATE_XML": [["pool-create", "XML"], ["pool-create-as", "x", "dir", "--target", "/x"]],
    "STORAGE_POOL_DEFINE_XML": [["pool-define", "XML"], ["pool-define-as", "x", "dir", "--target", "/x"]],
    "STORAGE_POOL_LOOKUP_BY_UUID": [["pool-name", UUID]],
    "STORAGE_POOL_LOOKUP_BY_NAME": [
        *([f"pool-{what}", "x"] for what in ("autostart build delete destroy dumpxml edit info refresh start "
                                             "undefine uuid").split()),
        ["vol-clone", "v", "w", "--pool", "x"],
        ["vol-create", "x", "XML"],
        ["vol-create-as", "x", "v", "1M"],
        ["vol-create-from", "x", "XML", "v"],
        ["vol-list", "x"],
        *([f"vol-{what}", "v", "--pool", "x"] for what in "delete dumpxml info key path wipe".split()),
        ["vol-resize", "v", "1M", "--pool", "x"],
        ["vol-download", "v", "FILE", "--pool", "x"],
        ["vol-upload", "v", "XML", "--pool", "x"],
    ],
    "STORAGE_VOL_LOOKUP_BY_PATH": [["vol-name", "/x"], ["vol-pool", "/x"]],
}

#   What is refused for another reason: the words in it.
REFUSED = {
    "cd": (["/"], "valid only in interactive mode"),
    "dompmwakeup": (["web"], "wake domain 'web': it is not asleep"),
    "get-user-sshkeys": (["web", "nobody-here"], "refused guest-ssh-get-authorized-keys"),
    "iface-unbridge": (["nothing"], "the host has no network interface 'nothing'"),
    "managedsave-edit": (["web"], "domain 'web' has no managed save"),
    "migrate-postcopy": (["web"], "no migration of domain 'web' is under way"),
    "nodedev-reattach": (["nothing"], "nothing"),
    "nodedev-reset": (["nothing"], "nothing"),
    "save-image-edit": (["/nothing"], "'/nothing'"),
    "send-process-signal": (["web", "1", "nop"], "the driver 'qemu' cannot do that"),
    "set-user-sshkeys": (["web", "nobody-here", "--reset"], "guest-ssh"),
    "sysinfo": ([], "there is no SMBIOS"),
    "update-memory-device": (["web", "--node", "0", "--requested-size", "1M"], "memory device"),
}

#   An editor that gives a title to what has a name.
ENTITLE = "sed -i 's,</name>,</name><title>changed</title>,'"


@unittest.skipUnless(usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Commands(Virsh, AgentTest):
    connect = "qemu:///system"

    def make_daemon(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        return self.site.daemon

    def virsh(self, *args, **options):
        self.exercised.add(args[0])
        return super().virsh(*args, **options)

    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def image(self, name):
        path = self.path(name)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"], check=True, timeout=PATIENCE)
        return path

    def test_all(self):
        self.exercised = set()
        self.xml = self.write("document.xml", "<nothing/>")
        self.site.define(network("blue", 77))
        disks = (
            f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{self.image('disk')}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
            "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"
            "<interface type='user'><mac address='52:54:00:00:00:77'/><model type='virtio'/></interface>"
            "<graphics type='vnc'/><video><model type='vga'/></video>"
        )
        self.guest = self.boot_agent("web", AGENT_DEVICES + disks, machine="q35")
        checks = [
            self.check_unsupported,
            self.check_refused,
            self.check_facts,
            self.check_devices,
            self.check_port,
            self.check_link,
            self.check_edit,
            self.check_snapshots,
            self.check_checkpoints,
            self.check_control,
            self.check_events,
            self.check_sleep,
            self.check_life,
        ]
        for check in checks:
            with self.subTest(check.__name__):
                check()
        self.check_complete()

    def check_complete(self):
        """No command of this virsh is forgotten, and those that are elsewhere are there."""
        found = re.findall(r"^    ([a-z][-a-z]+) ", self.virsh("help"), re.MULTILINE)
        self.assertGreater(len(found), 250)
        known = set(self.exercised)
        for test, commands in ELSEWHERE.items():
            with open(os.path.join(HERE, f"{test}.py")) as file:
                text = file.read()
            for command in commands.split():
                self.assertIn(f'"{command}"', text, f"{test} does not have this command any more")
                known.add(command)
        self.assertEqual(sorted(set(found) - known), [], "no test has these commands of virsh")

    def check_unsupported(self):
        files = {"XML": self.xml, "FILE": self.path("volume")}
        for words in OF_VIRSH:
            self.virsh(*words)
        for procedure, commands in UNSUPPORTED.items():
            for words in commands:
                said = self.refused(*[files.get(word, word) for word in words])
                self.assertRegex(said, f"not supported by this connection driver: {procedure}\n", words)

    def check_refused(self):
        for command, (args, words) in REFUSED.items():
            if command != "sysinfo" or not os.path.exists("/sys/class/dmi/id"):
                self.assertIn(words, self.refused(command, *args), command)

    def check_facts(self):
        self.assertEqual(self.virsh("domname", self.guest.uuid), "web")
        self.assertRegex(self.virsh("domdisplay", "web"), "^vnc://127.0.0.1:[0-9]+$")
        self.assertRegex(self.virsh("vncdisplay", "web"), "^127.0.0.1:[0-9]+$")
        self.assertRegex(self.virsh("ttyconsole", "web"), "^/dev/pts/[0-9]+$")
        self.assertIn("qemu64", self.virsh("cpu-models", "x86_64").split())
        self.assertEqual(self.virsh("maxvcpus", "qemu"), "255")
        capabilities = ElementTree.fromstring(self.virsh("domcapabilities", "--virttype", "qemu"))
        self.assertEqual(capabilities.findtext("domain"), "qemu")
        self.assertEqual(self.virsh("iface-name", "00:00:00:00:00:00"), "lo")
        if os.path.exists("/sys/class/dmi/id"):
            self.virsh("sysinfo", status=None)
        for option in ("--migratable", "--update-cpu", "--security-info", "--inactive"):
            self.assertIn("<name>web</name>", self.virsh("dumpxml", "web", option))

    def check_devices(self):
        medium = self.path("cd.iso")
        with open(medium, "wb") as file:
            file.truncate(1 << 20)
        self.assertIn("inserted", self.virsh("change-media", "web", "sda", medium, "--insert"))
        self.assertIn(medium, self.virsh("domblklist", "web", "--details"))
        self.assertIn("ejected", self.virsh("change-media", "web", "sda", "--eject"))
        self.virsh("attach-interface", "web", "network", "blue", "--model", "virtio", "--live")
        (row,) = [row for row in self.rows("domiflist", "web") if row[1] == "network"]
        self.assertEqual(row[2:4], ["blue", "virtio"])
        self.assertRegex(self.virsh("domifstat", "web", row[0]), "rx_bytes [0-9]")
        port = self.virsh("net-port-list", "blue")
        said = ElementTree.fromstring(self.virsh("net-port-dumpxml", "blue", port))
        self.assertEqual(said.findtext("owner/name"), "web")
        self.virsh("detach-interface", "web", "network", "--mac", row[4], "--live")
        until(lambda: self.virsh("net-port-list", "blue") == "", what="the end of the port")

    def check_port(self):
        """One that no guest has."""
        port = f"<networkport><uuid>{UUID}</uuid><owner><name>mine</name></owner></networkport>"
        self.virsh("net-port-create", "blue", self.write("port.xml", port))
        self.assertEqual(self.virsh("net-port-list", "blue"), UUID)
        self.assertIn("<name>mine</name>", self.virsh("net-port-dumpxml", "blue", UUID))
        self.assertIn("has a port", self.refused("net-port-create", "blue", self.path("port.xml")))
        bad = self.write("bad.xml", "<networkport><bandwidth/></networkport>")
        self.assertIn("the element <bandwidth>", self.refused("net-port-create", "blue", bad))
        self.virsh("net-port-delete", "blue", UUID)
        self.assertEqual(self.virsh("net-port-list", "blue"), "")

    def check_link(self):
        mac = "52:54:00:00:00:77"
        self.virsh("domif-setlink", "web", mac, "down")
        self.assertEqual(self.virsh("domif-getlink", "web", mac), f"{mac} down")
        up = f"<interface type='user'><mac address='{mac}'/><model type='virtio'/><link state='up'/></interface>"
        self.virsh("update-device", "web", self.write("up.xml", up), "--live")
        self.assertEqual(self.virsh("domif-getlink", "web", mac), f"{mac} up")

    def edit(self, *args, editor):
        with mock.patch.dict(os.environ, VISUAL=editor, EDITOR=editor):
            return self.virsh(*args)

    def check_edit(self):
        self.edit("edit", "web", editor=ENTITLE)
        self.assertIn("<title>changed</title>", self.virsh("dumpxml", "web", "--inactive"))
        self.edit("net-edit", "blue", editor=ENTITLE)
        self.assertIn("<title>changed</title>", self.virsh("net-dumpxml", "blue", "--inactive"))
        self.edit("iface-edit", "lo", editor="true")

    def check_snapshots(self):
        wanted = "<domainsnapshot><name>one</name></domainsnapshot>"
        self.virsh("snapshot-create", "web", self.write("snapshot.xml", wanted), "--validate")
        describe = "sed -i 's,</name>,</name><description>changed</description>,'"
        self.edit("snapshot-edit", "web", "one", editor=describe)
        self.assertIn("changed", self.virsh("snapshot-dumpxml", "web", "one"))
        self.virsh("snapshot-delete", "web", "one")

    def check_checkpoints(self):
        """One with the guest's file systems frozen, and a backup that is broken off."""
        self.virsh("checkpoint-create-as", "web", "one", "--quiesce")
        self.assertFalse(self.frozen(self.guest))
        self.edit("checkpoint-edit", "web", "one", editor="true")
        self.virsh("checkpoint-delete", "web", "one")
        pull = (
            f"<domainbackup mode='pull'><server transport='unix' socket='{self.path('nbd')}'/>"
            f"<disks><disk name='vda' type='file'><scratch file='{self.path('scratch')}'/></disk></disks>"
            "</domainbackup>"
        )
        self.virsh("backup-begin", "web", self.write("backup.xml", pull))
        self.virsh("domjobabort", "web")
        until(lambda: "None" in self.virsh("domjobinfo", "web"), what="the end of the backup")

    def check_control(self):
        self.virsh("domdirtyrate-calc", "web", "--seconds", "1")
        #   QEMU would crash.
        said = self.refused("domdirtyrate-calc", "web", "--mode", "dirty-ring")
        self.assertIn("needs a guest of type='kvm'", said)
        said = self.virsh("qemu-agent-command", "web", '{"execute":"guest-ping"}')
        self.assertEqual(said, '{"return":{}}')
        self.virsh("set-user-password", "web", "root", "secret")
        self.virsh("guest-agent-timeout", "web", "--timeout", "0")
        self.assertIn("is not waited for", self.refused("domhostname", "web"))
        self.virsh("guest-agent-timeout", "web", "--timeout", "30")
        self.assertEqual(self.virsh("domhostname", "web"), "web")
        self.assertIn("-3 is none", self.refused("guest-agent-timeout", "web", "--timeout", "-3"))
        self.virsh("guest-agent-timeout", "web", "--timeout", "-1")

    def told(self, *args, again, words):
        """What a virsh that waits for events says, once AGAIN () has made some."""
        self.exercised.add(args[0])
        path = self.path("events.log")
        with open(path, "wb") as log:
            waits = subprocess.Popen(
                ["stdbuf", "-oL", "virsh", "-c", uri(self.daemon, self.connect), *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

        def said():
            again()
            with open(path) as log:
                return re.search(words, log.read())

        try:
            #   Nobody is told when it begins to wait.
            until(said, what=f"{words} of virsh {args}")
        finally:
            waits.kill()
            waits.wait()

    def check_events(self):
        blue = self.write("blue.xml", self.virsh("net-dumpxml", "blue", "--inactive"))
        self.told("net-event", "--event", "lifecycle", "--loop", words="for network blue: Defined",
                  again=lambda: self.virsh("net-define", blue))

        def pause():
            self.virsh("suspend", "web")
            self.virsh("resume", "web")

        #   QEMU's own, by a name, a part of it, and of another guest.
        self.told("qemu-monitor-event", "web", "--event", "stop", "--no-case", "--loop",
                  words="event STOP at [0-9.]+ for domain '?web'?: <null>\nevent STOP", again=pause)
        self.told("qemu-monitor-event", "--event", "^RES.ME$", "--regex", "--loop", words="event RESUME", again=pause)
        self.assertIn("leave out '{'", self.refused("qemu-monitor-event", "--event", "A{9}", "--regex"))
        self.told("event", "web", "--all", "--loop", words="(?s)for domain '?web'?: Suspended.*Resumed", again=pause)

    def check_sleep(self):
        self.virsh("dompmsuspend", "web", "mem")
        self.assertEqual(self.virsh("domstate", "web"), "pmsuspended")
        self.virsh("dompmwakeup", "web")
        until(lambda: self.virsh("domstate", "web") == "running", what="the guest that was woken")
        self.wait_agent(self.guest, "connected")

    def check_life(self):
        """By the agent first: a guest that boots hears no power button."""
        self.virsh("reboot", "web", "--mode", "agent")
        self.virsh("reset", "web")
        self.virsh("shutdown", "web")
        self.virsh("destroy", "web")
        self.virsh("net-destroy", "blue")
