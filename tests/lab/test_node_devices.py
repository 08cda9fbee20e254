"""The host's devices: what is shown of them, and PCI devices that are detached, given back and reset, whatever
becomes of the daemon meanwhile."""

import glob
import os
import subprocess
import xml.etree.ElementTree as ET

import lab
from devices import DeviceTest, HeldTest, User, clean, node
from harness import DaemonTest, until
from libvirt_client import virsh


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
        until(lambda: not os.path.exists(self.status), what="the end of the status file")
        self.daemon.run("nodedev-reattach", node(self.function))
        self.assertEqual(self.info(self.function)["state"], "host")

    def test_refused(self):
        for device, text in ((lab.BRIDGE, "it is a bridge"),
                             ("computer", "is no PCI device"),
                             ("net_lo_00_00_00_00_00_00", "is no PCI device")):
            self.assertIn(text, self.refused("nodedev.detach", device))
        message = self.refused("nodedev.detach", self.function, driver="xen")
        self.assertIn("not supported: the driver 'xen'", message)
        self.assertIn("the host uses it, with the driver 'igbvf'", self.refused("nodedev.reset", self.function))

    def test_others_depend_on_it(self):
        """Neither detached nor reset: a card that has virtual functions, a bridge, a card that a container has."""
        holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        holder.stdout.readline()
        interface = os.listdir(lab.path(self.function, "net"))[0]
        subprocess.run(["ip", "link", "set", interface, "netns", str(holder.pid)], check=True)
        for device, text in ((lab.CARD, "virtual functions"), (lab.BRIDGE, "it is a bridge"),
                             (self.function, "in another network namespace")):
            for verb in ("nodedev.detach", "nodedev.reset"):
                self.assertIn(text, self.refused(verb, device))

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
        until(lambda: not os.path.exists(self.status), what="the end of the status file")

    def test_no_driver_to_return_to(self):
        """Its driver is not there: that is said, and it is tried again until it is."""
        self.daemon.run("nodedev-detach", self.function)
        lab.unload("igbvf")
        self.assertIn("igbvf", self.refused("nodedev.reattach", self.function))
        self.assertEqual(self.info(self.function)["state"], "returning")
        lab.load("igbvf")
        until(lambda: self.info(self.function)["state"] == "host", what="its return")

    def test_override(self):
        """What an administrator wrote to driver_override is there again when the device is back, and counts."""
        self.addCleanup(lab.bind, self.function, "\n")
        for override, driver in (("igbvf", "igbvf"), ("pci-stub", "pci-stub"), ("none", None),
                                 ("vfio-pci", "vfio-pci")):
            with self.subTest(override=override):
                lab.bind(self.function, override)
                self.daemon.run("nodedev-detach", self.function)
                self.assertEqual((lab.driver(self.function), lab.read(self.function, "driver_override")),
                                 ("vfio-pci", "vfio-pci"))
                self.restart()
                self.daemon.run("nodedev-reattach", self.function)
                self.assertEqual((lab.driver(self.function), lab.read(self.function, "driver_override")),
                                 (driver, override))
        #   It is no device of ours any more, and who wants it back from vfio-pci says so.
        self.daemon.run("nodedev-reattach", self.function)
        self.assertEqual((lab.driver(self.function), lab.read(self.function, "driver_override")),
                         ("igbvf", "(null)"))

    def test_override_meanwhile(self):
        """What an administrator writes to it while the device is detached stays."""
        self.addCleanup(lab.bind, self.function, "\n")
        self.daemon.run("nodedev-detach", self.function)
        lab.write("pci-stub", lab.path(self.function, "driver_override"))
        self.daemon.run("nodedev-reattach", self.function)
        self.assertEqual((lab.driver(self.function), lab.read(self.function, "driver_override")),
                         ("pci-stub", "pci-stub"))

    def test_driver_does_not_take_it_back(self):
        """The card lets no driver of the host have its functions any more: as above."""
        autoprobe = lab.path(lab.CARD, "sriov_drivers_autoprobe")
        self.addCleanup(lab.write, "1", autoprobe)
        self.daemon.run("nodedev-detach", self.function)
        lab.write("0", autoprobe)
        message = self.refused("nodedev.reattach", self.function)
        self.assertIn(f"'{self.function}'", message)
        self.assertIn("igbvf", message)
        info = self.info(self.function)
        self.assertEqual((info["state"], info["returns_to"], lab.driver(self.function)), ("returning", "igbvf", None))
        lab.write("1", autoprobe)
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


