"""virsh on a simulated guest's share of the host, and on the host itself."""

import ctypes
import glob
import os

from harness import test_domain
from libvirt_client import VirshTest, uri


class Tune(VirshTest):
    def setUp(self):
        super().setUp()
        self.virsh("define", self.write("web.xml", test_domain("web", extra="<iothreads>2</iothreads>")))

    def cpu_list(self, *args):
        """Of lines NUMBER LIST."""
        return {row[0]: row[1] for row in self.rows(*args)}

    def test_limits(self):
        virsh, fields = self.virsh, self.fields
        self.assertEqual(fields("memtune", "web")["hard_limit"], "unlimited")
        virsh("memtune", "web", "--hard-limit", "100000", "--config")
        self.assertEqual(fields("memtune", "web")["hard_limit"], "100000")
        self.assertIn("not running", self.refused("memtune", "web", "--live"))
        virsh("blkiotune", "web", "--weight", "300", "--device-weights", "/dev/sda,200")
        found = fields("blkiotune", "web", "--config")
        self.assertEqual((found["weight"], found["device_weight"]), ("300", "/dev/sda,200"))
        virsh("schedinfo", "web", "--set", "cpu_shares=500", "vcpu_quota=-1")
        found = fields("schedinfo", "web")
        self.assertEqual((found["Scheduler"], found["cpu_shares"], found["vcpu_quota"]), ("posix", "500", "-1"))
        self.assertIn("cap", self.refused("schedinfo", "web", "--set", "cap=5"))
        virsh("numatune", "web", "--nodeset", "0", "--mode", "preferred")
        found = fields("numatune", "web")
        self.assertEqual((found["numa_nodeset"], found["numa_mode"]), ("0", "preferred"))

    def test_transient(self):
        """It has no definition that could be changed."""
        self.virsh("start", "web")
        self.virsh("undefine", "web")
        for command in (
            "setmem web 32M", "setmaxmem web 128M", "setvcpus web 1", "memtune web --hard-limit 100000",
            "blkiotune web --weight 300", "schedinfo web --set cpu_shares=500", "numatune web --nodeset 0",
            "vcpupin web 0 0", "iothreadadd web 7", "desc web --new-desc words",
            "metadata web http://x --key k --set <a/>",
        ):
            self.assertIn("is transient: it has no definition", self.refused(*command.split(), "--config"), command)

    def test_vcpus(self):
        virsh = self.virsh
        virsh("setvcpus", "web", "1", "--config")
        self.assertEqual(virsh("vcpucount", "web", "--config", "--active"), "1")
        self.assertEqual(virsh("vcpucount", "web", "--config", "--maximum"), "2")
        self.assertIn("not running", self.refused("vcpucount", "web", "--live", "--active"))
        self.assertIn("not running", self.refused("setvcpus", "web", "1"))
        virsh("setmaxmem", "web", "128M", "--config")
        virsh("setmem", "web", "32M", "--config")
        info = self.fields("dominfo", "web")
        self.assertEqual((info["Max memory"], info["Used memory"]), ("131072 KiB", "32768 KiB"))
        virsh("start", "web")
        virsh("setmem", "web", "20M")
        self.assertEqual(virsh("dommemstat", "web"), "actual 20480")
        virsh("setvcpus", "web", "2", "--live")
        self.assertEqual(virsh("vcpucount", "web", "--live", "--active"), "2")
        self.assertEqual(virsh("vcpucount", "web", "--config", "--active"), "1")
        self.assertEqual(virsh("domcontrol", "web"), "ok")
        self.assertRegex(virsh("cpu-stats", "web", "--total"), r"cpu_time +\d+\.\d+ seconds")

    def test_pins(self):
        virsh, cpus = self.virsh, os.cpu_count()
        everywhere = f"0-{cpus - 1}" if cpus > 1 else "0"
        self.assertEqual(self.cpu_list("vcpupin", "web"), {"0": everywhere, "1": everywhere})
        virsh("vcpupin", "web", "0", "0", "--config")
        self.assertEqual(self.cpu_list("vcpupin", "web"), {"0": "0", "1": everywhere})
        self.assertIn("not running", self.refused("vcpupin", "web", "1", "0"))
        self.assertEqual(virsh("emulatorpin", "web"), everywhere)
        virsh("emulatorpin", "web", "0", "--config")
        self.assertEqual(virsh("emulatorpin", "web", "--config"), "0")
        virsh("iothreadpin", "web", "2", "0", "--config")
        self.assertEqual(self.cpu_list("iothreadinfo", "web"), {"1": everywhere, "2": "0"})
        virsh("start", "web")
        virsh("vcpupin", "web", "1", "0", "--live")
        info = self.fields("vcpuinfo", "web")
        self.assertEqual((info["VCPU"], info["State"]), ("1", "running"))
        self.assertEqual(info["CPU Affinity"], "y" + "-" * (cpus - 1))
        first, second = self.long_maps("web", 2, 200)
        self.assertEqual((bool(first[0]), any(first[128:]), second), (True, False, b"\1" + bytes(199)))

    def long_maps(self, name, count, size):
        """A client may have room for more CPUs than any host has; bindings always ask for as much as it has."""
        library, pointer = ctypes.CDLL("libvirt.so.0"), ctypes.c_void_p
        library.virConnectOpen.restype = library.virDomainLookupByName.restype = pointer
        connection = pointer(library.virConnectOpen(uri(self.daemon, self.connect).encode()))
        domain = pointer(library.virDomainLookupByName(connection, name.encode()))
        info, maps = ctypes.create_string_buffer(64 * count), ctypes.create_string_buffer(count * size)
        self.assertEqual(library.virDomainGetVcpus(domain, info, count, maps, size), count)
        library.virDomainFree(domain)
        library.virConnectClose(connection)
        return [maps.raw[i * size : (i + 1) * size] for i in range(count)]

    def test_host(self):
        virsh, fields = self.virsh, self.fields
        self.assertEqual(set(fields("nodecpustats")), {"user", "system", "idle", "iowait"})
        self.assertEqual(set(fields("nodecpustats", "0")), {"user", "system", "idle", "iowait"})
        self.assertIn("CPU", self.refused("nodecpustats", "100000"))
        self.assertEqual(fields("nodecpumap")["CPUs online"], str(os.cpu_count()))
        self.assertEqual(set(fields("nodememstats")), {"total", "free", "buffers", "cached"})
        self.assertEqual(set(fields("nodememstats", "--cell", "0")), {"total", "free"})
        self.assertRegex(virsh("freecell"), r"Total: \d+ KiB")
        self.assertRegex(virsh("freepages", "--cellno", "0", "--pagesize", "4"), r"4KiB: \d+")
        #   With --all it takes the cells and the sizes of pages from the capabilities.
        self.assertRegex(virsh("freecell", "--all"), r"(?m)^ *0: +\d+ KiB$")
        self.assertRegex(virsh("freepages", "--all"), r"(?m)^Node 0:\n4KiB: \d+$")
        self.assertIn("Shared memory", virsh("node-memory-tune"))
        self.assertIn("no pages of 4 KiB in a pool", self.refused("allocpages", "4", "1", "--cellno", "0"))
        self.assertIn("no NUMA cell", self.refused("allocpages", "2048", "1", "--add", "--cellno", "4711"))

    def test_versions(self):
        for connect, name in (("qemu:///system", "QEMU"), ("lxc:///system", "LXC"), ("test:///default", "TEST")):
            said = self.fields("version", connect=connect)["Running hypervisor"]
            self.assertRegex(said, rf"^{name} \d+\.\d+\.\d+$")

    def test_interfaces(self):
        names = [row[0] for row in self.rows("iface-list")]
        self.assertIn("lo", names)
        self.assertLessEqual(set(names), {row[0] for row in self.rows("iface-list", "--all")})
        self.assertIn("name='lo'", self.virsh("iface-dumpxml", "lo"))
        self.assertEqual(self.virsh("iface-mac", "lo"), "00:00:00:00:00:00")
        self.assertIn("no network interface 'nothing'", self.refused("iface-dumpxml", "nothing"))

    def test_devices(self):
        connect = {"connect": "qemu:///system"}
        names = self.virsh("nodedev-list", **connect).split()
        self.assertIn("computer", names)
        (lo,) = [name for name in names if name.startswith("net_lo_")]
        self.assertIn(lo, self.virsh("nodedev-list", "--cap", "net", **connect).split())
        self.assertNotIn(lo, self.virsh("nodedev-list", "--cap", "pci", **connect).split())
        self.assertEqual(self.virsh("nodedev-list", "--cap", "mdev", **connect), "")
        disks = self.virsh("nodedev-list", "--cap", "usb_device,storage", **connect).split()
        self.assertEqual(len(disks), len(glob.glob("/sys/block/*/device") + glob.glob("/sys/bus/usb/devices/*/idVendor")))
        self.assertLessEqual(set(disks), set(names))
        document = self.virsh("nodedev-dumpxml", lo, **connect)
        self.assertIn("<interface>lo</interface>", document)
        self.assertIn("<feature name='gso'/>", document)
        info = self.fields("nodedev-info", lo, **connect)
        self.assertEqual([info[name] for name in ("Parent", "Active", "Persistent", "Autostart")],
                         ["computer", "yes", "no", "no"])
        self.assertIn("has no SCSI host with the names '2000001b32a9da4e'",
                      self.refused("nodedev-dumpxml", "2000001b32a9da4e,2101001b32a9da4e", **connect))
        self.assertIn("no device", self.refused("nodedev-dumpxml", "pci_nothing", **connect))
        self.assertIn("detach", self.refused("nodedev-detach", lo, **connect))
