"""Memory devices of a real guest: at its start, and while it runs, by virsh and the Python binding."""

import os
import socket
import unittest
from xml.etree import ElementTree

import libvirt

from guest import BOOT_SECONDS, QemuTest
from harness import PATIENCE, until
from libvirt_client import Virsh, uri
from libvirt_events import EventLoop
from troupe_client import TroupeError

MIB = 1024
#   With less a guest that can have memory above 4 GiB has none left for its bounce buffers.
CELL = """<maxMemory slots='1' unit='MiB'>1024</maxMemory>
<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu>"""
VIRTIO = "<memory model='virtio-mem'><target><size unit='MiB'>256</size><node>0</node></target></memory>"
DIMM = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>"


class Memory(Virsh, QemuTest):
    connect = "qemu:///system"

    def document(self, inactive=False):
        xml = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        return ElementTree.fromstring(xml)

    def sizes(self, inactive=False):
        domain = self.document(inactive)
        return tuple(int(domain.find(name).text) // MIB for name in ("memory", "currentMemory"))

    def parts(self, model, *paths, inactive=False):
        """What the document says of the device; None: there is none."""
        for device in self.document(inactive).findall("devices/memory"):
            if device.get("model") == model:
                return [device.find(path).text if device.find(path) is not None else None for path in paths]
        return None

    def base(self, model):
        path = "address" if model == "dimm" else "target/address"
        (base,) = [
            device.find(path).get("base")
            for device in self.document().findall("devices/memory")
            if device.get("model") == model
        ]
        return int(base, 16)

    def refused(self, words, verb, **args):
        with self.assertRaisesRegex(TroupeError, words):
            self.client.call(verb, domain="web1", **args)

    def blocks(self, guest):
        return guest.run("ls -d /sys/devices/system/memory/memory* | wc -l")

    def test_devices(self):
        """A guest takes what is requested of a device, gets another one, gives that back."""
        (guest,) = self.boot("web1", devices="<console type='pty'/>" + VIRTIO, extra=CELL)
        self.assertEqual(self.sizes(), (512, 256))
        self.assertEqual(self.parts("virtio-mem", "target/current", "target/block"), ["0", "2048"])
        self.client.call("event.subscribe", verbs=["domain.device", "domain.memory_device_size"])
        self.requested(guest)
        self.dimm(guest)
        self.refusals()
        self.from_elsewhere(guest)
        guest = self.restored(guest)
        self.unplugged(guest)

    def requested(self, guest):
        """By virsh; libvirt's event tells how much the guest took."""
        heard = []
        with EventLoop() as loop:
            connection = libvirt.open(uri(self.daemon, "qemu:///system"))
            event = libvirt.VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE
            connection.domainEventRegisterAny(None, event, lambda *args: heard.append(args[2:4]), None)
            before = self.blocks(guest)
            self.virsh("update-memory-device", "web1", "--node", "0", "--requested-size", "128M")
            until(lambda: heard and heard[-1][1] == 128 * MIB, what="the event")
            connection.close()
        self.assertEqual(heard[-1][0], "virtiomem0")
        said = self.client.next_event("domain.memory_device_size", timeout=PATIENCE)["args"]
        self.assertEqual(said["device"], "virtiomem0")
        until(lambda: int(self.blocks(guest)) == int(before) + 1, what="the memory in the guest")
        self.assertEqual(self.sizes(), (512, 384))
        self.assertEqual(
            self.parts("virtio-mem", "target/requested", "target/current"), [str(128 * MIB)] * 2
        )
        self.assertEqual(self.parts("virtio-mem", "target/requested", inactive=True), ["0"])
        self.assertRegex(self.virsh("dominfo", "web1"), r"(?s)Max memory: +524288 KiB\nUsed memory: +393216 KiB")

    def dimm(self, guest):
        before = self.blocks(guest)
        path = os.path.join(self.daemon.root, "dimm.xml")
        with open(path, "w") as file:
            file.write(DIMM)
        self.virsh("attach-device", "web1", path, "--live", "--config")
        self.wait_event("added", "dimm0")
        until(lambda: int(self.blocks(guest)) == int(before) + 1, what="the dimm in the guest")
        self.assertEqual(self.sizes(), (640, 512))
        self.assertEqual(self.sizes(inactive=True), (640, 640))
        self.assertGreater(self.base("dimm"), self.base("virtio-mem"))

    def wait_event(self, event, device):
        said = self.client.next_event("domain.device", timeout=PATIENCE)["args"]
        self.assertEqual((said["event"], said["device"]), (event, device))

    def refusals(self):
        """Nothing is changed by what can't be."""
        before = self.sizes()
        self.refused("all 1 slots for memory are taken", "domain.device_attach", xml=DIMM, live=True)
        self.refused(
            "<maxMemory> 1048576 KiB", "domain.device_attach", xml=VIRTIO.replace("256", "512"), live=True
        )
        self.refused(
            "only target/requested", "domain.device_update", live=True,
            xml=VIRTIO.replace("</target>", "<block unit='MiB'>4</block></target>"),
        )
        self.refused("'virtio-mem' has <requested>|nothing of model 'dimm'", "domain.device_update", xml=DIMM, live=True)
        self.refused("in virtio-mem devices", "domain.memory_set", memory_kib=64 * MIB, live=True)
        self.refused("its NUMA cells", "domain.memory_set", memory_kib=64 * MIB, maximum=True, config=True)
        self.assertEqual(self.sizes(), before)
        self.virsh("setmem", "web1", f"{448 * MIB}")
        until(lambda: self.sizes()[1] == 448, what="the balloon")
        until(lambda: "actual 458752" in self.virsh("dommemstat", "web1"), what="the guest's balloon")
        self.virsh("setmem", "web1", f"{512 * MIB}")

    def from_elsewhere(self, guest):
        """USB devices that another host sends, and memory that guests share, come and go."""
        path = os.path.join(self.daemon.root, "usb")
        redir = f"<redirdev type='unix'><source mode='bind' path='{path}'/></redirdev>"
        name = f"troupe-{os.path.basename(self.daemon.root)}"
        self.addCleanup(lambda: os.path.exists(f"/dev/shm/{name}") and os.unlink(f"/dev/shm/{name}"))
        shmem = f"<shmem name='{name}'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>"
        self.client.call("domain.device_attach", domain="web1", xml=redir, live=True, config=True)
        self.wait_event("added", "redir0")
        with socket.socket(socket.AF_UNIX) as other:
            other.settimeout(PATIENCE)
            other.connect(path)
            self.assertIn(b"qemu usb-redir guest", other.recv(100))
        before = guest.run("ls /sys/bus/pci/devices | wc -l")
        self.client.call("domain.device_attach", domain="web1", xml=shmem, live=True)
        self.wait_event("added", "shmem0")
        until(lambda: int(guest.run("ls /sys/bus/pci/devices | wc -l")) == int(before) + 1, what="the card")
        self.assertEqual(os.path.getsize(f"/dev/shm/{name}"), 1 << 20)
        self.client.call("domain.device_detach", domain="web1", xml=shmem, live=True, timeout=PATIENCE)
        self.wait_event("removed", "shmem0")
        self.client.call("domain.device_detach", domain="web1", xml=redir, live=True, config=True)
        self.wait_event("removed", "redir0")
        self.assertFalse(os.path.exists(path))

    def restored(self, guest):
        """Saved and restored: all at its place, and as large."""
        until(lambda: self.sizes()[1] == 512, what="what the balloon gives back")
        places = [self.base("dimm"), self.base("virtio-mem")]
        self.client.call("domain.managed_save", domain="web1", timeout=BOOT_SECONDS)
        self.client.call("domain.create", domain="web1", timeout=BOOT_SECONDS)
        self.assertEqual([self.base("dimm"), self.base("virtio-mem")], places)
        self.assertEqual(self.sizes(), (640, 512))
        self.assertEqual(self.parts("virtio-mem", "target/current"), [str(128 * MIB)])
        return type(guest)(self, guest.uuid).open()

    def unplugged(self, guest):
        self.virsh("detach-device-alias", "web1", "dimm0", "--live")
        self.wait_event("removed", "dimm0")
        self.assertEqual(self.sizes(), (512, 384))
        self.virsh("detach-device", "web1", os.path.join(self.daemon.root, "dimm.xml"), "--config")
        self.assertEqual(self.sizes(inactive=True), (512, 512))
        self.restart()
        until(lambda: self.sizes() == (512, 384), what="the guest, taken over")


if __name__ == "__main__":
    unittest.main()
