"""Containers with file systems in images and on block devices."""

import os
import shutil
import subprocess
import unittest

from container import container_xml
from harness import until
from test_lxc import ContainerTest
from test_lxc_idmap import GID, IDMAP, UID
from troupe_client import TroupeError


def image(path, folder=None, owner="0:0"):
    """An ext4 file system in the file PATH, filled from FOLDER."""
    fill = ["-d", folder] if folder else []
    command = ["mke2fs", "-q", "-t", "ext4", "-m", "0", "-E", f"root_owner={owner}", *fill, path, "16M"]
    subprocess.run(command, check=True, capture_output=True, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    return path


def loops_of(path):
    """Loop devices whose image is PATH."""
    found = []
    for name in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{name}/loop/backing_file") as file:
                if file.read().strip() == path:
                    found.append(f"/dev/{name}")
        except OSError:
            continue
    return found


class Disks(ContainerTest):
    def setUp(self):
        super().setUp()
        with open("/proc/filesystems") as file:
            if "ext4" not in file.read() or not os.path.exists("/dev/loop-control"):
                self.skipTest("this kernel has no loop devices, or no ext4: images can't be mounted at all")
        if not shutil.which("mke2fs", path="/usr/sbin:/sbin:/usr/bin"):
            self.skipTest("there is no mke2fs (Debian: e2fsprogs) to make images with")
        self.path = image(os.path.join(self.daemon.root, "disk.img"))

    def filesystem(self, target, more="", path=None, kind="file", source="file"):
        return (
            f"<filesystem type='{kind}'><source {source}='{path or self.path}'/>"
            f"<target dir='{target}'/>{more}</filesystem>"
        )

    def refused(self, message, **parts):
        self.define("web2", **parts)
        with self.assertRaisesRegex(TroupeError, message):
            self.client.call("domain.create", domain="web2")

    def test_image(self):
        """It is there, also after a reboot; nothing of it is to be seen on the host; and then it is free."""
        self.client.call("event.subscribe", verbs=["domain.reboot"])
        devices = "<console type='pty'/>" + self.filesystem("/data")
        self.start("web1", devices=devices)
        self.assertIn("<driver type='loop' format='raw'/>", self.daemon.run("dumpxml", "web1"))
        self.assertEqual(len(loops_of(self.path)), 1)
        shell = self.console("web1")
        self.assertRegex(shell.run("grep ' /data ' /proc/mounts")[0], r"/data ext4 rw,nodev,")
        self.assertEqual(shell.run("echo kept >/data/file; ls -d /data/lost+found"), ("/data/lost+found", 0))
        self.assertEqual([line for line in self.daemon.mounts() if "loop" in line and "ext4" in line], [])
        shell.type("reboot -f")
        self.client.next_event("domain.reboot")
        shell = self.console("web1")
        self.assertEqual(shell.run("cat /data/file"), ("kept", 0))
        self.assertEqual(len(loops_of(self.path)), 1)
        #   Two that write to it would destroy it, whatever the name that it goes by.
        os.link(self.path, self.path + ".link")
        self.refused("is in use already, as /dev/loop", devices=self.filesystem("/x", path=self.path + ".link"))
        self.assertEqual(shell.run("sync; cat /data/file"), ("kept", 0))
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(shell.run("cat /data/file"), ("kept", 0))
        os.kill(self.supervisor(), 9)
        until(lambda: self.state("web1") == "shut off (crashed)", what="its end")
        until(lambda: not loops_of(self.path), what="the loop device to be free")
        self.assertNothingLeft()

        #   The same again, read-only.
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.start("web1", devices="<console type='pty'/>" + self.filesystem("/data", "<readonly/>"))
        shell = self.console("web1")
        self.assertEqual(shell.run("cat /data/file"), ("kept", 0))
        self.assertNotEqual(shell.run("echo x >/data/file")[1], 0)
        self.client.call("domain.destroy", domain="web1")
        until(lambda: not loops_of(self.path), what="the loop device to be free")

    def test_root(self):
        """The whole root is an image; its users are others on the host."""
        subprocess.run(["chown", "-R", "-h", f"{UID}:{GID}", self.root], check=True)
        path = image(os.path.join(self.daemon.root, "root.img"), self.root, f"{UID}:{GID}")
        xml = self.client.call("domain.define", xml=self.rooted(path))
        self.client.call("domain.create", domain=xml["uuid"])
        shell = self.console("web1")
        self.assertRegex(shell.run("grep ' / ' /proc/mounts")[0], r" / ext4 rw,")
        self.assertEqual(shell.run("touch /made; busybox stat -c %u:%g /made; busybox id -u"), ("0:0\n0", 0))
        self.client.call("domain.destroy", domain="web1")
        until(lambda: not loops_of(path), what="the loop device to be free")
        self.assertNothingLeft()

    def rooted(self, path):
        return container_xml("web1", self.root, extra=IDMAP).replace(
            f"<filesystem type='mount'><source dir='{self.root}'/><target dir='/'/></filesystem>",
            self.filesystem("/", path=path),
        )

    def test_block_device(self):
        """A block device, which is in use by nobody else; here a loop device of the host's."""
        loop = subprocess.run(
            ["losetup", "--find", "--show", self.path], check=True, capture_output=True, text=True
        ).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", loop], check=False)
        part = self.filesystem("/data", path=loop, kind="block", source="dev")
        self.start("web1", devices="<console type='pty'/>" + part)
        shell = self.console("web1")
        self.assertRegex(shell.run("grep ' /data ' /proc/mounts")[0], rf"^{loop} /data ext4 ")
        self.assertNotEqual(shell.run(f"cat {loop}")[1], 0)
        self.refused("which is in use", devices=part)
        self.client.call("domain.destroy", domain="web1")
        until(lambda: self.is_free(loop), what="the device to be free")

        #   What is no file system is not tried.
        nothing = os.path.join(self.daemon.root, "nothing.img")
        with open(nothing, "wb") as file:
            file.truncate(1 << 20)
        self.refused("has no file system that is known", devices=self.filesystem("/x", path=nothing))
        self.refused("is no block device", devices=self.filesystem("/x", path=nothing, kind="block", source="dev"))
        self.refused("is no file", devices=self.filesystem("/x", path=loop))
        until(lambda: not loops_of(nothing), what="the loop device to be free")
        for more, message in (
            ("<driver type='nbd' format='qcow2'/>", "filesystem/driver/@type 'nbd'"),
            ("<driver type='loop' format='qcow2'/>", "filesystem/driver/@format 'qcow2'"),
            ("<space_hard_limit>1</space_hard_limit>", "filesystem/space_hard_limit"),
        ):
            with self.assertRaisesRegex(TroupeError, f"not supported: .*{message}"):
                self.define("web2", devices=self.filesystem("/x", more))
        self.assertNothingLeft()

    def is_free(self, device):
        try:
            os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
            return True
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
