"""Every command of virsh: it works here, or in another test, or is refused in words that say why."""

import os
import re
import shlex
import subprocess
import unittest
from unittest import mock
from xml.etree import ElementTree

from guest import AGENT_DEVICES, AgentTest, processes_of
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
    "test_libvirt_memory": "update-memory-device",
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

#   What it can't be: the function behind "this function is not supported by the connection driver: ".
UNSUPPORTED = {
    "virConnectDomainXMLFromNative": [["domxml-from-native", "qemu-argv", "XML"]],
    "virConnectFindStoragePoolSources": [
        ["find-storage-pool-sources", "dir"],
        ["find-storage-pool-sources-as", "dir"],
    ],
    "virConnectGetStoragePoolCapabilities": [["pool-capabilities"]],
    "virConnectListAllNWFilterBindings": [["nwfilter-binding-list"]],
    "virConnectNumOfNWFilters": [["nwfilter-list"]],
    "virConnectNumOfSecrets": [["secret-list"]],
    "virConnectNumOfStoragePools": [["pool-list"]],
    "virDomainQemuAttach": [["qemu-attach", "1"]],
    "virDomainFDAssociate": [["dom-fd-associate", "web", "n", "0"]],
    "virDomainGetLaunchSecurityInfo": [["domlaunchsecinfo", "web"]],
    "virDomainSetLaunchSecurityState": [
        ["domsetlaunchsecstate", "web", "--secrethdr", "XML", "--secret", "XML"],
    ],
    "virDomainLxcOpenNamespace": [["lxc-enter-namespace", "web", "--", "/bin/true"]],
    "virInterfaceChangeBegin": [["iface-begin"]],
    "virInterfaceChangeCommit": [["iface-commit"]],
    "virInterfaceChangeRollback": [["iface-rollback"]],
    "virInterfaceCreate": [["iface-start", "lo"]],
    "virInterfaceDefineXML": [["iface-bridge", "lo", "br0"], ["iface-define", "XML"]],
    "virInterfaceDestroy": [["iface-destroy", "lo"]],
    "virInterfaceUndefine": [["iface-undefine", "lo"]],
    "virNodeDeviceCreate": [["nodedev-start", "computer"]],
    "virNodeDeviceCreateXML": [["nodedev-create", "XML"]],
    "virNodeDeviceDefineXML": [["nodedev-define", "XML"]],
    "virNodeDeviceDestroy": [["nodedev-destroy", "computer"]],
    "virNodeDeviceSetAutostart": [["nodedev-autostart", "computer"]],
    "virNodeDeviceUndefine": [["nodedev-undefine", "computer"]],
    "virNodeGetSEVInfo": [["nodesevinfo"]],
    "virNodeSuspendForDuration": [["nodesuspend", "mem", "60"]],
    "virNWFilterBindingCreateXML": [["nwfilter-binding-create", "XML"]],
    "virNWFilterBindingLookupByPortDev": [["nwfilter-binding-delete", "x"], ["nwfilter-binding-dumpxml", "x"]],
    "virNWFilterDefineXML": [["nwfilter-define", "XML"]],
    "virNWFilterLookupByName": [["nwfilter-dumpxml", "x"], ["nwfilter-edit", "x"], ["nwfilter-undefine", "x"]],
    "virSecretDefineXML": [["secret-define", "XML"]],
    "virSecretLookupByUUID": [
        ["secret-dumpxml", UUID],
        ["secret-get-value", UUID],
        ["secret-set-value", UUID, "aaaa"],
        ["secret-undefine", UUID],
    ],
    "virStoragePoolCreateXML": [["pool-create", "XML"], ["pool-create-as", "x", "dir", "--target", "/x"]],
    "virStoragePoolDefineXML": [["pool-define", "XML"], ["pool-define-as", "x", "dir", "--target", "/x"]],
    "virStoragePoolLookupByUUID": [["pool-name", UUID]],
    "virStoragePoolLookupByName": [
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
    "virStorageVolLookupByPath": [["vol-name", "/x"], ["vol-pool", "/x"]],
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
            self.check_native,
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
        for function, commands in UNSUPPORTED.items():
            for words in commands:
                said = self.refused(*[files.get(word, word) for word in words])
                self.assertRegex(said, f"this function is not supported by the connection driver: {function}\n", words)

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

    def check_native(self):
        """The command line is the one that the guest was started with, by its definition and by its XML of now."""
        (pid,) = processes_of(self.guest.uuid)
        with open(f"/proc/{pid}/cmdline") as file:
            started = file.read().split("\0")[:-1]
        now = self.write("now.xml", self.virsh("dumpxml", "web"))
        for words in (["--domain", "web"], [now]):
            #   A shell has lines that end so go on.
            said = shlex.split(self.virsh("domxml-to-native", "qemu-argv", *words).replace("\\\n", ""))
            self.assertEqual(said[0], "LC_ALL=C")
            self.assertEqual(said[3:], started)
        self.assertIn("has qemu-argv", self.refused("domxml-to-native", "lxc-tools", now))
        self.assertIn("the root element is <nothing>", self.refused("domxml-to-native", "qemu-argv", self.xml))

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
        #   Unless it has come up by then and heard the button.
        self.virsh("destroy", "web", status=None)
        self.assertEqual(self.virsh("domstate", "web"), "shut off")
        self.virsh("net-destroy", "blue")
