"""virsh, as it is, on simulated guests."""

import os
import unittest

from harness import Daemon, DaemonTest, test_domain
from libvirt_client import VirshTest, virsh


class Virsh(VirshTest):
    def test_life(self):
        xml = self.write("web.xml", test_domain("web"))
        self.assertEqual(self.virsh("list", "--all"), "")
        self.virsh("define", xml)
        self.assertEqual(self.virsh("list", "--all", "--name"), "web")
        self.assertEqual(self.virsh("list", "--name"), "")
        self.virsh("start", "web")
        self.assertEqual(self.virsh("domstate", "web", "--reason"), "running (booted)")
        info = self.virsh("dominfo", "web")
        for line in ("web", "running", "65536 KiB", "Persistent:     yes", "Autostart:      disable"):
            self.assertIn(line, info)
        self.assertIn("<name>web</name>", self.virsh("dumpxml", "web"))
        self.assertEqual(self.virsh("domuuid", "web"), self.virsh("domuuid", self.virsh("domid", "web")))
        self.virsh("suspend", "web")
        self.assertEqual(self.virsh("domstate", "web"), "paused")
        self.assertEqual(self.virsh("list", "--name", "--state-paused"), "web")
        self.virsh("resume", "web")
        self.virsh("autostart", "web")
        self.assertIn("Autostart:      enable", self.virsh("dominfo", "web"))
        self.virsh("autostart", "web", "--disable")
        self.assertIn("Autostart:      disable", self.virsh("dominfo", "web"))
        self.assertIn("already", self.refused("start", "web"))
        self.assertIn("error: no job is active on domain 'web'", self.refused("domjobabort", "web"))
        self.virsh("destroy", "web")
        self.assertIn("shut off", self.virsh("list", "--all"))
        self.virsh("start", "web", "--paused")
        self.assertEqual(self.virsh("domstate", "web"), "paused")
        self.virsh("destroy", "web", "--graceful")
        self.virsh("undefine", "web")
        self.assertEqual(self.virsh("list", "--all"), "")

    def test_transient(self):
        xml = self.write("once.xml", test_domain("once"))
        self.virsh("create", xml)
        self.assertIn("Persistent:     no", self.virsh("dominfo", "once"))
        self.assertEqual(self.virsh("list", "--name", "--transient"), "once")
        self.virsh("destroy", "once")
        self.assertIn("failed to get domain 'once'", self.refused("domstate", "once"))

    def test_connections(self):
        """Each URI has the domains of its own driver."""
        xml = self.write("web.xml", test_domain("web"))
        self.virsh("define", xml)
        for connect in ("qemu:///system", "lxc:///system", "qemu:///session"):
            self.assertEqual(self.virsh("list", "--all", connect=connect), "")
        self.refused("domstate", "web", connect="qemu:///system")
        self.assertIn("type='test'", self.refused("create", xml, connect="qemu:///system"))
        self.assertIn("xen:///system", self.refused("list", connect="xen:///system"))
        self.assertIn("Running hypervisor: TEST ", self.virsh("version"))
        self.assertIn("Running hypervisor: LXC ", self.virsh("version", connect="lxc:///system"))
        self.assertTrue(self.virsh("hostname"))
        self.assertIn("CPU(s):", self.virsh("nodeinfo"))
        self.assertIn("<capabilities>", self.virsh("capabilities"))

    def test_read_only(self):
        """The read-only socket, and a read-only connection to the other one."""
        self.virsh("define", self.write("web.xml", test_domain("web")))
        for readonly in (True, False):
            options = {"readonly": readonly} if readonly else {}
            self.assertIn("web", self.virsh("list", "--all", **options))
        self.assertIn("web", self.virsh("dumpxml", "web", readonly=True))
        self.assertIn("read only", self.refused("start", "web", readonly=True))
        self.assertIn("not supported", self.refused("pool-list"))


class Places(unittest.TestCase):
    """Where the sockets are."""

    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.remove)
        self.addCleanup(self.daemon.stop)

    def configure(self, text):
        folder = os.path.join(self.daemon.root, "etc", "troupe")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "troupe.conf"), "w") as file:
            file.write(text)

    def check(self, path):
        for place in (path, path + "-ro"):
            self.assertEqual(virsh(self.daemon, "uri", path=place, readonly=place != path)[:4], "test")
        run = os.path.join(self.daemon.root, "run", "troupe")
        self.assertEqual([name for name in os.listdir(run) if "libvirt" in name], [])

    def test_take_over(self):
        self.configure("[libvirt]\ntake_over = yes\n")
        self.daemon.start()
        self.check(os.path.join(self.daemon.root, "run", "libvirt", "libvirt-sock"))

    def test_option(self):
        path = os.path.join(self.daemon.root, "elsewhere")
        self.daemon.options = ("--libvirt-socket", path)
        self.daemon.start()
        self.check(path)

    def test_refused(self):
        self.configure("[libvirt]\ntake_over = perhaps\n")
        with self.assertRaisesRegex(AssertionError, "line 2: it has to be yes or no"):
            self.daemon.start()
