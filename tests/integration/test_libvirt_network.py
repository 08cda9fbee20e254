"""virsh on virtual networks: real ones, in namespaces of the test's own."""

import struct
import unittest
import uuid

import libvirt

from harness import until
from libvirt_client import Bare, text, uri, virsh
from libvirt_events import EventLoop
from network import Site, usable
from network import network as network_xml


@unittest.skipUnless(usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Networks(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        self.daemon = self.site.daemon.start()

    def virsh(self, *args, **options):
        return virsh(self.daemon, *args, **options)

    def refused(self, *args):
        done = self.virsh(*args, status=None)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def file(self, text):
        path = f"{self.daemon.root}/net.xml"
        with open(path, "w") as file:
            file.write(text)
        return path

    def names(self, *options):
        names = self.virsh("net-list", "--name", *options).split()
        return sorted(name for name in names if name != "default")

    def test_life(self):
        virsh = self.virsh
        virsh("net-define", self.file(network_xml("blue", 77)))
        virsh("net-create", self.file(network_xml("red", 78)))
        self.assertEqual((self.names(), self.names("--all")), (["red"], ["blue", "red"]))
        self.assertEqual((self.names("--inactive"), self.names("--transient")), (["blue"], ["red"]))
        virsh("net-autostart", "blue")
        self.assertEqual(self.names("--all", "--autostart"), ["blue"])
        self.assertIn("blue", virsh("net-list", "--all", "--persistent"))
        virsh("net-start", "blue")
        self.assertIn("already", self.refused("net-start", "blue"))
        info = virsh("net-info", virsh("net-uuid", "blue"))
        for line in ("Active:         yes", "Persistent:     yes", "Autostart:      yes", "Bridge:"):
            self.assertIn(line, info)
        self.assertEqual(virsh("net-name", virsh("net-uuid", "red")), "red")
        self.lease()
        virsh("net-destroy", "red")
        self.assertIn("get network 'red'", self.refused("net-info", "red"))
        virsh("net-undefine", "blue")
        self.assertIn("Persistent:     no", virsh("net-info", "blue"))
        virsh("net-destroy", "blue")
        self.assertEqual(self.names("--all"), [])

    def test_events(self):
        """Of all networks, or of one."""
        seen = []

        def network(unused, net, event, detail, who):
            seen.append((who, net.name(), event))

        for name, number in (("blue", 77), ("red", 78)):
            self.virsh("net-define", self.file(network_xml(name, number)))
        with EventLoop():
            connection = libvirt.open(uri(self.daemon, "qemu:///system"))
            red = connection.networkLookupByName("red")
            numbers = [
                connection.networkEventRegisterAny(None, 0, network, "all"),
                connection.networkEventRegisterAny(red, 0, network, "red"),
            ]
            for name in ("blue", "red"):
                self.virsh("net-start", name)
                self.virsh("net-destroy", name)
            until(lambda: len(seen) >= 6, what=f"all events, and not only {seen},")
            for number in numbers:
                connection.networkEventDeregisterAny(number)
            connection.close()
        self.assertEqual(
            sorted(seen),
            [("all", name, event) for name in ("blue", "red") for event in (2, 3)]
            + [("red", "red", 2), ("red", "red", 3)],
        )

    def update_as_old(self, host):
        """A client of before the order of the arguments was mended sends them the other way round."""
        UPDATE, DELETE, DHCP_HOST, CONFIG = 291, 2, 4, 2
        net = text("blue") + uuid.UUID(self.virsh("net-uuid", "blue")).bytes
        with Bare(self.daemon) as old:
            old.open("qemu:///system")
            numbers = struct.pack(">IIi", DHCP_HOST, DELETE, -1)
            self.assertEqual(old.call(UPDATE, net + numbers + text(host) + struct.pack(">I", CONFIG)), (0, b""))

    def lease(self):
        """A host that an update names gets its address."""
        client = self.site.plug("blue")
        mac = client.link("eth0")["address"]
        host = f"<host mac='{mac}' ip='192.168.77.200'/>"
        self.virsh("net-update", "blue", "add-last", "ip-dhcp-host", host, "--live", "--config")
        self.assertIn("192.168.77.200", self.virsh("net-dumpxml", "blue"))
        self.assertIn("192.168.77.200", self.virsh("net-dumpxml", "blue", "--inactive"))
        self.assertEqual(self.site.lease(client, "one"), "192.168.77.200")
        row = until(lambda: self.virsh("net-dhcp-leases", "blue"), what="the lease")
        for word in (mac, "ipv4", "192.168.77.200/24", "one"):
            self.assertIn(word, row)
        self.assertEqual(self.virsh("net-dhcp-leases", "blue", "--mac", "52:54:00:00:00:01"), "")
        self.update_as_old(host)
        self.assertNotIn("192.168.77.200", self.virsh("net-dumpxml", "blue", "--inactive"))
        self.assertIn("not supported", self.refused("net-update", "blue", "modify", "bridge", "<bridge/>"))
        self.assertEqual(self.virsh("net-port-list", "blue"), "")
