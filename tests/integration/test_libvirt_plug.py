"""libvirt's clients plug one device of each kind into a guest that runs, and take it out again."""

import json
import os
import unittest
from xml.etree import ElementTree

import libvirt

import plug
from guest import QemuTest
from harness import until
from libvirt_client import Virsh, uri
from libvirt_events import EventLoop
from netns import InNamespace

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
BOTH = LIVE | CONFIG

#   What the guest has from its start on.
DEVICES = """<console type='pty'/><controller type='usb' model='qemu-xhci' ports='15'/>
<controller type='scsi' model='virtio-scsi'/><controller type='virtio-serial'/>"""
NAT = """<network><name>blue</name><forward mode='nat'/><bridge name='blue0'/>
<ip address='10.77.0.1' netmask='255.255.255.0'/></network>"""

GREEN = """<network><name>green</name><bridge name='green0'/></network>"""
#   It gives no bridge.
POOL = "<network><name>pool</name><forward mode='bridge'><interface dev='eth7'/></forward></network>"


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Plug(InNamespace, Virsh, QemuTest):
    connect = "qemu:///system"
    bridges = {"br0": "10.9.0.1/24", "br1": "10.9.1.1/24"}

    def make_daemon(self):
        daemon = super().make_daemon()
        self.space.ip("link", "add", "eth7", "type", "veth", "peer", "name", "eth8")
        return daemon

    #   What there is.

    def xml(self, inactive=False):
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE if inactive else 0
        return ElementTree.fromstring(self.domain.XMLDesc(flags | libvirt.VIR_DOMAIN_XML_SECURE))

    def shown(self, inactive=False):
        """Each device as text, sorted."""
        return sorted(ElementTree.tostring(each).decode() for each in self.xml(inactive).find("devices"))

    def has(self):
        return plug.has(self.client, "web1")

    def host(self):
        return {
            "links": set(self.space.links()),
            "ports": len(self.client.call("network.ports", network="blue")),
        }

    #   A device of each kind: its name here, the XML.

    def image(self, name, mib=1):
        path = os.path.join(self.daemon.root, name)
        with open(path, "wb") as file:
            file.truncate(mib << 20)
        return path

    def disk(self, target, bus, extra="", device="disk"):
        path = self.image(f"{target}.raw")
        return (f"<disk type='file' device='{device}'><source file='{path}'/><target dev='{target}' bus='{bus}'/>"
                f"{extra}</disk>")

    def interface(self, number, kind, source, extra="", model="virtio"):
        return (f"<interface type='{kind}'><mac address='52:54:00:77:00:{number:02x}'/>{source}"
                f"<model type='{model}'/>{extra}</interface>")

    def kinds(self):
        root = self.daemon.root
        bridge = "<source bridge='br0'/>"
        return {
            "virtio disk": self.disk("vdb", "virtio", "<serial>one</serial>"),
            "own alias": self.disk("vdc", "virtio", "<alias name='ua-mine'/>"),
            "scsi disk": self.disk("sda", "scsi"),
            "usb disk": self.disk("sdb", "usb"),
            "scsi cdrom": self.disk("sdc", "scsi", "<readonly/>", "cdrom"),
            "bridge": self.interface(1, "bridge", bridge),
            "network": self.interface(2, "network", "<source network='blue'/>"),
            "direct": self.interface(3, "direct", "<source dev='eth7' mode='bridge'/>"),
            "ethernet": self.interface(4, "ethernet", ""),
            "user": self.interface(5, "user", "", model="e1000"),
            "rtl8139": self.interface(6, "bridge", bridge, "<bandwidth><inbound average='1000'/></bandwidth>", "rtl8139"),
            "queues": self.interface(7, "bridge", bridge, "<driver queues='2'/>"),
            "usb-net": self.interface(8, "user", "", model="usb-net"),
            "down": self.interface(9, "bridge", bridge, "<link state='down'/>", "e1000e"),
            "scsi controller": "<controller type='scsi' index='3' model='lsilogic'/>",
            "usb controller": "<controller type='usb' index='3' model='nec-xhci'/>",
            "serial controller": "<controller type='virtio-serial' index='3'/>",
            "rng": "<rng model='virtio'><rate bytes='1024' period='2000'/><backend model='random'>/dev/urandom</backend></rng>",
            "builtin rng": "<rng model='virtio'><backend model='builtin'/></rng>",
            "watchdog": "<watchdog model='i6300esb' action='poweroff'/>",
            "usb tablet": "<input type='tablet' bus='usb'/>",
            "usb mouse": "<input type='mouse' bus='usb'/>",
            "usb keyboard": "<input type='keyboard' bus='usb'/>",
            "virtio keyboard": "<input type='keyboard' bus='virtio'/>",
            "virtio mouse": "<input type='mouse' bus='virtio'/>",
            "virtio tablet": "<input type='tablet' bus='virtio'/>",
            "hub": "<hub type='usb'/>",
            "usb serial": "<serial type='pty'><target type='usb-serial'/></serial>",
            "pci serial": f"<serial type='file'><source path='{root}/serial.log'/><target type='pci-serial'/></serial>",
            "console": "<console type='pty'><target type='virtio'/></console>",
            "channel": "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
            "tcp channel": "<channel type='tcp'><source mode='bind' host='127.0.0.1' service='7777'/><protocol type='raw'/>"
                           "<target type='virtio' name='org.example.1'/></channel>",
        }

    def alias_of(self, before):
        """Of the device that was not there BEFORE."""
        (alias,) = {each.get("name") for each in self.xml().findall("devices/*/alias")} - before
        return alias

    def state(self):
        return self.has(), self.host(), self.shown(), self.shown(inactive=True)

    def test_each_kind(self):
        """All at once, by alias, live only; then one by one, by XML, of the guest and its definition."""
        (self.guest,) = self.boot("web1", devices=DEVICES)
        #   Not before: the daemon closes a connection that answers no pings for half a minute, and nobody would.
        self.binding = libvirt.open(uri(self.daemon, self.connect))
        self.addCleanup(self.binding.close)
        self.virsh("net-create", self.write("blue.xml", NAT))
        self.addCleanup(self.daemon.run, "net-destroy", "blue")
        self.domain = self.binding.lookupByName("web1")
        kinds, before = self.kinds(), self.state()
        for name, xml in kinds.items():
            with self.subTest(name, how="config"):
                self.domain.attachDeviceFlags(xml, CONFIG)
                self.domain.detachDeviceFlags(xml, CONFIG)
        self.assertEqual(self.state(), before)
        aliases = []
        for name, xml in kinds.items():
            with self.subTest(name, how="live"):
                there = {each.get("name") for each in self.xml().findall("devices/*/alias")}
                self.domain.attachDeviceFlags(xml, LIVE)
                aliases.append(self.alias_of(there))
                self.assertIn(aliases[-1], self.has()["devices"])
        self.assertIn("ua-mine", aliases)
        self.assertEqual(self.shown(inactive=True), before[3])
        for alias in reversed(aliases):
            self.domain.detachDeviceAlias(alias, LIVE)
        until(lambda: self.state() == before, what="the end of all devices")
        for name, xml in kinds.items():
            with self.subTest(name, how="live and config"):
                self.domain.attachDeviceFlags(xml, BOTH)
                self.assertEqual(len(self.shown(inactive=True)), len(before[3]) + 1)
                self.domain.detachDeviceFlags(xml, BOTH)
                self.assertEqual(self.shown(inactive=True), before[3])
                until(lambda: self.state() == before, what="its end")
        self.late()
        self.moves()
        self.refusals()
        self.media()

    def late(self):
        """A guest that does not answer was asked: that is all that libvirt's clients wait for. What it does
        later the event tells, and both halves have gone."""
        before, told = self.state(), []
        device = libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
        with EventLoop(), libvirt.open(uri(self.daemon, self.connect)) as client:
            number = client.domainEventRegisterAny(None, device, lambda *said: told.append(said[2]), None)
            self.virsh("attach-disk", "web1", self.image("late.raw"), "vdb", "--live", "--config")
            self.virsh("attach-disk", "web1", self.image("late2.raw"), "vdc", "--live", "--alias", "ua-late")
            self.domain.suspend()
            self.virsh("detach-disk", "web1", "vdb", "--live", "--config")
            self.virsh("detach-device-alias", "web1", "ua-late", "--live")
            said = self.daemon.run("detach-device-alias", "web1", "ua-late", "--live")
            self.assertIn("request sent", said)
            self.assertEqual(self.shown(inactive=True), before[3])
            self.assertEqual((len(self.shown()), told), (len(before[2]) + 2, []))
            self.domain.resume()
            until(lambda: self.state() == before, what="the end of both disks")
            until(lambda: len(told) == 2, what="the events of their end")
            client.domainEventDeregisterAny(number)


    def refusals(self):
        """What QEMU can't have while it runs is refused with words."""
        before = self.state()
        for xml, why in [
            (self.disk("sdx", "sata"), "no hot-plug"),
            (self.disk("fda", "fdc", "", "floppy"), "its bus has no hot-plug"),
            (self.interface(10, "vhostuser", "<source type='unix' path='/run/peer.sock' mode='client'/>"), "its peer needs all of the guest's memory, and <memory> is not shared"),
            ("<controller type='pci' model='pci-bridge'/>", "scsi, usb and virtio-serial"),
            ("<controller type='ide' index='4'/>", "type 'ide' with index 4 of the machine"),
            ("<video><model type='virtio'/></video>", "video, while the guest runs"),
            ("<graphics type='vnc'/>", "graphics, while the guest runs"),
            ("<sound model='ac97'/>", "sound, while the guest runs"),
            ("<memballoon model='virtio'/>", "a guest has one, from its start on"),
            ("<panic model='isa'/>", "panic, while the guest runs"),
            ("<tpm model='tpm-crb'><backend type='emulator'/></tpm>", "not supported: tpm: no guest can have such a device"),
            ("<iommu model='intel'/>", "not supported: iommu: no guest can have such a device"),
            ("<watchdog model='ib700'/>", "model='i6300esb' has"),
            ("<parallel type='file'><source path='/dev/null'/></parallel>", "ISA has no hot-plug"),
            ("<serial type='pty'><target type='isa-serial'/></serial>", "usb-serial and pci-serial have"),
            ("<input type='mouse' bus='ps2'/>", "PS/2 has no hot-plug"),
        ]:
            with self.subTest(xml=xml), self.assertRaisesRegex(libvirt.libvirtError, why):
                self.domain.attachDeviceFlags(xml, LIVE)
            self.assertEqual(self.state(), before)

    def media(self):
        """A drive that came while the guest runs gets a medium, and lets go of it."""
        before = self.state()
        drive = lambda source: ("<disk type='file' device='cdrom'>" + (f"<source file='{source}'/>" if source else "") +
                                "<target dev='sdd' bus='scsi'/><readonly/></disk>")
        self.domain.attachDeviceFlags(drive(None), BOTH)
        for source in [self.image("one.iso"), self.image("two.iso"), None]:
            self.domain.updateDeviceFlags(drive(source), BOTH)
            (found,) = [each for each in plug.qmp(self.client, "web1", "query-block") if "scsi0-0-0-3" in each.get("qdev", "")]
            self.assertEqual(found.get("inserted", {}).get("file"), source)
            for inactive in (False, True):
                (disk,) = [each for each in self.xml(inactive).findall("devices/disk") if each.find("target").get("dev") == "sdd"]
                self.assertEqual(disk.find("source").get("file") if source else disk.find("source"), source)
        self.domain.detachDeviceFlags(drive(None), BOTH)
        until(lambda: self.state() == before, what="the end of the drive")

    def card(self, mac="52:54:00:77:00:01"):
        (card,) = [each for each in self.xml().findall("devices/interface") if each.find("mac").get("address") == mac]
        return card

    def master(self, tap):
        return json.loads(self.space.ip("-json", "link", "show", tap))[0].get("master")

    def ports(self):
        return [len(self.client.call("network.ports", network=name)) for name in ("blue", "green")]

    def moves(self):
        """A card goes to other bridges and networks, with its port, while the guest has it; what can't be done
        leaves it where it was."""
        self.virsh("net-create", self.write("green.xml", GREEN))
        self.addCleanup(self.daemon.run, "net-destroy", "green")
        before = self.state()
        sources = {
            "network": "<source network='{}'/>",
            "bridge": "<source bridge='{}'/>",
        }
        form = lambda kind, name, extra="", mac=1, model="virtio": self.interface(mac, kind, sources[kind].format(name), extra, model)
        self.domain.attachDeviceFlags(form("network", "blue"), LIVE)
        tap = self.card().find("target").get("dev")
        self.assertEqual((self.master(tap), self.ports()), ("blue0", [1, 0]))
        limits = "<bandwidth><inbound average='2000' peak='3000'/></bandwidth>"
        for kind, name, extra, master, ports in [
            ("network", "green", "", "green0", [0, 1]),
            ("network", "green", limits, "green0", [0, 1]),
            ("bridge", "br1", limits, "br1", [0, 0]),
            ("bridge", "br0", "<link state='down'/>", "br0", [0, 0]),
            ("network", "blue", "", "blue0", [1, 0]),
        ]:
            with self.subTest(kind=kind, name=name, extra=extra):
                self.domain.updateDeviceFlags(form(kind, name, extra), LIVE)
                card = self.card()
                self.assertEqual((card.get("type"), card.find("target").get("dev")), (kind, tap))
                self.assertEqual((card.find("source").get(kind), card.find("source").get("bridge")), (name, master))
                self.assertEqual((self.master(tap), self.ports()), (master, ports))
                self.assertEqual("16Mbit" in self.space.run("tc", "class", "show", "dev", tap), extra == limits)
                down = card.find("link") is not None and card.find("link").get("state") == "down"
                self.assertEqual(down, "down" in extra)
        now = self.state()
        other = ElementTree.tostring(self.card()).decode().replace("'blue'", "'green'").replace('"blue"', '"green"')
        refused = [
            ("another model", form("network", "blue", model="e1000")),
            ("'none'", form("bridge", "none")),
            ("eth7", form("bridge", "eth7")),
            ("no network", form("network", "none")),
            ("another mac|no device", form("network", "blue", mac=99)),
            ("another filterref|filterref", form("network", "blue", "<filterref filter='clean-traffic'/>")),
            ("host, and no bridge", form("network", "pool")),
            ("only one that is in a bridge", self.interface(1, "user", "")),
        ]
        self.virsh("net-create", self.write("pool.xml", POOL))
        self.addCleanup(self.daemon.run, "net-destroy", "pool")
        for why, xml in refused:
            with self.subTest(why=why), self.assertRaisesRegex(libvirt.libvirtError, why):
                self.domain.updateDeviceFlags(xml, LIVE)
            self.assertEqual((self.state(), self.master(tap)), (now, "blue0"))
        #   What dumpxml says, with another name; and what is half done when the daemon dies is undone.
        self.domain.updateDeviceFlags(other, LIVE)
        self.assertEqual((self.master(tap), self.ports()), ("green0", [0, 1]))
        self.domain.detachDeviceFlags(other, LIVE)
        until(lambda: self.state() == before, what="the end of the card")
        self.assertEqual(self.ports(), [0, 0])
        self.direct(limits.replace("inbound", "outbound"))

    def direct(self, limits):
        """What has no bridge has limits that change (a macvtap's way out is its link's way in)."""
        form = lambda extra: self.interface(3, "direct", "<source dev='eth7' mode='bridge'/>", extra)
        before = self.state()
        self.domain.attachDeviceFlags(form(""), LIVE)
        tap = self.card("52:54:00:77:00:03").find("target").get("dev")
        for extra in (limits, ""):
            self.domain.updateDeviceFlags(form(extra), LIVE)
            self.assertEqual("16Mbit" in self.space.run("tc", "class", "show", "dev", tap), bool(extra))
        with self.assertRaisesRegex(libvirt.libvirtError, "another source, while the guest runs"):
            self.domain.updateDeviceFlags(form("").replace("eth7", "eth8"), LIVE)
        self.domain.detachDeviceFlags(form(""), LIVE)
        until(lambda: self.state() == before, what="the end of the macvtap")


if __name__ == "__main__":
    unittest.main()
