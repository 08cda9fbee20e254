"""Disks of running guests that become larger and smaller."""

import os
import subprocess
import unittest

from guest import Guest, QemuTest, qemu_domain
from harness import until
from troupe_client import TroupeError

MIB = 1024 * 1024
DISKS = """<console type='pty'/>
<disk type='file'><driver name='qemu' type='{format}'/><source file='{path}'/><target dev='vda'/></disk>
<disk type='file' device='cdrom'><target dev='hdc'/><readonly/></disk>
"""


class BlockResize(QemuTest):
    def image(self, name, format="qcow2", mib=8):
        path = os.path.join(self.daemon.root, name)
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", format, path, f"{mib}M"], check=True, timeout=60
        )
        return path

    def start_with(self, format="qcow2", paused=True):
        self.path = self.image("disk", format)
        devices = DISKS.format(format=format, path=self.path)
        xml = qemu_domain("web1", devices=devices)
        uuid = self.client.call("domain.create_xml", xml=xml, paused=True)["uuid"]
        return Guest(self, uuid)

    def size(self):
        text = self.daemon.run("qemu-monitor-command", "web1", "--hmp", "info", "block", "-v")
        return [line for line in text.split("\n") if "virtual size" in line][0]

    def test_guest_sees_it(self):
        guest = self.start_with("raw").open()
        self.client.call("domain.resume", domain=guest.uuid)
        guest.wait_up()
        self.assertEqual(guest.run("cat /sys/block/vda/size"), str(8 * MIB // 512))
        said = self.daemon.run("blockresize", "web1", "vda", "16M")
        self.assertEqual(said, "Block device 'vda' is resized\n")
        self.assertEqual(os.path.getsize(self.path), 16 * MIB)
        until(lambda: guest.run("cat /sys/block/vda/size") == str(16 * MIB // 512), what="the new size in the guest")

    def test_sizes(self):
        """In KiB, with a unit, by path, not a multiple of a sector, and smaller than before."""
        self.start_with()
        for disk, size, mib in (
            ("vda", "10240", 10),
            ("vda", "20MiB", 20),
            (self.path, "12582911b", 12),
        ):
            with self.subTest(disk=disk, size=size):
                self.daemon.run("blockresize", "web1", disk, size)
                self.assertIn(f"({mib * MIB} bytes)", self.size())

    def info(self, *args):
        return self.daemon.run("domblkinfo", "web1", *args)

    def test_info(self):
        """Of a guest that runs, and of one that does not, which nobody can start then."""
        self.start_with()
        file = os.stat(self.path)
        wanted = [8 * MIB, file.st_blocks * 512, file.st_size]
        table = r"\n vda +{} +{} +{}\n hdc +- +- +- *\n".format(*wanted)
        lines = "Capacity: +{}\nAllocation: +{}\nPhysical: +{}\n".format(*wanted)
        self.assertRegex(self.info("--all"), table)
        self.assertRegex(self.info("vda"), f"^{lines}$")
        self.assertRegex(self.info(self.path, "--human"), r"^Capacity: +8\.000 MiB\n")
        self.assertEqual(self.daemon.run("domblkerror", "web1"), "No errors found\n")
        definition = self.daemon.run("dumpxml", "web1", "--inactive")
        self.daemon.run("destroy", "web1")
        self.daemon.run("define", "/dev/stdin", input=definition)
        self.assertRegex(self.info("--all"), table)
        self.assertRegex(self.info("vda"), f"^{lines}$")
        (row,) = self.client.call("domain.block_info", domain="web1", disk="hdc")
        self.assertEqual(row, {"device": "hdc", "error": ""})
        for command, pattern in (
            (["domblkinfo", "web1", "vdb"], "has no disk 'vdb'"),
            (["domblkerror", "web1"], "is not running"),
        ):
            said = self.daemon.run(*command, status=None)
            self.assertEqual(said.returncode, 1)
            self.assertIn(pattern, said.stderr)
        self.daemon.run("domblkinfo", "web1", status=2)
        self.daemon.run("domblkinfo", "web1", "vda", "--all", status=2)

    def test_refused(self):
        """Each with its cause; the disk stays as it is."""
        self.start_with()
        before = self.size()
        for args, pattern in (
            ({"disk": "vdb", "size": MIB}, "no disk 'vdb'; it has: vda, hdc"),
            ({"disk": "hdc", "size": MIB}, "hdc.*has no medium"),
            ({"disk": "vda"}, "a size of 0 is none"),
            ({"disk": "vda", "size": 2**63}, "too many"),
            ({"disk": "vda", "capacity": True}, "name the size"),
        ):
            with self.subTest(args=args), self.assertRaisesRegex(TroupeError, pattern):
                self.client.call("domain.block_resize", domain="web1", **args)
        for args, status in ((("vda",), 2), (("vda", "ten"), 2), (("vdb", "1M"), 1)):
            with self.subTest(args=args):
                self.daemon.run("blockresize", "web1", *args, status=status)
        self.assertEqual(self.size(), before)
        self.client.call("domain.define", xml=qemu_domain("off"))
        with self.assertRaisesRegex(TroupeError, "not running"):
            self.client.call("domain.block_resize", domain="off", disk="vda", size=MIB)


if __name__ == "__main__":
    unittest.main()
