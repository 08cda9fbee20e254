"""Devices that come and go while a guest runs: a Linux that lets go of them, and one that does not."""

import os
import unittest
from xml.etree import ElementTree

from guest import QemuTest
from harness import PATIENCE, until
from troupe_client import TroupeError

CONSOLE = "<console type='pty'/>"


class Plug(QemuTest):
    def image(self, name, mib=8):
        path = os.path.join(self.daemon.root, name)
        with open(path, "wb") as file:
            file.truncate(mib << 20)
        return path

    def disk(self, target, bus="virtio", path=None):
        path = path or self.image(f"{target}.raw")
        return f"<disk type='file'><source file='{path}'/><target dev='{target}' bus='{bus}'/></disk>"

    def devices(self, guest, **args):
        xml = self.client.call("domain.xml", domain=guest.uuid, **args)["xml"]
        return ElementTree.fromstring(xml).find("devices")

    def targets(self, guest, **args):
        return [each.get("dev") for each in self.devices(guest, **args).findall("disk/target")]

    def attach(self, guest, xml, **args):
        self.client.call("domain.device_attach", domain=guest.uuid, xml=xml, **args)

    def detach(self, guest, xml, **args):
        self.client.call("domain.device_detach", domain=guest.uuid, xml=xml, timeout=120, **args)

    def wait_event(self, event, device):
        said = self.client.next_event("domain.device", timeout=PATIENCE)["args"]
        self.assertEqual((said["event"], said["device"]), (event, device))

    def test_disk(self):
        """Attached it is there, for the guest too; detached it is gone, and its file free."""
        (guest,) = self.boot("web1", devices=CONSOLE)
        self.client.call("event.subscribe", verbs=["domain.device"])
        self.attach(guest, self.disk("vdb"))
        self.wait_event("added", "virtio-disk1")
        self.assertEqual(self.targets(guest), ["vdb"])
        self.assertEqual(self.targets(guest, inactive=True), [])
        until(lambda: guest.run("cat /sys/block/vda/size") == "16384", what="the disk in the guest")
        self.detach(guest, self.disk("vdb"))
        self.wait_event("removed", "virtio-disk1")
        self.assertEqual(self.targets(guest), [])
        self.assertEqual(guest.run("ls /sys/block | grep vd"), "")


if __name__ == "__main__":
    unittest.main()
