"""Virtual CPUs that come and go while a guest runs: a Linux that lets go of them, or does not."""

import os
import re
import unittest
from xml.etree import ElementTree

import libvirt

from guest import QemuTest
from harness import PATIENCE, until
from libvirt_client import Virsh, uri
from troupe_client import TroupeError

PRESENT = "cat /sys/devices/system/cpu/present"
#   The guest's ACPI refuses to let go of processors.
KEEP = "echo 0 >/sys/firmware/acpi/hotplug/processor/enabled; echo kept"


class Vcpus(Virsh, QemuTest):
    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)
        self.connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(self.connection.close)

    def listed(self, inactive=False):
        """current, and of each vcpu its number, whether it is there, can go, and in which order it came."""
        xml = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        domain = ElementTree.fromstring(xml)
        return domain.find("vcpu").get("current"), [
            tuple(map(vcpu.get, ("id", "enabled", "hotpluggable", "order")))
            for vcpu in domain.findall("vcpus/vcpu")
        ]

    def counts(self):
        return {tuple(words[:2]): int(words[2]) for words in self.rows("vcpucount", "web1")}

    def wait_guest(self, guest, cpus):
        until(lambda: guest.run(PRESENT) == cpus, PATIENCE, f"CPUs {cpus} in the guest")

    def fails(self, code, call, *args):
        with self.assertRaises(libvirt.libvirtError) as failed:
            call(*args)
        self.assertEqual(failed.exception.get_error_code(), code, failed.exception)
        return str(failed.exception)

    def test_come_and_go(self):
        extra = "<cputune><vcpupin vcpu='2' cpuset='0'/></cputune>"
        (guest,) = self.boot("web1", vcpus="4", extra=extra, current=1)
        self.wait_guest(guest, "0")
        self.virsh("setvcpus", "web1", "3", "--live")
        self.wait_guest(guest, "0-2")
        self.assertEqual(
            self.listed(),
            (
                "3",
                [
                    ("0", "yes", "no", "1"),
                    ("1", "yes", "yes", "2"),
                    ("2", "yes", "yes", "3"),
                    ("3", "no", "yes", None),
                ],
            ),
        )
        self.assertEqual(self.listed(inactive=True), ("1", []))
        self.assertEqual(
            self.counts(),
            {
                ("maximum", "config"): 4,
                ("maximum", "live"): 4,
                ("current", "config"): 1,
                ("current", "live"): 3,
            },
        )
        self.pinned(guest)
        said = self.daemon.run("vcpuinfo", "web1")
        self.assertEqual(re.findall(r"VCPU: +(\d+)\nCPU: +\d+\nState: +running\n", said), ["0", "1", "2"])
        self.assertEqual(re.findall(r"CPU Affinity: +(\S+)", said)[2], "y".ljust(os.cpu_count(), "-"))
        self.assertRegex(self.virsh("vcpuinfo", "web1"), r"(?m)^CPU: +\d+\nState: +running$")
        self.refused_changes()
        self.saved(guest)
        guest = self.restarted(guest)
        self.one_by_one(guest)
        self.kept(guest)

    def pinned(self, guest):
        """A new one runs where its pin says."""
        info, maps = self.connection.lookupByName("web1").vcpus()
        self.assertEqual([vcpu[0] for vcpu in info], [0, 1, 2])
        self.assertTrue(maps[2][0])
        self.assertFalse(any(maps[2][1:]))
        masks = []
        for thread in os.listdir(f"/proc/{guest.pid()}/task"):
            try:
                with open(f"/proc/{guest.pid()}/task/{thread}/status") as file:
                    fields = dict(line.split(":", 1) for line in file)
            except (FileNotFoundError, ProcessLookupError):
                continue  # one that worked for QEMU, and has ended since
            if fields["Name"].strip().startswith("CPU "):
                masks.append((fields["Name"].strip(), fields["Cpus_allowed_list"].strip()))
        self.assertEqual(len(masks), 3)
        self.assertEqual([mask for name, mask in masks if name.startswith("CPU 2")], ["0"])

    def refused_changes(self):
        """What can't be leaves all as it was."""
        domain = self.connection.lookupByName("web1")
        before = self.listed()
        self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 5, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpu, "0", 0, 0)
        self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpu, "2", 1, 0)
        self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpu, "9", 1, 0)
        self.assertIn("not a set", self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpu, "x", 1, 0))
        with self.assertRaisesRegex(TroupeError, "running"):
            self.client.call("domain.vcpus_set", domain="web1", vcpus=5, maximum=True)
        self.assertEqual(self.listed(), before)

    def saved(self, guest):
        """A saved guest goes on with those that it had."""
        path = os.path.join(self.daemon.root, "web1.save")
        self.virsh("save", "web1", path)
        self.virsh("restore", path)
        self.assertEqual(self.listed()[0], "3")
        guest.open()

    def restarted(self, guest):
        """The next daemon knows them."""
        before = self.listed()
        self.daemon.kill()
        self.restart()
        self.connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(self.connection.close)
        self.assertEqual(self.listed(), before)
        again = type(guest)(self, guest.uuid).open()
        again.type("")
        return again

    def one_by_one(self, guest):
        self.virsh("setvcpu", "web1", "3", "--enable", "--live")
        self.wait_guest(guest, "0-3")
        self.virsh("setvcpu", "web1", "1", "--disable", "--live")
        self.wait_guest(guest, "0,2-3")
        self.assertEqual(
            self.listed(),
            (
                "3",
                [
                    ("0", "yes", "no", "1"),
                    ("1", "no", "yes", None),
                    ("2", "yes", "yes", "2"),
                    ("3", "yes", "yes", "3"),
                ],
            ),
        )
        #   QEMU can't emulate another one then.
        self.assertIn("let go of 'vcpu1'", self.refused("setvcpus", "web1", "4", "--live", "--config"))
        self.assertEqual((self.listed()[0], self.listed(inactive=True)[0]), ("3", "1"))
        rng = self.write("rng.xml", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")
        self.assertIn("a device for an emulated guest (type='qemu') that let go of 'vcpu1'",
                      self.refused("attach-device", "web1", rng))
        self.daemon.run("setvcpus", "web1", "2", "--live", "--config")
        self.assertEqual((self.listed()[0], self.listed(inactive=True)), ("2", ("2", [])))
        self.wait_guest(guest, "0,2")

    def kept(self, guest):
        """One that the guest does not let go of stays."""
        self.assertEqual(guest.run(KEEP), "kept")
        self.client.call("event.subscribe", verbs=["domain.device"])
        self.assertIn("does not let go of 'vcpu2'", self.refused("setvcpus", "web1", "1", "--live"))
        told = self.client.next_event("domain.device", timeout=PATIENCE)["args"]
        self.assertEqual((told["event"], told["device"]), ("removal-failed", "vcpu2"))
        self.assertEqual(self.listed()[0], "2")
        self.wait_guest(guest, "0,2")

    def test_definition(self):
        """Which ones a guest starts with; what contradicts itself is refused."""
        listed = (
            "<vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/>"
            "<vcpu id='2' enabled='yes' hotpluggable='yes' order='1'/></vcpus>"
        )
        guest = self.start("web1", vcpus="4", extra=listed)
        self.assertEqual(self.listed()[0], "2")
        here = [number for number, enabled, _, _ in self.listed()[1] if enabled == "yes"]
        self.assertEqual(here, ["0", "2"])
        ((_, stats),) = self.connection.getAllDomainStats()
        self.assertEqual((stats["vcpu.current"], stats["vcpu.maximum"]), (2, 4))
        #   That is QEMU's answer, which has to come within the call's budget.
        until(lambda: "vcpu.2.state" in self.connection.getAllDomainStats()[0][1], what="the vcpu's figures")
        self.client.call("domain.destroy", domain=guest.uuid)
        self.virsh("setvcpus", "web1", "3", "--config", "--hotpluggable")
        self.assertEqual([vcpu[1] for vcpu in self.listed(inactive=True)[1]], ["yes"] * 3 + ["no"])
        self.virsh("setvcpu", "web1", "1", "--disable", "--config")
        self.virsh("setvcpus", "web1", "2", "--maximum", "--config")
        self.assertEqual(self.listed(inactive=True)[0], "1")
        self.wrong(listed)

    def wrong(self, listed):
        domain = self.connection.lookupByName("web1")
        before = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        for old, new in [
            ("<vcpu id='0' enabled='yes' hotpluggable='no'/>", ""),
            ("id='2'", "id='0'"),
            ("id='2'", "id='7'"),
            ("id='2' enabled='yes'", "id='2'"),
            ("id='2' enabled='yes'", "id='2' enabled='no'"),
            ("hotpluggable='yes' order='1'", "hotpluggable='no'"),
        ]:
            changed = before.replace(before[before.index("<vcpus>") : before.index("</vcpus>") + 8], listed)
            changed = changed.replace("current='1'>2</vcpu>", ">4</vcpu>").replace(old, new)
            with self.assertRaises(libvirt.libvirtError, msg=new):
                self.connection.defineXML(changed)
        self.assertEqual(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), before)


if __name__ == "__main__":
    unittest.main()
