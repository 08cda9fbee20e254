"""virsh on real guests: their disks, what they use, saved and dumped, checkpoints and backups."""

import re

import libvirt

from backup import BackupTest
from guest import AgentTest
from harness import until
from libvirt_client import Virsh, uri


class Disks(Virsh, BackupTest):
    """Of a guest on hold, whose disks QEMU itself writes to."""

    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        self.machine = self.guest(disks=("vda", "vdb"))

    def test_sizes(self):
        #   The guest is on hold: it wrote nothing yet.
        nothing = ["rd_req", "rd_bytes", "wr_req", "wr_bytes", "flush_operations"]
        for disk in (["vda"], [self.path("web1-vdb")], []):
            found = self.statistics("domblkstat", "web1", *disk)
            self.assertEqual([found.get(name) for name in nothing], ["0"] * len(nothing), found)
        self.assertIn("no disk", self.refused("domblkstat", "web1", "vdz"))
        info = self.fields("domblkinfo", "web1", "vda")
        self.assertEqual(info["Capacity"], str(64 << 20))
        self.assertEqual(self.virsh("domblkerror", "web1"), "No errors found")
        self.virsh("blockresize", "web1", "vda", "128M")
        self.assertEqual(self.fields("domblkinfo", "web1", "vda")["Capacity"], str(128 << 20))
        memory = self.statistics("dommemstat", "web1", first=0)
        self.assertEqual(memory["actual"], str(128 << 10))
        self.assertGreater(int(memory["rss"]), 0)
        total = self.virsh("cpu-stats", "web1", "--total")
        self.assertRegex(total, r"cpu_time +\d+\.\d+ seconds")
        self.assertIn("on all of them", self.refused("cpu-stats", "web1", "--start", "0"))
        self.assertEqual(self.virsh("domcontrol", "web1"), "ok")

    def statistics(self, *args, first=-2):
        """Of lines that end in NAME VALUE."""
        return {row[first]: row[-1] for row in self.rows(*args)}

    def overlay(self, name):
        self.virsh("snapshot-create-as", "web1", "--disk-only", "--no-metadata", "--diskspec",
                   f"vda,file={self.path(name)}", "--diskspec", "vdb,snapshot=no")
        self.assertIn(self.path(name), self.virsh("domblklist", "web1"))

    def test_jobs(self):
        base = self.path("web1-vda")
        self.overlay("top")
        self.virsh("blockcommit", "web1", "vda", "--active", "--pivot", "--wait")
        self.assertIn(base, self.virsh("domblklist", "web1"))
        self.assertEqual(self.virsh("blockjob", "web1", "vda", "--info"), "")
        copy = self.path("copy")
        self.virsh("blockcopy", "web1", "vda", copy, "--format", "qcow2", "--transient-job",
                   "--bytes", "--bandwidth", "1073741824")
        raw = ("blockjob", "web1", "vda", "--raw", "--bytes")
        until(lambda: self.client.call("domain.block_jobs", domain="web1")[0]["ready"], what="the copy")
        until(lambda: re.search(r"cur=(\d+)\s+end=\1$", self.virsh(*raw)), what="the copy's end in virsh")
        self.virsh("blockjob", "web1", "vda", "--bandwidth", "7")
        self.assertRegex(self.virsh(*raw), r"type=Block Copy\s+bandwidth=7340032\s")
        self.virsh("blockjob", "web1", "vda", "--pivot")
        self.assertIn(copy, self.virsh("domblklist", "web1"))
        self.overlay("another")
        self.virsh("blockpull", "web1", "vda", "--wait")
        self.assertIn("job", self.refused("blockjob", "web1", "vda", "--abort"))

    def test_checkpoints(self):
        virsh = self.virsh
        virsh("checkpoint-create-as", "web1", "one", "--diskspec", "vda", "--diskspec", "vdb,checkpoint=no")
        self.io(self.machine, "write -P 1 0 1M")
        virsh("checkpoint-create-as", "web1", "two", "the second")
        self.assertEqual(virsh("checkpoint-list", "web1", "--name").split(), ["one", "two"])
        self.assertEqual(virsh("checkpoint-list", "web1", "--name", "--leaves").split(), ["two"])
        self.assertEqual(virsh("checkpoint-list", "web1", "--name", "--from", "one").split(), ["two"])
        self.assertEqual(virsh("checkpoint-parent", "web1", "two"), "one")
        self.assertEqual(self.fields("checkpoint-info", "web1", "one")["Children"], "1")
        self.assertRegex(virsh("checkpoint-dumpxml", "web1", "one", "--size", "--no-domain"), "size='1048576'")
        backup = self.write("backup.xml", self.push("vda"))
        done = ("domjobinfo", "web1", "--completed", "--keep-completed")
        virsh("backup-begin", "web1", backup)
        until(lambda: "Completed" in virsh(*done), what="the backup")
        found = self.fields(*done)
        self.assertEqual((found["Operation"], found["File total"]), ("Backup", found["Data total"]))
        self.assertNotIn("Memory total", found)
        self.assertIn("backup", self.refused("backup-dumpxml", "web1"))
        virsh("checkpoint-delete", "web1", "one", "--children")
        self.assertEqual(virsh("checkpoint-list", "web1", "--name"), "")

    def test_control(self):
        virsh = self.virsh
        virsh("send-key", "web1", "KEY_LEFTCTRL", "KEY_A")
        virsh("send-key", "web1", "--codeset", "usb", "--holdtime", "10", "4")
        virsh("inject-nmi", "web1")
        virsh("domblkthreshold", "web1", "vda", "10485760")
        self.assertIn("block.0.threshold=10485760", virsh("domstats", "web1", "--block"))
        virsh("set-lifecycle-action", "web1", "crash", "restart", "--live", "--config")
        self.assertIn("<on_crash>restart<", virsh("dumpxml", "web1"))
        virsh("perf", "web1", "--enable", "cpu_clock", "--config")
        self.assertIn("<event name='cpu_clock' enabled='yes'/>", virsh("dumpxml", "web1", "--inactive"))
        domain = libvirt.open(uri(self.daemon, self.connect)).lookupByName("web1")
        found = domain.perfEvents(libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        self.assertEqual((found["cpu_clock"], found["page_faults"]), (True, False))

    def test_devices(self):
        """A guest on hold takes what it gets, but lets go of nothing."""
        virsh, more = self.virsh, self.image("more")
        virsh("attach-disk", "web1", more, "vdc", "--subdriver", "qcow2", "--persistent")
        for options in ([], ["--inactive"]):
            self.assertIn(more, virsh("domblklist", "web1", *options))
        self.assertIn("vdc", self.refused("attach-disk", "web1", more, "vdc", "--subdriver", "qcow2"))
        virsh("detach-disk", "web1", "vdc", "--config")
        self.assertNotIn(more, virsh("domblklist", "web1", "--inactive"))
        self.assertIn(more, virsh("domblklist", "web1"))
        disk = f"<disk type='file'><source file='{more}'/><target dev='vdd' bus='virtio'/></disk>"
        virsh("attach-device", "web1", self.write("disk.xml", disk), "--config")
        virsh("detach-device", "web1", self.write("disk.xml", disk), "--config")
        self.assertIn("nothing", self.refused("detach-device-alias", "web1", "nothing", "--live"))
        self.assertNotIn("vdd", virsh("domblklist", "web1", "--inactive"))

    def test_files(self):
        virsh = self.virsh
        virsh("dump", "web1", self.path("core"), "--memory-only", "--format", "elf")
        with open(self.path("core"), "rb") as file:
            self.assertEqual(file.read(4), b"\x7fELF")
        self.assertRegex(virsh("domjobinfo", "web1"), r"Job type: +None")
        virsh("desc", "web1", "first", "line", "--live", "--config")
        self.assertEqual(virsh("desc", "web1"), "first line")
        virsh("desc", "web1", "--title", "a title", "--live")
        self.assertIn("a title", virsh("list", "--title"))
        virsh("metadata", "web1", "https://example.org/x", "--key", "x", "--set", "<mark/>", "--config")
        self.assertIn("mark", virsh("metadata", "web1", "https://example.org/x", "--config"))
        self.assertIn("etadata", self.refused("metadata", "web1", "https://example.org/x", "--live"))
        virsh("destroy", "web1")
        virsh("domrename", "web1", "web2")
        self.assertEqual(virsh("list", "--all", "--name"), "web2")
        virsh("domrename", "web2", "web1")


class Asked(Virsh, AgentTest):
    connect = "qemu:///system"

    def test_agent(self):
        guest = self.boot_disk("web1")
        virsh = self.virsh
        self.assertEqual(virsh("domhostname", "web1"), "web1")
        self.assertRegex(virsh("domtime", "web1"), r"^Time: \d+$")
        virsh("domtime", "web1", "--time", "1700000000")
        self.assertRegex(virsh("domtime", "web1", "--pretty"), "2023-11-14")
        self.assertIn("/disk", virsh("domfsinfo", "web1"))
        virsh("domfsfreeze", "web1")
        self.assertTrue(self.frozen(guest))
        virsh("domfsthaw", "web1")
        self.assertFalse(self.frozen(guest))
        info = self.fields("guestinfo", "web1", "--hostname", "--filesystem")
        self.assertIn("hostname", str(info) + virsh("guestinfo", "web1", "--hostname"))
        self.assertRegex(virsh("guestvcpus", "web1"), r"vcpus +: 0")
        self.assertRegex(virsh("domifaddr", "web1", "--source", "agent"), r"lo +00:00:00:00:00:00")
        self.assertEqual(virsh("domifaddr", "web1"), "")
        self.assertIn("not supported", self.refused("domfstrim", "web1", "--mountpoint", "/disk"))
        self.plug()

    def plug(self):
        """What the guest gets it also lets go of."""
        path = self.write("more.raw", "\0" * 1024 * 1024)
        self.virsh("attach-disk", "web1", path, "vdb", "--live")
        self.assertIn(path, self.virsh("domblklist", "web1"))
        self.virsh("detach-disk", "web1", "vdb", "--live")
        until(lambda: path not in self.virsh("domblklist", "web1"), what="the end of the disk")

