"""Two guests on two networks: what they get on one that leads out, and that the isolated one is a closed room."""

import unittest

from guest import QemuTest
from harness import until
from network import HOST, WORLD, Site, network, usable

#   What busybox's udhcpc runs in the guest.
LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig "$interface" "$ip" netmask "$subnet"
[ -z "$router" ] || route add default gw "$router"
echo "nameserver $dns" >/etc/resolv.conf
echo "$ip"
"""
NAMES = ("web1", "web2")


def interface(name):
    return f"<interface type='network'><source network='{name}'/><model type='virtio'/></interface>"


@unittest.skipUnless(usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Guests(QemuTest):
    def make_daemon(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        return self.site.daemon

    def test_out_and_closed(self):
        site, daemon = self.site, self.daemon
        site.define(network("blue", 77))
        site.define(network("closed", 78, forward=None))
        site.serve(self)
        devices = "<console type='pty'/>" + interface("blue") + interface("closed")
        self.guests = self.boot(*NAMES, devices=devices)
        for guest in self.guests:
            lines = " ".join(f"'{line}'" for line in LEASE.splitlines())
            guest.run(f"printf '%s\\n' {lines} >/lease; chmod +x /lease")
        self.know_each_other("blue", "eth0", 77)
        for guest in self.guests:
            self.assertEqual(guest.run(f"nc -w 50 {WORLD} 7777"), HOST)  # through NAT
            guest.run("ifconfig eth0 down")
        self.know_each_other("closed", "eth1", 78)
        for guest in self.guests:
            self.assertNotIn("default", guest.run("ip route"))
            guest.run("route add default gw 192.168.78.1")
            self.assertEqual(guest.run(f"nc -w 5 {WORLD} 7777 2>/dev/null"), "")
        for name in NAMES:
            self.client.call("domain.destroy", domain=name)
        for name in ("blue", "closed"):
            self.assertEqual(self.client.call("network.ports", network=name), [])
            daemon.run("net-destroy", name)
        self.assertEqual(site.leftovers(), [])

    def know_each_other(self, name, link, number):
        """Each has a lease on this network, finds the host, and the other one by its name."""
        addresses = {}
        for guest, called in zip(self.guests, NAMES):
            guest.run(f"ifconfig {link} up")
            addresses[called] = guest.run(
                f"udhcpc -i {link} -n -q -t 40 -T 1 -A 1 -s /lease -x hostname:{called} 2>/dev/null"
            )
            self.assertRegex(addresses[called], rf"^192\.168\.{number}\.\d+$")
        leases = until(lambda: len(self.daemon.json("net-dhcp-leases", name)) == 2 and
                       self.daemon.json("net-dhcp-leases", name), what="both leases")
        self.assertEqual({lease["hostname"]: lease["address"] for lease in leases}, addresses)
        for guest, other in zip(self.guests, reversed(NAMES)):
            for whom, where in (("192.168.%d.1" % number,) * 2, (f"{other}.{name}.test", addresses[other])):
                self.assertIn(f"({where})", guest.reaches(whom))


if __name__ == "__main__":
    unittest.main()
