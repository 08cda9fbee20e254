"""External snapshots of real guests: overlays above their disks, and memory in a file."""

import os
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as etree

from guest import Guest, qemu_domain
from harness import until
from test_qemu_snapshot import SnapshotTest
from troupe_client import TroupeError


class ExternalTest(SnapshotTest):
    """What tests of external snapshots have in common."""

    def sources(self, inactive=False):
        """What the disks are called in the document, by target."""
        text = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        disks = etree.fromstring(text).findall("devices/disk")
        return {disk.find("target").get("dev"): disk.find("source").get("file") for disk in disks}

    def backing(self, path):
        return self.info(path).get("backing-filename")

    def files(self):
        """Images and memory files, and what taking one leaves only while it is under way."""
        names = os.listdir(self.daemon.root)
        return sorted(name for name in names if name.startswith((".troupe", "vd", "mem", "a.", "b.")))

    def write(self, guest, text, disk="vda"):
        guest.run(f"echo {text} | dd of=/dev/{disk} conv=fsync")

    def read(self, guest, disk="vda", size=3):
        return guest.run(f"dd if=/dev/{disk} iflag=direct bs=512 count=1 | head -c {size}")

    def restart_killed(self):
        self.daemon.kill()
        self.restart()


class External(ExternalTest):
    def test_disk_only(self):
        """The guest goes on in new images, and does not notice; a daemon that comes back knows."""
        images = [self.image("a.qcow2"), self.image("b.qcow2")]
        overlays = {"vda": self.path("a.one"), "vdb": self.path("b.one")}
        (guest,) = self.boot("web1", devices=self.devices(*images))
        self.write(guest, "old")
        self.daemon.run("snapshot-create-as", "web1", "one", "--disk-only")
        self.write(guest, "new")
        self.assertEqual(self.read(guest), "new")
        self.assertEqual(self.sources(), overlays)
        self.assertEqual(self.sources(inactive=True), overlays)
        self.assertEqual(self.backing(overlays["vda"]), images[0])
        found = self.client.call("snapshot.info", domain="web1")
        self.assertEqual((found["state"], found["location"]), ("disk-snapshot", "external"))
        self.assertEqual(self.names(external=True), ["one"])
        self.assertEqual(guest.state()[0], "running")
        self.daemon.kill()
        self.restart()
        until(lambda: guest.state()[0] == "running", 60, "adoption")
        self.daemon.run("snapshot-create-as", "web1", "two", "--disk-only", "--diskspec", "vdb,snapshot=no")
        self.assertEqual(self.sources(), {"vda": self.path("a.two"), "vdb": self.path("b.one")})
        self.assertEqual(self.backing(self.path("a.two")), overlays["vda"])
        guest = Guest(self, guest.uuid).open()
        self.assertEqual(self.read(guest), "new")
        self.client.call("domain.destroy", domain="web1")
        self.client.call("domain.create", domain="web1")
        guest = Guest(self, guest.uuid).open().wait_answer()
        self.assertEqual(self.read(guest), "new")
        self.daemon.run("snapshot-revert", "web1", "one", "--running")
        self.assertEqual(guest.state(), ("running", "from snapshot"))
        guest = Guest(self, guest.uuid).open().wait_answer()
        self.assertEqual(self.read(guest), "old")
        self.assertEqual(self.backing(self.sources()["vda"]), images[0])
        self.assertEqual(self.current(), "one")
        self.assertTrue(os.path.exists(self.path("a.two")))

    def test_memory(self):
        """Memory and disks go back together, as often as one likes."""
        image, memory = self.image(), self.path("mem.one")
        (guest,) = self.boot("web1", devices=self.devices(image))
        guest.type("memory=one")
        self.write(guest, "old")
        self.daemon.run("snapshot-create-as", "web1", "one", "--memspec", memory)
        self.assertEqual(guest.state()[0], "running")
        self.assertTrue(os.path.exists(memory))
        guest.type("memory=two")
        self.write(guest, "new")
        self.daemon.run("snapshot-create-as", "web1", "two", "--live", "--memspec", self.path("mem.two"))
        self.assertEqual(self.client.call("snapshot.info", domain="web1")["state"], "running")
        self.assertEqual(guest.run("echo $memory"), "two")
        for name, text in (("one", "old"), ("two", "new"), ("one", "old")):
            self.daemon.run("snapshot-revert", "web1", name)
            self.assertEqual(guest.state(), ("running", "from snapshot"))
            guest = Guest(self, guest.uuid).open()
            self.assertEqual((guest.run("echo $memory"), self.read(guest)), (name, text))
            self.write(guest, "xxx")
        self.daemon.run("snapshot-revert", "web1", "two", "--paused")
        self.assertEqual(guest.state(), ("paused", "from snapshot"))

    def test_shut_off(self):
        image = self.image()
        self.client.call("domain.define", xml=qemu_domain("web1", devices=self.devices(image)))
        self.daemon.run("snapshot-create-as", "web1", "one", "--diskspec", f"vda,file={self.path('vda.x')}")
        self.assertEqual(self.sources(), {"vda": self.path("vda.x")})
        self.assertEqual(self.backing(self.path("vda.x")), image)
        self.assertEqual(self.client.call("snapshot.info", domain="web1")["state"], "shutoff")
        self.daemon.run("snapshot-revert", "web1", "one")
        self.assertEqual(self.sources(), {"vda": self.path("vda.one-1")})
        self.assertEqual(Guest(self, "web1").state(), ("shut off", "from snapshot"))
        self.restart_killed()
        self.assertEqual(self.sources(), {"vda": self.path("vda.one-1")})
        self.assertEqual(self.names(), ["one"])
        self.refused_with_managed_save()
        self.daemon.run("snapshot-delete", "web1", "one", "--metadata")
        self.assertEqual(self.names(), [])

    def refused_with_managed_save(self):
        """The saved guest goes on with the images that it had: others may neither stand on them nor go."""
        self.client.call("domain.create", domain="web1", paused=True)
        self.client.call("domain.managed_save", domain="web1")
        before = self.files(), self.sources(), self.names()
        for command, *options in (
            ("snapshot-create-as", "two", "--disk-only"),
            ("snapshot-delete", "one"),
            ("snapshot-revert", "one"),
        ):
            said = self.daemon.run(command, "web1", *options, status=None)
            self.assertEqual(said.returncode, 1)
            self.assertIn("has a managed save", said.stderr)
        self.assertEqual((self.files(), self.sources(), self.names()), before)
        self.client.call("domain.create", domain="web1")
        self.client.call("domain.destroy", domain="web1")

    def test_reuse(self):
        """Files that are there are used only if that is said."""
        image, there = self.image(), self.path("vda.one")
        (guest,) = self.boot("web1", devices=self.devices(image))
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, there], check=True
        )
        before = self.files()
        with self.assertRaisesRegex(TroupeError, "exists already"):
            self.client.call("snapshot.create", domain="web1", disk_only=True, xml="<domainsnapshot><name>one</name></domainsnapshot>")
        with open(self.path("mem.x"), "w") as file:
            file.write("mine")
        with self.assertRaisesRegex(TroupeError, "exists already"):
            self.client.call(
                "snapshot.create", domain="web1", xml=f"<domainsnapshot><memory file='{self.path('mem.x')}'/></domainsnapshot>"
            )
        self.assertEqual(self.files(), sorted(before + ["mem.x"]))
        self.assertEqual((self.names(), self.sources()), ([], {"vda": image}))
        self.daemon.run("snapshot-create-as", "web1", "one", "--disk-only", "--reuse-external", "--no-metadata")
        self.assertEqual((self.names(), self.sources()), ([], {"vda": there}))
        self.assertEqual(guest.run("echo alive"), "alive")

    def check_whole(self, guest, image, overlay):
        """All of a snapshot, or nothing: the tree, both documents, the guest, and the files."""
        def whole():
            known, now = self.names(), self.sources()["vda"]
            return (
                (known, now) in (([], image), (["one"], overlay))
                and self.sources(inactive=True)["vda"] == now
                and self.files() == sorted(["a.qcow2"] + [os.path.basename(now)] * (now != image) + self.memory(known))
            )
        try:
            until(whole, 150, "all of it, or nothing")
        except AssertionError as error:
            found = self.names(), self.sources(), self.sources(inactive=True), self.files()
            raise AssertionError(f"{error}: {found}\n{self.daemon.log()[-3000:]}")
        return self.names() == ["one"]

    def memory(self, known):
        return ["mem.one"] if known and self.info_memory() else []

    def info_memory(self):
        return "mem.one" in self.client.call("snapshot.xml", domain="web1", snapshot="one")["xml"]

    def again(self, image):
        """As it was before, without the guest."""
        self.client.call("domain.destroy", domain="web1")
        self.client.call("domain.undefine", domain="web1", snapshots_metadata=True)
        for name in self.files():
            os.unlink(self.path(name))
        self.image("a.qcow2")

    def kill_loop(self, times, xml, **args):
        image, overlay = self.image("a.qcow2"), self.path("a.one")
        for ms in times:
            with self.subTest(killed_after_ms=ms):
                #   As if it were the first snapshot ever: what killed daemon and next one need is not there.
                shutil.rmtree(os.path.join(self.daemon.root, "var/lib/troupe/qemu/snapshot"), ignore_errors=True)
                guest = self.start("web1", devices=self.devices(image))
                self.client.call("domain.resume", domain="web1")
                pid = guest.pid()
                self.kill_after(ms, "snapshot.create", xml=xml, **args)
                until(lambda: guest.state()[0] == "running", 60, "the guest going on")
                self.check_whole(guest, image, overlay)
                self.assertEqual(guest.pid(), pid)
                self.again(image)

    def test_daemon_killed(self):
        xml = "<domainsnapshot><name>one</name></domainsnapshot>"
        self.kill_loop((0, 10, 25, 50, 100), xml, disk_only=True)

    def test_daemon_killed_with_memory(self):
        xml = f"<domainsnapshot><name>one</name><memory file='{self.path('mem.one')}'/></domainsnapshot>"
        self.kill_loop((20, 150, 400), xml)

    def test_daemon_killed_while_it_goes_back(self):
        """The domain has the images of before, or those of the snapshot; no other one is left."""
        image = self.image("a.qcow2")
        self.client.call("domain.define", xml=qemu_domain("web1", devices=self.devices(image)))
        self.daemon.run("snapshot-create-as", "web1", "one", "--diskspec", "vda,snapshot=external")
        for ms in (0, 20, 60, 120):
            with self.subTest(killed_after_ms=ms):
                kept = set(self.files())
                self.kill_after(ms, "snapshot.revert", snapshot="one")
                until(lambda: set(self.files()) == kept | {self.used()}, 60, "only what is in use")
                self.client.call("snapshot.revert", domain="web1", snapshot="one")
                self.assertEqual(self.backing(self.path(self.used())), image)

    def used(self):
        return os.path.basename(self.sources()["vda"])

    def test_called_off(self):
        """A guest whose memory is being written goes on when that is called off."""
        image, memory = self.image("a.qcow2"), self.path("mem.one")
        (guest,) = self.boot("web1", devices=self.devices(image))
        id = self.client.send(
            "snapshot.create", domain="web1", deadline=60000,
            xml=f"<domainsnapshot><name>one</name><memory file='{memory}'/></domainsnapshot>",
        )
        self.has_begun(id, "web1")
        self.abort_job("web1")
        try:
            self.client.wait(id)
        except TroupeError as error:
            self.assertEqual(error.name, "VIR_ERR_OPERATION_ABORTED")
        self.check_whole(guest, image, self.path("a.one"))
        self.assertEqual(guest.run("echo alive"), "alive")


if __name__ == "__main__":
    unittest.main()
