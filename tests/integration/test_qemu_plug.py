"""Devices that come and go while a guest runs: a Linux that lets go of them, and one that does not."""

import json
import os
import re
import socket
import unittest
from xml.etree import ElementTree

from guest import Guest, QemuTest, qemu_domain
from harness import PATIENCE, until
from netns import InNamespace
from troupe_client import TroupeError

CONSOLE = "<console type='pty'/>"
RNG = "<rng model='virtio'><backend model='random'/>{}</rng>"


def channel(path, name):
    source = f"<source mode='bind' path='{path}'/>"
    return f"<channel type='unix'>{source}<target type='virtio' name='{name}'/></channel>"


class Devices(QemuTest):
    """What tests of devices do with a guest."""

    def image(self, name, mib=8):
        path = os.path.join(self.daemon.root, name)
        with open(path, "wb") as file:
            file.truncate(mib << 20)
        return path

    def disk(self, target, bus="virtio", path=None):
        path = path or self.image(f"{target}.raw")
        return f"<disk type='file'><source file='{path}'/><target dev='{target}' bus='{bus}'/></disk>"

    def devices(self, guest, **args):
        xml = self.client.call("domain.xml", domain=guest.uuid, **args)["xml"]
        return ElementTree.fromstring(xml).find("devices")

    def targets(self, guest, **args):
        return [each.get("dev") for each in self.devices(guest, **args).findall("disk/target")]

    def attach(self, guest, xml, **args):
        self.client.call("domain.device_attach", domain=guest.uuid, xml=xml, **args)

    def detach(self, guest, xml, **args):
        self.client.call("domain.device_detach", domain=guest.uuid, xml=xml, timeout=120, **args)

    def monitor(self, guest, command):
        told = json.dumps(command)
        return self.client.call("domain.monitor_command", domain=guest.uuid, command=told)["reply"]

    def wait_event(self, event, device):
        said = self.client.next_event("domain.device", timeout=PATIENCE)["args"]
        self.assertEqual((said["event"], said["device"]), (event, device))


