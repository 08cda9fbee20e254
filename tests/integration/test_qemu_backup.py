"""Backups of running guests: to files, called off, cut off, and gone on with."""

import os
import re
import time
import unittest

from backup import MIB, BackupTest
from guest import Guest
from harness import until
from troupe_client import TroupeError


class Push(BackupTest):
    def test_push(self):
        """Two disks at one instant, to qcow2 and to raw; what is written later is not in it."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 20M")
        self.io(guest, "write -P 2 1M 64k", disk=1)
        self.client.call("event.subscribe", verbs=["domain.job_completed"])
        raw = self.push("vdb", kind="raw").split("<disks>")[1]
        self.begin(guest, self.push("vda").replace("</disks></domainbackup>", raw))
        self.io(guest, "write -P 9 2M 64k")
        done = self.client.next_event("domain.job_completed", timeout=60)["args"]
        self.assertEqual((done["outcome"], done["operation"]), ("completed", 9))
        self.assertEqual(done["done"], done["total"])
        self.wait_end(guest)
        self.assertEqual(self.leftovers(guest), [])
        self.same(guest, self.path("web1-vdb"), self.path("backup-vdb"), "raw")
        self.io(guest, "write -P 1 2M 64k")
        self.same(guest, self.path("web1-vda"), self.path("backup-vda"))
        with self.assertRaisesRegex(TroupeError, "no backup"):
            self.client.call("domain.backup_xml", domain="web1")

    def test_commands(self):
        """As people call it; without a document all disks go to files beside them."""
        guest = self.guest(mib=512)
        self.io(guest, "write -P 3 0 512M")
        self.assertIn("Backup started", self.daemon.run("backup-begin", "web1", "--bandwidth", "1"))
        self.assertIn("<domainbackup mode='push'>", self.daemon.run("backup-dumpxml", "web1"))
        self.assertRegex(self.daemon.run("domjobinfo", "web1"), "Operation: +backup")
        total = re.compile(r"Data total: +512\.000 MiB")
        until(lambda: total.search(self.daemon.run("domjobinfo", "web1")), what="QEMU's figures")
        until(lambda: "bandwidth:" in self.daemon.run("domjobinfo", "web1"), 60, "the bandwidth")
        self.assertRegex(self.daemon.run("domjobinfo", "web1"), "\nFile bandwidth: ")
        self.assertRegex(self.daemon.run("jobs"), "web1 +running +- +domain.backup_begin .*uid 0")
        #   What does not concern the disks goes on beside it.
        self.daemon.run("resume", "web1")
        self.daemon.run("suspend", "web1")
        self.hurry(guest)
        self.wait_end(guest)
        over = self.daemon.run("domjobinfo", "web1", "--completed")
        self.assertRegex(over, r"Data processed: +512\.000 MiB\nData remaining: +0\.000 B\nData total: +512\.000 MiB")
        (file,) = [name for name in os.listdir(self.daemon.root) if name.startswith("web1-vda.")]
        self.same(guest, self.path("web1-vda"), self.path(file))

    def test_aborted(self):
        guest = self.guest(mib=512)
        self.begin_slow(guest)
        self.assertTrue(os.path.exists(self.path("backup-vda")))
        self.daemon.run("domjobabort", "web1")
        self.wait_end(guest, "cancelled")
        self.assertFalse(os.path.exists(self.path("backup-vda")))
        self.assertEqual(self.leftovers(guest), [])
        self.begin(guest, self.push("vda"))
        self.wait_end(guest)
        self.same(guest, self.path("web1-vda"), self.path("backup-vda"))

    def test_destroyed_meanwhile(self):
        guest = self.guest(mib=512)
        self.begin_slow(guest)
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(guest.state(), ("shut off", "destroyed"))
        self.wait_end(guest, "cancelled")
        self.assertFalse(os.path.exists(self.path("backup-vda")))
        self.assertEqual(self.leftovers(guest), [])

    def test_qemu_killed_meanwhile(self):
        guest = self.guest(mib=512)
        self.begin_slow(guest)
        os.kill(guest.pid(), 9)
        guest.wait_state("shut off", "crashed")
        self.wait_end(guest, "failed")
        self.assertFalse(os.path.exists(self.path("backup-vda")))

    def test_guest_ends_meanwhile(self):
        """QEMU stays until the backup is ended, and that does not wait for its end."""
        guest = self.guest(mib=512)
        self.begin_slow(guest)
        self.qmp(guest, "human-monitor-command", **{"command-line": "qom-get /machine type"})
        os.kill(guest.pid(), 15)
        guest.wait_state("shut off", "shutdown")
        self.assertIn("the guest ended", self.wait_end(guest, "failed")["error"])
        self.assertFalse(os.path.exists(self.path("backup-vda")))

    def test_daemon_away(self):
        """QEMU goes on, and so does the next daemon: to the end, or until it is called off."""
        for outcome in ("completed", "cancelled"):
            with self.subTest(outcome=outcome):
                guest = self.guest(outcome, mib=512)
                self.begin_slow(guest)
                pid, since = guest.pid(), self.job(guest)["since_us"]
                self.daemon.kill()
                self.restart()
                guest = Guest(self, guest.uuid)
                until(lambda: self.job(guest)["kind"] == "backup", 20, "the backup")
                until(lambda: self.job(guest)["done"] > 0, 20, "its progress")
                self.assertEqual((guest.pid(), self.job(guest)["since_us"]), (pid, since))
                self.assertIn("backup-vda", self.client.call("domain.backup_xml", domain=guest.uuid)["xml"])
                if outcome == "completed":
                    self.hurry(guest)
                else:
                    self.client.call("domain.job_abort", domain=guest.uuid)
                self.wait_end(guest, outcome)
                self.assertEqual(os.path.exists(self.path("backup-vda")), outcome == "completed")
                self.assertEqual(self.leftovers(guest), [])
                if outcome == "completed":
                    self.same(guest, self.path("completed-vda"), self.path("backup-vda"))
                    os.unlink(self.path("backup-vda"))
                self.client.call("domain.destroy", domain=guest.uuid)

    def test_daemon_stopped_meanwhile(self):
        """An update of the daemon ends no backup; one that is complete when it comes back is so."""
        guest = self.guest(mib=512)
        self.begin_slow(guest)
        self.daemon.stop()
        self.restart()
        guest = Guest(self, guest.uuid)
        until(lambda: self.job(guest)["kind"] == "backup", 20, "the backup")
        self.hurry(guest)
        self.daemon.stop()
        self.restart()
        guest = Guest(self, guest.uuid)
        self.wait_end(guest)
        self.same(guest, self.path("web1-vda"), self.path("backup-vda"))

    def test_daemon_killed_at_any_moment(self):
        """Half begun is undone, begun goes on: never anything between."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 30M")
        last = self.history(guest)["since_us"]
        for delay in range(0, 60, 4):
            self.client.send("domain.backup_begin", domain=guest.uuid, xml=self.push("vda", "vdb"))
            time.sleep(delay / 1000)
            self.daemon.kill()
            self.restart()
            guest = Guest(self, guest.uuid)
            #   It waits behind whatever is undone.
            until(lambda: self.reached(guest), 30, "the guest")
            until(lambda: self.job(guest)["kind"] is None, 30, "the end of what was begun")
            there = [os.path.exists(self.path(f"backup-{disk}")) for disk in ("vda", "vdb")]
            past = self.client.call("domain.jobs", domain=guest.uuid, history=True)
            outcome = past[-1]["outcome"] if past and past[-1]["since_us"] > last else None
            last = past[-1]["since_us"] if past else 0
            with self.subTest(delay=delay, outcome=outcome):
                self.assertEqual(there, [outcome == "completed"] * 2)
                self.assertEqual(self.leftovers(guest), [])
                if outcome == "completed":
                    self.same(guest, self.path("web1-vda"), self.path("backup-vda"))
                    for disk in ("vda", "vdb"):
                        os.unlink(self.path(f"backup-{disk}"))

    def test_refused(self):
        """Nothing changes: not the file that was there, not the guest."""
        guest = self.guest()
        there = self.write("backup-vda", "mine")
        for xml, pattern in (
            (self.push("vda"), "exists already"),
            (self.push("vdz"), "no disk 'vdz'"),
            (self.push("vda").replace("backup-vda", "no/such/folder"), "No such file"),
            (self.push("vda").replace("backup-vda", "web1-vda"), "is the image of the domain's disk"),
            ("<domainbackup><disks/></domainbackup>", "no disk takes part"),
            ("<domainbackup mode='pull'><server tls='yes'/></domainbackup>", "not supported"),
        ):
            with self.subTest(xml=xml), self.assertRaisesRegex(TroupeError, pattern):
                self.begin(guest, xml)
        for bandwidth, xml, pattern in (
            (1 << 63, self.push("vda"), "bytes a second are too many"),
            (MIB, "<domainbackup mode='pull'><server transport='unix' socket='/nosuch/s'/></domainbackup>", "a push"),
        ):
            with self.subTest(bandwidth=bandwidth), self.assertRaisesRegex(TroupeError, pattern):
                self.begin(guest, xml, bandwidth=bandwidth)
        with open(there) as file:
            self.assertEqual(file.read(), "mine")
        with self.assertRaisesRegex(TroupeError, "size"):
            self.begin(guest, self.push("vda", kind="raw"), reuse_external=True)
        with open(there) as file:
            self.assertEqual(file.read(), "mine")
        self.assertEqual(self.leftovers(guest), [])
        self.client.call("domain.destroy", domain=guest.uuid)
        with self.assertRaisesRegex(TroupeError, "not running"):
            self.begin(guest)

    def test_reused_file(self):
        """What the user made is used, and stays when the backup is called off."""
        guest = self.guest(mib=512)
        path = self.image("backup-vda", 512, "raw")
        self.io(guest, "write -P 3 0 512M")
        self.begin(guest, self.push("vda", kind="raw"), reuse_external=True, bandwidth=MIB)
        self.client.call("domain.job_abort", domain=guest.uuid)
        self.wait_end(guest, "cancelled")
        self.assertTrue(os.path.exists(path))
        self.begin(guest, self.push("vda", kind="raw"), reuse_external=True)
        self.wait_end(guest)
        self.same(guest, self.path("web1-vda"), path, "raw")


if __name__ == "__main__":
    unittest.main()
