"""Virtual networks: real bridges, dnsmasq and nftables in namespaces of the test's own; clients with a real
DHCP client."""

import os
import signal
import subprocess
import threading
import unittest

from harness import BIN, test_domain, until
from network import HOST, WORLD, Site, network, usable
from troupe_client import TroupeError


#   Has the port of DNS on all addresses.
RIVAL = """import socket, time
s = socket.socket()
s.bind(('', 53))
s.listen()
print('ready', flush=True)
time.sleep(1000000)
"""


@unittest.skipUnless(usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Networks(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.close)
        self.daemon = self.site.daemon.start()

    def who_am_i(self, client, seconds=30):
        """The address that the world sees; "" if it can't be reached, within SECONDS where nobody says so."""
        return client.run("busybox", "nc", "-w", str(seconds), WORLD, "7777", status=None).strip()

    def test_nat(self):
        site, daemon = self.site, self.daemon
        txt = "<dns><txt name='word.blue.test' value='hello you'/></dns>"
        site.define(network("blue", 77, extra=txt))
        site.serve(self)
        one, two = site.plug("blue"), site.plug("blue")
        first, second = site.lease(one, "one"), site.lease(two, "two")
        self.assertNotEqual(first, second)
        leases = until(lambda: len(daemon.json("net-dhcp-leases", "blue")) == 2 and
                       daemon.json("net-dhcp-leases", "blue"), what="both leases")
        self.assertEqual({lease["address"]: lease["hostname"] for lease in leases},
                         {first: "one", second: "two"})
        self.assertEqual(len(daemon.json("net-dhcp-leases", "blue", "--mac", leases[0]["mac"])), 1)
        self.assertIn(second, one.run("busybox", "nslookup", "two.blue.test", "192.168.77.1"))
        self.assertIn("hello you",
                      two.run("busybox", "nslookup", "-type=txt", "word.blue.test", "192.168.77.1"))
        self.assertEqual(self.who_am_i(one), HOST)  # NAT
        self.dnsmasq_ends(one, first)
        self.daemon_ends(one)
        self.rules_go(one)
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])
        self.assertEqual(self.who_am_i(one, 3), "")

    def dnsmasq_ends(self, client, address):
        (before,) = self.site.dnsmasqs()
        os.kill(before, signal.SIGKILL)
        until(lambda: self.site.dnsmasqs() not in ([], [before]), what="another dnsmasq")
        self.assertEqual(self.site.lease(client, "one"), address)
        self.assertEqual(len(self.daemon.json("net-dhcp-leases", "blue")), 2)

    def daemon_ends(self, client):
        pids = self.site.dnsmasqs()
        self.daemon.kill()
        self.assertEqual(self.who_am_i(client), HOST)
        self.daemon.start()
        self.assertTrue(self.daemon.json("net-info", "blue")["active"])
        self.assertEqual(len(self.daemon.json("net-dhcp-leases", "blue")), 2)
        self.daemon.run("net-check", "blue")  # behind what looks after it
        self.assertEqual(self.site.dnsmasqs(), pids)

    def rules_go(self, client):
        self.site.host.run("nft", "flush", "ruleset")
        said = self.daemon.run("net-check", "blue", status=None)
        self.assertEqual(said.returncode, 1)
        self.assertIn("changed or removed by another program", said.stderr)
        self.assertEqual(self.who_am_i(client, 3), "")  # the world knows no way back
        said = self.daemon.run("net-check", status=None)
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stderr, "^error: not as they have to be: blue; 'troupe net-check --repair'")
        self.assertIn("; repaired\n", self.daemon.run("net-check", "--repair"))
        self.daemon.run("net-check", "blue")
        self.assertEqual(self.daemon.run("net-check"), "Network blue is as it has to be\n")
        self.assertEqual(self.daemon.json("net-check"), ["blue"])
        self.assertEqual(self.who_am_i(client), HOST)

    def routes(self):
        """Those of the host, whether their links have a carrier or not."""
        lines = self.site.host.run("ip", "route").replace(" linkdown", "").splitlines()
        return sorted(line.strip() for line in lines)

    def test_changed_bridge(self):
        """What others do to bridge, addresses and routes is noticed, and made good."""
        site, daemon = self.site, self.daemon
        site.define(network("blue", 79, extra="<route address='10.77.0.0' prefix='16' gateway='192.168.79.2'/>"))
        bridge = daemon.json("net-info", "blue")["bridge"]
        changes = (
            (("link", "set", bridge, "down"), "its bridge is down"),
            (("address", "del", "192.168.79.1/24", "dev", bridge), "an address of its bridge is gone"),
            (("route", "del", "10.77.0.0/16"), "a route of it is gone"),
        )
        for words, problem in changes:
            with self.subTest(problem=problem):
                before = self.routes()
                site.host.run("ip", *words)
                said = daemon.run("net-check", "blue", status=None)
                self.assertEqual(said.returncode, 1)
                self.assertIn(problem, said.stderr)
                self.assertIn("; repaired\n", daemon.run("net-check", "blue", "--repair"))
                daemon.run("net-check", "blue")
                self.assertEqual(self.routes(), before)
        added = daemon.run("net-update", "blue", "add", "dns-txt", "<txt name='a' value='b'/>")
        self.assertEqual(added, "Updated network blue live state\n")
        daemon.run("net-destroy", "blue")
        added = daemon.run("net-update", "blue", "add", "dns-txt", "<txt name='a' value='b'/>")
        self.assertEqual(added, "Updated network blue persistent config\n")

    def test_isolated_and_routed(self):
        site, daemon = self.site, self.daemon
        site.define(network("alone", 81, forward=None))
        site.define(network("routed", 82, forward="route"))
        site.serve(self)
        site.world.run("ip", "route", "add", "192.168.0.0/16", "via", HOST)
        alone, routed = site.plug("alone"), site.plug("routed")
        site.lease(alone, "alone")
        address = site.lease(routed, "routed")
        self.assertEqual(self.who_am_i(routed), address)  # as it is
        self.assertEqual(alone.run("ip", "route", "show", "default"), "")
        alone.run("ip", "route", "add", "default", "via", "192.168.81.1")
        self.assertEqual(self.who_am_i(alone), "")
        self.update("routed", routed)
        for name in ("alone", "routed"):
            daemon.run("net-destroy", name)
        self.assertEqual(site.leftovers(), [])

    def update(self, name, client):
        mac = client.link("eth0")["address"]
        host = f"<host mac='{mac}' name='fixed' ip='192.168.82.200'/>"
        self.daemon.run("net-update", name, "add", "ip-dhcp-host", host, "--live", "--config")
        client.run("ip", "address", "flush", "dev", "eth0")
        self.assertEqual(self.site.lease(client, "x"), "192.168.82.200")
        for option in ([], ["--inactive"]):
            self.assertIn("192.168.82.200", self.daemon.run("net-dumpxml", name, *option))
        again = self.daemon.run("net-update", name, "add", "ip-dhcp-host", host, status=None)
        self.assertIn("there is such a ip-dhcp-host already", again.stderr)
        self.daemon.run("net-update", name, "delete", "ip-dhcp-host", host, "--config")
        self.assertNotIn("192.168.82.200", self.daemon.run("net-dumpxml", name, "--inactive"))

    def at_once(self, command, names):
        threads = [threading.Thread(target=self.daemon.run, args=(command, name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_many_at_once(self):
        names = [self.site.define(network(f"n{i}", i, "nat" if i % 2 else None), start=False)
                 for i in range(1, 51)]
        self.at_once("net-start", names)
        active = self.daemon.run("net-list", "--name").split()
        self.assertEqual(sorted(active), sorted(names))
        self.assertEqual(len(self.site.dnsmasqs()), 50)
        bridges = {self.daemon.json("net-info", name)["bridge"] for name in names}
        self.assertEqual(len(bridges), 50)
        self.at_once("net-destroy", names)
        self.assertEqual(self.daemon.run("net-list", "--name").split(), [])
        self.assertEqual(self.site.leftovers(), [])

    def test_default(self):
        site, daemon = self.site, self.daemon
        self.assertEqual(daemon.run("net-list", "--all", "--name"), "default\n")
        site.host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "other1")
        site.host.run("ip", "address", "add", "192.168.122.7/24", "dev", "other")
        site.host.run("ip", "link", "set", "other", "up")
        rival = subprocess.Popen([*site.host.command, "/usr/bin/python3", "-c", RIVAL], stdout=subprocess.PIPE)
        self.addCleanup(rival.stdout.close)
        self.addCleanup(rival.wait)
        self.addCleanup(rival.kill)
        rival.stdout.readline()
        self.assertIn("its dnsmasq could not start", daemon.run("net-start", "default", status=None).stderr)
        rival.kill()
        rival.wait()
        daemon.kill()
        daemon.start()
        self.assertIn("choose-subnet", daemon.run("net-dumpxml", "default"))  # nothing was chosen yet
        daemon.run("net-start", "default")
        for option in ([], ["--inactive"]):
            xml = daemon.run("net-dumpxml", "default", *option)
            self.assertIn("<ip address='192.168.123.1'", xml)
            self.assertIn("end='192.168.123.254'", xml)
            self.assertNotIn("choose-subnet", xml)
        site.host.run("ip", "link", "delete", "other")
        daemon.run("net-destroy", "default")
        daemon.run("net-start", "default")
        self.assertIn("192.168.123.1", daemon.run("net-dumpxml", "default"))
        daemon.run("net-destroy", "default")
        site.define(network("clash", 0).replace("192.168.0", "203.0.113"), start=False)
        refused = daemon.run("net-start", "clash", status=None)
        self.assertIn("203.0.113.0/24 is in use: the host has a route to it through 'up0'",
                      refused.stderr)
        daemon.run("net-undefine", "default")
        daemon.stop()
        daemon.start()
        self.assertEqual(daemon.run("net-list", "--all", "--name"), "clash\n")
        self.assertEqual(site.leftovers(), [])

    def test_ports_and_documents(self):
        site, daemon = self.site, self.daemon
        groups = ("<portgroup name='slow'><bandwidth><inbound average='100'/></bandwidth></portgroup>"
                  "<port isolated='yes'/><bandwidth><inbound average='4000'/></bandwidth>")
        site.define(network("blue", 78, extra=groups))
        port, xml = self.create_port("blue", "slow")
        with daemon.client() as client:
            (listed,) = client.call("network.ports", network="blue")
            plug = client.call("network.port_create", network="blue", port=port)  # again
        self.assertEqual(listed["plug"], plug)
        bridge = daemon.json("net-info", "blue")["bridge"]
        self.assertEqual((plug["kind"], plug["bridge"], plug["isolated"]), ("bridge", bridge, True))
        self.assertEqual(plug["bridge_index"], site.host.link(bridge)["ifindex"])
        self.assertEqual(plug["bandwidth"]["inbound"]["average_kb"], 100)
        self.assertIn(f"<plug type='network' bridge=\"{bridge}\"/>",
                      daemon.run("net-port-dumpxml", "blue", port))
        refused = daemon.run("net-port-create", "blue", xml.replace("port", "bad"), status=None)
        self.assertIn("it has no portgroup 'fast'", refused.stderr)
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.run("net-port-list", "blue", "--uuid"), port + "\n")
        daemon.run("net-destroy", "blue")
        daemon.stop()
        daemon.start()
        daemon.run("net-start", "blue")
        self.assertEqual(daemon.run("net-port-list", "blue", "--uuid"), port + "\n")
        daemon.run("net-port-delete", "blue", port)
        self.assertEqual(daemon.run("net-port-list", "blue", "--uuid"), "")
        again = daemon.run("net-port-delete", "blue", port, status=None)
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"network 'blue' has no port '{port}'", again.stderr)
        self.documents()
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])

    def test_port_profiles(self):
        """What a portgroup says of the port's <virtualport> goes before what its network does."""
        site, daemon = self.site, self.daemon
        profile = "<virtualport{}><parameters profileid='{}'/></virtualport>"
        groups = (f"<portgroup name='sales'>{profile.format('', 'sales')}</portgroup>"
                  "<portgroup name='rest' default='yes'/>")
        address = "<address type='pci' domain='0' bus='0x{}' slot='0' function='{}'/>"
        xml = ("<network><name>cards</name><forward mode='hostdev'>"
               f"{address.format('7e', 0)}{address.format('7e', 1)}</forward>"
               f"{profile.format(' type=' + repr('802.1Qbh'), 'all &amp; others')}{groups}</network>")
        site.define(xml)
        ports = [f"6c0b8a3e-9d0f-4c38-8b7b-0f8f3d0e7c1{number}" for number in range(2)]
        with daemon.client() as client:
            for port, group, wanted in ((ports[0], "sales", "sales"), (ports[1], None, "all & others")):
                chosen = {"portgroup": group} if group else {}
                plug = client.call("network.port_create", network="cards", port=port, **chosen)
                self.assertEqual((plug["virtualport"], plug["profile"]), ("802.1Qbh", wanted))
        shown = daemon.run("net-port-dumpxml", "cards", ports[1])
        self.assertIn('<virtualport type="802.1Qbh">\n    <parameters profileid="all &amp; others"/>', shown)
        self.assertEqual(daemon.run("net-dumpxml", "cards").count("<virtualport"), 2)
        daemon.run("net-destroy", "cards")

    def test_ports_of_clients(self):
        """What a client says is refused where the next daemon could not read it."""
        site, daemon = self.site, self.daemon
        site.define(network("blue", 76))
        port = "6c0b8a3e-9d0f-4c38-8b7b-0f8f3d0e7c11"
        with daemon.client() as client:
            for bad in ({"domain_name": "a\x01"}, {"domain_name": "\uffff"}, {"domain_name": "a" * 2000},
                        {"domain": "web1"}, {"mac": "\x02"}, {"mac": "52:54:00:\n1:22:33"}):
                with self.assertRaises(TroupeError, msg=bad):
                    client.call("network.port_create", network="blue", port=port, **bad)
            client.call("network.port_create", network="blue", port=port, domain_name="<&\n'\"\u00e9>")
        (before,) = daemon.json("net-port-list", "blue")
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.json("net-port-list", "blue"), [before])
        daemon.run("net-port-delete", "blue", port)
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])

    def test_same_subnet_at_once(self):
        """One of them gets it, and the others hear from whom."""
        site, daemon = self.site, self.daemon
        names = [site.define(network(f"n{i}", 70), start=False) for i in range(4)]
        said = {}

        def start(name):
            said[name] = daemon.run("net-start", name, status=None).stderr

        threads = [threading.Thread(target=start, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = daemon.run("net-list", "--name").split()
        for name in set(names) - {winner}:
            self.assertIn("its subnet 192.168.70.0/24 is in use", said[name])
        daemon.run("net-destroy", winner)
        self.assertEqual(site.leftovers(), [])

    def test_change_that_was_cut_off(self):
        """A dnsmasq that serves what no document says is started again."""
        site, daemon = self.site, self.daemon
        site.define(network("blue", 74))
        uuid = daemon.run("net-uuid", "blue").strip()
        path = os.path.join(daemon.root, "run", "troupe", "networks", f"{uuid}.conf")
        before = site.dnsmasqs()
        with open(path) as file:
            good = file.read()
        daemon.kill()
        with open(path, "a") as file:
            file.write("dhcp-host=52:54:00:00:00:01,192.168.74.7\n")
        daemon.start()
        daemon.run("net-check", "blue")  # behind what looks after it
        with open(path) as file:
            self.assertEqual(file.read(), good)
        self.assertNotEqual(site.dnsmasqs(), before)
        self.assertEqual(len(site.dnsmasqs()), 1)
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])

    def test_forward_interface(self):
        """The rules follow a change of it."""
        site, daemon = self.site, self.daemon
        site.define(network("blue", 75))
        device = "<interface dev='up0'/>"
        daemon.run("net-update", "blue", "add", "forward-interface", device, "--live")
        self.assertIn('oifname "up0"', site.host.run("nft", "list", "ruleset"))
        daemon.run("net-update", "blue", "delete", "forward-interface", device, "--live")
        self.assertNotIn('"up0"', site.host.run("nft", "list", "ruleset"))
        daemon.run("net-destroy", "blue")
        self.assertEqual(site.leftovers(), [])

    def test_ports_after_a_restart(self):
        """Of a domain that can't be loaded nobody knows whether it runs: it keeps its port."""
        site, daemon = self.site, self.daemon
        site.define(network("blue", 79))
        with daemon.client() as client:
            uuid = client.call("domain.define", xml=test_domain("web1"))["uuid"]
            client.call("domain.create", domain="web1")
        for owner in (uuid, "6c0b8a3e-9d0f-4c38-8b7b-0f8f3d0e7c11"):
            daemon.run("net-port-create", "blue", "/dev/stdin",
                       input=f"<networkport><owner><uuid>{owner}</uuid><name>web</name></owner>"
                             "<mac address='52:54:00:00:00:07'/></networkport>")
        daemon.kill()
        status = os.path.join(daemon.root, "run", "troupe", "test", f"{uuid}.status")
        os.rename(status, status + ".aside")
        os.symlink(status, status)  # what even root can't read
        daemon.start()
        (left,) = until(lambda: len(ports := daemon.json("net-port-list", "blue")) == 1 and ports,
                        what="the end of the unknown domain's port")
        self.assertEqual(left["domain"], uuid)
        self.assertEqual(daemon.run("domstate", uuid).strip(), "no state")
        os.unlink(status)
        os.rename(status + ".aside", status)
        until(lambda: daemon.run("domstate", uuid).strip() == "running", what="the domain")
        daemon.run("destroy", "web1")
        daemon.run("net-destroy", "blue")

    def test_pool_of_devices(self):
        site, daemon = self.site, self.daemon
        path = os.path.join(daemon.root, "pool.xml")
        with open(path, "w") as file:
            file.write("<network><name>pool</name><forward mode='passthrough'>"
                       "<interface dev='up0'/></forward></network>")
        daemon.run("net-create", path)
        port, xml = self.create_port("pool", "")
        (listed,) = daemon.json("net-port-list", "pool")
        self.assertEqual((listed["plug"]["kind"], listed["plug"]["mode"], listed["plug"]["device"]),
                         ("macvtap", "passthrough", "up0"))
        refused = daemon.run("net-port-create", "pool", xml, status=None)
        self.assertIn("all of its 1 devices are taken", refused.stderr)
        daemon.run("net-port-delete", "pool", port)
        self.create_port("pool", "")
        daemon.run("net-destroy", "pool")
        self.assertEqual(daemon.run("net-list", "--all", "--name"), "default\n")
        self.assertEqual(site.leftovers(), [])

    def test_lease_helper(self):
        """What dnsmasq tells of a client with IPv6; the leases that it gets back."""
        path = os.path.join(self.daemon.root, "leases")
        environment = {"TROUPE_LEASE_FILE": path, "DNSMASQ_LEASE_EXPIRES": "1900000000",
                       "DNSMASQ_IAID": "77", "DNSMASQ_SERVER_DUID": "00:01"}

        def helper(*words, **more):
            return subprocess.run([os.path.join(BIN, "troupe-lease"), *words], text=True, check=True,
                                  env=environment | more, capture_output=True).stdout

        self.assertEqual(helper("init"), "")
        helper("add", "52:54:00:00:00:03", "10.0.0.8", "duid", DNSMASQ_SERVER_DUID="")  # a guest's name
        helper("add", "52:54:00:00:00:01", "10.0.0.9", "web", DNSMASQ_CLIENT_ID="01:52")
        self.assertIn("duid 00:01\n", helper("init"))
        helper("del", "52:54:00:00:00:03", "10.0.0.8")
        helper("add", "00:03:00:01", "fd00::9", DNSMASQ_MAC="52:54:00:00:00:02")
        with open(path) as file:
            self.assertIn("1900000000 77 fd00::9 * 00:03:00:01 52:54:00:00:00:02\n", file.read())
        four = "1900000000 52:54:00:00:00:01 10.0.0.9 web 01:52\n"
        six = "duid 00:01\n1900000000 77 fd00::9 * 00:03:00:01\n"
        self.assertEqual(helper("init"), four + six)
        helper("old", "00:03:00:01", "fd00::9")  # a dnsmasq that has just started
        with open(path) as file:
            self.assertIn(" 00:03:00:01 52:54:00:00:00:02\n", file.read())
        helper("old", "52:54:00:00:00:01", "10.0.0.9", "web2", DNSMASQ_LEASE_EXPIRES="0")
        helper("del", "00:03:00:01", "fd00::9")
        self.assertEqual(helper("init"), "0 52:54:00:00:00:01 10.0.0.9 web2 *\nduid 00:01\n")

    def create_port(self, name, group):
        paths = [os.path.join(self.daemon.root, f"{word}.xml") for word in ("port", "bad")]
        for path, each in zip(paths, (group, "fast")):
            with open(path, "w") as file:
                file.write("<networkport><owner><name>web1</name></owner>"
                           f"<mac address='52:54:00:00:00:07'/>" + (f"<group>{each}</group>" if each else "")
                           + "</networkport>")
        said = self.daemon.run("net-port-create", name, paths[0])
        return said.split()[2], paths[0]

    def documents(self):
        daemon = self.daemon
        uuid = daemon.run("net-uuid", "blue").strip()
        self.assertEqual(daemon.run("net-name", uuid), "blue\n")
        daemon.run("net-desc", "blue", "--config", "--title", "My", "net")
        self.assertEqual(daemon.run("net-desc", "blue", "--config", "--title"), "My net\n")
        self.assertIn(" Title", daemon.run("net-list", "--all", "--title"))
        daemon.run("net-metadata", "blue", "--uri", "http://a.b/", "--key", "a", "--set", "<x/>")
        self.assertIn("x", daemon.run("net-metadata", "blue", "--uri", "http://a.b/"))
        daemon.run("net-autostart", "blue")
        self.assertEqual(daemon.run("net-list", "--autostart", "--name"), "blue\n")
        daemon.run("net-undefine", "blue")  # transient now
        self.assertEqual(daemon.run("net-list", "--transient", "--uuid"), uuid + "\n")
        with daemon.client() as client:
            client.call("event.subscribe", network="blue")
            daemon.run("net-destroy", "blue")
            event = client.next_event("network.lifecycle")
        self.assertEqual((event["verb"], event["args"]["event_text"]),
                         ("network.lifecycle", "Stopped"))
        path = os.path.join(daemon.root, "network.xml")
        daemon.run("net-create", path)
        self.assertEqual(daemon.run("net-list", "--transient", "--name"), "blue\n")

    def test_chosen_bridge_of_others(self):
        site, daemon = self.site, self.daemon
        site.host.run("ip", "link", "add", "mine", "type", "bridge")
        index = site.host.link("mine")["ifindex"]
        site.define(network("taken", 91, extra="<bridge name='mine'/>"), start=False)
        refused = daemon.run("net-start", "taken", status=None)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("mine", refused.stderr)
        self.assertEqual(site.host.link("mine")["ifindex"], index)
        self.assertFalse(daemon.json("net-info", "taken")["active"])
        path = os.path.join(daemon.root, "other.xml")
        with open(path, "w") as file:
            file.write(network("other", 93, extra="<bridge name='mine'/>"))
        self.assertIn("'mine' is already in use by network 'taken'", daemon.run("net-define", path, status=None).stderr)
        daemon.run("net-undefine", "taken")
        daemon.run("net-define", path)
        site.host.run("ip", "link", "delete", "mine")
        #   The kernel puts the number in; the definition keeps the template.
        site.define(network("chosen", 92, extra="<bridge name='chosen%d'/>"))
        self.assertEqual(daemon.json("net-info", "chosen")["bridge"], "chosen0")
        self.assertIn("name='chosen%d'", daemon.run("net-dumpxml", "chosen", "--inactive"))
        daemon.run("net-destroy", "chosen")
        self.assertEqual(site.leftovers(), [])

    def test_dnsmasq_that_gives_up(self):
        """It has written its pid by then, but does not serve."""
        site = self.site
        missing = os.path.join(self.daemon.root, "missing")
        xml = network("gone", 93).replace("<dhcp>", f"<tftp root='{missing}'/><dhcp>")
        site.define(xml, start=False)
        refused = self.daemon.run("net-start", "gone", status=None)
        self.assertRegex(refused.stderr, rf"network 'gone': its dnsmasq could not start: .*{missing}")
        self.assertEqual(site.leftovers(), [])


if __name__ == "__main__":
    unittest.main()
