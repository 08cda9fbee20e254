"""Guests that are plugged into bridges and links of the host: a network namespace of the test's own."""

import os
import unittest

from guest import Guest, QemuTest, qemu_domain
from harness import until
from netns import InNamespace, Namespace
from troupe_client import TroupeError

#   For busybox's udhcpc: takes the address, and tells it.
LEASE_SCRIPT = '[ "$1" = bound ] && ifconfig eth0 "$ip" netmask "$subnet" && echo "$ip"; true'
MACS = ["52:54:00:aa:00:01", "52:54:00:aa:00:02"]


def interface(kind, source, mac=MACS[0], more=""):
    return (
        f"<interface type='{kind}'><mac address='{mac}'/><source {source}/><model type='virtio'/>"
        f"{more}</interface>"
    )


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Plugged(InNamespace, QemuTest):
    mtu = 1400

    def start_guest(self, name, devices, **parts):
        """Defined and started on hold; its interfaces are plugged in then."""
        return self.start(name, devices="<console type='pty'/>" + devices, **parts)

    def bring_up(self, guest, address):
        guest.open()
        self.client.call("domain.resume", domain=guest.uuid)
        guest.wait_up()
        guest.run(f"ifconfig eth0 {address} netmask 255.255.255.0 up")

    def taps(self):
        return [name for name in self.space.links() if name not in ("lo", "br0")]

    def link(self, name):
        return self.space.ip("-d", "link", "show", "dev", name)

    def test_bridge(self):
        """Two guests on one bridge reach each other and the host; the daemon dies meanwhile."""
        guests = [
            self.start_guest(f"web{i + 1}", interface("bridge", "bridge='br0'", MACS[i])) for i in range(2)
        ]
        taps = self.taps()
        self.assertEqual(len(taps), 2)
        for tap in taps:
            self.assertRegex(tap, r"^vnet\d+$")
            shown = self.link(tap)
            self.assertIn("master br0", shown)
            self.assertIn("mtu 1400", shown)
            self.assertIn("link/ether fe:", shown)
        self.assertIn(f" {taps[0]} ", self.daemon.run("domiflist", "web1"))
        for i, guest in enumerate(guests):
            self.bring_up(guest, f"10.9.0.1{i + 1}")
        self.assertTrue(guests[0].reaches("10.9.0.12"))
        self.daemon.kill()
        self.restart()
        self.assertEqual(self.taps(), taps)
        stats = until(self.traffic, what="statistics of the adopted guest")
        self.assertEqual(stats["net.count"], 1)
        self.assertIn(stats["net.0.name"], taps)
        self.assertGreater(stats["net.0.rx.bytes"], 0)
        self.assertGreater(stats["net.0.tx.pkts"], 0)
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(len(self.taps()), 1)
        #   One that dies by itself leaves nothing either.
        os.kill(guests[1].pid(), 9)
        until(lambda: self.taps() == [], what="the end of the last link")

    def traffic(self):
        (row,) = self.client.call("domain.stats", domains=["web1"], budget=20000)
        return None if row["stale"] else row["stats"]

    def test_names(self):
        """A chosen name; one that exists is left alone, and nothing is left behind."""
        self.space.ip("tuntap", "add", "dev", "mine", "mode", "tap")
        before = self.link("mine")
        named = interface("bridge", "bridge='br0'", more="<target dev='{}'/>")
        self.client.call("domain.define", xml=qemu_domain("web1", named.format("mine")))
        with self.assertRaisesRegex(TroupeError, "'mine'.*exists"):
            self.client.call("domain.create", domain="web1")
        self.assertEqual(self.taps(), ["mine"])
        self.assertEqual(self.link("mine"), before)
        self.client.call("domain.define", xml=qemu_domain("web2", named.format("web")))
        self.client.call("domain.create", domain="web2", paused=True)
        self.assertEqual(self.taps(), ["mine", "web"])
        self.client.call("domain.destroy", domain="web2")
        self.assertEqual(self.taps(), ["mine"])
        #   A tap that the user made, and keeps.
        own = interface("ethernet", "", more="<target dev='mine' managed='no'/>").replace("<source />", "")
        self.client.call("domain.define", xml=qemu_domain("web3", own))
        self.client.call("domain.create", domain="web3", paused=True)
        self.client.call("domain.destroy", domain="web3")
        self.assertEqual(self.taps(), ["mine"])

    def test_refused(self):
        """What is not there, and what is no bridge: one line, and nothing is left."""
        for source, said in (("bridge='none'", "'none'"), ("bridge='lo'", "'lo' is no bridge")):
            with self.assertRaisesRegex(TroupeError, said) as caught:
                self.client.call("domain.create_xml", xml=qemu_domain("web1", interface("bridge", source)))
            self.assertIn("plug 'net0' in", caught.exception.message)
            self.assertEqual(self.taps(), [])

    def test_direct(self):
        """A macvtap over one end of a cable: the guest talks with whoever is at the other end."""
        other = Namespace(self)
        self.space.cable("eth0", other, "eth0")
        other.ip("address", "add", "10.9.1.1/24", "dev", "eth0")
        guest = self.start_guest("web1", interface("direct", "dev='eth0' mode='bridge'"))
        (link,) = [name for name in self.taps() if name != "eth0"]
        self.assertRegex(link, r"^macvtap\d+$")
        self.assertIn(MACS[0], self.link(link))
        self.bring_up(guest, "10.9.1.2")
        self.assertTrue(guest.reaches("10.9.1.1"))
        twin = qemu_domain("web2", interface("direct", "dev='eth0' mode='bridge'"))
        with self.assertRaisesRegex(TroupeError, f"another interface of the same link has the MAC '{MACS[0]}'"):
            self.client.call("domain.create_xml", xml=twin)
        self.assertEqual(sorted(self.taps()), ["eth0", link])
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(self.taps(), ["eth0"])

    def test_network(self):
        """A guest gets its address from a network, by name and by lease; its port goes with it."""
        self.daemon.run(
            "net-define",
            "/dev/stdin",
            input="<network><name>blue</name><bridge name='blue0'/><domain name='blue.test'/>"
            "<ip address='10.9.7.1' netmask='255.255.255.0'><dhcp><range start='10.9.7.10' end='10.9.7.20'/>"
            "</dhcp></ip></network>",
        )
        self.daemon.run("net-start", "blue")
        self.addCleanup(self.daemon.run, "net-destroy", "blue", status=None)
        guest = self.start_guest("web1", interface("network", "network='blue'"))
        (port,) = self.client.call("network.ports", network="blue")
        self.assertEqual((port["domain_name"], port["mac"]), ("web1", MACS[0]))
        live = self.daemon.run("dumpxml", "web1")
        self.assertIn(f"portid='{port['plug']['port']}'", live)
        self.assertIn("bridge='blue0'", live)
        self.assertNotIn("portid", self.daemon.run("dumpxml", "web1", "--inactive"))
        (tap,) = [name for name in self.taps() if name.startswith("vnet")]
        self.assertIn("master blue0", self.link(tap))
        guest.open()
        self.client.call("domain.resume", domain=guest.uuid)
        guest.wait_up()
        guest.run(f"printf '%s\\n' '#!/bin/sh' '{LEASE_SCRIPT}' >/lease; chmod +x /lease; ifconfig eth0 up")
        address = guest.run("udhcpc -i eth0 -n -q -t 20 -s /lease -x hostname:web1 2>/dev/null")
        self.assertRegex(address, r"^10\.9\.7\.1\d$")
        self.assertIn(address, guest.run("nslookup web1.blue.test 10.9.7.1"))
        leases = until(lambda: self.daemon.json("net-dhcp-leases", "blue"), what="the lease")
        self.assertEqual([(lease["address"], lease["mac"]) for lease in leases], [(address, MACS[0])])
        for source, prefix in (("lease", 24), ("arp", 0)):
            said = self.daemon.run("domifaddr", "web1", "--source", source)
            self.assertRegex(said, rf"\n {tap} +{MACS[0]} +ipv4 +{address}/{prefix} *\n")
        #   Saved and restored: another port, on the same network.
        image = os.path.join(self.daemon.root, "web1.save")
        self.daemon.run("save", "web1", image)
        self.assertEqual(self.client.call("network.ports", network="blue"), [])
        self.daemon.run("restore", image)
        #   The bridge listens and learns for some seconds before it lets a new port talk.
        guest.open()
        self.assertTrue(guest.reaches("10.9.7.1"))
        self.network_comes_back(guest)
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(self.client.call("network.ports", network="blue"), [])
        self.daemon.run("net-destroy", "blue")
        self.daemon.run("net-undefine", "blue")
        self.assertEqual(self.taps(), [])
        with self.assertRaisesRegex(TroupeError, "plug 'net0' in: there is no network 'blue'"):
            self.client.call("domain.create", domain="web1")

    def network_comes_back(self, guest):
        """Destroyed and started under a guest: the guest is plugged in again."""
        self.daemon.run("net-destroy", "blue")
        (tap,) = self.taps()
        self.assertNotIn("master", self.link(tap))
        self.daemon.run("net-start", "blue")
        until(lambda: "master blue0" in self.link(tap), what="the guest's link in its bridge")
        #   As if the daemon had been killed before it told the guest that the network is back.
        self.daemon.kill()
        self.space.ip("link", "set", tap, "nomaster")
        self.restart()
        until(lambda: "master blue0" in self.link(tap), what="the guest's link in its bridge again")
        guest = Guest(self, guest.uuid).open()
        self.assertTrue(guest.reaches("10.9.7.1"))

    def test_queues_and_limits(self):
        """What leaves the guest can be limited where the kernel polices; else an error says so."""
        more = "<driver queues='2'/><bandwidth><inbound average='1000'/></bandwidth>"
        self.start_guest("web1", interface("bridge", "bridge='br0'", more=more), vcpus=1)
        (tap,) = self.taps()
        self.assertIn("multi_queue", self.link(tap))
        self.assertIn("htb", self.space.run("tc", "qdisc", "show", "dev", tap))
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(self.taps(), [])
        more = "<bandwidth><outbound average='500'/></bandwidth>"
        both = qemu_domain("web2", interface("bridge", "bridge='br0'", more=more))
        try:
            self.client.call("domain.create_xml", xml=both)
            self.client.call("domain.destroy", domain="web2")
        except TroupeError as error:
            self.assertRegex(error.message, "plug 'net0' in: bandwidth of link 'vnet.*CONFIG_NET_ACT_POLICE")
        self.assertEqual(self.taps(), [])


if __name__ == "__main__":
    unittest.main()
