"""libvirt's Python binding, as it is, on simulated guests."""

import os
import threading
from xml.etree import ElementTree

import libvirt

from harness import DaemonTest, test_domain, until
from libvirt_client import uri, virsh
from libvirt_events import EventLoop


class Python(DaemonTest):
    def open(self, name="test:///default"):
        connection = libvirt.open(uri(self.daemon, name))
        self.addCleanup(connection.close)
        return connection

    def refused(self, code, call, *args):
        with self.assertRaises(libvirt.libvirtError) as caught:
            call(*args)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)
        return caught.exception

    def test_connection(self):
        connection = self.open()
        self.assertEqual(connection.getType(), "TEST")
        self.assertEqual(connection.getURI(), uri(self.daemon))
        self.assertEqual(connection.isSecure(), 1)
        self.assertEqual(connection.isAlive(), 1)
        self.assertEqual(connection.listAllDomains(), [])
        self.assertEqual(len(connection.getInfo()), 8)
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByName, "nobody")
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByID, 77)
        self.refused(libvirt.VIR_ERR_XML_DETAIL, connection.defineXML, "<domain>")
        self.refused(libvirt.VIR_ERR_NO_CONNECT, libvirt.open, uri(self.daemon, "xen:///system"))

    def test_kinds(self):
        """A connection is to one kind of domains: it shows, and takes, no others."""
        for name, kinds in (
            ("qemu:///system", {"qemu", "kvm"}),
            ("lxc:///system", {"lxc"}),
            ("test:///default", {"test"}),
        ):
            connection = self.open(name)
            root = ElementTree.fromstring(connection.getCapabilities())
            found = {domain.get("type") for domain in root.iterfind("guest/arch/domain")}
            self.assertTrue(found)
            self.assertLessEqual(found, kinds)
            self.assertIsNotNone(root.find("host/cpu/arch"))
            if "qemu" not in kinds:
                self.refused(libvirt.VIR_ERR_NO_SUPPORT, connection.getMaxVcpus, None)
                self.refused(libvirt.VIR_ERR_NO_SUPPORT, connection.getDomainCapabilities)
        connection, other = self.open(), self.open("lxc:///system")
        domain = connection.defineXML(test_domain("web"))
        domain.create()
        path = os.path.join(self.daemon.root, "web.save")
        domain.save(path)
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, other.restore, path)
        self.assertFalse(domain.isActive())
        connection.restore(path)
        self.assertTrue(domain.isActive())

    def test_names(self):
        """Names that nothing can have are those of nothing; and names that are taken."""
        connection = self.open()
        network = connection.networkDefineXML("<network><name>net</name></network>")
        for name in ("a/b", "", "x" * 300, network.UUIDString()):
            self.refused(libvirt.VIR_ERR_NO_NETWORK, connection.networkLookupByName, name)
            self.refused(libvirt.VIR_ERR_NO_DOMAIN, connection.lookupByName, name)
        self.assertEqual(connection.networkLookupByName("net").UUID(), network.UUID())
        domain = connection.defineXML(test_domain("web"))
        connection.defineXML(test_domain("other"))
        for name in ("web", "other"):
            self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.rename, name)

    def test_domain(self):
        connection = self.open()
        domain = connection.defineXML("<!-- One. -->\n<!-- Two. -->\n" + test_domain("web"))
        self.assertTrue(domain.XMLDesc().startswith("<domain type='test'>"), domain.XMLDesc())
        self.assertEqual((domain.name(), domain.ID(), domain.isActive()), ("web", -1, 0))
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.destroy)
        domain.create()
        self.assertGreater(domain.ID(), 0)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.create)
        state, most, memory, vcpus, unused = domain.info()
        self.assertEqual((state, most, memory, vcpus), (1, 65536, 65536, 2))
        self.assertEqual(connection.lookupByID(domain.ID()).UUIDString(), domain.UUIDString())
        self.assertEqual(connection.lookupByUUIDString(domain.UUIDString()).name(), "web")
        self.assertEqual(connection.numOfDomains(), 1)
        self.assertEqual(connection.listDomainsID(), [domain.ID()])
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.createWithFlags, 1 << 30)
        domain.destroy()
        domain.undefine()
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, domain.info)

    def test_statistics(self):
        connection = self.open()
        for name in ("on", "off"):
            connection.defineXML(test_domain(name))
        connection.lookupByName("on").create()
        stats = {domain.name(): values for domain, values in connection.getAllDomainStats()}
        self.assertEqual(set(stats), {"on", "off"})
        self.assertEqual((stats["on"]["state.state"], stats["off"]["state.state"]), (1, 5))
        self.assertEqual(stats["on"]["vcpu.maximum"], 2)
        self.assertGreater(stats["on"]["balloon.current"], 0)
        flag = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
        self.assertEqual([domain.name() for domain, _ in connection.getAllDomainStats(0, flag)], ["on"])
        self.assertEqual(self.open("qemu:///system").getAllDomainStats(), [])

    def test_events(self):
        """A life's events, in order, to those who asked for them."""
        seen = []
        with EventLoop():
            connection = self.open()
            other = connection.defineXML(test_domain("other"))

            def lifecycle(unused, domain, event, detail, who):
                seen.append((who, domain.name(), domain.ID() > 0, event, detail))

            ids = [
                connection.domainEventRegisterAny(domain, 0, lifecycle, who)
                for domain, who in ((None, "all"), (other, "other"))
            ]
            domain = connection.defineXML(test_domain("web"))
            domain.create()
            domain.suspend()
            domain.resume()
            domain.destroy()
            domain.undefine()
            other.create()
            other.destroy()
            last = libvirt.VIR_DOMAIN_EVENT_STOPPED
            until(lambda: [who for who, name, _, event, _ in seen if (name, event) == ("other", last)][1:])
            for number in ids:
                connection.domainEventDeregisterAny(number)
            other.undefine()
            self.refused(libvirt.VIR_ERR_NO_DOMAIN, other.isActive)
        web = [(event, active) for who, name, active, event, _ in seen if name == "web"]
        started = [event for event, _ in web]
        for event in (0, 2, 3, 4, 5, 1):
            self.assertIn(event, started)
        self.assertEqual((started[0], started[-1]), (0, 1))
        self.assertEqual(dict(web)[5], False)
        self.assertEqual({name for who, name, *_ in seen if who == "other"}, {"other"})
        self.assertNotIn(("other", 1), [(name, event) for _, name, _, event, _ in seen])

    def test_virsh_event(self):
        """virsh registers for all events there are."""
        virsh(self.daemon, "define", self.write("web.xml", test_domain("web")))
        seen = []
        watcher = threading.Thread(
            target=lambda: seen.append(
                virsh(self.daemon, "event", "--event", "lifecycle", "--timeout", "60")
            )
        )
        watcher.start()
        #   When it waits cannot be seen: it is told again until it was.
        while watcher.is_alive():
            virsh(self.daemon, "start", "web")
            virsh(self.daemon, "destroy", "web")
        watcher.join()
        self.assertIn("web", seen[0])
        self.assertIn("events received: 1", seen[0])
