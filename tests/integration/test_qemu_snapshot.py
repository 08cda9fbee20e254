"""Snapshots of real guests: inside qcow2 images, with and without memory."""

import json
import os
import signal
import subprocess
import time
import unittest

from guest import Guest, QemuTest, processes_of, qemu_domain
from harness import nothing_half_done, until
from troupe_client import TroupeError


class SnapshotTest(QemuTest):
    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def image(self, name="vda.qcow2", size="64M"):
        path = self.path(name)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, size], check=True)
        return path

    def disk(self, path, target="vda", format="qcow2"):
        return (
            f"<disk type='file'><driver name='qemu' type='{format}'/><source file='{path}'/>"
            f"<target dev='{target}' bus='virtio'/></disk>"
        )

    def devices(self, *paths):
        disks = "".join(self.disk(path, f"vd{chr(97 + i)}") for i, path in enumerate(paths))
        return "<console type='pty'/>" + disks

    def info(self, path):
        done = subprocess.run(
            ["qemu-img", "info", "-U", "--output=json", path], check=True, capture_output=True
        )
        return json.loads(done.stdout)

    def tags(self, path):
        return [each["name"] for each in self.info(path).get("snapshots", [])]

    def names(self, domain="web1", **filters):
        return [each["name"] for each in self.client.call("snapshot.list", domain=domain, **filters)]

    def current(self, domain="web1"):
        return self.client.call("snapshot.info", domain=domain)["name"]

    def history(self, domain="web1"):
        rows = self.client.call("domain.jobs", domain=domain, history=True)
        return [(row["verb"], row["outcome"]) for row in rows]

    def settle(self):
        nothing_half_done(self.client, "web1")
        until(lambda: not self.client.call("domain.jobs"), 60, "the end of what was half done")

    def kill_after(self, ms, verb, **args):
        """The daemon is killed so long after a request; returns once the next one has done what
        follows from it."""
        self.client.send(verb, domain="web1", deadline=60000, **args)
        time.sleep(ms / 1000)
        self.daemon.kill()
        self.restart()
        self.settle()


