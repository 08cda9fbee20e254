"""What clients are told of domains and networks, in which order, and how domains' states and snapshots follow."""

import json
import os
import subprocess
import unittest

import libvirt
import libvirt_qemu

from conform import INVALID, PREFIX, UUIDS, ConformTest, domain_xml, network_xml, refusal
from harness import until
from libvirt_events import EventLoop

A, B = UUIDS[:2]

DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED = range(6)
LIFECYCLE = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE

#   Some servers tell of a guest's processors beginning to run, and of the hypervisor's end, as well.
MORE = {(RESUMED, 0), (RESUMED, 2), (6, 0), (6, 1), (6, 2)}


class Events(ConformTest):
    def setUp(self):
        self.seen = []
        loop = EventLoop()
        loop.__enter__()
        self.addCleanup(loop.__exit__)
        number = self.connection.domainEventRegisterAny(None, LIFECYCLE, self.lifecycle, None)
        self.addCleanup(self.connection.domainEventDeregisterAny, number)
        self.folder = self.daemon.root if self.daemon else "/tmp"

    def lifecycle(self, unused, domain, event, detail, *more):
        if domain.name().startswith(PREFIX):
            self.seen.append((event, detail))

    def told(self, what, *expected):
        """The last of EXPECTED, (event, detail), is waited for; the others come before it, in this order."""
        wanted = list(expected)

        def complete():
            left = list(wanted)
            for event in list(self.seen):
                if left and event == left[0]:
                    left.pop(0)
            return not left

        with self.subTest(what):
            until(complete, what=f"{wanted}, and not only {self.seen},")
            strangers = [event for event in self.seen if event not in wanted and event not in MORE]
            self.assertEqual(strangers, [])
        self.seen.clear()

    def test_life(self):
        domain = self.connection.defineXML(domain_xml("a", A))
        self.told("defined", (DEFINED, 0))
        self.connection.defineXML(domain_xml("a", A, memory=65536))
        self.told("changed", (DEFINED, 1))
        domain.create()
        self.told("started", (STARTED, 0))
        domain.suspend()
        self.told("suspended", (SUSPENDED, 0))
        domain.resume()
        self.told("resumed", (RESUMED, 0))
        domain.destroy()
        self.told("destroyed", (STOPPED, 1))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.told("started paused", (STARTED, 0), (SUSPENDED, 0))
        domain.resume()
        self.told("resumed", (RESUMED, 0))
        domain.managedSave(0)
        self.told("saved", (SUSPENDED, 0), (STOPPED, 4))
        domain.create()
        self.told("restored", (STARTED, 2))
        domain.destroy()
        self.told("destroyed", (STOPPED, 1))
        domain.rename(PREFIX + "b")
        self.told("renamed", (UNDEFINED, 1), (DEFINED, 2))
        domain = self.connection.lookupByName(PREFIX + "b")
        domain.undefine()
        self.told("undefined", (UNDEFINED, 0))

    def test_guest(self):
        """What QEMU did by itself."""
        domain = self.connection.createXML(domain_xml("a", A), 0)
        self.told("created", (STARTED, 0))

        def qmp(command):
            return json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps({"execute": command}), 0))

        qmp("stop")
        self.told("stopped", (SUSPENDED, 0))
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        qmp("cont")
        self.told("goes on", (RESUMED, 0))
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.connection.defineXML(domain_xml("a", A))
        self.told("defined", (DEFINED, 0))
        domain.undefine()
        self.told("undefined", (UNDEFINED, 0))
        domain.destroy()
        self.told("destroyed", (STOPPED, 1))

    def test_networks(self):
        seen = []
        kind = libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE
        number = self.connection.networkEventRegisterAny(
            None, kind, lambda unused, network, event, *more: seen.append((network.name(), event)), None
        )
        self.addCleanup(self.connection.networkEventDeregisterAny, number)
        network = self.connection.networkDefineXML(
            network_xml("n", A, "<forward mode='bridge'/><bridge name='conformbr9'/>")
        )
        network.create()
        network.destroy()
        network.undefine()
        until(lambda: len([name for name, _ in seen if name == PREFIX + "n"]) == 4, what="four events")
        events = [event for name, event in seen if name == PREFIX + "n"]
        names = ("DEFINED", "STARTED", "STOPPED", "UNDEFINED")
        self.assertEqual(events, [getattr(libvirt, "VIR_NETWORK_EVENT_" + name) for name in names])

    def test_snapshots(self):
        path = os.path.join(self.folder, "conform.qcow2")
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "4M"], check=True)
        disk = (
            f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
        domain = self.connection.defineXML(domain_xml("a", A, disk))
        none = refusal(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT)

        def take(name, flags=0):
            xml = f"<domainsnapshot><name>{name}</name></domainsnapshot>"
            return domain.snapshotCreateXML(xml, flags).getName()

        def find(name):
            return domain.snapshotLookupByName(name, 0)

        self.check(
            [
                ("none", 0, domain.snapshotNum, 0),
                ("no current one", none, domain.snapshotCurrent, 0),
                ("no such one", none, domain.snapshotLookupByName, "one", 0),
                ("one", "one", take, "one"),
                ("two", "two", take, "two"),
                ("how many", 2, domain.snapshotNum, 0),
                ("a root", 1, domain.snapshotNum, libvirt.VIR_DOMAIN_SNAPSHOT_LIST_ROOTS),
                ("the current one", "two", lambda: domain.snapshotCurrent(0).getName()),
                ("its parent", "one", lambda: find("two").getParent(0).getName()),
                ("the first has none", none, lambda: find("one").getParent(0)),
                ("its child", ["two"], lambda: find("one").listChildrenNames(0)),
                ("undefined", refusal(INVALID), domain.undefine),
                ("started", 0, domain.create),
                ("of a running one", "live", take, "live"),
                ("it runs on", 1, domain.isActive),
                ("back to one", 0, lambda: domain.revertToSnapshot(find("one"), 0)),
                ("off, as it was", 0, domain.isActive),
                ("back to the running one", 0, lambda: domain.revertToSnapshot(find("live"), 0)),
                ("running, as it was", libvirt.VIR_DOMAIN_RUNNING, lambda: domain.state()[0]),
                ("deleted", 0, lambda: find("two").delete(0)),
                ("gone", none, domain.snapshotLookupByName, "two", 0),
                ("what was above it", "one", lambda: find("live").getParent(0).getName()),
                ("destroyed", 0, domain.destroy),
                ("deleted", 0, lambda: find("live").delete(0)),
                ("deleted", 0, lambda: find("one").delete(0)),
                ("undefined", 0, domain.undefine),
            ]
        )


if __name__ == "__main__":
    unittest.main()