class OtherDevices(DaemonTest):
    """USB and SCSI devices and disks, as libvirt's own client is told of them."""

    def setUp(self):
        super().setUp()
        (self.stick,) = until(lambda: lab.usb_folders(lab.STICK), what="the stick")
        self.interface = f"usb_{clean(os.path.basename(self.stick))}_1_0"
        until(self.disks_of_stick, what="the disk at USB")

    def virsh(self, *args, status=0):
        return virsh(self.daemon, *args, connect="qemu:///system", status=status)

    def scsi_of_stick(self):
        """The name of its SCSI device, behind "scsi_"."""
        (at,) = glob.glob(f"{self.stick}/*/host*/target*/*:*")
        return clean(os.path.basename(at))

    def names(self, *options):
        return self.virsh("nodedev-list", *options).split()

    def document(self, name):
        root = ET.fromstring(self.virsh("nodedev-dumpxml", name))
        self.assertEqual(root.findtext("name"), name)
        self.assertTrue(os.path.isdir(root.findtext("path")))
        return root, root.find("capability")

    def disks_of_stick(self):
        return [clean(f"block_{os.path.basename(at)}") for at in
                glob.glob(f"{self.stick}/*/host*/target*/*/block/*")]

    def test_tree(self):
        """Each has its parent, up to the controllers."""
        (bus, device), = lab.usb(lab.STICK)
        host, sg = lab.scsi(1)
        tree = self.virsh("nodedev-list", "--tree")
        self.assertTrue(tree.startswith("computer\n"))
        usb = f"usb_{clean(os.path.basename(self.stick))}"
        own = self.scsi_of_stick()
        for chain in ([self.disks_of_stick()[0], f"scsi_{own}", f"scsi_target{own[:-2]}",
                       f"scsi_host{own.split('_')[0]}", self.interface, usb, f"usb_usb{bus}"],
                      [f"scsi_generic_{sg}", f"scsi_{host}_0_1_0", f"scsi_target{host}_0_1",
                       f"scsi_host{host}"]):
            for name, parent in zip(chain, chain[1:]):
                self.assertEqual(self.document(name)[0].findtext("parent"), parent)
                self.assertIn(f"+- {name}\n", tree)
            self.assertRegex(self.document(chain[-1])[0].findtext("parent"), r"^pci_0000_00_0\d_0$")

    def test_by_capability(self):
        names = self.names("--cap", "usb_device,storage")
        self.assertEqual(len([name for name in names if name.startswith("block_")]), 3)
        self.assertEqual(len(names), 3 + len(glob.glob("/sys/bus/usb/devices/*/idVendor")))
        self.assertEqual(len(self.names("--cap", "scsi_target")), 3)
        self.assertEqual(self.names("--cap", "fc_host,mdev_types,vpd"), [])
        self.assertEqual(len(self.names()), len(self.names("--cap", ",".join(
            "system pci usb_device usb net scsi_host scsi_target scsi scsi_generic storage drm mdev".split()))))

    def test_usb_document(self):
        (bus, device), = lab.usb(lab.STICK)
        root, usb = self.document(f"usb_{clean(os.path.basename(self.stick))}")
        self.assertEqual(root.findtext("devnode[@type='dev']"), f"/dev/bus/usb/{bus:03}/{device:03}")
        self.assertEqual(root.findtext("driver/name"), "usb")
        self.assertEqual((usb.findtext("bus"), usb.findtext("device")), (str(bus), str(device)))
        self.assertEqual((usb.find("vendor").get("id"), usb.find("product").get("id")), ("0x46f4", "0x0001"))
        self.assertEqual((usb.findtext("vendor"), usb.findtext("product")), ("QEMU", "QEMU USB HARDDRIVE"))
        root, interface = self.document(self.interface)
        self.assertEqual(root.findtext("driver/name"), "usb-storage")
        self.assertEqual([interface.findtext(name) for name in ("number", "class", "subclass", "protocol")],
                         ["0", "8", "6", "80"])

    def test_disk_document(self):
        host, sg = lab.scsi(2)
        (name,) = [name for name in self.names("--cap", "storage") if name.endswith("_second")]
        root, disk = self.document(name)
        self.assertEqual(name.split("_")[:2], ["block", os.path.basename(root.findtext("path"))])
        self.assertTrue(os.path.exists(root.findtext("devnode[@type='dev']")))
        self.assertEqual(root.findtext("parent"), f"scsi_{host}_0_2_0")
        for element, value in (("bus", "scsi"), ("drive_type", "disk"), ("vendor", "TROUPE"),
                               ("model", "QEMU HARDDISK"), ("serial", "second"), ("size", "1048576"),
                               ("logical_block_size", "512"), ("num_blocks", "2048")):
            self.assertEqual(disk.findtext(element), value)
        scsi = self.document(f"scsi_{host}_0_2_0")[1]
        self.assertEqual([scsi.findtext(name) for name in ("host", "bus", "target", "lun", "type")],
                         [str(host), "0", "2", "0", "disk"])
        self.assertEqual(self.document(f"scsi_generic_{sg}")[1].findtext("char"), f"/dev/{sg}")

    def test_words(self):
        """What vendors and products are called; what links and cards can do."""
        card = self.document(node(lab.CARD))[1]
        self.assertEqual(card.findtext("product"), "82576 Gigabit Network Connection")
        self.assertEqual(card.findtext("vendor"), "Intel Corporation")
        self.assertEqual([link.get("validity") for link in card.findall("pci-express/link")], ["cap", "sta"])
        port = self.document(self.document(node(lab.CARD))[0].findtext("parent"))[1]
        self.assertEqual(port.find("capability").get("type"), "pci-bridge")
        (name,) = [name for name in self.names("--cap", "net")
                   if name.startswith(f"net_{lab.card_interface()}_")]
        subprocess.run(["ip", "link", "set", lab.card_interface(), "up"], check=True)
        until(lambda: self.document(name)[1].find("link").get("speed") == "1000", what="the card's speed")
        features = {each.get("name") for each in self.document(name)[1].findall("feature")}
        self.assertLessEqual({"rx", "tx", "sg", "gso", "gro"}, features)

    def test_usb_comes_and_goes(self):
        """With the device go its interface and its disk, and all are back afterwards."""
        listener = self.daemon.client()
        self.addCleanup(listener.close)
        listener.call("event.subscribe", verbs=["nodedev.lifecycle", "nodedev.update"])
        gone = [self.interface, *self.disks_of_stick(), f"scsi_{self.scsi_of_stick()}"]
        self.addCleanup(lab.write, "1", self.stick, "authorized")
        for authorized, text in (("0", "Deleted"), ("1", "Created")):
            lab.write(authorized, self.stick, "authorized")
            if text == "Created":
                gone = [self.interface]  # the others may be called otherwise now
            for name in gone:
                listener.next_event("nodedev.lifecycle", name=name, event_text=text)
        (disk,) = until(self.disks_of_stick, what="the disk")
        listener.next_event("nodedev.lifecycle", name=disk, event_text="Created")
        self.assertIn(disk, self.names("--cap", "storage"))
        self.await_driver(listener, "usb-storage")
        for what, driver in (("unbind", None), ("bind", "usb-storage")):
            lab.write(f"{os.path.basename(self.stick)}:1.0", "/sys/bus/usb/drivers/usb-storage", what)
            listener.next_event("nodedev.update", name=self.interface)
            self.await_driver(listener, driver)

    def await_driver(self, client, driver):
        """Until the daemon has heard of it: two changes of which it hears late are one, or none."""
        def listed():
            return [row.get("driver") for row in client.call("nodedev.list") if row["name"] == self.interface]

        until(lambda: listed() == [driver], what=f"the driver {driver}")

    def test_scsi_comes_and_goes(self):
        host, unused = lab.scsi(1)
        (disk,) = [name for name in self.names("--cap", "storage") if name.endswith("_first")]
        listener = self.daemon.client()
        self.addCleanup(listener.close)
        listener.call("event.subscribe", verbs=["nodedev.lifecycle"])
        lab.write("1", f"/sys/bus/scsi/devices/{host}:0:1:0/delete")
        self.addCleanup(lab.write, "- 1 -", f"/sys/class/scsi_host/host{host}/scan")
        for name in (disk, f"scsi_{host}_0_1_0"):
            listener.next_event("nodedev.lifecycle", name=name, event_text="Deleted")
        self.assertNotIn(disk, self.names())
        lab.write("- 1 -", f"/sys/class/scsi_host/host{host}/scan")
        listener.next_event("nodedev.lifecycle", name=f"scsi_{host}_0_1_0", event_text="Created")
        until(lambda: any(name.endswith("_first") for name in self.names("--cap", "storage")), what="the disk")

    def test_not_for_detach(self):
        for name in (self.interface, f"scsi_{self.scsi_of_stick()}", *self.disks_of_stick()):
            for command in ("nodedev-detach", "nodedev-reattach", "nodedev-reset"):
                self.assertIn(f"'{name}' is no PCI device", self.virsh(command, name, status=None).stderr)


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
