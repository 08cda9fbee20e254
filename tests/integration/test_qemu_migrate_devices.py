"""Live migration of guests whose devices came while they ran, and whose memory is in NUMA cells and memory devices."""

import unittest
from xml.etree import ElementTree

from harness import PATIENCE, until
from two_daemons import TwoDaemonsTest

MIB = 1024
#   With less a guest that can have memory above 4 GiB has none left for its bounce buffers.
CELLS = """<maxMemory slots='3' unit='MiB'>1024</maxMemory>
<cpu><numa><cell id='0' cpus='0' memory='192' unit='MiB'/><cell id='1' cpus='1' memory='64' unit='MiB'/></numa></cpu>"""
SIZED = "<memory model='{}'><target><size unit='MiB'>{}</size>{}<node>{}</node></target></memory>"
VIRTIO = SIZED.format("virtio-mem", 256, "", 0)
DIMM = SIZED.format("dimm", 128, "", 1)
CARD = "<interface type='user'><mac address='52:54:00:72:00:01'/><model type='virtio'/></interface>"
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"


class MigrateDevices(TwoDaemonsTest):
    def go(self, to_other):
        client, daemon = (self.client, self.other) if to_other else (self.there, self.daemon)
        id = client.send("domain.migrate", deadline=600000, domain="web1", peer=daemon.endpoint(), live=True)
        client.wait(id, timeout=180)

    def document(self, client):
        return ElementTree.fromstring(client.call("domain.xml", domain="web1")["xml"])

    def devices(self, client):
        """What each has, and where it is."""
        found = []
        for device in self.document(client).find("devices"):
            address, target = device.find("address"), device.find("target/address")
            alias = device.find("alias")
            if alias is not None:
                found.append((alias.get("name"), address is not None and address.attrib,
                              target is not None and target.attrib))
        return found

    def sizes(self, client):
        return tuple(int(self.document(client).find(name).text) // MIB for name in ("memory", "currentMemory"))

    def taken(self, client):
        """What the guest took of the virtio-mem."""
        for device in self.document(client).findall("devices/memory[@model='virtio-mem']"):
            return int(device.find("target/current").text) // MIB
        return None

    def request(self, client, mib):
        wish = VIRTIO.replace("<node>", f"<requested unit='MiB'>{mib}</requested><node>")
        client.call("domain.device_update", domain="web1", xml=wish, live=True)
        until(lambda: self.taken(client) == mib, PATIENCE, f"{mib} MiB of the virtio-mem")

    def blocks(self, guest):
        return int(guest.run("ls -d /sys/devices/system/memory/memory* | wc -l"))

    def cards(self, guest):
        return guest.run("cat /sys/class/net/eth*/address")

    def plug(self, client, device, **args):
        client.call("domain.device_attach", domain="web1", xml=device, live=True, **args)

    def test_there_and_back(self):
        """All of it is there, where it was, and can go there; what came there comes back."""
        (guest,) = self.boot("web1", devices="<console type='pty'/>" + VIRTIO + DIMM, extra=CELLS, vcpus=2)
        for device in (DIMM, CARD, RNG):
            self.plug(self.client, device, config=device == RNG)
        self.request(self.client, 128)
        until(lambda: "52:54:00:72:00:01" in self.cards(guest), 60, "the guest's card")
        guest.type("dd if=/dev/urandom of=/tmp/noise bs=1M count=8 2> /dev/null; sum=$(md5sum /tmp/noise)")
        sum, blocks = guest.run("echo \"$sum\""), self.blocks(guest)
        before, sizes = self.devices(self.client), self.sizes(self.client)
        self.assertEqual(sizes, (768, 640))

        self.go(True)
        self.assertEqual((self.devices(self.there), self.sizes(self.there), self.taken(self.there)),
                         (before, sizes, 128))
        there = self.guest_there(guest.uuid).open()
        self.assertEqual((there.run("md5sum /tmp/noise"), self.blocks(there)), (sum, blocks))
        self.assertIn("52:54:00:72:00:01", self.cards(there))
        self.request(self.there, 64)
        self.there.call("domain.device_detach", domain="web1", alias="dimm1", live=True, timeout=PATIENCE)
        self.there.call("domain.device_detach", domain="web1", xml=CARD, live=True, timeout=PATIENCE)
        self.plug(self.there, CARD.replace(":01'", ":02'"))
        until(lambda: "52:54:00:72:00:02" in self.cards(there), 60, "the guest's other card")
        blocks, before = self.blocks(there), self.devices(self.there)

        self.go(False)
        back = type(guest)(self, guest.uuid).open()
        self.assertEqual((self.devices(self.client), self.sizes(self.client), self.taken(self.client)),
                         (before, (640, 448), 64))
        self.assertEqual((back.run("md5sum /tmp/noise"), self.blocks(back)), (sum, blocks))
        self.assertIn("52:54:00:72:00:02", self.cards(back))
        self.request(self.client, 256)
        self.plug(self.client, DIMM)
        until(lambda: self.blocks(back) == blocks + 2, 60, "the memory in the guest")
        #   Its definition here has what was plugged into that, and no more.
        inactive = self.client.call("domain.xml", domain="web1", inactive=True)["xml"]
        self.assertEqual((inactive.count("<rng"), inactive.count("<interface"), inactive.count("model='dimm'")), (1, 0, 1))


if __name__ == "__main__":
    unittest.main()
