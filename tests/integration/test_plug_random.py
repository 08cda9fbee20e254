"""Devices come, go and change at random, of two guests at once, while daemons are killed: at the end the live
document says what QEMU has, and the host has nothing else. TROUPE_PLUG_SEED (a number, or random) and
TROUPE_PLUG_STEPS: others."""

import os
import random
import time
import unittest
from xml.etree import ElementTree

import plug
from guest import QemuTest
from harness import nothing_half_done, seed, until
from netns import InNamespace
from troupe_client import TroupeError

SEED = seed("TROUPE_PLUG_SEED")
STEPS = int(os.environ.get("TROUPE_PLUG_STEPS") or 80)

DEVICES = """<console type='pty'/><controller type='usb' model='qemu-xhci' ports='15'/>
<controller type='scsi' model='virtio-scsi'/><controller type='virtio-serial'/>"""
BLUE = """<network><name>blue</name><bridge name='blue0'/></network>"""
LETTERS = "abcdefghijklmno"  # those of the first SCSI controller
SOURCES = ("network", "<source network='blue'/>"), ("bridge", "<source bridge='br0'/>")


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class PlugRandom(InNamespace, QemuTest):
    #   A device: its alias is its name, in both documents.

    def disk(self, alias, bus, letter):
        target = letter + self.random.choice(LETTERS)  # that another has it is refused
        path = os.path.join(self.daemon.root, f"{alias}.raw")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        return (f"<disk type='file'><source file='{path}'/><target dev='{target}' bus='{bus}'/>"
                f"<alias name='{alias}'/></disk>")

    def card(self, alias, number, model="virtio"):
        kind, source = self.random.choice(SOURCES)
        return (f"<interface type='{kind}'><mac address='52:54:00:88:{number // 256:02x}:{number % 256:02x}'/>{source}"
                f"<model type='{model}'/><alias name='{alias}'/></interface>")

    def new(self):
        """A kind at random; (alias, XML, MAC's number or None)."""
        self.number += 1
        alias = f"ua-{self.number}"
        named = f"<alias name='{alias}'/>"
        return self.random.choice([
            lambda: (alias, self.disk(alias, "virtio", "vd"), None),
            lambda: (alias, self.disk(alias, "scsi", "sd"), None),
            lambda: (alias, self.disk(alias, "usb", "sd"), None),
            lambda: (alias, self.card(alias, self.number), self.number),
            lambda: (alias, self.card(alias, self.number, "e1000"), self.number),
            lambda: (alias, f"<rng model='virtio'><backend model='random'>/dev/urandom</backend>{named}</rng>", None),
            lambda: (alias, f"<input type='tablet' bus='usb'>{named}</input>", None),
            lambda: (alias, f"<input type='keyboard' bus='virtio'>{named}</input>", None),
            lambda: (alias, f"<serial type='pty'><target type='usb-serial'/>{named}</serial>", None),
            lambda: (alias, "<channel type='unix'><target type='virtio' "
                            f"name='org.example.{self.number}'/>{named}</channel>", None),
        ])()

    #   Steps.

    def scope(self):
        return self.random.choice([{"live": True}, {"config": True}, {"live": True, "config": True}])

    def request(self):
        """One change at random: (verb, arguments)."""
        domain = self.random.choice(["web1", "web2"])
        mine = [each for each in self.known if each[0] == domain]
        what = self.random.choice(["attach", "attach", "detach", "detach", "update", "hold"])
        if what == "hold":
            held = domain in self.held
            (self.held.discard if held else self.held.add) (domain)
            return "domain.resume" if held else "domain.suspend", {"domain": domain}
        if what == "attach" or not mine:
            alias, xml, number = self.new()
            self.known.append((domain, alias, xml, number))
            return "domain.device_attach", {"domain": domain, "xml": xml, **self.scope()}
        _, alias, xml, number = self.random.choice(mine)
        if what == "update" and number:
            return "domain.device_update", {"domain": domain, "xml": self.card(alias, number), **self.scope()}
        which = self.random.choice([{"xml": xml}, {"alias": alias}])
        wait = 0 if domain in self.held else self.random.choice([0, 500])
        return "domain.device_detach", {"domain": domain, "wait_ms": wait, **which, **self.scope()}

    def step(self):
        """Waited for, or cut off."""
        verb, args = self.request()
        sent = self.client.send(verb, **args)
        if self.random.randrange(8) == 0:
            time.sleep(self.random.uniform(0, 0.05))
            self.restart()
            return "cut off"
        try:
            self.client.wait(sent, 120)
            return "done"
        except TroupeError as error:
            self.assertNotIn(error.name, ("internal_error", "VIR_ERR_INTERNAL_ERROR"), error)
            return "refused"

    #   What there is.

    def listed(self, domain, inactive=False):
        xml = self.client.call("domain.xml", domain=domain, inactive=inactive)["xml"]
        return list(ElementTree.fromstring(xml).find("devices"))

    def named(self, domain):
        """Each device of the live document that was not there from the start, by its alias."""
        found = {each.find("alias").get("name"): each for each in self.listed(domain) if each.find("alias") is not None}
        return {alias: each for alias, each in found.items() if alias not in self.first[domain]}

    def wanted(self, domain):
        """What QEMU has, if it has what the document says; of nodes, the targets of their disks."""
        named = self.named(domain)
        of = lambda *tags: {alias for alias, each in named.items() if each.tag in tags}
        return {
            "devices": set(named),
            "objects": {f"obj{alias}" for alias in of("rng")},
            "chardevs": {f"char{alias}" for alias in of("serial", "channel")},
            "netdevs": {f"host{alias}" for alias in of("interface")},
            "nodes": {each.find("target").get("dev") for each in named.values() if each.tag == "disk"},
        }

    def there(self, domain):
        now = plug.has(self.client, domain)
        came = {part: now[part] - self.base[domain][part] for part in now}
        came["nodes"] = {name.split("-")[1] for name in came["nodes"]}
        return came

    def links(self):
        cards = [each for domain in ("web1", "web2") for each in self.named(domain).values() if each.tag == "interface"]
        return {each.find("target").get("dev") for each in cards}, sum(each.get("type") == "network" for each in cards)

    def sockets(self):
        """Of channels: those in the document, and those on disk."""
        paths = {each.find("source").get("path") for domain in ("web1", "web2") for each in self.named(domain).values()
                 if each.tag == "channel"}
        folders = {os.path.dirname(path) for path in paths}
        return paths, {os.path.join(folder, name) for folder in folders for name in os.listdir(folder)}

    def true(self):
        """The live documents, QEMU and the host say the same."""
        taps, ports = self.links()
        paths, files = self.sockets()
        return (
            all(self.there(domain) == self.wanted(domain) for domain in ("web1", "web2"))
            and set(self.space.links()) - {"lo", "br0", "blue0"} == taps
            and len(self.client.call("network.ports", network="blue")) == ports
            and paths == files
        )

    def said(self):
        return {domain: (self.there(domain), self.wanted(domain)) for domain in ("web1", "web2")}, self.links(), \
            self.space.links(), self.client.call("network.ports", network="blue"), self.sockets()

    def check(self):
        #   Whether a guest is on hold is not known where that was cut off.
        for domain in ("web1", "web2"):
            nothing_half_done(self.client, domain)
            if self.client.call("domain.state", domain=domain)["state_text"] == "paused":
                self.client.call("domain.resume", domain=domain)
        self.held = set()
        try:
            until(self.true, what="what is true")
        except AssertionError:
            self.fail(str(self.said()))
        for domain in ("web1", "web2"):
            aliases = [each.find("alias").get("name") for each in self.listed(domain, True) if each.find("alias") is not None]
            self.assertEqual(len(aliases), len(set(aliases)))

    def test_random(self):
        print(f"TROUPE_PLUG_SEED={SEED}", flush=True)
        self.random, self.number, self.known, self.held = random.Random(SEED), 0, [], set()
        self.boot("web1", "web2", devices=DEVICES)
        self.client.call("network.create_xml", xml=BLUE)
        self.addCleanup(lambda: self.client.call("network.destroy", network="blue"))
        self.first = {name: {each.find("alias").get("name") for each in self.listed(name) if each.find("alias") is not None}
                      for name in ("web1", "web2")}
        self.base = {name: plug.has(self.client, name) for name in ("web1", "web2")}
        ends = {}
        with self.subTest(seed=SEED):
            for step in range(STEPS):
                end = self.step()
                ends[end] = ends.get(end, 0) + 1
                if step % 20 == 19:
                    self.check()
            self.check()
            self.assertGreater(ends.get("done", 0), STEPS // 4, ends)
        for name in ("web1", "web2"):
            self.client.call("domain.destroy", domain=name)
        self.assertEqual(set(self.space.links()), {"lo", "br0", "blue0"})
        self.assertEqual(self.client.call("network.ports", network="blue"), [])


if __name__ == "__main__":
    unittest.main()
