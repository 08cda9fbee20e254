"""Guests of QEMU with devices of the host that are no PCI devices: USB and SCSI, at their start and while they run."""

import json
import os
import re
import signal

import lab
import emulator
from guests import guest
from harness import Daemon, DaemonTest, nothing_half_done, until
from libvirt_client import virsh
from troupe_client import TroupeError

lab.require_lab()


def ids(wanted):
    vendor, product = wanted.split(":")
    return f"<vendor id='0x{vendor}'/><product id='0x{product}'/>"


def place(bus, device):
    return f"<address bus='{bus}' device='{device}'/>"


def usb(source, attributes=""):
    return f"<hostdev mode='subsystem' type='usb' managed='yes'><source{attributes}>{source}</source></hostdev>"


def scsi(target, extra=""):
    host, node = lab.scsi(target)
    return f"""<hostdev mode='subsystem' type='scsi'>
  <source><adapter name='scsi_host{host}'/><address bus='0' target='{target}' unit='0'/></source>{extra}
</hostdev>"""


class OthersTest(DaemonTest):
    def make_daemon(self):
        return emulator.give(super().make_daemon())

    def setUp(self):
        super().setUp()
        lab.until(lambda: len(lab.usb(lab.TABLET)) == 2 and lab.usb(lab.STICK), "USB's devices")
        self.tablets = lab.usb(lab.TABLET)
        self.stick = lab.usb(lab.STICK)[0]
        self.held = os.path.join(self.daemon.root, "run", "troupe", "devices.status")
        self.addCleanup(self.nothing_held)

    def nothing_held(self):
        """With the last guest's end."""
        with self.daemon.client() as client:
            self.destroy_all(client)
        self.none_on_file()

    def none_on_file(self):
        until(lambda: not os.path.exists(self.held), what="the end of what is on file")

    def define(self, name, *devices):
        """In place of what had the name before."""
        self.daemon.run("undefine", name, status=None)
        self.daemon.run("define", self.write(f"{name}.xml", guest(name, *devices)))

    def start(self, name, *devices):
        self.define(name, *devices)
        self.daemon.run("start", name)

    def refused(self, *command):
        done = self.daemon.run(*command, status=None)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1)
        return done.stderr

    def plug(self, verb, name, device, *options, status=0):
        return self.daemon.run(f"{verb}-device", name, self.write("device.xml", device), *options, status=status)

    def shown(self, name):
        return self.daemon.run("dumpxml", name)

    def property(self, name, alias, of):
        ask = {"execute": "qom-get", "arguments": {"path": f"/machine/peripheral/{alias}", "property": of}}
        return json.loads(self.daemon.run("qemu-monitor-command", name, json.dumps(ask)))["return"]

    def usb_of(self, name):
        return self.daemon.run("qemu-monitor-command", name, "--hmp", "info usb")

    def qemu(self, name):
        return int(next(line.split()[0] for line in self.daemon.processes() if f"-name guest={name}," in line))


