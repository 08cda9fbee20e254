"""Virtual networks as libvirt documents them: each mode's life, who is who, updates, lists."""

import unittest

import libvirt

from conform import (
    ARGUMENT,
    FAILED,
    GIVEN,
    INVALID,
    NO_NETWORK,
    PREFIX,
    UUIDS,
    ConformTest,
    network_xml,
    refusal,
)
from network import Namespace, usable

A, B = UUIDS[:2]


def ip(number, more=""):
    """An IPv4 subnet with addresses for guests."""
    return f"""<ip address='10.211.{number}.1' netmask='255.255.255.0'>{more}
      <dhcp><range start='10.211.{number}.10' end='10.211.{number}.20'/></dhcp></ip>"""


SIX = """<ip family='ipv6' address='fd00:211::1' prefix='64'>
  <dhcp><range start='fd00:211::10' end='fd00:211::20'/></dhcp></ip>"""
OTHER_SIX = "<ip family='ipv6' address='fd00:212::1' prefix='64'/>"

#   Whether libvirt gives it a bridge of its own.
MODES = {
    "isolated": (ip(1), True),
    "without address": ("", True),
    "nat": ("<forward mode='nat'/>" + ip(2), True),
    "forward": ("<forward/>" + ip(3), True),
    "nat with a range": (
        "<forward mode='nat'><nat><address start='192.0.2.4' end='192.0.2.10'/><port start='500' end='1000'/></nat></forward>"
        + ip(4),
        True,
    ),
    "route": ("<forward mode='route'/>" + ip(5), True),
    "open": ("<forward mode='open'/>" + ip(6), True),
    "IPv6": (SIX, True),
    "both": ("<forward mode='route'/>" + ip(7) + OTHER_SIX, True),
    "tftp": (ip(8, "<tftp root='/usr/share'/>"), True),
    "hosts": (
        "<ip address='10.211.9.1' prefix='24'><dhcp><range start='10.211.9.10' end='10.211.9.20'/>"
        "<host mac='52:54:00:00:00:05' name='h' ip='10.211.9.15'/><bootp file='pxe' server='10.211.9.1'/></dhcp></ip>",
        True,
    ),
    "names": (
        "<domain name='example.org' localOnly='yes'/><dns><txt name='t' value='v'/><host ip='10.211.10.5'>"
        "<hostname>a</hostname></host></dns>" + ip(10),
        True,
    ),
    "no names": ("<dns enable='no'/>" + ip(11), True),
    "its bridge": (f"<bridge name='conformbr0' stp='off' delay='2'/><mac address='52:54:00:12:34:56'/>{ip(12)}", True),
    "the host's bridge": ("<forward mode='bridge'/><bridge name='conformbr9'/>", False),
    "bridge of a device": ("<forward mode='bridge'><interface dev='conform9'/></forward>", False),
    "private": ("<forward mode='private'><interface dev='lo'/></forward>", False),
    "vepa": ("<forward mode='vepa'><interface dev='conform9'/></forward>", False),
    "passthrough": ("<forward mode='passthrough'><interface dev='lo'/></forward>", False),
}