class Plug(Devices):
    def test_guest_lets_go(self):
        """What is attached is there, for the guest too; what is detached is gone, once the guest let go
        of it, and everything that it had with it."""
        (guest,) = self.boot("web1", devices=CONSOLE)
        self.client.call("event.subscribe", verbs=["domain.device"])
        self.attach(guest, self.disk("vdb"), live=True, config=True)
        self.wait_event("added", "virtio-disk1")
        self.assertEqual(self.targets(guest), ["vdb"])
        self.assertEqual(self.targets(guest, inactive=True), ["vdb"])
        until(lambda: guest.run("cat /sys/block/vda/size") == "16384", what="the disk in the guest")
        with self.assertRaisesRegex(TroupeError, "another device has the same target 'vdb'"):
            self.attach(guest, self.disk("vdb"))
        self.detach(guest, "<disk><target dev='vdb'/></disk>", live=True, config=True)
        self.wait_event("removed", "virtio-disk1")
        self.assertEqual(self.targets(guest) + self.targets(guest, inactive=True), [])
        self.assertEqual(guest.run("ls /sys/block | grep vd"), "")
        self.interface(guest)
        self.rng(guest)
        self.untold(guest)
        self.restarted(guest)

    def interface(self, guest):
        """By the command line, as virsh has it; the network's card has the same address in both."""
        self.daemon.run("attach-interface", "web1", "user", "--model", "virtio", "--persistent")
        (live,) = self.devices(guest).findall("interface")
        (config,) = self.devices(guest, inactive=True).findall("interface")
        mac = live.find("mac").get("address")
        self.assertEqual(config.find("mac").get("address"), mac)
        until(lambda: guest.run("cat /sys/class/net/eth0/address") == mac, what="the guest's card")
        self.daemon.run("detach-interface", "web1", "user", "--persistent")
        self.assertEqual(self.devices(guest).findall("interface"), [])
        self.assertEqual(self.devices(guest, inactive=True).findall("interface"), [])
        self.assertEqual(guest.run("ls /sys/class/net"), "lo")

    def command_line(self):
        """What attach-interface makes of its options, as virsh has them."""
        for words, made in [
            ("hostdev 0000:01:10.2 --managed --mac 52:54:00:11:22:33",
             "<interface type='hostdev' managed='yes'><source><address type='pci' domain='0x0000' bus='0x01' "
             "slot='0x10' function='0x2'/></source><mac address='52:54:00:11:22:33'/></interface>"),
            ("bridge br0 --target t0 --script /s --inbound 9",
             "<interface type='bridge'><source bridge='br0'/><target dev='t0'/><script path='/s'/>"
             "<bandwidth><inbound average='9'/></bandwidth></interface>"),
            ("vhostuser /s --source-mode server",
             "<interface type='vhostuser'><source type='unix' path='/s' mode='server'/></interface>"),
        ]:
            printed = self.daemon.run("attach-interface", "web1", *words.split(), "--print-xml")
            self.assertEqual(re.sub(r"\n *", "", printed), made)
        for words in ("hostdev eth0", "hostdev 01:10.2", "hostdev 0:1:10.2x", "hostdev", "vhostuser /s", "vdpa /s"):
            self.daemon.run("attach-interface", "web1", *words.split(), "--print-xml", status=2)

    def rng(self, guest):
        """Detached by its alias; another one has that then."""
        for unused in range(2):
            self.attach(guest, "<rng model='virtio'><backend model='random'/></rng>")
            (alias,) = [each.get("name") for each in self.devices(guest).findall("rng/alias")]
            self.assertEqual(alias, "rng0")
            self.daemon.run("detach-device-alias", "web1", alias)

    def untold(self, guest):
        """Detached without waiting; QEMU 7.2 does not tell of the end of a USB controller."""
        self.attach(guest, "<controller type='usb' model='qemu-xhci' index='3'/>")
        self.assertIn("usb3", self.daemon.run("dumpxml", "web1"))
        self.client.call("domain.device_detach", domain=guest.uuid, alias="usb3", wait_ms=0)
        until(lambda: "usb3" not in self.daemon.run("dumpxml", "web1"), what="the controller's end")

    def let_go(self, uuid, alias):
        """Has the guest let go of a device while no daemon listens."""
        path = os.path.join(self.daemon.root, "run", "troupe", "qemu", f"{uuid}.monitor")
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(PATIENCE)
            monitor.connect(path)
            lines = monitor.makefile("rw")
            for command in [
                {"execute": "qmp_capabilities"},
                {"execute": "device_del", "arguments": {"id": alias}},
            ]:
                lines.write(json.dumps(command))
                lines.flush()
            while f'"device": "{alias}"' not in lines.readline():
                pass

    def restarted(self, guest):
        """What goes while the daemon is away is noticed by the next one; so is what goes without a
        job of its own."""
        self.daemon.run("attach-disk", "web1", self.image("vdc.raw"), "vdc")
        self.daemon.run("attach-disk", "web1", self.image("vdd.raw"), "vdd")
        self.daemon.kill()
        self.let_go(guest.uuid, "virtio-disk2")
        self.restart()
        until(lambda: self.targets(guest) == ["vdd"], what="the end of vdc")
        self.client.call("event.subscribe", verbs=["domain.device"])
        self.monitor(guest, {"execute": "device_del", "arguments": {"id": "virtio-disk3"}})
        self.wait_event("removed", "virtio-disk3")
        self.assertEqual(self.targets(guest), [])
        self.assertNotIn("disk-vd", self.monitor(guest, {"execute": "query-named-block-nodes"}))

    def test_refusals(self):
        """What can't be done changes nothing, and says why."""
        guest = self.start("web1", devices=CONSOLE)
        before = self.client.call("domain.xml", domain=guest.uuid)["xml"]
        for xml, why in [
            (self.disk("sdb", "sata"), "virtio, scsi and usb"),
            ("<controller type='pci' model='pci-bridge'/>", "no hot-plug of such controllers"),
            ("<input type='keyboard' bus='ps2'/>", "PS/2 has no hot-plug"),
            ("<tpm model='tpm-tis'/>", "not supported: tpm: no guest can have such a device"),
            ("<disk><target dev='vdb'/></disk>", "it has no <source"),
            (self.disk("vdb", path="/nowhere"), "can't use the file '/nowhere'"),
            (RNG.format("<address type='pci' bus='7' slot='1'/>"), "has no PCI bus 0x07; leave its <address>"),
            (RNG.format("<address type='pci' slot='9' function='1'/>"), "whose function 0 is empty"),
            ("<nonsense/>", "<nonsense>: there is no device of this name"),
            ("<filesystem/>", "filesystem: containers have it, guests of QEMU do not"),
            (self.disk("vdb").replace("<target", "<driver queues='1025'/><target"), "queues is '1025', not a whole"),
            (RNG.format("<address type='usb' bus='0' port='1'/>"), "of type 'usb'; it has to be of type 'pci'"),
            ("<domain/>", "root element"),
        ]:
            with self.subTest(xml=xml), self.assertRaisesRegex(TroupeError, why):
                self.attach(guest, xml)
        with self.assertRaisesRegex(TroupeError, "there is no device .disk. with vdb"):
            self.detach(guest, "<disk><target dev='vdb'/></disk>")
        with self.assertRaisesRegex(TroupeError, "the disk.*|no device"):
            self.detach(guest, self.disk("vdb"), live=True, config=True)
        self.assertEqual(self.client.call("domain.xml", domain=guest.uuid)["xml"], before)
        self.command_line()
        self.taken(guest)
        self.taken_by_others(guest)
        self.client.call("domain.destroy", domain=guest.uuid)
        with self.assertRaisesRegex(TroupeError, "is not running"):
            self.attach(guest, self.disk("vdb"), live=True)
        self.daemon.run("attach-disk", "web1", self.image("vdb.raw"), "vdb")
        self.assertEqual(self.targets(guest), ["vdb"])

    def taken_by_others(self, guest):
        """A MAC, and an image that is open; an alias that is none of the user's does not count."""
        mac = "52:54:00:AA:00:01"
        card = f"<interface type='user'><mac address='{mac}'/><alias name='{{}}'/></interface>"
        self.attach(guest, card.format("channel0"), live=True, config=True)
        self.assertEqual(self.devices(guest).find("interface/alias").get("name"), "net0")
        for scope, what in [("live", "as it runs"), ("config", "as it is defined")]:
            with self.assertRaisesRegex(TroupeError, f"{what}: it has an interface with the MAC '{mac.lower()}'"):
                self.attach(guest, card.format("net1").lower(), **{scope: True})
        self.attach(guest, self.disk("vdc"))
        path = self.image("vdc.raw")
        with self.assertRaisesRegex(TroupeError, f"disk 'vdd', {path}: .*\"write\" lock"):
            self.attach(guest, self.disk("vdd", path=path))
        other = self.client.call("domain.define", xml=qemu_domain("web2", devices=self.disk("vda", path=path)))
        with self.assertRaisesRegex(TroupeError, f"disk-vda.*\"write\" lock.*{path}"):
            self.client.call("domain.create", domain=other["uuid"])

    def taken(self, guest):
        """A channel keeps its socket while another one wants it, or its name."""
        path = os.path.join(self.daemon.root, "org.x")
        first, other = channel(path, "org.x"), os.path.join(self.daemon.root, "org.y")
        self.attach(guest, first)
        inode = os.stat(path).st_ino
        for xml, why in [
            (first, "channel 'org.x': another device has the same target name 'org.x'"),
            (channel(other, "org.x"), "another device has the same target name 'org.x'"),
            (channel(path, "org.y"), f"channel 'org.y': channel 'org.x' listens at the same socket '{path}'"),
            (channel("org.y", "org.y"), "source/@path 'org.y' is not an absolute path"),
        ]:
            with self.subTest(xml=xml), self.assertRaisesRegex(TroupeError, why):
                self.attach(guest, xml)
        self.assertEqual(os.stat(path).st_ino, inode)
        self.assertFalse(os.path.exists(other))
        monitor = f"{self.daemon.root}/run/troupe/qemu/{guest.uuid}.monitor"
        with self.assertRaisesRegex(TroupeError, f"its socket '{monitor}' is in the daemon's own folder"):
            self.attach(guest, channel(monitor, "org.y"))
        self.client.call("domain.define", xml=qemu_domain("web3", devices=channel(path, "org.x")))
        with self.assertRaisesRegex(TroupeError, f"channel 'org.x': another .* listens at its socket '{path}'"):
            self.client.call("domain.create", domain="web3")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
        self.attach(guest, channel(other, "org.y"))
        self.assertTrue(os.path.exists(other))


    def test_updates(self):
        """Media, links and passwords of a running guest; what else is changed is refused."""
        devices = (
            f"<disk type='file' device='cdrom'><source file='{self.image('one.iso')}'/>"
            "<target dev='hdc' bus='ide'/></disk><interface type='user'><model type='virtio'/>"
            "<mac address='52:54:00:00:00:01'/></interface>"
            "<graphics type='vnc' autoport='yes' passwd='first'/>"
        )
        guest = self.start("web1", devices=CONSOLE + devices)
        self.media(guest)
        self.link(guest)
        secret = "<graphics type='vnc' autoport='yes' passwd='second'/>"
        self.client.call("domain.device_update", domain=guest.uuid, xml=secret)
        (graphics,) = self.devices(guest, security_info=True).findall("graphics")
        self.assertEqual(graphics.get("passwd"), "second")
        self.assertGreater(int(graphics.get("port")), 0)
        with self.assertRaisesRegex(TroupeError, "another @autoport, while the guest runs"):
            other = "<graphics type='vnc' autoport='no' passwd='second'/>"
            self.client.call("domain.device_update", domain=guest.uuid, xml=other)
        with self.assertRaisesRegex(TroupeError, "nothing of it that can be changed"):
            self.client.call("domain.device_update", domain=guest.uuid, xml="<memballoon model='virtio'/>")

    def medium(self, guest):
        """In the drive, says QEMU; and the document says the same."""
        told = json.loads(self.monitor(guest, {"execute": "query-block"}))["return"]
        (file,) = [each.get("inserted", {}).get("file") for each in told if "ide" in each.get("qdev", "")]
        source = self.devices(guest).find("disk/source")
        self.assertEqual(source is not None and source.get("file") or None, file)
        return file and os.path.basename(file)

    def media(self, guest):
        other = self.image("two.iso")
        self.assertEqual(self.medium(guest), "one.iso")
        self.daemon.run("change-media", "web1", "hdc", other)
        self.assertEqual(self.medium(guest), "two.iso")
        self.daemon.run("change-media", "web1", "hdc", "--eject", "--live", "--config")
        self.assertIsNone(self.medium(guest))
        self.assertIsNone(self.devices(guest, inactive=True).find("disk/source"))
        self.daemon.run("change-media", "web1", "hdc", "--eject", status=1)
        self.daemon.run("change-media", "web1", "hdc", "/nowhere", "--insert", status=1)
        self.assertIsNone(self.medium(guest))
        self.daemon.run("change-media", "web1", "hdc", other, "--insert")
        self.assertEqual(self.medium(guest), "two.iso")
        self.medium_stays(guest, other)

    def medium_stays(self, guest, path):
        """Also if there is no file of it any more, which could not be opened again; and so does an open tray."""
        bad = f"<disk device='cdrom'><driver type='qcow2'/><source file='{self.image('bad.iso')}'/><target dev='hdc' bus='ide'/></disk>"
        os.unlink(path)
        qdev = {"id": "ide0-1-0"}
        for is_open in (False, True):
            if is_open:
                self.monitor(guest, {"execute": "blockdev-open-tray", "arguments": qdev | {"force": True}})
            with self.assertRaisesRegex(TroupeError, "disk 'hdc'.*bad.iso.*not in qcow2 format"):
                self.client.call("domain.device_update", domain=guest.uuid, xml=bad)
            (drive,) = json.loads(self.monitor(guest, {"execute": "query-block"}))["return"]
            self.assertEqual((drive["tray_open"], drive["inserted"]["file"]), (is_open, path))
        self.monitor(guest, {"execute": "blockdev-close-tray", "arguments": qdev})
        self.assertNotIn("bad.iso", self.monitor(guest, {"execute": "query-named-block-nodes"}))

    def link(self, guest):
        mac = "52:54:00:00:00:01"
        self.assertEqual(self.daemon.run("domif-getlink", "web1", mac), f"{mac} up\n")
        self.daemon.run("domif-setlink", "web1", mac, "down")
        self.assertEqual(self.daemon.run("domif-getlink", "web1", mac), f"{mac} down\n")
        self.assertEqual(self.daemon.run("domif-getlink", "web1", mac, "--config"), f"{mac} up\n")
        self.daemon.run("domif-setlink", "web1", mac, "up")
        other = f"<interface type='user'><mac address='{mac}'/><model type='e1000'/></interface>"
        with self.assertRaisesRegex(TroupeError, "another model, while the guest runs"):
            self.client.call("domain.device_update", domain=guest.uuid, xml=other)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class PlugBridge(InNamespace, Devices):
    def taps(self):
        return [name for name in self.space.links() if name not in ("lo", "br0")]

    def test_bridge(self):
        """PCI Express: a card in the port that is free; its link comes and goes with it, and what does
        not fit leaves nothing."""
        (guest,) = self.boot("web1", devices=CONSOLE, machine="q35")
        self.daemon.run("attach-interface", "web1", "bridge", "br0", "--model", "virtio")
        (tap,) = self.taps()
        self.assertIn("master br0", self.space.ip("link", "show", "dev", tap))
        until(lambda: "eth0" in guest.run("ls /sys/class/net"), what="the guest's card")
        guest.run("ifconfig eth0 10.9.0.2 netmask 255.255.255.0 up")
        self.assertTrue(guest.reaches("10.9.0.1"))
        self.moved(guest, tap)
        with self.assertRaisesRegex(TroupeError, "no PCI slot of the running guest is free"):
            self.attach(guest, self.disk("vdb"))
        with self.assertRaisesRegex(TroupeError, "conventional PCI device.*pcie-to-pci-bridge"):
            self.attach(guest, "<interface type='bridge'><source bridge='br0'/><model type='e1000'/></interface>")
        with self.assertRaisesRegex(TroupeError, "only PCI Express ports have hot-plug"):
            place = "<address type='pci' bus='0x00' slot='0x0a'/></disk>"
            self.attach(guest, self.disk("vdb").replace("</disk>", place))
        self.daemon.kill()
        self.restart()
        self.assertEqual(self.taps(), [tap])
        self.daemon.run("detach-interface", "web1", "bridge")
        self.assertEqual(self.taps(), [])
        again = Guest(self, guest.uuid).open()  # the daemon was another one before
        until(lambda: again.run("ls /sys/class/net") == "lo", what="the end of the guest's card")
        with self.assertRaisesRegex(TroupeError, "'none'"):
            self.attach(guest, "<interface type='bridge'><source bridge='none'/><model type='virtio'/></interface>")
        self.attach(guest, self.disk("vdb"))
        self.assertEqual((self.targets(guest), self.taps()), (["vdb"], []))


    def moved(self, guest, tap):
        """Into another bridge, and back, while the guest has its card."""
        self.space.ip("link", "add", "br1", "type", "bridge")
        before = ElementTree.tostring(self.devices(guest).find("interface")).decode()
        for bridge in ["br1", "br0"]:
            xml = before.replace('"br0"', f'"{bridge}"')
            self.client.call("domain.device_update", domain=guest.uuid, xml=xml)
            self.assertIn(f"master {bridge}", self.space.ip("link", "show", "dev", tap))
            self.assertEqual(self.devices(guest).find("interface/source").get("bridge"), bridge)
            with self.assertRaisesRegex(TroupeError, "'none'"):
                self.client.call(
                    "domain.device_update", domain=guest.uuid, xml=before.replace('"br0"', '"none"')
                )
            self.assertIn(f"master {bridge}", self.space.ip("link", "show", "dev", tap))
        self.space.ip("link", "del", "br1")


if __name__ == "__main__":
    unittest.main()
