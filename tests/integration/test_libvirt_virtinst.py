"""virt-install, virt-xml and virt-clone, as they are, on the example guest."""

import os
import shutil
import subprocess
from xml.etree import ElementTree

from guest import FOLDER, KERNEL_ARGS, Guest, QemuTest
from harness import PATIENCE, until
from libvirt_client import Virsh, uri

#   What examples/guest.xml has.
EXAMPLE = [
    "--memory=256",
    "--vcpus=1",
    "--machine=q35",
    "--network=user,model=virtio",
    "--rng=/dev/urandom",
]


class Virtinst(Virsh, QemuTest):
    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        if not shutil.which("virt-install"):
            self.skipTest("there is no virt-install: apt-get install virtinst")
        #   It keeps a cache and a log there.
        self.home = os.path.join(self.daemon.root, "home")
        os.mkdir(self.home)

    def tool(self, *args, status=0):
        """One of virtinst's programs with ARGS; all that it says."""
        done = subprocess.run(
            [args[0], "--connect", uri(self.daemon, self.connect), *args[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "XDG_CACHE_HOME": self.home},
        )
        self.assertEqual(done.returncode, status, f"{' '.join(args)}\n{done.stdout}")
        return done.stdout

    def install(self, name, *options, disk="none", **expected):
        boot = ",".join(
            [
                f"kernel={os.path.join(FOLDER, 'vmlinuz')}",
                f"initrd={os.path.join(FOLDER, 'initrd.img')}",
                f"kernel_args={KERNEL_ARGS} troupe.hostname={name}",
            ]
        )
        return self.tool(
            *["virt-install", "--import", "--name", name, "--virt-type=qemu", "--boot", boot],
            *["--osinfo=detect=on,require=off", "--graphics=none", "--serial=pty"],
            *["--noautoconsole", f"--disk={disk}", *options],
            **expected,
        )

    def edit(self, name, *options, **expected):
        return self.tool("virt-xml", name, *options, **expected)

    def document(self, name, *options):
        return ElementTree.fromstring(self.virsh("dumpxml", name, *options))

    def test_example(self):
        self.install("web", *EXAMPLE)
        guest = Guest(self, self.virsh("domuuid", "web")).open().wait_answer()
        self.check_installed()
        self.check_plug(guest)
        self.check_define()
        self.virsh("destroy", "web")
        self.check_clone()

    def check_installed(self):
        document = self.document("web")
        self.assertRegex(document.find("os/type").get("machine"), "^pc-q35-")
        self.assertEqual(document.findtext("memory"), str(256 * 1024))
        #   The companions of the USB controller that virt-install describes without numbers.
        usb = document.findall("devices/controller[@type='usb']")
        self.assertEqual([each.get("index") for each in usb], ["0"] * 4)
        self.assertIn("Persistent:     yes", self.virsh("dominfo", "web"))

    def check_plug(self, guest):
        """Into and out of the running guest, and its definition."""
        path = os.path.join(self.daemon.root, "disk.raw")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        disk = f"source.file={path},driver.type=raw,target.dev=vda,target.bus=virtio"
        said = self.edit("web", "--add-device", "--disk", disk, "--update")
        self.assertIn("Device hotplug successful", said)
        for option in ([], ["--inactive"]):
            self.assertIn(path, self.virsh("domblklist", "web", *option))
        until(lambda: "vda" in guest.run("cat /proc/partitions"), what="the disk in the guest")
        said = self.edit("web", "--remove-device", "--disk", "target=vda", "--update")
        self.assertIn("Device hotunplug successful", said)
        self.assertEqual(self.virsh("domblklist", "web", "--inactive"), "")
        #   The guest was asked, and the tool kept waiting for a while.
        until(lambda: self.virsh("domblklist", "web") == "", what="the guest's letting go")

    def check_define(self):
        """What counts from the next start on."""
        said = self.edit("web", "--edit", "--vcpus=2")
        self.assertIn("after the domain is fully powered off", said)
        self.edit("web", "--edit", "--metadata", "title=A guest")
        self.assertEqual(self.document("web").findtext("vcpu"), "1")
        self.assertEqual(self.document("web", "--inactive").findtext("vcpu"), "2")
        self.assertEqual(self.virsh("desc", "web", "--title", "--config"), "A guest")
        said = self.edit("web", "--edit", "--boot", "menu=on", "--print-diff")
        self.assertIn('+    <bootmenu enable="yes"/>', said)
        said = self.edit("web", "--add-device", "--tpm", "emulator", status=1)
        self.assertIn("not supported: <devices/tpm>", said)

    def check_clone(self):
        mac = "52:54:00:01:02:03"
        self.tool("virt-clone", "--original=web", "--auto-clone")
        self.tool("virt-clone", "--original=web", "--auto-clone", "--name=third", f"--mac={mac}")
        names = self.virsh("list", "--all", "--name").split()
        self.assertEqual(sorted(names), ["third", "web", "web-clone"])
        self.assertEqual(len({self.virsh("domuuid", name) for name in names}), 3)
        interface = self.document("third").find("devices/interface/mac")
        self.assertEqual(interface.get("address"), mac)
        self.assertEqual(self.document("web-clone").findtext("vcpu"), "2")
        self.virsh("start", "web-clone")
        self.assertEqual(self.virsh("domstate", "web-clone"), "running")

    def test_without_wishes(self):
        """virt-install's own defaults, of a guest that is gone when it ends."""
        said = self.install("once", "--network=none", "--memory=128", "--print-xml")
        self.assertRegex(ElementTree.fromstring(said).find("os/type").get("machine"), "^pc-i440fx-")
        self.assertEqual(self.virsh("list", "--all"), "")
        self.install("once", "--network=none", "--memory=128", "--transient")
        self.assertEqual(self.virsh("list", "--name", "--transient"), "once")
        self.virsh("destroy", "once")
        self.assertEqual(self.virsh("list", "--all"), "")

    def test_disks(self):
        """By its path a disk is looked for in storage pools; without them nothing is made of it, but by its file."""
        path = os.path.join(self.daemon.root, "disk.raw")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        bare = ("--network=none", "--memory=128")
        self.assertIn("requires a path", self.install("own", *bare, disk=f"path={path}", status=1))
        self.assertEqual(self.virsh("list", "--all"), "")
        disk = f"source.file={path},driver.type=raw,target.dev=vda,target.bus=virtio"
        self.install("own", *bare, disk=disk)
        self.assertIn(path, self.virsh("domblklist", "own"))
        self.virsh("destroy", "own")
        said = self.tool("virt-clone", "--original=own", "--auto-clone", status=1)
        self.assertIn("Could not use path", said)
        self.assertEqual(self.virsh("list", "--all", "--name"), "own")