@unittest.skipUnless(GIVEN or usable(), "needs root, namespaces, ip, nft, dnsmasq and busybox")
class Networks(ConformTest):
    @classmethod
    def setUpClass(cls):
        if not GIVEN:
            host = Namespace()
            cls.addClassCleanup(host.close)
            cls.within = host.command
        super().setUpClass()

    def define(self, name, uuid=None, body=""):
        return self.connection.networkDefineXML(network_xml(name, uuid, body))

    def create(self, name, uuid=None, body=""):
        return self.connection.networkCreateXML(network_xml(name, uuid, body))

    def test_modes(self):
        for mode, (body, has_bridge) in MODES.items():
            with self.subTest(mode):
                network = self.define("n", A, body)
                self.check(
                    [
                        ("off", 0, network.isActive),
                        ("persistent", 1, network.isPersistent),
                        ("started", 0, network.create),
                        ("active", 1, network.isActive),
                        ("started again", refusal(INVALID), network.create),
                    ]
                )
                xml = network.XMLDesc(0)
                self.assertIn(A, xml)
                if has_bridge:
                    self.assertIn(f"<bridge name='{network.bridgeName()}'", xml)
                    self.assertIn("<mac address='52:54:00:", xml)
                    self.assertEqual(network.DHCPLeases(), [])
                self.check(
                    [
                        ("stopped", 0, network.destroy),
                        ("stopped again", refusal(INVALID), network.destroy),
                        ("undefined", 0, network.undefine),
                        ("gone", refusal(NO_NETWORK), network.isActive),
                    ]
                )
                network = self.create("n", A, body)
                self.check(
                    [
                        ("active", 1, network.isActive),
                        ("transient", 0, network.isPersistent),
                        ("undefined", refusal(INVALID), network.undefine),
                        ("autostart", refusal(INVALID), network.setAutostart, 1),
                        ("stopped", 0, network.destroy),
                        ("gone", refusal(NO_NETWORK), network.isActive),
                    ]
                )

    def test_unique_ids(self):
        define, create = self.define, self.create
        network = define("n", A, ip(20))
        self.check(
            [
                ("the same again", "n", define, "n", A, ip(20)),
                ("its name, another uuid", refusal(FAILED), define, "n", B),
                ("its name, no uuid", refusal(FAILED), define, "n"),
                ("its uuid, another name", refusal(FAILED), define, "m", A),
                ("created with another uuid", refusal(FAILED), create, "n", B),
                ("created with another name", refusal(FAILED), create, "m", A),
                ("created as it is defined", "n", create, "n", A, ip(20)),
                ("persistent still", 1, network.isPersistent),
                ("active", 1, network.isActive),
                ("created again", refusal(INVALID), create, "n", A, ip(20)),
                ("its subnet", True, lambda: isinstance(self.overlap(), libvirt.libvirtError)),
            ]
        )

    def overlap(self):
        """A second network may not have a running one's subnet."""
        try:
            return self.create("o", B, ip(20))
        except libvirt.libvirtError as error:
            return error

    def test_redefined(self):
        """What is changed while it runs counts from the next start on."""
        network = self.define("n", A, ip(21))
        network.create()
        self.define("n", A, ip(22))
        inactive = libvirt.VIR_NETWORK_XML_INACTIVE
        self.assertIn("10.211.21.1", network.XMLDesc(0))
        self.assertIn("10.211.22.1", network.XMLDesc(inactive))
        self.check(
            [
                ("undefined", 0, network.undefine),
                ("transient", 0, network.isPersistent),
                ("it runs", 1, network.isActive),
                ("defined again", "n", self.define, "n", A, ip(22)),
                ("persistent", 1, network.isPersistent),
                ("stopped", 0, network.destroy),
                ("started", 0, network.create),
            ]
        )
        self.assertIn("10.211.22.1", network.XMLDesc(0))

    def test_gone(self):
        network = self.define("n", A, ip(23))
        network.undefine()
        names = "isActive isPersistent create destroy undefine autostart bridgeName DHCPLeases XMLDesc listAllPorts"
        self.refused(
            NO_NETWORK,
            *[(getattr(network, name),) for name in names.split()],
            (network.setAutostart, 1),
            (self.connection.networkLookupByName, PREFIX + "n"),
            (self.connection.networkLookupByUUIDString, A),
        )

    def test_update(self):
        network = self.define("n", A, ip(24))
        network.create()
        add, modify, delete = 3, 1, 2
        hosts, ranges = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE
        live, config = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE, libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG

        def host(number, address):
            return f"<host mac='52:54:00:00:00:0{number}' name='h{number}' ip='10.211.24.{address}'/>"

        def where(text):
            return text in network.XMLDesc(0), text in network.XMLDesc(1)

        update = network.update
        self.check(
            [
                ("added", 0, update, add, hosts, -1, host(1, 30), 0),
                ("in what runs", (True, False), where, "h1"),
                ("again", refusal(INVALID), update, add, hosts, -1, host(1, 30), live),
                ("its address", refusal(INVALID), update, add, hosts, -1, host(2, 30), live),
                ("changed", 0, update, modify, hosts, -1, host(1, 31), live),
                ("one that is none", refusal(INVALID), update, modify, hosts, -1, host(9, 32), live),
                ("in the definition", 0, update, add, hosts, -1, host(3, 33), config),
                ("there only", (False, True), where, "h3"),
                ("in both", 0, update, add, hosts, -1, host(4, 34), live | config),
                ("in both", (True, True), where, "h4"),
                ("taken away", 0, update, delete, hosts, -1, host(1, 31), live),
                ("gone", (False, False), where, "h1"),
                ("again", refusal(INVALID), update, delete, hosts, -1, host(1, 31), live),
                ("a range", 0, update, add, ranges, -1, "<range start='10.211.24.40' end='10.211.24.50'/>", live),
                ("stopped", 0, network.destroy),
                ("of one that is off", refusal(INVALID), update, add, hosts, -1, host(5, 35), live),
            ]
        )

    def test_lists(self):
        running = self.define("running", A, ip(25))
        running.create()
        running.setAutostart(1)
        self.create("passing", B, ip(26))
        self.define("off", None, ip(27))

        def listed(flags):
            found = [network.name() for network in self.connection.listAllNetworks(flags)]
            return sorted(name[len(PREFIX) :] for name in found if name.startswith(PREFIX))

        self.check(
            [
                ("all", ["off", "passing", "running"], listed, 0),
                ("inactive", ["off"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_INACTIVE),
                ("active", ["passing", "running"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE),
                ("persistent", ["off", "running"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT),
                ("transient", ["passing"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_TRANSIENT),
                ("autostart", ["running"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART),
                ("no autostart", ["off", "passing"], listed, libvirt.VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART),
                ("unknown flags", refusal(ARGUMENT), listed, 1 << 20),
            ]
        )
        self.assertIn(PREFIX + "off", self.connection.listDefinedNetworks())
        self.assertIn(PREFIX + "running", self.connection.listNetworks())


if __name__ == "__main__":
    unittest.main()