class Usb(OthersTest):
    def test_start(self):
        """A guest has the one it names, alone, until its end; what is not clear or not there is refused."""
        first, second = self.tablets
        self.define("web1", usb(ids(lab.TABLET)))
        error = self.refused("start", "web1")
        for bus, device in self.tablets:
            self.assertIn(f"bus='{bus}' device='{device}'", error)
        self.start("web1", usb(ids(lab.TABLET) + place(*first)), usb(ids(lab.STICK)))
        self.assertEqual(self.property("web1", "hostdev0", "hostdevice"), "/dev/bus/usb/%03d/%03d" % first)
        self.assertIn("QEMU USB Tablet", self.usb_of("web1"))
        self.assertIn(place(*self.stick), self.shown("web1"))
        self.assertNotIn(place(*self.stick), self.daemon.run("dumpxml", "--inactive", "web1"))
        self.assertNotEqual(lab.usb_driver(*first), "usbhid")
        self.define("web2", usb(place(*first)))
        self.assertIn("domain 'web1' has it", self.refused("start", "web2"))
        self.daemon.kill()
        self.daemon.start()
        until(lambda: "running" in self.daemon.run("domstate", "web1"), what="the guest")
        self.assertIn("domain 'web1' has it", self.refused("start", "web2"))
        self.daemon.run("destroy", "web1")
        until(lambda: lab.usb_driver(*first) == "usbhid", what="its return")
        self.daemon.run("start", "web2")

    def test_missing(self):
        """What is not there is left out if the guest may do without."""
        for policy, starts in (("mandatory", False), ("requisite", False), ("optional", True)):
            with self.subTest(policy=policy):
                self.define("web1", usb(ids("1234:5678"), f" startupPolicy='{policy}'"))
                if not starts:
                    self.assertIn("no USB device 1234:5678", self.refused("start", "web1"))
        self.daemon.run("start", "web1")
        self.assertNotIn("<hostdev", self.shown("web1"))
        self.assertIn("<hostdev", self.daemon.run("dumpxml", "--inactive", "web1"))
        self.assertIn("is a hub", self.plug("attach", "web1", usb(place(self.stick[0], 1)), status=None).stderr)

    def test_saved(self):
        """A saved guest goes on without what is not there any more, and has it again when it is back."""
        image = os.path.join(self.daemon.root, "image")
        self.addCleanup(lab.plug_usb_again)
        self.start("web1", usb(ids(lab.STICK), " startupPolicy='requisite'"))
        self.daemon.run("save", "web1", image)
        lab.remove_usb(*self.stick)
        self.assertIn("no USB device", self.refused("start", "web1"))
        self.daemon.run("restore", image)
        self.assertIn("missing='yes'", self.shown("web1"))
        self.assertNotIn(place(*self.stick), self.shown("web1"))
        self.none_on_file()
        self.daemon.run("save", "web1", image)
        lab.plug_usb_again()
        lab.until(lambda: lab.usb(lab.STICK), "the disk")
        self.daemon.run("restore", image)
        self.assertIn(place(*lab.usb(lab.STICK)[0]), self.shown("web1"))
        self.assertNotIn("missing", self.shown("web1"))
        self.assertTrue(os.path.exists(self.held))

    def test_plug(self):
        """It comes to a running guest and goes, live and in the definition, by virsh as well."""
        first, second = self.tablets
        self.start("web1")
        self.start("web2", usb(place(*second)))
        self.plug("attach", "web1", usb(ids(lab.STICK)), "--live", "--config")
        self.assertIn(place(*self.stick), self.shown("web1"))
        self.assertIn("QEMU USB", self.usb_of("web1"))
        self.assertIn("domain 'web2' has it",
                      self.plug("attach", "web1", usb(place(*second)), status=None).stderr)
        self.assertIn("two hostdevs are the host's device", self.plug("attach", "web1", usb(place(*self.stick)), status=None).stderr)
        self.assertIn("several USB devices", self.plug("attach", "web1", usb(ids(lab.TABLET)), status=None).stderr)
        self.assertEqual(self.shown("web1").count("<hostdev"), 1)
        device = self.write("tablet.xml", usb(place(*first)))
        virsh(self.daemon, "attach-device", "web1", device, connect="qemu:///system")
        self.assertNotEqual(lab.usb_driver(*first), "usbhid")
        virsh(self.daemon, "detach-device", "web1", device, connect="qemu:///system")
        until(lambda: lab.usb_driver(*first) == "usbhid", what="its return")
        self.plug("detach", "web1", usb(ids(lab.STICK)), "--live", "--config")
        for options in ((), ("--inactive",)):
            self.assertNotIn("<hostdev", self.daemon.run("dumpxml", *options, "web1"))
        self.plug("attach", "web2", usb(ids(lab.STICK)))

    def test_guest_is_gone(self):
        """QEMU is killed, once with the daemon, once without: others can have its device."""
        device = usb(ids(lab.STICK))
        self.define("web2", device)
        self.start("web1", device)
        os.kill(self.qemu("web1"), signal.SIGKILL)
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="the guest's end")
        self.daemon.run("start", "web1")
        pid = self.qemu("web1")
        self.daemon.kill()
        os.kill(pid, signal.SIGKILL)
        self.daemon.start()
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="the guest's end")
        until(lambda: self.daemon.run("start", "web2", status=None).returncode == 0, what="its device")

    def test_killed_while_qemu_attaches(self):
        """The daemon is killed when it has told QEMU: QEMU decides, and the device is nobody's or the guest's."""
        self.start("web1")
        pid = self.qemu("web1")
        os.kill(pid, signal.SIGSTOP)
        with self.daemon.client() as client:
            client.send("domain.device_attach", domain="web1", xml=usb(ids(lab.STICK)))
            until(lambda: os.path.exists(self.held), what="that it is on file")
            self.daemon.kill()
        os.kill(pid, signal.SIGCONT)
        self.daemon.start()
        with self.daemon.client() as client:
            nothing_half_done(client, "web1")
        self.assertIn("running", self.daemon.run("domstate", "web1"))
        until(lambda: self.shown("web1").count("<hostdev") == os.path.exists(self.held), what="one of the two")


