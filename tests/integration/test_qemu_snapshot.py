"""Snapshots of real guests: inside qcow2 images, with and without memory."""

import json
import os
import subprocess

from guest import Guest, QemuTest, processes_of, qemu_domain
from harness import until
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
