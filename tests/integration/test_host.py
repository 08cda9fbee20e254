"""What the host tells of itself: processors, memory, firmware."""

import os
import re
import xml.etree.ElementTree as ElementTree

from harness import DaemonTest


class Host(DaemonTest):
    def test_times_of_processors(self):
        cpus = self.daemon.json("nodecpumap")
        self.assertEqual(cpus["map"].count("y"), cpus["online"])
        self.assertGreaterEqual(cpus["present"], cpus["online"])
        self.assertEqual(cpus["online"], os.sysconf("SC_NPROCESSORS_ONLN"))
        last = cpus["map"].rindex("y")
        before = self.daemon.json("nodecpustats")
        one = self.daemon.json("nodecpustats", "--cpu", str(last))
        after = self.daemon.json("nodecpustats")
        self.assertLessEqual(before["user_ns"], after["user_ns"])
        self.assertLessEqual(one["user_ns"], after["user_ns"])
        failed = self.daemon.run("nodecpustats", "--cpu", "99999", status=None)
        self.assertIn("no CPU 99999 is online", failed.stderr)

    def test_times_in_percent(self):
        text = self.daemon.run("nodecpustats", "--percent")
        shares = dict(re.findall(r"(\w+): +([\d.]+)%\n", text))
        self.assertEqual(list(shares), ["usage", "user", "system", "idle", "iowait"])
        parts = [float(shares[name]) for name in ("user", "system", "idle", "iowait")]
        self.assertAlmostEqual(sum(parts), 100, delta=0.5)
        self.assertAlmostEqual(float(shares["usage"]), parts[0] + parts[1], delta=0.3)

    def test_memory_of_cells(self):
        cells = self.daemon.json("freecell")
        first = self.daemon.json("nodememstats", "--cell", str(cells[0]["cell"]))
        self.assertEqual(first["total_kib"], cells[0]["total_kib"])
        self.assertRegex(self.daemon.run("freecell", str(cells[0]["cell"])), r"^\d+: \d+ KiB\n$")
        for command in ("freecell", "nodememstats", "freepages"):
            failed = self.daemon.run(command, "4711", status=None)
            self.assertIn("no NUMA cell 4711", failed.stderr)
        sizes = {row["size_kib"] for row in self.daemon.json("freepages", "--all")}
        self.assertIn(os.sysconf("SC_PAGESIZE") // 1024, sizes)
        failed = self.daemon.run("freepages", "--pagesize", "7", status=None)
        self.assertIn("no pages of 7 KiB", failed.stderr)

    def test_merging_of_pages(self):
        ksm = "/sys/kernel/mm/ksm/sleep_millisecs"
        if os.path.exists(ksm):
            with open(ksm) as file:
                expected = int(file.read())
            self.assertEqual(self.daemon.json("node-memory-tune")["sleep_millisecs"], expected)
            self.assertRegex(
                self.daemon.run("node-memory-tune"), r"^Shared memory:\n(\tshm_\w+ +\d+\n)+$"
            )
        else:
            failed = self.daemon.run("node-memory-tune", status=None)
            self.assertIn("does not merge equal pages", failed.stderr)

    def test_refused_changes_of_memory(self):
        """Nothing of this host is changed by a test."""
        for args, words in (
            (("allocpages", "4", "1"), "no pages of 4 KiB in a pool"),
            (("allocpages", "7MiB", "1", "--all"), "no pages of 7168 KiB in a pool"),
            (("allocpages", "2MiB", "1", "--cellno", "4711"), "no NUMA cell 4711"),
        ):
            failed = self.daemon.run(*args, status=None)
            self.assertEqual(failed.returncode, 1, failed)
            self.assertIn(words, failed.stderr)
        self.daemon.run("allocpages", "2MiB", "1", "--cellno", "0", "--all", status=2)
        self.daemon.run("allocpages", "2", "1", "--all", "--pagesize", "1000B", status=2)
        failed = self.daemon.run("host.pages_allocate", "2048", status=None)
        self.assertIn("'2048' is not of the form KIB:COUNT", failed.stderr)
        failed = self.daemon.run("host.shared_memory_set", status=None)
        self.assertIn("say what is to be changed", failed.stderr)

    def test_what_domains_can_have(self):
        text = self.daemon.run("domcapabilities", "qemu", "--machine", "q35")
        root = ElementTree.fromstring(text)
        self.assertEqual(root.findtext("domain"), "qemu")
        self.assertRegex(root.findtext("machine"), r"^pc-q35-")
        custom = {
            model.text: model.get("usable") for model in root.findall("cpu/mode[@name='custom']/model")
        }
        self.assertEqual(custom["qemu64"], "yes")
        self.assertEqual(list(custom), self.daemon.json("cpu-models", "x86_64"))
        self.assertEqual(self.daemon.run("cpu-models", "x86_64").split(), list(custom))
        buses = [value.text for value in root.findall("devices/disk/enum[@name='bus']/value")]
        self.assertIn("virtio", buses)
        machine = ElementTree.fromstring(self.daemon.run("domcapabilities", "qemu"))
        self.assertEqual(
            self.daemon.run("maxvcpus", "qemu").strip(), machine.find("vcpu").get("max")
        )
        for arguments, words in (
            (["xen"], "no domains of type 'xen'"),
            (["test"], "not supported: capabilities of domains of type 'test'"),
            (["--arch", "s390x"], "architecture 's390x'"),
            (["--machine", "virt"], "no machine 'virt'"),
        ):
            failed = self.daemon.run("domcapabilities", *arguments, status=None)
            self.assertIn(words, failed.stderr)
        failed = self.daemon.run("cpu-models", "sparc", status=None)
        self.assertIn("not supported: cpu models of the architecture 'sparc'", failed.stderr)

    def test_a_usable_model_runs(self):
        """What the document promises is so: a guest with such a model has all its features."""
        xml = """<domain type='qemu'><name>g</name><memory unit='MiB'>32</memory><os><type>hvm</type></os>
            <cpu mode='custom' match='exact' check='full'><model fallback='forbid'>{}</model></cpu></domain>"""
        root = ElementTree.fromstring(self.daemon.run("domcapabilities", "qemu"))
        usable = [
            model.text
            for model in root.findall("cpu/mode[@name='custom']/model[@usable='yes']")
            if model.text.startswith(("Westmere", "Conroe"))
        ]
        self.assertTrue(usable)
        self.daemon.run("create", self.write("g.xml", xml.format(usable[0])))
        self.daemon.run("destroy", "g")

    def test_firmware(self):
        if os.path.exists("/sys/class/dmi/id"):
            self.assertRegex(self.daemon.run("sysinfo"), r"^<sysinfo type='smbios'")
        else:
            failed = self.daemon.run("sysinfo", status=None)
            self.assertIn("there is no SMBIOS", failed.stderr)

    def test_interfaces(self):
        names = {each["name"]: each for each in self.daemon.json("iface-list", "--all")}
        self.assertIn("lo", names)
        self.assertRegex(self.daemon.run("iface-list", "--all"), r"^ Name +State +MAC Address\n-+\n")
        self.assertEqual(set(names), {name for name in os.listdir("/sys/class/net") if name != "bonding_masters"})
        document = ElementTree.fromstring(self.daemon.run("iface-dumpxml", "lo"))
        self.assertEqual((document.get("name"), document.get("type")), ("lo", "ethernet"))
        self.assertEqual(self.daemon.run("iface-mac", "lo"), "00:00:00:00:00:00\n")
        self.assertEqual(self.daemon.json("iface-mac", "lo"), ["00:00:00:00:00:00"])
        macs = [each["mac"] for each in names.values()]
        for name, each in names.items():
            if macs.count(each["mac"]) == 1 and each["mac"]:
                self.assertEqual(self.daemon.run("iface-name", each["mac"].upper()), f"{name}\n")
        for arguments in (["iface-dumpxml", "../net/lo"], ["iface-mac", "nothing7"], ["iface-name", "02:00:00:00:00:99"]):
            failed = self.daemon.run(*arguments, status=None)
            self.assertNotEqual(failed.returncode, 0)
            self.assertRegex(failed.stderr, r"no interface")
