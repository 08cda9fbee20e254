"""The host's devices: what is shown of them, and PCI devices that are detached, given back and reset, whatever
becomes of the daemon meanwhile."""

import os
import subprocess
import xml.etree.ElementTree as ET

import lab
from devices import DeviceTest, HeldTest, node
from harness import until


class User:
    """A process that has a device's group open, as a guest's QEMU has."""

    def __init__(self, address):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c",
             "import sys\n"
             "file = open(sys.argv[1], 'r+b', buffering=0)\n"
             "print('open', flush=True)\n"
             "sys.stdin.read()",
             f"/dev/vfio/{lab.group(address)}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class NodeDevices(DeviceTest):
    def test_shown(self):
        names = self.daemon.run("nodedev-list").splitlines()
        self.assertEqual(names, sorted(names))
        self.assertIn("computer", names)
        self.assertIn(node(lab.CARD), names)
        nets = self.daemon.run("nodedev-list", "--cap", "net").splitlines()
        self.assertTrue(all(name.startswith("net_") for name in nets))
        self.assertIn("net_lo_00_00_00_00_00_00", nets)
        tree = self.daemon.run("nodedev-list", "--tree")
        self.assertTrue(tree.startswith("computer\n  |\n"))
        self.assertIn("+- net_eth", tree[tree.index(f"+- {node(lab.CARD)}\n"):])
        refused = self.daemon.run("nodedev-list", "--cap", "tape", status=None)
        self.assertIn("not supported: the capability 'tape'", refused.stderr)
        info = self.info(self.function)
        self.assertEqual((info["driver"], info["physical_function"], info["state"]),
                         ("igbvf", lab.CARD, "host"))
        self.assertEqual(info["group"], [self.function])
        self.assertIn("flr", info["resets"])
        self.assertEqual(self.info(lab.CARD)["functions"], self.functions)
        missing = self.daemon.run("nodedev-info", "pci_0000_ff_1f_7", status=None)
        self.assertIn("this host has no device 'pci_0000_ff_1f_7'", missing.stderr)

    def test_document(self):
        root = ET.fromstring(self.daemon.run("nodedev-dumpxml", node(self.function)))
        self.assertEqual(root.findtext("name"), node(self.function))
        self.assertEqual(root.findtext("path"), os.path.realpath(lab.path(self.function)))
        self.assertEqual(root.findtext("driver/name"), "igbvf")
        pci = root.find("capability[@type='pci']")
        self.assertEqual(pci.find("product").get("id"), lab.read(self.function, "device"))
        self.assertEqual(pci.find("vendor").get("id"), lab.read(self.function, "vendor"))
        self.assertEqual(pci.find("iommuGroup").get("number"), lab.group(self.function))
        physical = pci.find("capability[@type='phys_function']/address")
        self.assertEqual(physical.attrib, {"domain": "0x0000", "bus": "0x01", "slot": "0x00",
                                           "function": "0x0"})
        card = ET.fromstring(self.daemon.run("nodedev-dumpxml", node(lab.CARD)))
        virtual = card.find("capability/capability[@type='virt_functions']")
        self.assertEqual((virtual.get("maxCount"), len(virtual.findall("address"))), ("7", 3))
        computer = ET.fromstring(self.daemon.run("nodedev-dumpxml", "computer"))
        self.assertEqual(computer.find("capability").get("type"), "system")

    def test_detach_and_reattach(self):
        self.daemon.run("nodedev-detach", node(self.function))
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        info = self.info(self.function)
        self.assertEqual((info["state"], info["returns_to"]), ("detached", "igbvf"))
        self.daemon.run("nodedev-detach", self.function)  # it is so already
        self.daemon.run("nodedev-reset", self.function)
        self.restart()
        self.assertEqual(self.info(self.function)["state"], "detached")
        self.daemon.run("nodedev-reattach", node(self.function))
        self.assertEqual(lab.driver(self.function), "igbvf")
        self.assertFalse(os.path.exists(self.status))
        self.daemon.run("nodedev-reattach", node(self.function))
        self.assertEqual(self.info(self.function)["state"], "host")

    def test_refused(self):
        for device, text in ((lab.BRIDGE, "it is a bridge"),
                             ("computer", "is no PCI device"),
                             ("net_lo_00_00_00_00_00_00", "is no PCI device")):
            self.assertIn(text, self.refused("nodedev.detach", device))
        message = self.refused("nodedev.detach", self.function, driver="xen")
        self.assertIn("not supported: the driver 'xen'", message)

    def test_waits_for_its_user(self):
        """Nothing is taken from a process that uses the device; once that ends, the device goes back."""
        self.daemon.run("nodedev-detach", self.function)
        user = User(self.function)
        self.addCleanup(user.end)
        waiting = subprocess.Popen(self.daemon.command("nodedev-reattach", self.function),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: self.info(self.function)["state"] == "returning", what="the wait")
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        #   Nobody else waits: another device comes and goes meanwhile.
        self.daemon.run("nodedev-detach", self.functions[1])
        self.daemon.run("nodedev-reattach", self.functions[1])
        self.assertIsNone(waiting.poll())
        user.end()
        said, unused = waiting.communicate(timeout=lab.PATIENCE)
        self.assertEqual(waiting.returncode, 0, said)
        self.assertEqual(lab.driver(self.function), "igbvf")

    def test_wait_is_ended(self):
        """Who detaches it once more ends the wait; the device stays as it was."""
        self.daemon.run("nodedev-detach", self.function)
        user = User(self.function)
        waiting = subprocess.Popen(self.daemon.command("nodedev-reattach", self.function),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: self.info(self.function)["state"] == "returning", what="the wait")
        self.daemon.run("nodedev-detach", self.function)
        said, unused = waiting.communicate(timeout=lab.PATIENCE)
        self.assertIn("was cancelled", said)
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        user.end()
        self.daemon.run("nodedev-reattach", self.function)

    def test_no_vfio(self):
        """A bind that does not happen is an error, and undone."""
        lab.unload("vfio_pci")
        self.addCleanup(lab.load, "vfio_pci")
        message = self.refused("nodedev.detach", self.function)
        self.assertIn("the kernel has no driver vfio-pci", message)
        self.assertEqual(self.info(self.function)["state"], "host")
        self.assertFalse(os.path.exists(self.status))

    def test_no_driver_to_return_to(self):
        """Its driver is not there: that is said, and it is tried again until it is."""
        self.daemon.run("nodedev-detach", self.function)
        lab.unload("igbvf")
        self.assertIn("igbvf", self.refused("nodedev.reattach", self.function))
        self.assertEqual(self.info(self.function)["state"], "returning")
        lab.load("igbvf")
        until(lambda: self.info(self.function)["state"] == "host", what="its return")

    def test_events(self):
        """Devices come and go, and drivers change: clients are told."""
        listener = self.daemon.client()
        self.addCleanup(listener.close)
        listener.call("event.subscribe", verbs=["nodedev.lifecycle", "nodedev.update"])
        name = node(self.function)
        self.daemon.run("nodedev-detach", name)
        listener.next_event("nodedev.update", name=name)
        self.daemon.run("nodedev-reattach", name)
        lab.make_virtual_functions(0)
        listener.next_event("nodedev.lifecycle", name=name, event_text="Deleted")
        lab.make_virtual_functions(3)
        listener.next_event("nodedev.lifecycle", name=name, event_text="Created")

    def test_gone_while_detached(self):
        """The host takes the VFs away: nothing is left on file."""
        self.daemon.run("nodedev-detach", self.function)
        lab.make_virtual_functions(0)
        until(lambda: not os.path.exists(self.status), what="the end of the status file")
        lab.make_virtual_functions(3)
        until(lambda: node(self.function) in self.daemon.run("nodedev-list"), what="the new VF")
        self.assertEqual(self.info(self.function)["state"], "host")


class KilledDaemon(HeldTest):
    """The daemon is killed at each step; the next one gives the device back, or goes on doing so."""

    def test_killed(self):
        override = lab.path(self.function, "driver_override")
        self.addCleanup(lab.write, "\n", override)
        lab.write("igbvf", override)
        for command in ("nodedev-detach", "nodedev-reattach"):
            for at in ("before", "between", "after"):
                with self.subTest(command=command, at=at):
                    if command == "nodedev-reattach":
                        self.daemon.run("nodedev-detach", self.function)
                    self.cut_off(at, command, self.function)
                    until(self.is_back, what="its return")
                    until(lambda: not os.path.exists(self.status), what="the end of its file")
                    self.assertEqual(lab.read(self.function, "driver_override"), "igbvf")
