"""Virtual networks with IPv6: a client that gets its route from the router and its address from DHCPv6."""

import os
import shutil
import subprocess
import unittest

from harness import until
from network import Site, usable

WORLD, HOST = "2001:db8::2", "2001:db8::1"  # RFC 3849: documentation
NETWORK = """<network><name>blue</name><forward mode='nat'><nat ipv6='yes'/></forward>
  <domain name='blue.test' localOnly='yes'/>
  <ip family='ipv6' address='fd00:77::1' prefix='64'>
    <dhcp><range start='fd00:77::10' end='fd00:77::99'/></dhcp>
  </ip>
</network>"""

#   What isc-dhcp-client runs. The interface has to have finished with its link-local address.
DHCLIENT = """#!/bin/sh
case $reason in
PREINIT6)
    ip link set dev "$interface" up
    until [ -n "$(ip -6 address show dev "$interface" scope link -tentative)" ]; do sleep 0.1; done;;
BOUND6 | REBIND6 | RENEW6) ip -6 address replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface";;
EXPIRE6 | RELEASE6 | STOP6) ip -6 address delete "$old_ip6_address/$old_ip6_prefixlen" dev "$interface";;
esac
"""


@unittest.skipUnless(usable() and shutil.which("dhclient"), "needs what networks need, and isc-dhcp-client")
class NetworkIpv6(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        self.daemon = self.site.daemon.start()
        for space, address in ((self.site.host, HOST), (self.site.world, WORLD)):
            space.run("ip", "address", "add", f"{address}/64", "dev", "up0", "nodad")
        self.script = os.path.join(self.daemon.root, "dhclient.sh")
        with open(self.script, "w") as file:
            file.write(DHCLIENT)
        os.chmod(self.script, 0o755)

    def addresses(self, client):
        """Those that nobody else turned out to have: before, the kernel does not answer for them."""
        words = client.run("ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "global", "-tentative").split()
        return [word.split("/")[0] for word in words if "/" in word]

    def lease(self, client, called):
        """The address that a real client of DHCPv6 gets."""
        root = os.path.join(self.daemon.root, called)
        with open(f"{root}.conf", "w") as file:
            file.write(f'send fqdn.fqdn "{called}";\n')
        running = subprocess.Popen(
            [*client.command, "dhclient", "-6", "-d", "-D", "LL", "-sf", self.script, "-cf", f"{root}.conf",
             "-lf", f"{root}.leases", "-pf", f"{root}.pid", "eth0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        (address,) = until(lambda: self.addresses(client), what="an address from DHCPv6")
        return address

    def leases(self, count):
        return until(lambda: len(self.daemon.json("net-dhcp-leases", "blue")) == count and
                     self.daemon.json("net-dhcp-leases", "blue"), what=f"{count} leases")

    def test_leases(self):
        site, daemon = self.site, self.daemon
        site.define(NETWORK)
        site.serve(self)
        one, two = site.plug("blue"), site.plug("blue")
        first = self.lease(one, "one")
        second = self.lease(two, "two")
        self.assertNotEqual(first, second)
        leases = self.leases(2)
        self.assertEqual({lease["address"]: lease["hostname"] for lease in leases},
                         {first: "one", second: "two"})
        mac = one.link("eth0")["address"]
        (mine,) = [lease for lease in leases if lease["address"] == first]
        self.assertEqual((mine["ipv6"], mine["mac"]), (True, mac))
        for client in (one, two):
            until(lambda c=client: "default" in c.run("ip", "-6", "route"), what="a router")
        self.assertIn(second, one.run("busybox", "nslookup", "-type=aaaa", "two.blue.test", "fd00:77::1"))
        one.run("busybox", "ping6", "-c", "1", "-W", "30", second)
        self.assertEqual(one.run("busybox", "nc", "-w", "30", WORLD, "7777").strip(), HOST)  # NAT
        daemon.kill()
        daemon.start()
        self.assertEqual(sorted(self.leases(2), key=str), sorted(leases, key=str))
        three = site.plug("blue")
        host = f"<host id='00:03:00:01:{three.link('eth0')['address']}' name='three' ip='fd00:77::200'/>"
        daemon.run("net-update", "blue", "add", "ip-dhcp-host", host, "--live", "--parent-index", "0")
        self.assertEqual(self.lease(three, "three"), "fd00:77::200")
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])


if __name__ == "__main__":
    unittest.main()
