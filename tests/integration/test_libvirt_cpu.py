"""Processors compared with the host's, and what several have in common, by libvirt's clients and ours."""

import unittest
from xml.etree import ElementTree

import libvirt
import libvirt_events  # no errors on stderr
from libvirt_client import VirshTest, uri

#   TCG has none of the transactional features. What KVM has, where there is one, nobody knows here.
SMALL = "<cpu><arch>x86_64</arch><model>qemu64</model></cpu>"
LARGE = "<cpu><model>Haswell</model></cpu>"
GUEST = """<domain type='qemu'><name>g</name><memory unit='MiB'>32</memory><os><type>hvm</type></os>{}</domain>"""


class Processors(VirshTest):
    connect = "qemu:///system"

    def setUp(self):
        super().setUp()
        self.small, self.large = self.write("small.xml", SMALL), self.write("large.xml", LARGE)
        self.both = self.write("both.xml", f"<cpus>{SMALL}{LARGE}</cpus>")
        self.pair = self.write("pair.xml", SMALL + LARGE)  # as virsh wants several

    def python(self):
        connection = libvirt.open(uri(self.daemon, self.connect))
        self.addCleanup(connection.close)
        return connection

    def fails(self, code, words, function, *args):
        with self.assertRaises(libvirt.libvirtError) as caught:
            function(*args)
        self.assertEqual(caught.exception.get_error_code(), code, str(caught.exception))
        self.assertIn(words, str(caught.exception))

    def test_compare(self):
        kind = ("--virttype", "qemu")
        self.assertIn("superset", self.virsh("hypervisor-cpu-compare", self.small, *kind))
        self.assertIn("incompatible", self.refused_or_said("hypervisor-cpu-compare", self.large, *kind))
        self.assertIn("the host lacks", self.refused("hypervisor-cpu-compare", self.large, *kind, "--error"))
        self.assertEqual(self.daemon.run("cpu-compare", self.small, "qemu").strip(), "superset")
        self.assertRegex(self.daemon.run("hypervisor-cpu-compare", self.large, "qemu"),
                         "^incompatible: the host lacks .*hle")
        same = self.write("same.xml", "<cpu mode='host-passthrough'/>")
        self.assertIn("identical", self.virsh("cpu-compare", same))
        connection = self.python()
        default = connection.compareHypervisorCPU(None, None, None, None, SMALL)
        self.assertEqual(connection.compareCPU(SMALL), default)

        def compare(cpu, *flags):
            return connection.compareHypervisorCPU(None, None, None, "qemu", cpu, *flags)

        self.assertEqual(compare(SMALL), libvirt.VIR_CPU_COMPARE_SUPERSET)
        self.assertEqual(compare("<cpu mode='host-passthrough'/>"), libvirt.VIR_CPU_COMPARE_IDENTICAL)
        strange = "<cpu><model>qemu64</model><feature policy='require' name='{}'/></cpu>"
        self.assertEqual(compare(strange.format("xop"), 0), libvirt.VIR_CPU_COMPARE_INCOMPATIBLE)
        self.fails(libvirt.VIR_ERR_CPU_INCOMPATIBLE, "the host lacks xop", compare, strange.format("xop"), 1)
        self.fails(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "nothing", compare, strange.format("nothing"))
        self.fails(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, "'Lost'", connection.compareCPU,
                   "<cpu><model>Lost</model></cpu>")
        self.fails(libvirt.VIR_ERR_XML_DETAIL, "cpu XML", connection.compareCPU, "<cpu>")
        self.fails(libvirt.VIR_ERR_XML_ERROR, "not <cpu>", compare, "<domain/>")
        self.fails(libvirt.VIR_ERR_INVALID_ARG, "no machine 'virt'", connection.compareHypervisorCPU,
                   None, None, "virt", "qemu", SMALL)

    def refused_or_said(self, *args):
        done = self.virsh(*args, status=None)
        return done.stdout + done.stderr

    def test_usable_models_are_compatible(self):
        """Both come from QEMU, on different ways."""
        connection = self.python()
        root = ElementTree.fromstring(connection.getDomainCapabilities(None, None, None, "qemu"))
        models = {model.text: model.get("usable") for model in root.findall("cpu/mode[@name='custom']/model")}
        for name in ("qemu64", "Conroe", "Nehalem", "Haswell", "EPYC", "Opteron_G5", "phenom", "486"):
            given = f"<cpu><model>{name}</model></cpu>"
            relation = connection.compareHypervisorCPU(None, None, None, "qemu", given)
            usable = relation != libvirt.VIR_CPU_COMPARE_INCOMPATIBLE
            self.assertEqual(models[name], "yes" if usable else "no", name)

    def test_baseline(self):
        connection = self.python()
        for text in (
            self.virsh("cpu-baseline", self.pair),
            self.daemon.run("cpu-baseline", self.both),
            connection.baselineCPU([SMALL, LARGE]),
        ):
            cpu = ElementTree.fromstring(text)
            self.assertEqual(cpu.tag, "cpu")
            self.assertIn(cpu.findtext("model"), self.daemon.json("cpu-models", "x86_64"))
        text = connection.baselineHypervisorCPU(None, None, None, "qemu", [SMALL, LARGE])
        relation = connection.compareHypervisorCPU(None, None, None, "qemu", text)
        self.assertEqual(relation, libvirt.VIR_CPU_COMPARE_SUPERSET)
        alone = ElementTree.fromstring(connection.baselineCPU(["<?xml version='1.0'?>" + LARGE]))
        self.assertEqual((alone.findtext("model"), len(alone.findall("feature"))), ("Haswell", 0))
        expand = libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES
        all_of = ElementTree.fromstring(connection.baselineCPU([LARGE], expand))
        self.assertIn("hle", [feature.get("name") for feature in all_of.findall("feature")])
        self.fails(libvirt.VIR_ERR_INVALID_ARG, "unsupported flags (0x40)", connection.baselineCPU, [LARGE], 64)
        self.fails(libvirt.VIR_ERR_XML_ERROR, "not <cpu>", connection.baselineCPU, ["<nothing/>"])

    def test_a_guest_gets_the_hypervisors_baseline(self):
        """It can have all of it: QEMU refuses a guest that could not."""
        text = self.virsh("hypervisor-cpu-baseline", self.large, "--virttype", "qemu", "--migratable")
        cpu = ElementTree.fromstring(text)
        self.assertNotEqual(cpu.findtext("model"), "Haswell")
        self.assertEqual(self.daemon.run("hypervisor-cpu-baseline", self.large, "qemu", "--migratable").strip(),
                         text.strip())
        cpu.set("check", "full")
        guest = self.write("guest.xml", GUEST.format(ElementTree.tostring(cpu, encoding="unicode")))
        self.virsh("create", guest, "--paused")
        self.virsh("destroy", "g")

    def test_containers_have_the_hosts(self):
        said = self.refused("cpu-compare", self.small, connect="test:///default")
        self.assertIn("not supported: comparing cpus of domains of type 'test'", said)


if __name__ == "__main__":
    unittest.main()