class Scsi(OthersTest):
    def nodes(self, name):
        said = self.daemon.run("qemu-monitor-command", name, json.dumps({"execute": "query-named-block-nodes"}))
        return {node["node-name"]: (node["file"], node["ro"]) for node in json.loads(said)["return"]}

    def test_start(self):
        """A guest has the disk as it is, alone, or with others that say so."""
        self.start("web1", scsi(1), scsi(2, "<readonly/><shareable/>"))
        self.assertEqual(self.nodes("web1"), {"host-hostdev0": (f"/dev/{lab.scsi(1)[1]}", False),
                                              "host-hostdev1": (f"/dev/{lab.scsi(2)[1]}", True)})
        self.define("web2", scsi(1, "<shareable/>"))
        self.assertIn("domain 'web1' has it", self.refused("start", "web2"))
        self.start("web2", scsi(2, "<readonly/><shareable/>"))
        self.define("web3", scsi(2))
        self.assertIn("has it", self.refused("start", "web3"))
        self.daemon.run("destroy", "web1")
        self.assertIn("domain 'web2' has it", self.refused("start", "web3"))
        self.daemon.run("destroy", "web2")
        self.daemon.run("start", "web3")
        self.define("web1", scsi(1).replace("target='1'", "target='9'"))
        self.assertIn("no SCSI device", self.refused("start", "web1"))

    def test_plug(self):
        """With the controller that it needs; at the end QEMU has nothing of it open any more."""
        self.start("web1", "<controller type='pci' index='0' model='pcie-root'/>" +
                   "".join(f"<controller type='pci' index='{i}' model='pcie-root-port'/>" for i in range(1, 4)))
        for turn in range(2):
            self.plug("attach", "web1", scsi(1))
            self.assertEqual(list(self.nodes("web1")), ["host-hostdev0"])
            self.assertIn("type='drive'", self.shown("web1"))
            self.plug("detach", "web1", scsi(1))
            self.assertEqual(self.nodes("web1"), {})
            self.assertNotIn("<hostdev", self.shown("web1"))
        self.define("web2", scsi(1))
        self.daemon.run("start", "web2")
        self.assertIn("domain 'web2' has it", self.plug("attach", "web1", scsi(1), status=None).stderr)
        self.assertEqual(self.nodes("web1"), {})


class HugePages(OthersTest):
    def test_start(self):
        """A guest's memory is in those that the host has; the next guest finds them free again, or is refused."""
        pages = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages"
        with open(pages, "w") as file:
            file.write("40")
        for name in ("web1", "web2"):
            xml = guest(name).replace("<vcpu>", "<memoryBacking><hugepages/></memoryBacking><vcpu>")
            self.daemon.run("define", self.write(f"{name}.xml", xml))
        self.daemon.run("start", "web1")
        with open(f"/proc/{self.qemu('web1')}/smaps") as file:
            _, memory = file.read().split("memory-backend-memfd", 1)
        self.assertEqual(re.search(r"KernelPageSize: +(\d+) kB", memory).group(1), "2048")
        self.assertIn("huge pages of 2048 KiB", self.refused("start", "web2"))
        self.daemon.run("destroy", "web1")
        self.daemon.run("start", "web2")
        self.daemon.run("destroy", "web2")


class Moved(OthersTest):
    """To another daemon of the same host, whose addresses and devices both share."""

    def setUp(self):
        super().setUp()
        self.other = emulator.give(Daemon())
        self.addCleanup(self.other.remove)
        self.addCleanup(self.other.stop)
        self.other.start()

    def migrate(self, to, *options, status=0):
        daemon = self.daemon if to is self.other else self.other
        return daemon.run("migrate", "web1", to.endpoint(), "--live", *options, status=status)

    def cid(self, daemon):
        ask = {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/vsock0", "property": "guest-cid"}}
        cid = json.loads(daemon.run("qemu-monitor-command", "web1", json.dumps(ask)))["return"]
        self.assertIn(f"address='{cid}'", daemon.run("dumpxml", "web1"))
        return cid

    def test_vsock(self):
        """An automatic address becomes another one where it is taken; a fixed one stays, or the guest does."""
        self.start("web1", "<vsock model='virtio'><cid auto='yes'/></vsock>")
        self.assertEqual(self.cid(self.daemon), 3)
        self.migrate(self.other)
        self.assertEqual(self.cid(self.other), 4)
        self.none_on_file()
        self.migrate(self.daemon)
        self.assertEqual(self.cid(self.daemon), 3)
        self.daemon.run("destroy", "web1")
        self.start("web1", "<vsock model='virtio'><cid auto='no' address='9'/></vsock>")
        refused = self.migrate(self.other, status=None)
        self.assertRegex(refused.stderr, "the vsock's CID 9: the kernel says that it is taken on this host")
        self.assertIn("running", self.daemon.run("domstate", "web1"))
        self.assertEqual(self.other.run("list", "--all", "--name").strip(), "")

    def test_usb(self):
        """The guest has it there as here, and nobody else; it goes back when the guest has gone."""
        self.start("web1", usb(ids(lab.STICK)))
        self.assertIn("QEMU USB", self.usb_of("web1"))
        self.migrate(self.other)
        self.none_on_file()
        self.assertIn("QEMU USB", self.other.run("qemu-monitor-command", "web1", "--hmp", "info usb"))
        self.assertIn(place(*self.stick), self.other.run("dumpxml", "web1"))
        self.migrate(self.daemon)
        self.assertIn("QEMU USB", self.usb_of("web1"))


if __name__ == "__main__":
    import unittest
    unittest.main()
