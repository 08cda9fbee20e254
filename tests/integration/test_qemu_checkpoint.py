"""Checkpoints of running guests, and backups of what was written since."""

import glob
import json
import os
import re
import signal
import subprocess
import time
import unittest

from backup import MIB, BackupTest
from guest import Guest
from harness import until
from troupe_client import TroupeError


class Checkpoint(BackupTest):
    def create(self, guest, name=None, disks=""):
        """A checkpoint; its name."""
        named = f"<name>{name}</name>" if name else ""
        xml = f"<domaincheckpoint>{named}{disks}</domaincheckpoint>"
        return self.client.call("checkpoint.create", domain=guest.uuid, xml=xml)["name"]

    def names(self, guest, **filters):
        return [each["name"] for each in self.client.call("checkpoint.list", domain=guest.uuid, **filters)]

    def size(self, guest, name):
        """Bytes written since, of each disk."""
        xml = self.client.call("checkpoint.measure", domain=guest.uuid, checkpoint=name)["xml"]
        return {
            match[1]: int(match[2]) for match in re.finditer(r"<disk name='(\w+)' checkpoint='bitmap'.*?size='(\d+)'", xml)
        }

    def bitmaps(self, guest):
        """Of all images: (node, name)."""
        nodes = self.qmp(guest, "query-named-block-nodes", flat=True)
        return sorted(
            (node["node-name"], bitmap["name"]) for node in nodes for bitmap in node.get("dirty-bitmaps", [])
        )

    def since(self, name):
        return f"<incremental>{name}</incremental>"

    def test_incremental_push(self):
        """A full backup with a checkpoint at the same instant, and what was written since on top of it."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 20M")
        self.io(guest, "write -P 2 1M 64k", disk=1)
        self.begin(guest, self.push("vda", "vdb"), checkpoint_xml="<domaincheckpoint><name>one</name></domaincheckpoint>")
        self.wait_end(guest)
        self.assertEqual(self.names(guest), ["one"])
        full = self.path("full")
        os.rename(self.path("backup-vda"), full)
        os.unlink(self.path("backup-vdb"))
        self.io(guest, "write -P 3 2M 128k")
        self.io(guest, "write -P 4 40M 64k")
        self.assertEqual(self.size(guest, "one"), {"vda": 192 * 1024, "vdb": 0})
        self.begin(
            guest,
            self.push("vda", extra=self.since("one")),
            checkpoint_xml="<domaincheckpoint><name>two</name></domaincheckpoint>",
        )
        self.wait_end(guest)
        self.assertEqual(self.leftovers(guest), [])
        self.assertLess(os.path.getsize(self.path("backup-vda")), MIB)
        first = self.path("since-one")
        os.rename(self.path("backup-vda"), first)
        #   What follows is in the next one alone, and an older checkpoint knows of both.
        self.io(guest, "write -P 5 50M 64k")
        self.assertEqual((self.size(guest, "one")["vda"], self.size(guest, "two")["vda"]), (256 * 1024, 64 * 1024))
        self.begin(guest, self.push("vda", extra=self.since("two")))
        self.wait_end(guest)
        for image, backing in ((first, full), (self.path("backup-vda"), first)):
            subprocess.run(["qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, image], check=True)
        self.same(guest, self.path("web1-vda"), self.path("backup-vda"))

    def test_incremental_pull(self):
        """Clients are told which parts are new, and read them as they were when it began."""
        guest = self.guest()
        self.io(guest, "write -P 1 0 20M")
        self.create(guest, "one")
        self.io(guest, "write -P 2 4M 1M")
        socket = self.path("nbd")
        self.begin(
            guest,
            f"<domainbackup mode='pull'>{self.since('one')}<server transport='unix' socket='{socket}'/>"
            f"<disks><disk name='vda'><scratch file='{self.path('scratch-vda')}'/></disk></disks></domainbackup>",
        )
        self.assertIn("exportbitmap='backup-vda'", self.client.call("domain.backup_xml", domain="web1")["xml"])
        self.io(guest, "write -P 3 8M 1M")
        self.io(guest, "write -P 3 4M 64k")
        options = (
            f"driver=nbd,export=vda,server.type=unix,server.path={socket},"
            "x-dirty-bitmap=qemu:dirty-bitmap:backup-vda"
        )
        done = subprocess.run(
            ["qemu-img", "map", "--output=json", "--image-opts", options], capture_output=True, text=True, check=True
        )
        #   Where this bitmap is set, qemu-img says that there is no data.
        new = [(part["start"], part["length"]) for part in json.loads(done.stdout) if not part["data"]]
        self.assertEqual(new, [(4 * MIB, MIB)])
        subprocess.run(
            ["qemu-io", "-r", "-f", "raw", "-c", "read -P 2 4M 1M", "-c", "read -P 1 8M 1M",
             f"nbd+unix:///vda?socket={socket}"],
            check=True, stdout=subprocess.DEVNULL,
        )
        self.client.call("domain.job_abort", domain="web1")
        self.wait_end(guest)
        self.assertEqual(self.leftovers(guest), [])
        self.assertEqual([name for _, name in self.bitmaps(guest)], ["one"])
        #   Its own bitmap went on recording.
        self.assertEqual(self.size(guest, "one"), {"vda": 2 * MIB})

    def test_commands(self):
        guest = self.guest(disks=("vda", "vdb"))
        run = self.daemon.run
        self.assertIn("<name>x</name>", run("checkpoint-create-as", "web1", "x", "--print-xml"))
        self.assertEqual(
            run("checkpoint-create-as", "web1", "one", "the first", "--diskspec", "vdb,checkpoint=no", "--diskspec", "vda"),
            "Domain checkpoint one created\n",
        )
        path = self.write("two.xml", "<domaincheckpoint><name>two</name></domaincheckpoint>")
        self.assertEqual(run("checkpoint-create", "web1", path), f"Domain checkpoint two created from '{path}'\n")
        third = run("checkpoint-create", "web1").split()[2]
        self.assertRegex(third, r"\A\d+\Z")
        self.assertRegex(run("checkpoint-list", "web1"), r"Name +Creation Time\n-+\n +one +20.*\n +two +20.*\n +\d+ +20")
        self.assertRegex(run("checkpoint-list", "web1", "--parent"), r" two +20.* one\n")
        self.assertEqual(
            run("checkpoint-list", "web1", "--tree"), f"one\n  |\n  +- two\n      |\n      +- {third}\n\n"
        )
        for options, names in (
            (["--roots"], ["one"]),
            (["--leaves"], [third]),
            (["--no-leaves"], ["one", "two"]),
            (["--from", "one"], ["two"]),
            (["--from", "one", "--descendants"], ["two", third]),
        ):
            self.assertEqual(run("checkpoint-list", "web1", "--name", *options).split(), names)
        self.assertEqual(run("checkpoint-parent", "web1", "two"), "one\n")
        info = run("checkpoint-info", "web1", "two")
        self.assertRegex(info, r"Name: +two\nDomain: +web1\nParent: +one\nChildren: +1\nDescendants: +1\n")
        xml = run("checkpoint-dumpxml", "web1", "one")
        self.assertIn("<description>the first</description>", xml)
        self.assertIn("<disk name='vda' checkpoint='bitmap' bitmap='one'/>", xml)
        self.assertIn("<disk name='vdb' checkpoint='no'/>", xml)
        self.assertIn("size='0'", run("checkpoint-dumpxml", "web1", "one", "--size"))
        editor = self.write("editor", "#!/bin/sh\nsed -i 's/the first/edited/' \"$1\"\n")
        os.chmod(editor, 0o755)
        run("checkpoint-edit", "web1", "one", env={"EDITOR": editor, "VISUAL": editor})
        self.assertIn("edited", run("checkpoint-dumpxml", "web1", "one"))
        self.assertEqual(self.names(guest), ["one", "two", third])
        backup = self.write("backup.xml", self.push("vda", extra=self.since("one")))
        named = self.write("four.xml", "<domaincheckpoint><name>four</name></domaincheckpoint>")
        run("backup-begin", "web1", backup, named)
        self.wait_end(guest)
        self.assertEqual(run("checkpoint-delete", "web1", "two"), "Domain checkpoint two deleted\n")
        self.assertEqual(run("checkpoint-parent", "web1", third), "one\n")
        run("checkpoint-delete", "web1", "one", "--children-only")
        self.assertEqual(self.names(guest), ["one"])
        self.assertEqual({name for _, name in self.bitmaps(guest)}, {"one"})
        run("checkpoint-delete", "web1", "one", "--metadata")
        self.assertEqual({name for _, name in self.bitmaps(guest)}, {"one"})
        self.assertEqual(run("checkpoint-list", "web1", "--name"), "")
        #   What was forgotten can be remembered.
        path = self.write("one.xml", xml)
        run("checkpoint-create", "web1", path, "--redefine-validate")
        run("checkpoint-delete", "web1", "one", "--children")
        self.assertEqual(self.bitmaps(guest), [])
        failed = self.daemon.run("checkpoint-create", "web1", path, "--redefine-validate", status=None)
        self.assertIn("has no bitmap 'one'", failed.stderr)

    def test_they_last(self):
        """Over restarts of the daemon and of the guest; a killed QEMU breaks their bitmaps, and that is said."""
        guest = self.guest()
        self.create(guest, "one")
        self.io(guest, "write -P 1 1M 64k")
        self.daemon.kill()
        self.restart()
        guest = Guest(self, guest.uuid)
        self.assertEqual(self.names(guest), ["one"])
        self.assertEqual(self.size(guest, "one"), {"vda": 65536})
        self.client.call("domain.destroy", domain="web1", graceful=True)
        self.assertEqual(self.names(guest), ["one"])
        with self.assertRaisesRegex(TroupeError, "not running"):
            self.client.call("checkpoint.delete", domain="web1", checkpoint="one")
        self.client.call("domain.create", domain="web1", paused=True)
        self.io(guest, "write -P 1 3M 64k")
        self.assertEqual(self.size(guest, "one"), {"vda": 2 * 65536})
        os.kill(guest.pid(), signal.SIGKILL)
        guest.wait_state("shut off", "crashed")
        self.client.call("domain.create", domain="web1", paused=True)
        with self.assertRaisesRegex(TroupeError, "is not whole"):
            self.begin(guest, self.push("vda", extra=self.since("one")))
        self.assertFalse(os.path.exists(self.path("backup-vda")))
        self.client.call("checkpoint.delete", domain="web1", checkpoint="one")
        self.assertEqual((self.names(guest), self.bitmaps(guest)), ([], []))
        self.create(guest, "one")
        self.client.call("domain.destroy", domain="web1")
        with self.assertRaisesRegex(TroupeError, "1 checkpoints"):
            self.client.call("domain.undefine", domain="web1")
        (file,) = glob.glob(self.path(f"**/checkpoint/{guest.uuid}.xml"), recursive=True)
        self.client.call("domain.undefine", domain="web1", checkpoints_metadata=True)
        self.assertFalse(os.path.exists(file))

    def test_refused(self):
        """Nothing changes."""
        guest = self.guest(disks=("vda", "vdb"))
        raw = self.guest("raw1", kind="raw")
        self.create(guest, "one", "<disks><disk name='vda'/></disks>")
        before = self.bitmaps(guest)
        for xml, pattern in (
            ("<domaincheckpoint><name>one</name></domaincheckpoint>", "has a checkpoint 'one' already"),
            ("<domaincheckpoint><name>a/b</name></domaincheckpoint>", "no slash"),
            ("<domaincheckpoint><disks><disk name='vdz'/></disks></domaincheckpoint>", "no disk 'vdz'"),
            ("<domaincheckpoint><disks/></domaincheckpoint>", "no disk takes part"),
            ("<domaincheckpoint><disks><disk name='vda' bitmap='b'/></disks></domaincheckpoint>", "not supported"),
            ("<domaincheckpoint><x/></domaincheckpoint>", "not supported: <x>|not supported"),
        ):
            with self.subTest(xml=xml), self.assertRaisesRegex(TroupeError, pattern):
                self.client.call("checkpoint.create", domain="web1", xml=xml)
        with self.assertRaisesRegex(TroupeError, "qcow2"):
            self.create(raw, "one")
        with self.assertRaisesRegex(TroupeError, "no checkpoint 'two'"):
            self.begin(guest, self.push("vda", extra=self.since("two")))
        with self.assertRaisesRegex(TroupeError, "not part of checkpoint 'one'"):
            self.begin(guest, self.push("vda", "vdb", extra=self.since("one")))
        with self.assertRaisesRegex(TroupeError, "no checkpoint 'two'"):
            self.client.call("checkpoint.delete", domain="web1", checkpoint="two")
        with self.assertRaisesRegex(TroupeError, "its parent 'two' is not there"):
            self.client.call(
                "checkpoint.create", domain="web1", redefine=True,
                xml="<domaincheckpoint><name>x</name><parent><name>two</name></parent>"
                "<creationTime>1</creationTime><disks/></domaincheckpoint>",
            )
        #   A bitmap of somebody else's is neither used nor removed.
        self.qmp(guest, "block-dirty-bitmap-add", node=before[0][0], name="theirs")
        with self.assertRaisesRegex(TroupeError, "choose another name"):
            self.create(guest, "theirs")
        self.assertEqual(self.bitmaps(guest), sorted(before + [(before[0][0], "theirs")]))
        self.assertEqual(self.names(guest), ["one"])
        self.assertEqual(self.leftovers(guest), [])

    def test_no_way_back_behind_a_bitmap(self):
        """What it records would not be true any more: the guest goes on as if nothing had been asked."""
        guest = self.guest()
        self.daemon.run("snapshot-create-as", "web1", "before")
        self.create(guest, "one")
        pid, was = guest.pid(), guest.state()
        revert = ("snapshot-revert", "web1", "before")
        refused = r"disk 'vda': the bitmap 'one' records .*'troupe checkpoint-delete'"
        self.assertRegex(self.daemon.run(*revert, status=None).stderr, refused)
        self.assertEqual((guest.pid(), guest.state()), (pid, was))
        self.client.call("domain.destroy", domain="web1", graceful=True)
        self.assertRegex(self.daemon.run(*revert, status=None).stderr, refused)
        self.assertEqual(guest.state()[0], "shut off")
        self.client.call("domain.create", domain="web1", paused=True)
        self.daemon.run("checkpoint-delete", "web1", "one")
        self.daemon.run(*revert)
        self.assertEqual(self.bitmaps(guest), [])

    def test_failed_backup_makes_none(self):
        """The backup that can't be served takes its checkpoint back."""
        guest = self.guest()
        far = self.path("no/such/folder")
        with self.assertRaisesRegex(TroupeError, "No such file"):
            self.begin(
                guest,
                f"<domainbackup mode='pull'><server transport='unix' socket='{far}'/></domainbackup>",
                checkpoint_xml="<domaincheckpoint><name>one</name></domaincheckpoint>",
            )
        self.assertEqual((self.names(guest), self.bitmaps(guest), self.leftovers(guest)), ([], [], []))

    def test_daemon_killed_at_any_moment(self):
        """A checkpoint is there with all its bitmaps, or not at all; with a backup or alone."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 4M")
        for delay in range(0, 50, 4):
            name = f"c{delay}"
            xml = f"<domaincheckpoint><name>{name}</name></domaincheckpoint>"
            if delay % 8:
                self.client.send("checkpoint.create", domain=guest.uuid, xml=xml)
            else:
                self.client.send(
                    "domain.backup_begin", domain=guest.uuid, xml=self.push("vda", "vdb"), checkpoint_xml=xml
                )
            time.sleep(delay / 1000)
            self.daemon.kill()
            self.restart()
            guest = Guest(self, guest.uuid)
            until(lambda: self.reached(guest), 60, "the guest")
            until(lambda: self.job(guest)["kind"] is None, 60, "the end of what was begun")
            with self.subTest(delay=delay):
                there = [bitmap for _, bitmap in self.bitmaps(guest)].count(name)
                self.assertEqual(there, 2 if name in self.names(guest) else 0)
                self.assertEqual(self.leftovers(guest), [])
            for disk in ("vda", "vdb"):
                if os.path.exists(self.path(f"backup-{disk}")):
                    os.unlink(self.path(f"backup-{disk}"))


if __name__ == "__main__":
    unittest.main()
