"""Deleting external snapshots of real guests: their overlays are merged into what they stand on."""

import os
import re
import subprocess
import unittest
import xml.etree.ElementTree as etree

from guest import Guest, qemu_domain
from harness import nothing_half_done, until
from test_qemu_external import ExternalTest
from troupe_client import TroupeError

MARK = "snapshotDeleteInProgress"


class Merge(ExternalTest):
    """Each image has a pattern of its own, so that what a disk holds says which images it has."""

    def define_with(self, *images):
        self.client.call("domain.define", xml=qemu_domain("web1", devices=self.devices(*images)))

    def take(self, name, *disks, **args):
        specs = [f"--diskspec={disk},snapshot=external" for disk in disks or ["vda"]]
        self.daemon.run("snapshot-create-as", "web1", name, *specs, *args.get("more", []))

    def fill(self, path, block, byte):
        """64 KiB of an image that no QEMU has open."""
        subprocess.run(
            ["qemu-io", "-c", f"write -q -P {byte} {block * 64}k 64k", path], check=True, capture_output=True
        )

    def content(self, path, blocks=8):
        """The first bytes of its blocks, as whoever opens it sees them."""
        raw = self.path("content.raw")
        subprocess.run(["qemu-img", "convert", "-U", "-O", "raw", path, raw], check=True)
        with open(raw, "rb") as file:
            data = file.read(blocks * 65536)
        os.unlink(raw)
        return [data[i * 65536] for i in range(blocks)]

    def chain(self, path):
        """The names of an image and those below it."""
        names = []
        while path:
            names.append(os.path.basename(path))
            path = self.info(path).get("full-backing-filename")
        return names

    def document(self, snapshot):
        """The images in a snapshot's document, by target."""
        text = self.client.call("snapshot.xml", domain="web1", snapshot=snapshot)["xml"]
        disks = etree.fromstring(text).findall("domain/devices/disk")
        return {disk.find("target").get("dev"): disk.find("source").get("file") for disk in disks}

    def is_marked(self, snapshot):
        return MARK in self.client.call("snapshot.xml", domain="web1", snapshot=snapshot)["xml"]

    def parents(self):
        return {each["name"]: each["parent"] for each in self.client.call("snapshot.list", domain="web1")}

    def three(self):
        """a.qcow2 <- a.one <- a.two <- a.three, each with blocks of its own."""
        image = self.image("a.qcow2")
        self.define_with(image)
        self.fill(image, 0, 10)
        for block, name in enumerate(("one", "two", "three"), 1):
            self.take(name)
            self.fill(self.path(f"a.{name}"), 0, 10 + block)
            self.fill(self.path(f"a.{name}"), block, 20 + block)
        return image

    def test_shut_off(self):
        """Middle, leaf and root, without a guest; what is left can be gone back to."""
        image = self.three()
        before = self.content(self.path("a.three"))
        then = self.content(self.path("a.two"))
        self.daemon.run("snapshot-delete", "web1", "two")
        self.assertEqual(self.chain(self.path("a.three")), ["a.three", "a.one", "a.qcow2"])
        self.assertEqual(self.content(self.path("a.three")), before)
        self.assertEqual(self.content(self.path("a.one")), then)
        self.assertEqual(self.parents(), {"one": None, "three": "one"})
        self.assertEqual(self.document("three"), {"vda": self.path("a.one")})
        self.assertEqual(self.files(), ["a.one", "a.qcow2", "a.three"])
        self.daemon.run("snapshot-delete", "web1", "three")
        self.assertEqual(self.current(), "one")
        self.assertEqual(self.sources(), {"vda": self.path("a.one")})
        self.assertEqual(self.content(self.path("a.one")), before)
        self.restart_killed()
        self.assertEqual(self.sources(), {"vda": self.path("a.one")})
        self.daemon.run("snapshot-delete", "web1", "one")
        self.assertEqual((self.sources(), self.files(), self.names()), ({"vda": image}, ["a.qcow2"], []))
        self.assertEqual(self.content(image), before)
        self.assertEqual(self.history()[-1], ("snapshot.delete", "completed"))

    def test_running(self):
        """The guest goes on meanwhile; with memory, on two disks, and all at once."""
        images = [self.image("a.qcow2"), self.image("b.qcow2")]
        (guest,) = self.boot("web1", devices=self.devices(*images))
        pid = guest.pid()
        for text in ("one", "two", "six"):
            self.write(guest, text)
            self.write(guest, text, "vdb")
            memory = ["--memspec", self.path("mem.two")] if text == "two" else ["--disk-only"]
            self.daemon.run("snapshot-create-as", "web1", text, *memory)
        self.write(guest, "end")
        self.daemon.run("snapshot-delete", "web1", "two")
        self.assertEqual(self.chain(self.path("a.six")), ["a.six", "a.one", "a.qcow2"])
        self.assertEqual(self.document("six"), {"vda": self.path("a.one"), "vdb": self.path("b.one")})
        self.assertEqual(self.files(), ["a.one", "a.qcow2", "a.six", "b.one", "b.qcow2", "b.six"])
        self.assertEqual(self.read(guest), "end")
        live = self.client.call("domain.xml", domain="web1")["xml"]
        self.assertNotIn("a.two", live)
        self.assertEqual(self.content(self.path("a.one"))[0], ord("s"))
        id = self.client.send("snapshot.delete", domain="web1", snapshot="one", children=True)
        self.client.call("domain.suspend", domain="web1")
        self.client.wait(id)
        self.assertEqual(guest.state(), ("paused", "user"))
        self.client.call("domain.resume", domain="web1")
        self.assertEqual(self.sources(), {"vda": images[0], "vdb": images[1]})
        self.assertEqual(self.sources(inactive=True), {"vda": images[0], "vdb": images[1]})
        self.assertEqual((self.names(), self.files()), ([], ["a.qcow2", "b.qcow2"]))
        self.assertEqual((self.read(guest), self.read(guest, "vdb"), guest.pid()), ("end", "six", pid))
        self.write(guest, "new")
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(self.content(images[0])[0], ord("n"))

    def test_branches(self):
        """What another branch stands on stays as it is; what nobody uses goes."""
        image = self.three()
        self.daemon.run("snapshot-revert", "web1", "one")
        branch = self.sources()["vda"]
        before = self.files(), self.parents(), self.content(branch), self.content(self.path("a.two"))
        error = self.assertFails(
            "VIR_ERR_OPERATION_UNSUPPORTED", self.client.call, "snapshot.delete", domain="web1", snapshot="one"
        )
        self.assertRegex(error.message, "snapshot 'two'.*delete snapshot 'two' before")
        self.assertEqual(
            (self.files(), self.parents(), self.content(branch), self.content(self.path("a.two"))), before
        )
        self.assertFalse(self.is_marked("one"))
        self.daemon.run("snapshot-delete", "web1", "one", "--children-only")
        self.assertEqual(self.names(), ["one"])
        self.assertEqual(self.files(), sorted(["a.one", "a.qcow2", os.path.basename(branch)]))
        self.fill(branch, 5, 55)
        whole = self.content(branch)
        self.daemon.run("snapshot-delete", "web1", "one")
        self.assertEqual((self.sources(), self.files()), ({"vda": image}, ["a.qcow2"]))
        self.assertEqual(self.content(image), whole)

    def test_of_others(self):
        """What another disk stands on stays as it is, and so does a file that is no memory."""
        image, own = self.image("a.qcow2"), self.path("mem.own")
        self.define_with(image)
        self.take("one")
        uuid = self.client.call("domain.info", domain="web1")["uuid"]

        def redefine(*images):
            xml = qemu_domain("web1", devices=self.devices(*images))
            self.client.call("domain.define", xml=xml.replace("<name>", f"<uuid>{uuid}</uuid><name>", 1))

        for base in (image, self.path("a.one")):
            other = self.path("b.qcow2")
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", other], check=True)
            redefine(self.path("a.one"), other)
            error = self.assertFails(
                "VIR_ERR_OPERATION_UNSUPPORTED", self.client.call, "snapshot.delete", domain="web1", snapshot="one"
            )
            self.assertRegex(error.message, f"depends on its image '{base}' too, as disk 'vdb'")
            self.assertEqual(self.chain(other)[1:], self.chain(base))
            redefine(self.path("a.one"))
        with open(own, "w") as file:
            file.write("my own")
        text = self.client.call("snapshot.xml", domain="web1", snapshot="one")["xml"]
        memory = f"<memory snapshot='external' file='{own}'/>"
        self.daemon.run("snapshot-delete", "web1", "one", "--metadata")
        self.daemon.run(
            "snapshot-create", "web1", "/dev/stdin", "--redefine", input=re.sub("<memory snapshot[^>]*>", memory, text)
        )
        self.assertIn(own, self.client.call("snapshot.xml", domain="web1", snapshot="one")["xml"])
        self.daemon.run("snapshot-delete", "web1", "one")
        self.assertEqual(self.files(), ["a.qcow2", "b.qcow2", "mem.own"])
        self.assertRegex(self.daemon.log(), "the memory of snapshot 'one' in '.*mem.own' is left there")

    def big(self, guest):
        """So much data that a merge takes a while."""
        guest.run("dd if=/dev/urandom of=/dev/vda bs=1M count=24 conv=fsync")
        return guest.run("md5sum < /dev/vda")

    def check_killed(self, before, after):
        """All as it was, or deleted, and the history says which. BEFORE, AFTER: (snapshots, image of
        the domain, files)."""
        nothing_half_done(self.client, "web1")

        def found():
            sources = self.sources()["vda"], self.sources(inactive=True)["vda"]
            return self.names(), sources, self.files(), self.history()[-1]

        def agrees():
            names, sources, files, (verb, outcome) = found()
            if names == after[0]:
                wanted, outcomes = after, ["completed"]
            else:
                wanted, outcomes = before, ["interrupted by daemon restart", "rolled back after daemon restart"]
            begun = verb == "snapshot.delete"
            return (names, sources, files) == (wanted[0], (wanted[1], wanted[1]), wanted[2]) and (
                outcome in outcomes if begun else names == before[0]
            )

        try:
            until(agrees, 150, "all of it, or nothing")
        except AssertionError as error:
            raise AssertionError(f"{error}: {found()}\n{self.daemon.log()[-3000:]}")

    def call_off(self, guest, image):
        """It can be deleted later; meanwhile nobody goes back to it."""
        self.daemon.run("snapshot-create-as", "web1", "one", "--disk-only")
        sum = self.big(guest)
        id = self.client.send("snapshot.delete", domain="web1", snapshot="one", deadline=60000)
        self.has_begun(id, "web1")
        self.abort_job("web1")
        try:
            self.client.wait(id)
        except TroupeError as error:
            self.assertEqual(error.name, "VIR_ERR_OPERATION_ABORTED")
            self.assertEqual((self.names(), self.sources()), (["one"], {"vda": self.path("a.one")}))
            if self.is_marked("one"):
                error = self.assertFails(
                    "VIR_ERR_OPERATION_INVALID", self.client.call, "snapshot.revert", domain="web1", snapshot="one"
                )
                self.assertIn("can only be deleted", error.message)
            self.daemon.run("snapshot-delete", "web1", "one")
        self.assertEqual((self.names(), self.sources()), ([], {"vda": image}))
        self.assertEqual(guest.run("md5sum < /dev/vda"), sum)
        self.assertEqual(self.files(), ["a.qcow2"])

    def test_called_off(self):
        """By a user, and by the daemon's end."""
        image, overlay = self.image("a.qcow2"), self.path("a.one")
        (guest,) = self.boot("web1", devices=self.devices(image))
        pid = guest.pid()
        self.call_off(guest, image)
        for ms in (30, 80, 130):
            with self.subTest(killed_after_ms=ms):
                self.daemon.run("snapshot-create-as", "web1", "one", "--disk-only")
                sum = self.big(guest)
                self.kill_after(ms, "snapshot.delete", snapshot="one")
                until(lambda: guest.state()[0] == "running", 60, "the guest going on")
                self.check_killed((["one"], overlay, ["a.one", "a.qcow2"]), ([], image, ["a.qcow2"]))
                self.assertEqual(guest.pid(), pid)
                guest = Guest(self, guest.uuid).open()
                self.assertEqual(guest.run("md5sum < /dev/vda"), sum)
                if self.names():
                    self.daemon.run("snapshot-delete", "web1", "one")
                self.assertEqual((self.sources(), self.files()), ({"vda": image}, ["a.qcow2"]))

    def test_daemon_killed_shut_off(self):
        for ms in (80, 120, 160):
            with self.subTest(killed_after_ms=ms):
                image = self.three()
                before = self.content(self.path("a.three"))
                self.kill_after(ms, "snapshot.delete", snapshot="two")
                overlay, rest = self.path("a.three"), ["a.one", "a.qcow2", "a.three"]
                self.check_killed(
                    (["one", "three", "two"], overlay, rest + ["a.two"]), (["one", "three"], overlay, rest)
                )
                self.assertEqual(self.content(overlay), before)
                if "two" in self.names():
                    self.daemon.run("snapshot-delete", "web1", "two")
                self.assertEqual(self.chain(self.path("a.three")), ["a.three", "a.one", "a.qcow2"])
                self.daemon.run("snapshot-delete", "web1", "one", "--children")
                self.assertEqual((self.content(image), self.files()), (before, ["a.qcow2"]))
                self.client.call("domain.undefine", domain="web1")
                os.unlink(image)


if __name__ == "__main__":
    unittest.main()
