"""The host's devices, as far as any machine has them; tests/lab has PCI devices to detach."""

import os
import unittest
import xml.etree.ElementTree as ET

from harness import ClientTest

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


if __name__ == "__main__":
    unittest.main()
