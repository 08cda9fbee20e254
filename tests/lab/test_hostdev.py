"""Guests of QEMU with PCI devices of the host, and with addresses of its vsock: taken, refused, and given back, whatever
becomes of the guest and of the daemon."""

import fcntl
import os
import signal
import struct
import subprocess

import lab
from devices import node
from guests import GuestTest, guest, hostdev
from harness import until
from troupe_client import TroupeError


class HostDevices(GuestTest):
    def test_managed(self):
        """A guest gets a virtual function; nobody else does; with its end the host has it again."""
        self.define_guest("web1", hostdev(self.function, extra="<boot order='1'/><rom bar='off'/>"))
        self.define_guest("web2", hostdev(self.function))
        self.daemon.run("start", "web1")
        self.assertEqual(lab.driver(self.function), "vfio-pci")
        self.assertTrue(self.has_function("web1"))
        info = self.info(self.function)
        self.assertEqual((info["state"], info["holder_name"]), ("detached", "web1"))
        self.assertIn("domain 'web1' has it", self.refused_start("web2"))
        for verb in ("detach", "reattach", "reset"):
            self.assertIn("domain 'web1' has it", self.refused(f"nodedev.{verb}", self.function))
        saved = self.daemon.run("save", "web1", os.path.join(self.daemon.root, "image"), status=None)
        self.assertRegex(saved.stderr, "not supported .*VFIO.*; detach that before")
        self.assertIn("booted", self.daemon.run("domstate", "web1", "--reason"))
        self.restart()
        until(lambda: "running" in self.daemon.run("domstate", "web1"), what="the guest")
        self.assertEqual(self.info(self.function)["holder_name"], "web1")
        self.assertIn("domain 'web1' has it", self.refused_start("web2"))
        self.daemon.run("destroy", "web1")
        #   At once to another one, though it may still be on its way back.
        self.daemon.run("start", "web2")
        self.assertTrue(self.has_function("web2"))
        self.daemon.run("destroy", "web2")
        self.returned()

    def test_unmanaged(self):
        """What is not managed has to be detached before, and stays so."""
        self.define_guest("web1", hostdev(self.function, managed="no"))
        self.assertIn("is not managed", self.refused_start("web1"))
        self.assertEqual(lab.driver(self.function), "igbvf")
        self.daemon.run("nodedev-detach", self.function)
        self.daemon.run("start", "web1")
        self.assertTrue(self.has_function("web1"))
        self.daemon.run("destroy", "web1")
        self.assertEqual(self.info(self.function)["state"], "detached")
        self.daemon.run("nodedev-reattach", self.function)
        self.returned()

    def test_group(self):
        """A group goes to a guest as a whole, or not at all; the error names what is in the way."""
        self.define_guest("web1", hostdev(lab.TWINS[0]))
        self.define_guest("web2", *[hostdev(twin) for twin in lab.TWINS])
        self.define_guest("web3", hostdev(lab.TWINS[1]))
        error = self.refused_start("web1")
        self.assertIn(f"'{lab.TWINS[1]}'", error)
        self.assertIn("the host's driver 'e1000'", error)
        until(lambda: lab.driver(lab.TWINS[0]) == "e1000", what="its return")
        self.daemon.run("start", "web2")
        self.assertEqual([lab.driver(twin) for twin in lab.TWINS], ["vfio-pci", "vfio-pci"])
        self.assertIn("domain 'web2' has", self.refused_start("web3"))
        self.daemon.run("destroy", "web2")
        until(lambda: [lab.driver(twin) for twin in lab.TWINS] == ["e1000", "e1000"],
              what="their return")

    def test_refused(self):
        """What can't be is refused with the definition, or before anything is done."""
        for devices, text in (
            ((hostdev(self.function), hostdev(self.function)), "two hostdevs are the host's PCI device"),
            (("<hostdev mode='subsystem' type='pci'/>",), "needs its host's address"),
            ((hostdev(self.function).replace("type='pci'", "type='usb'"),), "not supported"),
        ):
            path = self.write("refused.xml", guest("web1", *devices))
            self.assertIn(text, self.daemon.run("define", path, status=None).stderr)
        self.define_guest("web1", hostdev(self.function), hostdev("0000:ff:1f.7"))
        self.assertIn("this host has no device '0000:ff:1f.7'", self.refused_start("web1"))
        self.returned()

    def test_guest_ends(self):
        """However the guest ends, the device goes back."""
        self.define_guest("web1", hostdev(self.function))
        self.daemon.run("start", "web1")
        os.kill(self.qemu(), signal.SIGKILL)
        self.returned()
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="its end")
        self.daemon.run("start", "web1")
        os.kill(self.qemu(), signal.SIGSTOP)
        self.daemon.run("destroy", "web1")
        self.returned()
        self.daemon.run("start", "web1")
        pid = self.qemu()
        self.client.close()
        self.daemon.kill()
        os.kill(pid, signal.SIGKILL)
        self.daemon.start()
        self.client = self.daemon.client()
        self.returned()

    def test_vanishes(self):
        """The card's functions are taken away under a guest: the next ones have the same addresses and groups."""
        for name in ("web1", "web2"):
            self.define_guest(name, hostdev(self.function))
        self.daemon.run("start", "web1")
        os.kill(self.qemu(), signal.SIGSTOP)
        writer = subprocess.Popen(["sh", "-c", f"echo 0 >{lab.path(lab.CARD, 'sriov_numvfs')}"])
        #   The kernel asks QEMU for it, and waits; nobody else does.
        until(lambda: not lab.driver(self.function), what="the kernel's wait")
        self.assertIn("pci", self.daemon.run("nodedev-info", node(self.function)))
        self.assertIn("domain 'web1' has it", self.refused_start("web2"))
        os.kill(self.qemu(), signal.SIGKILL)
        self.assertEqual(writer.wait(60), 0)
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="the guest's end")
        until(lambda: not os.path.exists(self.status), what="the end of the status file")
        lab.make_virtual_functions(3)
        until(lambda: node(self.function) in self.daemon.run("nodedev-list"), what="the new function")
        self.daemon.run("start", "web2")
        self.assertTrue(self.has_function("web2"))
        self.daemon.run("destroy", "web2")
        self.all_returned()

    def test_of_vfio_before(self):
        """An administrator had vfio-pci take it: guests need not be managed for it, and it stays there."""
        self.addCleanup(lab.bind, self.function, "\n")
        lab.bind(self.function, "vfio-pci")
        for managed in ("no", "yes"):
            self.define_guest("web1", hostdev(self.function, managed=managed))
            self.daemon.run("start", "web1")
            self.assertTrue(self.has_function("web1"))
            self.daemon.run("destroy", "web1")
            until(lambda: not os.path.exists(self.status), what="its return")
            self.assertEqual((lab.driver(self.function), lab.read(self.function, "driver_override")),
                             ("vfio-pci", "vfio-pci"))
            self.daemon.run("undefine", "web1")

    def test_killed(self):
        """The daemon is killed at each step of a start, and of an end."""
        self.define_guest("web1", hostdev(self.function))
        for at in ("before", "between", "after"):
            with self.subTest(command="start", at=at):
                self.cut_off(at, "start", "web1")
                self.returned()
                self.assertIn("shut off", self.daemon.run("domstate", "web1"))
        for at in ("before", "between", "after"):
            with self.subTest(command="destroy", at=at):
                self.daemon.run("start", "web1")
                self.cut_off(at, "destroy", "web1")
                self.returned()
                self.assertIn("shut off", self.daemon.run("domstate", "web1"))

    def test_many_at_once(self):
        """Three functions and six guests that want one each, two for each: three get theirs."""
        names = [f"web{number}" for number in range(6)]
        for number, name in enumerate(names):
            self.define_guest(name, hostdev(self.functions[number // 2]))
        outcomes = self.start_all(names)
        self.assertEqual(outcomes.count(None), 3, outcomes)
        for number in range(3):
            pair = outcomes[2 * number:2 * number + 2]
            self.assertEqual(pair.count(None), 1, pair)
            self.assertIn("has it", next(text for text in pair if text))
        for name, outcome in zip(names, outcomes):
            if outcome is None:
                self.daemon.run("destroy", name)
        for name, outcome in zip(names, outcomes):
            if outcome is not None:
                self.daemon.run("start", name)
                self.daemon.run("destroy", name)
        for function in self.functions:
            until(lambda: lab.driver(function) == "igbvf", what="its return")

    def test_shown(self):
        self.define_guest("web1", hostdev(self.function))
        document = self.daemon.run("dumpxml", "web1")
        self.assertIn("<hostdev mode='subsystem' type='pci' managed='yes'>", document)
        self.assertIn("<driver name='vfio'/>", document)
        self.assertRegex(document, r"<address type='pci' domain='0x0000' bus='0x0[1-9]'")
        self.assertIn(node(self.function), self.daemon.run("nodedev-list", "--cap", "pci"))


AUTO = "<vsock model='virtio'><cid auto='yes'/></vsock>"
SET_GUEST_CID = 0x4008af60  # linux/vhost.h


def fixed(cid):
    return f"<vsock model='virtio'><cid auto='no' address='{cid}'/></vsock>"


class Vsocks(GuestTest):
    def cid(self, name):
        """As QEMU has told the kernel, and as the document has it."""
        cid = self.device_of(name, "vsock0", "guest-cid")
        self.assertIn(f" address='{cid}'", self.daemon.run("dumpxml", name).split("<vsock")[1].split("<alias")[0])
        return cid

    def start_guest(self, name, device):
        self.define_guest(name, device)
        self.daemon.run("start", name)
        return self.cid(name)

    def attach(self, device):
        self.client.call("domain.device_attach", domain="web1", xml=device, timeout=120)

    def qemu_of(self, name):
        return [int(line.split()[0]) for line in self.daemon.processes() if f"-name guest={name}," in line][0]

    def none_on_file(self):
        path = os.path.join(self.daemon.root, "run", "troupe", "devices.status")
        until(lambda: not os.path.exists(path), what="the end of what is on file")

    def test_addresses(self):
        """Each guest has one of its own, which nobody else gets as long as it runs, whoever that is."""
        other = os.open("/dev/vhost-vsock", os.O_RDWR)
        self.addCleanup(os.close, other)
        fcntl.ioctl(other, SET_GUEST_CID, struct.pack("Q", 4))
        self.assertEqual([self.start_guest(name, AUTO) for name in ("web1", "web2")], [3, 5])
        self.define_guest("web3", fixed(5))
        self.define_guest("web4", fixed(4))
        self.assertIn("'vsock:5' can't go to domain 'web3': domain 'web2' has it", self.refused_start("web3"))
        self.assertIn("the kernel says that it is taken", self.refused_start("web4"))
        self.restart()
        until(lambda: "running" in self.daemon.run("domstate", "web2"), what="the guest")
        self.assertEqual(self.cid("web2"), 5)
        self.assertIn("domain 'web2' has it", self.refused_start("web3"))
        pid = self.qemu_of("web2")
        self.client.close()
        self.daemon.kill()
        os.kill(pid, signal.SIGKILL)
        self.daemon.start()
        self.client = self.daemon.client()
        until(lambda: "shut off" in self.daemon.run("domstate", "web2"), what="its end")
        self.daemon.run("start", "web3")
        self.assertEqual(self.cid("web3"), 5)
        self.daemon.run("start", "web2")
        self.assertEqual(self.cid("web2"), 6)
        for name in ("web1", "web2", "web3"):
            self.daemon.run("destroy", name)
        self.none_on_file()
        self.assertEqual(self.start_guest("web5", fixed(3)), 3)
        self.daemon.run("destroy", "web5")

    def test_plugged(self):
        """It comes to a running guest, and goes; then it is free, at once."""
        self.start_system("web1")
        self.define_guest("web2", fixed(3))
        self.attach(AUTO)
        self.assertEqual(self.cid("web1"), 3)
        self.assertIn("domain 'web1' has it", self.refused_start("web2"))
        with self.assertRaises(TroupeError) as caught:
            self.attach(fixed(9))
        self.assertIn("two vsocks", caught.exception.message)
        self.client.call("domain.device_detach", domain="web1", xml=AUTO, timeout=120)
        self.assertNotIn("<vsock", self.daemon.run("dumpxml", "web1"))
        self.none_on_file()
        self.daemon.run("start", "web2")
        with self.assertRaises(TroupeError) as caught:
            self.attach(fixed(3))
        self.assertIn("domain 'web2' has it", caught.exception.message)
        self.assertNotIn("<vsock", self.daemon.run("dumpxml", "web1"))
        self.attach(fixed(4))
        self.assertEqual((self.cid("web1"), self.cid("web2")), (4, 3))
        image = os.path.join(self.daemon.root, "image")
        self.daemon.run("save", "web1", image)
        self.daemon.run("restore", image)
        self.assertEqual(self.cid("web1"), 4)
        os.kill(self.qemu_of("web1"), signal.SIGKILL)
        until(lambda: "shut off" in self.daemon.run("domstate", "web1"), what="its end")
        self.daemon.run("destroy", "web2")
        self.none_on_file()
