"""virsh on snapshots and saved guests, which are simulated ones."""

import os

from harness import test_domain
from libvirt_client import VirshTest

DISK = "<disk type='file'><source file='/images/web.img'/><target dev='vda'/></disk>"


class Snapshots(VirshTest):
    def setUp(self):
        super().setUp()
        self.virsh("define", self.write("web.xml", test_domain("web", devices=DISK)))
        self.virsh("start", "web")

    def names(self, *options):
        return self.virsh("snapshot-list", "web", "--name", *options).split()

    def test_tree(self):
        virsh = self.virsh
        for name in ("one", "two", "three"):
            virsh("snapshot-create-as", "web", name, f"the {name}")
        self.assertEqual(sorted(self.names()), ["one", "three", "two"])
        self.assertEqual(self.names("--topological"), ["one", "two", "three"])
        self.assertEqual(self.names("--roots"), ["one"])
        self.assertEqual(self.names("--leaves"), ["three"])
        self.assertEqual(sorted(self.names("--no-leaves")), ["one", "two"])
        self.assertEqual(self.names("--from", "one"), ["two"])
        self.assertEqual(sorted(self.names("--from", "one", "--descendants")), ["three", "two"])
        self.assertEqual(self.names("--inactive"), [])
        self.assertEqual(len(self.names("--active", "--internal", "--metadata")), 3)
        self.assertEqual([row[0] for row in self.rows("snapshot-list", "web", "--parent")][:1], ["one"])
        self.assertEqual(virsh("snapshot-current", "web", "--name"), "three")
        self.assertEqual(virsh("snapshot-parent", "web", "two"), "one")
        self.assertIn("one", self.refused("snapshot-parent", "web", "one"))
        self.assertIn("<description>the two</description>", virsh("snapshot-dumpxml", "web", "two"))
        info = self.fields("snapshot-info", "web", "two")
        self.assertEqual((info["Current"], info["State"], info["Parent"]), ("no", "running", "one"))
        self.assertEqual((info["Children"], info["Descendants"], info["Metadata"]), ("1", "1", "yes"))
        virsh("snapshot-revert", "web", "one", "--paused")
        self.assertEqual(virsh("domstate", "web"), "paused")
        self.assertEqual(virsh("snapshot-current", "web", "--name"), "one")
        virsh("snapshot-delete", "web", "two", "--children-only")
        self.assertEqual(sorted(self.names()), ["one", "two"])
        virsh("snapshot-delete", "web", "one", "--children", "--metadata")
        self.assertEqual(self.names(), [])
        self.assertIn("no snapshot 'one'", self.refused("snapshot-dumpxml", "web", "one"))
        self.assertEqual(virsh("list", "--name", "--with-snapshot"), "")

    def test_checkpoints(self):
        """Simulated guests have none, and say so."""
        self.assertEqual(self.virsh("checkpoint-list", "web"), "")
        self.assertIn("'test' cannot", self.refused("checkpoint-create", "web"))
        self.assertIn("checkpoint 'one'", self.refused("checkpoint-dumpxml", "web", "one"))
        self.assertIn("backup", self.refused("backup-dumpxml", "web"))

    def test_saved(self):
        virsh = self.virsh
        path = os.path.join(self.daemon.root, "web.save")
        virsh("save", "web", path)
        self.assertEqual(virsh("domstate", "web"), "shut off")
        self.assertIn("<name>web</name>", virsh("save-image-dumpxml", path))
        virsh("save-image-define", path, self.write("new.xml", virsh("save-image-dumpxml", path)))
        virsh("restore", path, "--paused")
        self.assertEqual(virsh("domstate", "web"), "paused")
        virsh("resume", "web")
        self.assertIn("not supported", self.refused("save", "web", path, "--bypass-cache"))
        virsh("managedsave", "web", "--running")
        self.assertEqual(virsh("list", "--all", "--name", "--with-managed-save"), "web")
        self.assertIn("Managed save:   yes", virsh("dominfo", "web"))
        xml = virsh("managedsave-dumpxml", "web", "--security-info")
        self.assertIn("<name>web</name>", xml)
        virsh("managedsave-define", "web", self.write("new.xml", xml), "--paused")
        virsh("start", "web")
        self.assertEqual(virsh("domstate", "web"), "paused")
        virsh("managedsave", "web")
        virsh("managedsave-remove", "web")
        self.assertIn("Managed save:   no", virsh("dominfo", "web"))