class Internal(SnapshotTest):
    def test_running(self):
        """Memory and disk go back together; the tree, the events and the XML say what happened."""
        image = self.image()
        (guest,) = self.boot("web1", devices=self.devices(image))
        guest.type("memory=one")
        guest.run("echo disk-one | dd of=/dev/vda conv=fsync")
        self.assertIn("snapshot one created", self.daemon.run("snapshot-create-as", "web1", "one", "first"))
        self.assertEqual(self.tags(image), ["one"])
        self.assertEqual(guest.state()[0], "running")
        guest.type("memory=two")
        guest.run("echo disk-two | dd of=/dev/vda conv=fsync")
        self.daemon.run("snapshot-create-as", "web1", "two")
        self.assertEqual(self.current(), "two")
        self.assertEqual(self.daemon.run("snapshot-list", "web1", "--tree"), "one\n  |\n  +- two\n\n")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.daemon.run("snapshot-revert", "web1", "one")
        self.assertEqual(
            self.lifecycle(3),
            [
                ("web1", "Stopped", "Snapshot"),
                ("web1", "Defined", "Snapshot"),
                ("web1", "Started", "Snapshot"),
            ],
        )
        self.assertEqual(guest.state(), ("running", "from snapshot"))
        guest = Guest(self, guest.uuid).open()
        self.assertEqual(guest.run("echo $memory"), "one")
        self.assertEqual(guest.run("head -c 8 /dev/vda"), "disk-one")
        self.assertEqual(self.current(), "one")
        self.daemon.run("snapshot-revert", "web1", "two", "--paused")
        self.assertEqual(guest.state(), ("paused", "from snapshot"))
        self.client.call("domain.resume", domain="web1")
        self.assertEqual(Guest(self, guest.uuid).open().run("echo $memory"), "two")
        self.daemon.run("snapshot-delete", "web1", "one")
        self.assertEqual(self.tags(image), ["two"])
        self.assertEqual(self.names(), ["two"])
        self.assertIsNone(self.client.call("snapshot.info", domain="web1")["parent"])
        self.assertEqual(guest.state()[0], "running")

    def test_shut_off(self):
        """Through qemu-img, on all disks; going back may also start it."""
        images = [self.image("a.qcow2"), self.image("b.qcow2")]
        self.client.call("domain.define", xml=qemu_domain("web1", devices=self.devices(*images)))
        self.daemon.run("snapshot-create-as", "web1", "one")
        self.assertEqual([self.tags(image) for image in images], [["one"], ["one"]])
        self.assertEqual(self.client.call("snapshot.info", domain="web1")["state"], "shutoff")
        self.daemon.run("snapshot-revert", "web1", "one")
        self.assertEqual(Guest(self, "web1").state(), ("shut off", "from snapshot"))
        self.daemon.run("snapshot-revert", "web1", "--current", "--paused")
        self.assertEqual(Guest(self, "web1").state(), ("paused", "from snapshot"))
        self.daemon.run("snapshot-revert", "web1", "--current")
        self.assertEqual(Guest(self, "web1").state(), ("shut off", "from snapshot"))
        self.daemon.run("snapshot-delete", "web1", "one", "--metadata")
        self.assertEqual(self.tags(images[0]), ["one"])
        with self.assertRaisesRegex(TroupeError, "does not know of"):
            self.client.call("snapshot.create", domain="web1", xml="<domainsnapshot><name>one</name></domainsnapshot>")

    def test_events_and_queries(self):
        """Memory is written while the guest stands still; who asks is answered meanwhile."""
        (guest,) = self.boot("web1", devices=self.devices(self.image()))
        self.client.call("event.subscribe", verbs=["domain.lifecycle", "domain.job_completed"])
        id = self.client.send("snapshot.create", domain="web1")
        while True:
            job = self.client.call("domain.job_info", domain="web1")
            if job["kind"] is None:
                break
            self.assertEqual(job["verb"], "snapshot.create")
        name = self.client.wait(id)["name"]
        self.assertEqual(
            self.lifecycle(2), [("web1", "Suspended", "Paused"), ("web1", "Resumed", "Unpaused")]
        )
        self.assertEqual(self.client.next_event("domain.job_completed")["args"]["outcome"], "completed")
        self.assertEqual(guest.state()[0], "running")
        self.daemon.run("snapshot-create-as", "web1", "last", "--halt")
        self.assertEqual(guest.state(), ("shut off", "from snapshot"))
        self.assertEqual(self.lifecycle(3)[-1], ("web1", "Stopped", "Snapshot"))
        self.assertEqual(self.client.call("snapshot.info", domain="web1")["parent"], name)

    def test_refused(self):
        raw = self.path("b.raw")
        with open(raw, "wb") as file:
            file.truncate(1 << 20)
        image = self.image()
        devices = self.devices(image) + self.disk(raw, "vdb", "raw")
        self.client.call("domain.define", xml=qemu_domain("web1", devices=devices))
        with self.assertRaisesRegex(TroupeError, "disk 'vdb': not supported: .* qcow2"):
            self.client.call("snapshot.create", domain="web1")
        with self.assertRaisesRegex(TroupeError, "number"):
            self.client.call("snapshot.create", domain="web1", xml="<domainsnapshot><name>17</name></domainsnapshot>")
        self.assertEqual(self.tags(image), [])
        self.daemon.run("snapshot-create-as", "web1", "one", "--diskspec", "vdb,snapshot=no")
        self.assertEqual(self.tags(image), ["one"])
        #   What QEMU has open below another image, it lets nobody write to.
        self.client.call("domain.create", domain="web1")
        self.daemon.run("snapshot-create-as", "web1", "two", "--disk-only", "--diskspec", "vdb,snapshot=no")
        with self.assertRaisesRegex(TroupeError, f"removing 'one' from the image '{image}' while the guest runs"):
            self.client.call("snapshot.delete", domain="web1", snapshot="one")
        self.assertEqual((self.tags(image), self.names()), (["one"], ["one", "two"]))
        self.client.call("domain.destroy", domain="web1")
        self.client.call("snapshot.delete", domain="web1", snapshot="one")
        self.assertEqual((self.tags(image), self.names()), ([], ["two"]))

    def test_daemon_killed(self):
        """At any moment: the snapshot is there, known and whole, or it is not there at all."""
        image = self.image()
        (guest,) = self.boot("web1", devices=self.devices(image))
        guest.type("memory=survived")
        guest.run("true")
        pid = guest.pid()
        for ms in (0, 50, 150, 400):
            name = f"after{ms}"
            with self.subTest(taking=ms):
                self.kill_after(ms, "snapshot.create", xml=f"<domainsnapshot><name>{name}</name></domainsnapshot>")
                until(lambda: guest.state()[0] == "running", 60, "the guest going on")
                until(lambda: self.tags(image) == self.names(), 60, "all of it, or nothing")
        guest = Guest(self, guest.uuid).open()
        self.assertEqual((guest.run("echo $memory"), guest.pid()), ("survived", pid))
        for ms in (0, 10, 40):
            with self.subTest(deleting=ms):
                self.client.call("snapshot.create", domain="web1", xml="<domainsnapshot><name>gone</name></domainsnapshot>")
                self.kill_after(ms, "snapshot.delete", snapshot="gone")
                until(lambda: self.tags(image) == self.names(), 60, "all of it, or nothing")
                self.delete_if_there("gone")

    def test_daemon_killed_while_it_goes_back(self):
        """All disks are those of the snapshot, or none is; then it can be tried again."""
        images = [self.image("a.qcow2"), self.image("b.qcow2")]
        (guest,) = self.boot("web1", devices=self.devices(*images))
        guest.run("for disk in vda vdb; do echo one | dd of=/dev/$disk conv=fsync; done")
        self.daemon.run("snapshot-create-as", "web1", "one")
        for ms in (0, 100, 250, 500):
            with self.subTest(killed_after_ms=ms):
                guest.run("for disk in vda vdb; do echo two | dd of=/dev/$disk conv=fsync; done")
                self.kill_after(ms, "snapshot.revert", snapshot="one")
                if guest.state()[0] == "shut off":
                    self.assertEqual(processes_of(guest.uuid), [])
                    found = {self.first_line(image) for image in images}
                    self.assertEqual(len(found), 1, found)
                self.client.call("snapshot.revert", domain="web1", snapshot="one")
                guest = Guest(self, guest.uuid).open()
                self.assertEqual(guest.run("head -c 3 /dev/vda; head -c 3 /dev/vdb"), "oneone")

    def delete_if_there(self, name):
        """What was half done when the daemon was killed may still come to its end."""
        try:
            self.client.call("snapshot.delete", domain="web1", snapshot=name)
        except TroupeError as error:
            self.assertEqual(error.name, "VIR_ERR_NO_DOMAIN_SNAPSHOT")

    def first_line(self, image):
        raw = self.path("read.raw")
        subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)
        with open(raw, "rb") as file:
            return file.read(4)

    def test_qemu_killed_meanwhile(self):
        image = self.image()
        (guest,) = self.boot("web1", devices=self.devices(image))
        id = self.client.send("snapshot.create", domain="web1", deadline=60000)
        self.has_begun(id, "web1")
        os.kill(guest.pid(), signal.SIGKILL)
        try:
            self.client.wait(id)
        except TroupeError:
            pass
        until(lambda: guest.state()[0] == "shut off", 60, "the guest's end")
        self.settle()
        self.assertEqual(self.tags(image), self.names())


if __name__ == "__main__":
    unittest.main()
