"""Memory, processors, devices and figures of domains, as libvirt documents them."""

import os
import re
import unittest

import libvirt

from conform import ARGUMENT, INVALID, UUIDS, ConformTest, domain_xml, refusal

A = UUIDS[0]
LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
MAXIMUM = libvirt.VIR_DOMAIN_MEM_MAXIMUM
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE


class Resources(ConformTest):
    def setUp(self):
        self.disk = os.path.join(self.daemon.root if self.daemon else "/tmp", "conform-disk")
        self.addCleanup(lambda: os.path.exists(self.disk) and os.remove(self.disk))
        with open(self.disk, "wb") as file:
            file.truncate(4 << 20)

    def disk_xml(self, target="vda"):
        return (
            f"<disk type='file'><driver name='qemu' type='raw'/><source file='{self.disk}'/>"
            f"<target dev='{target}' bus='virtio'/></disk>"
        )

    def define(self, devices="", **parts):
        parts = {"vcpu": "<vcpu current='2'>4</vcpu>", "memory": 65536, **parts}
        return self.connection.defineXML(domain_xml("a", A, devices, **parts))

    def test_memory_of_one_that_is_off(self):
        domain = self.define()

        def sizes():
            return domain.info()[1:3]

        self.check(
            [
                ("current", 0, domain.setMemoryFlags, 32768, CONFIG),
                ("sizes", [65536, 32768], sizes),
                ("of a running one", refusal(INVALID), domain.setMemoryFlags, 32768, LIVE),
                ("of both", refusal(INVALID), domain.setMemoryFlags, 32768, LIVE | CONFIG),
                ("too much", refusal(ARGUMENT), domain.setMemoryFlags, 65537, CONFIG),
                ("none", refusal(ARGUMENT), domain.setMemoryFlags, 0, CONFIG),
                ("maximum", 0, domain.setMaxMemory, 131072),
                ("sizes", [131072, 32768], sizes),
                ("less than it has", 0, domain.setMemoryFlags, 16384, CONFIG | MAXIMUM),
                ("sizes", [16384, 16384], sizes),
                ("maximum", 16384, domain.maxMemory),
                ("unknown flags", refusal(ARGUMENT), domain.setMemoryFlags, 16384, 1 << 10),
            ]
        )

    def test_memory_of_one_that_runs(self):
        domain = self.define()
        domain.create()
        self.check(
            [
                ("maximum", refusal(INVALID), domain.setMaxMemory, 131072),
                ("maximum", refusal(INVALID), domain.setMemoryFlags, 131072, LIVE | MAXIMUM),
                ("more than it can have", refusal(ARGUMENT), domain.setMemory, 65537),
                ("balloon", 0, domain.setMemory, 32768),
                ("next time", 0, domain.setMemoryFlags, 16384, CONFIG),
                ("maximum next time", 0, domain.setMemoryFlags, 131072, CONFIG | MAXIMUM),
                ("maximum", 65536, domain.maxMemory),
                ("statistics every second", 0, domain.setMemoryStatsPeriod, 1, LIVE),
                ("and next time", 0, domain.setMemoryStatsPeriod, 2, CONFIG),
            ]
        )
        inactive = domain.XMLDesc(INACTIVE)
        for piece in ("<memory unit='KiB'>131072</memory>", "<currentMemory unit='KiB'>16384<", "<stats period='2'/>"):
            self.assertIn(piece, inactive)
        self.assertIn("<stats period='1'/>", domain.XMLDesc(0))
        self.assertLessEqual({"actual", "rss"}, set(domain.memoryStats()))

    def test_vcpus(self):
        domain = self.define()

        def written():
            return re.search("<vcpu.*?(?: current='(.)')?.*>(.)<", domain.XMLDesc(INACTIVE)).groups()

        get, put, most = domain.vcpusFlags, domain.setVcpusFlags, libvirt.VIR_DOMAIN_VCPU_MAXIMUM
        self.check(
            [
                ("current", 2, get, CONFIG),
                ("maximum", 4, get, CONFIG | most),
                ("of one that runs", refusal(INVALID), get, LIVE),
                ("of both", refusal(ARGUMENT), get, LIVE | CONFIG),
                ("three", 0, put, 3, CONFIG),
                ("current", 3, get, CONFIG),
                ("too many", refusal(ARGUMENT), put, 5, CONFIG),
                ("none", refusal(ARGUMENT), put, 0, CONFIG),
                ("maximum without config", refusal(ARGUMENT), put, 4, most),
                ("maximum", 0, put, 2, CONFIG | most),
                ("current", 2, get, CONFIG),
                ("maximum", 2, get, CONFIG | most),
                ("pinned", 0, domain.pinVcpuFlags, 0, (True,), CONFIG),
                ("started", 0, domain.create),
                ("current", 2, get, LIVE),
                ("maximum", 2, domain.maxVcpus),
                ("too many", refusal(ARGUMENT), domain.setVcpus, 3),
                ("not there", refusal(ARGUMENT), domain.pinVcpu, 9, (True,)),
                ("how many run", 2, lambda: len(domain.vcpus()[0])),
            ]
        )

    def test_figures(self):
        domain = self.define(
            self.disk_xml() + "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
        )
        #   On hold: else its firmware reads the disk between two looks.
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(len(domain.blockStats("vda")), 5)
        self.assertEqual(domain.blockStats(self.disk), domain.blockStats("vda"))
        self.assertLessEqual({"rd_operations", "rd_bytes", "wr_operations"}, set(domain.blockStatsFlags("vda")))
        self.assertEqual(domain.blockInfo("vda")[0], 4 << 20)
        self.assertGreater(domain.info()[4], 0)
        self.refused(
            ARGUMENT,
            (domain.blockStats, "vdx"),
            (domain.blockStatsFlags, "vdx"),
            (domain.blockInfo, "vdx"),
            (domain.blockJobInfo, "vdx", 0),
            (domain.interfaceStats, "vnet99"),
            (domain.interfaceStats, ""),
        )
        self.assertEqual(domain.blockJobInfo("vda", 0), {})
        self.assertEqual(domain.jobInfo()[0], libvirt.VIR_DOMAIN_JOB_NONE)
        self.assertEqual(domain.diskErrors(), {})
        self.refused(INVALID, (domain.abortJob,))
        ((_, stats),) = self.connection.domainListGetStats([domain], 0)
        for name in ("state.state", "cpu.time", "balloon.current", "vcpu.current", "net.count", "block.0.name"):
            self.assertIn(name, stats)

    def test_time(self):
        """Needs control groups in some servers."""
        domain = self.define()
        domain.create()
        self.assertGreater(domain.getCPUStats(True)[0]["cpu_time"], 0)
        self.assertLessEqual({"user_time", "system_time"}, set(domain.getCPUStats(True)[0]))

    def test_devices(self):
        domain = self.define()
        attach, detach, update = domain.attachDeviceFlags, domain.detachDeviceFlags, domain.updateDeviceFlags
        disk, other = self.disk_xml(), self.disk_xml("vdb")
        missing = refusal(libvirt.VIR_ERR_DEVICE_MISSING)

        def disks():
            return domain.XMLDesc(0).count("<disk"), domain.XMLDesc(INACTIVE).count("<disk")

        self.check(
            [
                ("while off", refusal(INVALID), attach, disk, LIVE),
                ("in the definition", 0, attach, disk, CONFIG),
                ("there", (1, 1), disks),
                ("detached while off", refusal(INVALID), detach, disk, LIVE),
                ("none like it", missing, detach, other, CONFIG),
                ("detached", 0, detach, disk, CONFIG),
                ("again", missing, detach, disk, CONFIG),
                ("gone", (0, 0), disks),
                ("started", 0, domain.create),
                ("for the next start", 0, attach, disk, CONFIG),
                ("there only", (0, 1), disks),
                ("none like it runs", missing, detach, disk, LIVE),
                ("no XML", refusal(libvirt.VIR_ERR_XML_DETAIL), attach, "<disk", LIVE),
            ]
        )

    def test_default_devices(self):
        domain = self.define("<graphics type='vnc'/><video/><serial type='pty'/>")
        xml = domain.XMLDesc(0)
        for piece in ("<model type='", "primary='yes'", "<console type='pty'>", "<audio id='1' type='none'/>"):
            self.assertIn(piece, xml)


if __name__ == "__main__":
    unittest.main()
