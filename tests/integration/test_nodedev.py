"""The host's devices, as far as any machine has them; tests/lab has PCI devices to detach."""

import os
import unittest
import xml.etree.ElementTree as ET

import libvirt

from harness import ClientTest, DaemonTest, until
from libvirt_client import uri
from libvirt_events import EventLoop
from netns import InNamespace

LOOPBACK = "net_lo_00_00_00_00_00_00"


class NodeDevices(ClientTest):
    def test_list(self):
        names = self.daemon.run("nodedev-list").splitlines()
        self.assertEqual(names, sorted(names))
        self.assertIn("computer", names)
        self.assertIn(LOOPBACK, names)
        self.assertEqual(self.daemon.run("nodedev-list", "--cap", "system"), "computer\n")
        tree = self.daemon.run("nodedev-list", "--tree")
        self.assertRegex(tree, rf"\Acomputer\n  \|\n(.*\n)*  \+- {LOOPBACK}\n")
        self.assertEqual(len(self.daemon.json("nodedev-list")), len(names))
        buses = "/sys/bus/pci/devices"
        addresses = os.listdir(buses) if os.path.isdir(buses) else []
        self.assertEqual(len(self.daemon.json("nodedev-list", "--cap", "pci")), len(addresses))
        for options, text in ((["--cap", "tape"], "not supported: the capability 'tape'"),
                              (["--cap", "pci", "--tree"], "--tree does not go with --cap")):
            self.assertIn(text, self.daemon.run("nodedev-list", *options, status=None).stderr)

    def test_one(self):
        info = self.daemon.run("nodedev-info", LOOPBACK)
        self.assertRegex(info, r"Parent: +computer\n")
        self.assertRegex(info, r"Interface: +lo\n")
        root = ET.fromstring(self.daemon.run("nodedev-dumpxml", LOOPBACK))
        self.assertEqual(root.findtext("capability[@type='net']/interface"), "lo")
        missing = self.daemon.run("nodedev-dumpxml", "net_none", status=None)
        self.assertIn("this host has no device 'net_none'", missing.stderr)

    def test_not_for_guests(self):
        for command in ("nodedev-detach", "nodedev-reattach", "nodedev-reset"):
            refused = self.daemon.run(command, "computer", status=None)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("'computer' is no PCI device", refused.stderr)

    def test_event_command(self):
        self.assertEqual(self.daemon.run("nodedev-event", "--list"), "lifecycle\nupdate\n")
        refused = self.daemon.run("nodedev-event", "--event", "reboot", status=None)
        self.assertIn("there is no event 'reboot'", refused.stderr)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Events(InNamespace, DaemonTest):
    bridges = {}

    def test_libvirt_clients(self):
        """They hear of all devices, or of one."""
        seen = []

        def told(unused, device, event, detail, who):
            seen.append((who, device.name().split("_")[1], event))

        with EventLoop():
            connection = libvirt.open(uri(self.daemon, "qemu:///system"))
            numbers = [connection.nodeDeviceEventRegisterAny(None, 0, told, "all")]
            self.space.ip("link", "add", "nic0", "type", "bridge")
            until(lambda: ("all", "nic0", 0) in seen, what="the event")
            (nic,) = [name for name in connection.listDevices("net") if name.startswith("net_nic0_")]
            nic = connection.nodeDeviceLookupByName(nic)
            numbers.append(connection.nodeDeviceEventRegisterAny(nic, 0, told, "nic0"))
            self.space.ip("link", "add", "nic1", "type", "bridge")
            until(lambda: ("all", "nic1", 0) in seen, what="the event of another one")
            self.space.ip("link", "delete", "nic1")
            self.space.ip("link", "delete", "nic0")
            until(lambda: ("nic0", "nic0", 1) in seen and ("all", "nic0", 1) in seen, what="the last event, twice")
            for number in numbers:
                connection.nodeDeviceEventDeregisterAny(number)
            connection.close()
        self.assertEqual({name for who, name, _ in seen if who == "nic0"}, {"nic0"})
        self.assertLessEqual({("all", "nic1", 0), ("all", "nic1", 1), ("all", "nic0", 1)}, set(seen))


if __name__ == "__main__":
    unittest.main()
