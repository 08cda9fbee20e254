"""Containers on networks: bridges, macvlans and virtual networks, in a network namespace of the test's own."""

import os
import re
import threading
import unittest

from container import container_xml
from harness import until
from netns import InNamespace
from test_lxc import ContainerTest
from troupe_client import TroupeError

CONSOLE = "<console type='pty'/>"
UDHCPC = '#!/bin/sh\n[ "$1" = bound ] && ip addr add "$ip/$mask" dev "$interface"; true\n'
MANY = 12


def interface(kind, source="", more=""):
    return f"<interface type='{kind}'><source {source}/>{more}</interface>"


class PluggedTest(InNamespace, ContainerTest):
    mtu = 1400

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        super().setUp()

    def links(self):
        return [name for name in self.space.links() if name not in ("lo", "br0", "virbr0")]

    def start_on(self, name, *interfaces):
        return self.start(name, devices=CONSOLE + "".join(interfaces))


class Plugged(PluggedTest):
    def test_bridge(self):
        """Two containers and the host reach each other, also after a reboot and without the daemon."""
        uuid = self.start_on("web1", interface("bridge", "bridge='br0'", "<guest dev='lan'/>"))
        self.start_on("web2", interface("bridge", "bridge='br0'", "<target dev='web2-lan'/>"))
        links = self.links()
        self.assertEqual(len(links), 2)
        self.assertIn("web2-lan", links)
        for link in links:
            shown = self.space.ip("-d", "link", "show", "dev", link)
            for part in ("master br0", "mtu 1400", "link/ether fe:"):
                self.assertIn(part, shown)
        shells = [self.console("web1"), self.console("web2")]
        self.assertIn(",UP,LOWER_UP", shells[0].run("ip link show lan")[0])
        shells[0].run("ip addr add 10.9.0.11/24 dev lan")
        shells[1].run("ip addr add 10.9.0.12/24 dev eth0")
        self.daemon.kill()
        self.assertEqual(shells[0].run("ping -c 1 -W 20 10.9.0.12 >/dev/null")[1], 0)
        self.daemon.start()
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.assertEqual(self.links(), links)
        #   Only an adopted container tells the daemon of a reboot.
        for name in ("web1", "web2"):
            until(lambda: f"domain '{name}': found running" in self.daemon.log(), what=f"adoption of {name}")
        stats = until(lambda: self.traffic("web2"), what="statistics of the second one")
        self.assertEqual((stats["net.count"], stats["net.0.name"]), (1, "web2-lan"))
        self.assertGreater(stats["net.0.rx.bytes"], 0)
        listed = self.daemon.run("domiflist", "web2")
        self.assertIn(" web2-lan ", listed)
        for named in ("web2-lan", listed.split()[-1]):
            said = self.daemon.run("domifstat", "web2", named)
            self.assertRegex(said, rf"^{named} rx_bytes [1-9]\d*\n{named} rx_packets [1-9]\d*\n")
        self.assertRegex(self.daemon.run("cpu-stats", "web2"), r"^Total:\n\tcpu_time .*\n\tuser_time ")
        #   The network namespace is the supervisor's: it stays when the container reboots.
        self.client.call("event.subscribe", verbs=["domain.reboot"])
        shells[0].type("reboot -f")
        self.client.next_event("domain.reboot")
        self.assertEqual(self.links(), links)
        again = self.console("web1")
        self.assertIn("10.9.0.11", again.run("ip addr show lan")[0])
        self.client.call("domain.destroy", domain=uuid)
        self.assertEqual(self.links(), ["web2-lan"])
        self.client.call("domain.destroy", domain="web2")
        until(lambda: self.links() == [], what="the end of the last link")
        self.assertNothingLeft()

    def traffic(self, name):
        (row,) = self.client.call("domain.stats", domains=[name], budget=20000)
        return None if row["stale"] else row["stats"]

    def test_others(self):
        """A macvlan, which is in the container only; one that nobody plugs in; a name that exists."""
        self.space.ip("link", "add", "up0", "type", "veth", "peer", "name", "up1")
        self.space.ip("link", "set", "up0", "up")
        self.start_on(
            "web1",
            interface("direct", "dev='up0' mode='bridge'", "<mac address='52:54:00:aa:00:07'/>"),
            interface("ethernet", more="<target dev='mine'/>"),
        )
        shell = self.console("web1")
        self.assertIn("52:54:00:aa:00:07", shell.run("ip link show eth0")[0])
        self.assertIn("LOWER_UP", shell.run("ip link show eth1")[0])
        self.assertEqual(self.links(), ["mine", "up0", "up1"])
        self.define("web2", devices=interface("bridge", "bridge='br0'", "<target dev='mine'/>"))
        with self.assertRaisesRegex(TroupeError, "'mine'.*exists"):
            self.client.call("domain.create", domain="web2")
        self.assertEqual(self.links(), ["mine", "up0", "up1"])
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(self.links(), ["up0", "up1"])
        self.assertNothingLeft()

    def test_many_at_once(self):
        """On a network of ours, two interfaces each, all started and destroyed at once."""
        with open(os.path.join(self.root, "udhcpc"), "w") as file:
            file.write(UDHCPC)
        os.chmod(file.name, 0o755)
        self.daemon.run("net-start", "default")
        self.addCleanup(self.end_network)
        port = interface("network", "network='default'")
        names = [f"web{i}" for i in range(MANY)]
        for name in names:
            self.define(name, devices=CONSOLE + port + port)
        self.at_once("domain.create", names)
        self.assertEqual(len(self.links()), 2 * MANY)
        shell = self.console("web0")
        for link in ("eth0", "eth1"):
            self.assertEqual(shell.run(f"udhcpc -i {link} -n -q -t 20 -s /udhcpc >/dev/null")[1], 0)
        self.assertRegex(shell.run("ip addr show eth1")[0], r"192\.168\.\d+\.\d+")
        #   The daemon hears of a lease when the container has it already.
        until(lambda: re.search(r"192\.168\.\d+\.\d+", self.daemon.run("domifaddr", "web0")), what="the lease")
        self.at_once("domain.destroy", names)
        until(lambda: self.links() == [], what="the end of the links")
        self.assertEqual(self.client.call("network.ports", network="default"), [])

    def end_network(self):
        """Before the daemon's own cleanup, which finds dnsmasq otherwise."""
        with self.daemon.client() as client:
            client.call("network.destroy", network="default")

    def at_once(self, verb, names):
        failed = []

        def ask(name):
            try:
                with self.daemon.client() as client:
                    client.call(verb, domain=name)
            except TroupeError as error:
                failed.append(error)

        threads = [threading.Thread(target=ask, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])

    def test_autostart(self):
        """The first daemon of a boot starts those that are marked, and their network before them; the next one leaves
        all as it is."""
        uuid = self.define("web1", devices=CONSOLE + interface("network", "network='default'"))
        self.define("web2")
        self.daemon.run("net-autostart", "default")
        self.daemon.run("autostart", "web1")
        self.daemon.stop()
        #   As when the host boots, which empties the folder.
        os.unlink(os.path.join(self.daemon.root, "run", "troupe", "autostarted"))
        self.daemon.start()
        until(lambda: self.state("web1") == "running (booted)", what="its start")
        self.addCleanup(self.end_network)
        self.assertEqual(len(self.links()), 1)
        init = self.init(uuid)
        self.daemon.kill()
        self.daemon.start()
        until(lambda: "domain 'web1': found running" in self.daemon.log(), what="its adoption")
        self.assertEqual((self.init(uuid), len(self.links())), (init, 1))
        self.assertRegex(self.state("web2"), "shut off")
        self.daemon.run("destroy", "web1")
        until(lambda: not self.links() + self.cgroups(), what="the end of link and cgroups")

    def test_damaged_status_file(self):
        """Its supervisor is found: the container is not shown as off, and not started a second time."""
        uuid = self.start_on("web1", interface("bridge", "bridge='br0'"))
        links, init = self.links(), self.init(uuid)
        self.daemon.kill()
        status = os.path.join(self.daemon.root, "run", "troupe", "lxc", f"{uuid}.status")
        with open(status, "w") as file:
            file.write("<domstatus")
        self.daemon.start()
        until(lambda: "domain 'web1': found running" in self.daemon.log(), what="its adoption")
        self.assertEqual(self.state("web1"), "running (unknown)")
        self.assertIn("taken over", self.daemon.log())
        self.assertIn("already", self.daemon.run("start", "web1", status=None).stderr)
        self.assertEqual((self.init(uuid), self.links()), (init, links))
        self.assertIn(f" {links[0]} ", self.daemon.run("domiflist", "web1"))
        self.assertEqual(self.console("web1").run("echo here"), ("here", 0))
        self.daemon.run("suspend", "web1")
        self.assertEqual(self.state("web1"), "paused (user)")
        self.daemon.run("destroy", "web1")
        until(lambda: self.links() == [], what="the end of the link")
        folder = os.path.dirname(status)
        (aside,) = [name for name in os.listdir(folder) if ".broken-" in name]
        os.unlink(os.path.join(folder, aside))
        self.assertNothingLeft()

    def test_refusals(self):
        refused = (
            (interface("bridge"), "needs a source/@bridge"),
            (interface("user"), "not supported: .*'user'"),
            (interface("network", "network='none'"), None),
            (interface("bridge", "bridge='br0'", "<model type='virtio'/>"), "not supported: <devices/interface/model>"),
            (2 * interface("bridge", "bridge='br0'", "<guest dev='a'/>"), "two interfaces 'a'"),
            (interface("bridge", "bridge='br0'", "<guest dev='a/b'/>"), "no name of a link"),
            (interface("direct", "dev='br0'", "<bandwidth/>"), "not supported: <bandwidth>"),
        )
        for devices, message in refused:
            xml = container_xml("web1", self.root, devices=devices)
            if message:
                with self.assertRaisesRegex(TroupeError, message):
                    self.client.call("domain.define", xml=xml)
                continue
            self.client.call("domain.define", xml=xml)
            with self.assertRaisesRegex(TroupeError, "'none'"):
                self.client.call("domain.create", domain="web1")
        self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
