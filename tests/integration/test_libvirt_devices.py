"""virsh and libvirt's Python binding on what can be set of a real guest's parts while it runs."""

import json
import os
import unittest
from xml.etree import ElementTree

import libvirt

from guest import QemuTest, processes_of
from libvirt_client import Virsh, uri
from netns import InNamespace

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


class Devices(Virsh, QemuTest):
    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)

    def open(self):
        connection = libvirt.open(uri(self.daemon, "qemu:///system"))
        self.addCleanup(connection.close)
        return connection.lookupByName("web1")

    def xml(self, inactive=False):
        text = self.client.call("domain.xml", domain="web1", inactive=inactive)["xml"]
        return ElementTree.fromstring(text)

    def fails(self, code, call, *args):
        with self.assertRaises(libvirt.libvirtError) as failed:
            call(*args)
        self.assertEqual(failed.exception.get_error_code(), code, failed.exception)
        return str(failed.exception)

    def qemu(self, execute, **arguments):
        command = json.dumps({"execute": execute, "arguments": arguments})
        reply = self.client.call("domain.monitor_command", domain="web1", command=command)["reply"]
        return json.loads(reply)["return"]

    def iothreads(self):
        return {each["id"]: each for each in self.qemu("query-iothreads")}

    def test_iothreads(self):
        """They come, go and change; with them their pins."""
        path = os.path.join(self.daemon.root, "disk.raw")
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        disk = (
            f"<disk type='file'><driver name='qemu' type='raw' iothread='1'/><source file='{path}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
        extra = "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='0'/></cputune>"
        guest = self.start("web1", devices=disk, extra=extra)
        domain = self.open()
        self.virsh("iothreadadd", "web1", "5", "--live", "--config")
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread2", "iothread5"})
        self.virsh("iothreadset", "web1", "5", "--poll-max-ns", "4000", "--poll-grow", "3", "--live")
        now = self.iothreads()["iothread5"]
        self.assertEqual((now["poll-max-ns"], now["poll-grow"]), (4000, 3))
        self.virsh("iothreadset", "web1", "5", "--thread-pool-min", "100", "--thread-pool-max", "200")
        domain.setIOThreadParams(5, {"thread_pool_min": 2, "thread_pool_max": 8}, LIVE)
        path = {"path": "/objects/iothread5", "property": "thread-pool-max"}
        self.assertEqual(self.qemu("qom-get", **path), 8)
        self.virsh("iothreadpin", "web1", "5", "0", "--live")
        rows = dict(map(str.split, self.virsh("iothreadinfo", "web1").splitlines()))
        self.assertEqual((set(rows), rows["2"], rows["5"]), ({"1", "2", "5"}, "0", "0"))
        self.assertIn("iothread.5.poll-max-ns=4000", self.virsh("domstats", "web1", "--iothread"))
        before = self.xml()
        for call, *args in (
            (domain.addIOThread, 5, LIVE),
            (domain.addIOThread, 0, LIVE),
            (domain.delIOThread, 7, LIVE),
            (domain.delIOThread, 1, LIVE),
            (domain.setIOThreadParams, 5, {"thread_pool_min": 9}, LIVE),
        ):
            self.fails(libvirt.VIR_ERR_INVALID_ARG, call, *args)
        self.assertEqual(ElementTree.tostring(self.xml()), ElementTree.tostring(before))
        self.virsh("iothreaddel", "web1", "2", "--live")
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread5"})
        self.assertEqual([pin.get("iothread") for pin in self.xml().iter("iothreadpin")], ["5"])
        self.again(guest)

    def again(self, guest):
        """The next daemon knows them; the next start has those of the definition."""
        self.restart()
        self.assertEqual({row[0] for row in self.rows("iothreadinfo", "web1")}, {"1", "5"})
        self.daemon.run("destroy", "web1")
        self.daemon.run("iothreadset", "web1", "5", "--poll-max-ns", "0", "--config")
        self.client.call("domain.create", domain=guest.uuid, paused=True)
        self.assertEqual(set(self.iothreads()), {"iothread1", "iothread2", "iothread5"})
        self.assertEqual(self.iothreads()["iothread5"]["poll-max-ns"], 0)
        self.assertEqual(len(processes_of(guest.uuid)), 1)

    def image(self, name):
        path = os.path.join(self.daemon.root, name)
        with open(path, "wb") as file:
            file.truncate(1 << 20)
        return path

    def throttled(self):
        """Of each disk what QEMU limits."""
        return {
            each["qdev"].replace("/virtio-backend", "").split("/")[-1]: {
                key: value
                for key, value in each["inserted"].items()
                if key.startswith(("bps", "iops")) and value or key == "group"
            }
            for each in self.qemu("query-block")
        }

    def test_limits_of_disks(self):
        paths = [self.image(f"{name}.raw") for name in ("a", "b", "c")]
        limits = ("<iotune><read_iops_sec>50</read_iops_sec></iotune>", "", "")
        disks = "".join(
            f"<disk type='file'><source file='{path}'/><target dev='{target}' bus='{bus}'/>{limit}</disk>"
            for path, target, bus, limit in zip(paths, ("vda", "sda", "vdb"), ("virtio", "scsi", "virtio"), limits)
        )
        guest = self.start("web1", devices=disks)
        self.assertEqual(self.throttled()["virtio-disk0"], {"iops_rd": 50, "group": "virtio-disk0"})
        domain = self.open()
        self.client.call("event.subscribe", verbs=["domain.tunable"])
        self.virsh("blkdeviotune", "web1", "sda", "--total-bytes-sec", "10M", "--total-bytes-sec-max", "20M",
                   "--total-bytes-sec-max-length", "5", "--total-iops-sec", "90", "--size-iops-sec", "4096", "--live", "--config")
        told = self.client.next_event("domain.tunable")["args"]["params"]
        self.assertEqual((told["blkdeviotune.disk"], told["blkdeviotune.size_iops_sec"]), ("sda", 4096))
        (scsi,) = [limits for name, limits in self.throttled().items() if name.startswith("scsi")]
        self.assertEqual(
            {key: value for key, value in scsi.items() if key != "group"},
            {"bps": 10 << 20, "bps_max": 20 << 20, "bps_max_length": 5, "iops": 90, "iops_size": 4096},
        )
        said = self.fields("blkdeviotune", "web1", "sda")
        self.assertEqual((said["total_bytes_sec"], said["write_iops_sec"]), (str(10 << 20), "0"))
        self.assertEqual(self.fields("blkdeviotune", "web1", paths[1], "--config")["total_bytes_sec_max_length"], "5")
        self.assertEqual(len(domain.blockIoTune("vda")), 20)
        self.group(domain)
        self.refused_limits(domain)
        self.limits_again(guest, self.throttled())

    def group(self, domain):
        """Disks of one group have their limits together."""
        for target in ("vda", "vdb"):
            domain.setBlockIoTune(target, {"group_name": "fast", "total_iops_sec": 300}, LIVE)
        self.virsh("blkdeviotune", "web1", "vdb", "--total-iops-sec", "400")
        self.assertEqual(domain.blockIoTune("vda", LIVE)["total_iops_sec"], 400)
        wanted = {"iops": 400, "group": "fast"}
        self.assertEqual([self.throttled()[f"virtio-disk{n}"] for n in (0, 1)], [wanted, wanted])
        self.assertEqual(domain.blockIoTune("vda", CONFIG)["read_iops_sec"], 50)
        self.daemon.run("blkdeviotune", "web1", "vda", "--write-bytes-sec", "3MiB", "--config")
        said = self.daemon.run("blkdeviotune", "web1", "vda", "--config")
        self.assertRegex(said, r"write_bytes_sec +: 3145728\n(.*\n)*read_iops_sec +: 50\n")

    def refused_limits(self, domain):
        before, limits = ElementTree.tostring(self.xml()), self.throttled()
        for target, values in (
            ("vdz", {"total_iops_sec": 1}),
            ("vda", {"total_iops_sec": 1, "read_iops_sec": 1}),
            ("vda", {"total_bytes_sec_max": 1}),
            ("vda", {"total_iops_sec": 10, "total_iops_sec_max": 5}),
            ("vda", {"total_bytes_sec": 1 << 60}),
            ("vda", {"read_bytes_sec_max_length": 9}),
        ):
            self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setBlockIoTune, target, values, LIVE)
        self.assertEqual((ElementTree.tostring(self.xml()), self.throttled()), (before, limits))

    def limits_again(self, guest, before):
        """They outlive the daemon, and a disk that is plugged has its own."""
        self.restart()
        domain = self.open()
        self.assertEqual(self.throttled(), before)
        domain.setBlockIoTune("vdb", {"total_iops_sec": 0, "group_name": ""}, LIVE)
        self.assertNotIn("iops", self.throttled()["virtio-disk1"])
        path = self.image("d.raw")
        domain.attachDevice(
            f"<disk type='file'><source file='{path}'/><target dev='vdc' bus='virtio'/>"
            "<iotune><write_bytes_sec>5000</write_bytes_sec></iotune></disk>"
        )
        self.assertEqual(self.throttled()["virtio-disk2"]["bps_wr"], 5000)
        self.client.call("domain.destroy", domain=guest.uuid)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Links(InNamespace, Devices):
    """In a network namespace of their own."""

    test_iothreads = test_limits_of_disks = None

    def limits(self, link):
        return self.space.run("tc", "class", "show", "dev", link)

    def test_limits_of_interfaces(self):
        """And how often the balloon tells."""
        mac = "52:54:00:aa:00:01"
        devices = (
            f"<interface type='bridge'><mac address='{mac}'/><source bridge='br0'/></interface>"
            "<interface type='user'><mac address='52:54:00:aa:00:02'/></interface>"
            "<memballoon model='virtio'/>"
        )
        guest = self.start("web1", devices=devices)
        domain = self.open()
        link = self.xml().find("devices/interface/target").get("dev")
        self.virsh("domiftune", "web1", mac, "--inbound", "1000,2000,64", "--live", "--config")
        self.assertRegex(self.limits(link), r"rate 8Mbit ceil 16Mbit")
        #   What this kernel can't limit, the definition may.
        self.virsh("domiftune", "web1", mac, "--outbound", "500", "--config")
        self.assertEqual(
            domain.interfaceParameters(mac, CONFIG),
            {"inbound.average": 1000, "inbound.peak": 2000, "inbound.burst": 64, "inbound.floor": 0,
             "outbound.average": 500, "outbound.peak": 0, "outbound.burst": 0},
        )
        self.assertIn("outbound.average: 500", self.virsh("domiftune", "web1", mac, "--config"))
        self.refused_rates(domain, mac)
        self.restart()
        self.daemon.run("domiftune", "web1", mac, "--inbound", "0")
        self.assertNotIn("16Mbit", self.limits(link))
        self.assertRegex(self.daemon.run("domiftune", "web1", mac), r"inbound_average +: 0\n(.*\n)*outbound_average: 0")
        self.period(self.open())
        self.client.call("domain.destroy", domain=guest.uuid)

    def refused_rates(self, domain, mac):
        before, limits = ElementTree.tostring(self.xml()), self.limits(self.xml().find("devices/interface/target").get("dev"))
        for code, name, values in (
            (libvirt.VIR_ERR_INVALID_ARG, "vnet99", {"inbound.average": 1}),
            (libvirt.VIR_ERR_INVALID_ARG, mac, {"inbound.peak": 1}),
            (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, mac, {"inbound.average": 1, "inbound.floor": 1}),
            (libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "52:54:00:aa:00:02", {"inbound.average": 1}),
        ):
            self.fails(code, domain.setInterfaceParameters, name, values, LIVE)
        self.assertEqual(ElementTree.tostring(self.xml()), before)
        self.assertEqual(self.limits(self.xml().find("devices/interface/target").get("dev")), limits)

    def period(self, domain):
        self.virsh("dommemstat", "web1", "--period", "5", "--live", "--config")
        path = {"path": "/machine/peripheral/balloon0", "property": "guest-stats-polling-interval"}
        self.assertEqual(self.qemu("qom-get", **path), 5)
        self.assertEqual(self.xml(inactive=True).find("devices/memballoon/stats").get("period"), "5")
        self.fails(libvirt.VIR_ERR_INVALID_ARG, domain.setMemoryStatsPeriod, -1)
        self.daemon.run("dommemstat", "web1", "--period", "0", "--live")
        self.assertEqual(self.qemu("qom-get", **path), 0)


if __name__ == "__main__":
    unittest.main()
