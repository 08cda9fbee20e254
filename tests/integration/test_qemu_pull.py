"""Backups of running guests that others pull through NBD."""

import os
import signal
import socket
import struct
import subprocess
import time
import unittest

from backup import MIB, BackupTest
from guest import Guest
from harness import until
from troupe_client import TroupeError


class Pull(BackupTest):
    def pull(self, *disks, server=None):
        """The document of a pull with scratch files called scratch-DISK."""
        return (
            f"<domainbackup mode='pull'>{server or self.unix()}<disks>"
            + "".join(
                f"<disk name='{disk}' type='file'><scratch file='{self.path(f'scratch-{disk}')}'/></disk>"
                for disk in disks
            )
            + "</disks></domainbackup>"
        )

    def unix(self):
        return f"<server transport='unix' socket='{self.path('nbd')}'/>"

    def url(self, disk="vda"):
        return f"nbd+unix:///{disk}?socket={self.path('nbd')}"

    def read(self, url, name):
        """What a client reads: a raw image of it."""
        path = self.path(name)
        subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "raw", url, path], check=True)
        return path

    def copy(self, guest, image, name):
        """The image as it is now."""
        self.io(guest, "flush", disk=int(image.endswith("vdb")))
        path = self.path(name)
        subprocess.run(["qemu-img", "convert", "-q", "-U", "-O", "raw", self.path(image), path], check=True)
        return path

    def assertSame(self, first, second):
        done = subprocess.run(["cmp", first, second], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def assertGone(self):
        self.assertEqual([name for name in ("nbd", "scratch-vda", "scratch-vdb") if os.path.exists(self.path(name))], [])

    def test_unix(self):
        """Clients see the disks of one instant, whatever the guest writes meanwhile."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 20M")
        self.io(guest, "write -P 2 1M 1M", disk=1)
        before = [self.copy(guest, f"web1-{disk}", f"before-{disk}") for disk in ("vda", "vdb")]
        self.begin(guest, self.pull("vda", "vdb"))
        self.io(guest, "write -P 9 2M 10M")
        self.io(guest, "write -P 9 0 4M", disk=1)
        xml = self.client.call("domain.backup_xml", domain="web1")["xml"]
        self.assertIn("exportname='vdb'", xml)
        for round in range(2):
            for disk, image in zip(("vda", "vdb"), before):
                self.assertSame(self.read(self.url(disk), f"pulled-{disk}"), image)
        self.assertEqual(self.job(guest)["kind"], "backup")
        self.client.call("event.subscribe", verbs=["domain.job_completed"])
        self.daemon.run("domjobabort", "web1")
        done = self.client.next_event("domain.job_completed", timeout=60)["args"]
        self.assertEqual((done["outcome"], done["operation"]), ("completed", 9))
        self.wait_end(guest)
        self.assertGone()
        self.assertEqual(self.leftovers(guest), [])
        #   And once more.
        self.begin(guest, self.pull("vda"))
        self.client.call("domain.job_abort", domain="web1")
        self.wait_end(guest)
        self.assertGone()

    def test_tcp(self):
        guest = self.guest()
        self.io(guest, "write -P 1 0 20M")
        before = self.copy(guest, "web1-vda", "before")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = f"<server name='127.0.0.1' port='{port}'/>"
            with self.assertRaisesRegex(TroupeError, "in use"):
                self.begin(guest, self.pull("vda", server=server))
            self.assertGone()
            self.assertEqual(self.leftovers(guest), [])
        self.begin(guest, self.pull("vda", server=server))
        self.assertSame(self.read(f"nbd://127.0.0.1:{port}/vda", "pulled"), before)
        self.client.call("domain.job_abort", domain="web1")
        self.wait_end(guest)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def client_of(self, export=None):
        """A connection to the server; with EXPORT one that has said what it wants."""
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(self.path("nbd"))
        self.assertEqual(client.recv(18, socket.MSG_WAITALL)[:16], b"NBDMAGICIHAVEOPT")
        if export:
            name = export.encode()
            client.sendall(struct.pack(">I8sII", 3, b"IHAVEOPT", 1, len(name)) + name)
            size, _ = struct.unpack(">QH", client.recv(10, socket.MSG_WAITALL))
            self.assertEqual(size, 64 * MIB)
        return client

    def test_clients_are_sent_away(self):
        """Neither one that reads nothing keeps it from its end, nor one that never says what it wants."""
        guest = self.guest()
        for export in ("vda", None):
            with self.subTest(export=export):
                self.begin(guest, self.pull("vda"))
                client = self.client_of(export)
                self.client.call("domain.job_abort", domain="web1")
                #   The guest goes on meanwhile, and its QEMU answers.
                self.qmp(guest, "query-status")
                self.wait_end(guest)
                self.assertEqual(client.recv(1), b"")
                self.assertGone()

    def test_daemon_away(self):
        """It is served while no daemon is there, and by the next one until that is told to end it."""
        guest = self.guest()
        self.io(guest, "write -P 1 0 20M")
        before = self.copy(guest, "web1-vda", "before")
        self.begin(guest, self.pull("vda"))
        for end in (self.daemon.kill, self.daemon.stop):
            since = self.job(guest)["since_us"]
            end()
            self.assertSame(self.read(self.url(), "pulled"), before)
            self.restart()
            guest = Guest(self, guest.uuid)
            until(lambda: self.job(guest)["kind"] == "backup", 60, "the backup")
            self.assertEqual(self.job(guest)["since_us"], since)
            self.io(guest, "write -P 9 2M 10M")
            self.assertSame(self.read(self.url(), "pulled"), before)
        self.client.call("domain.job_abort", domain="web1")
        self.wait_end(guest)
        self.assertGone()
        self.assertEqual(self.leftovers(guest), [])

    def test_qemu_killed(self):
        """Its socket is left then; also when nobody saw it happen."""
        guest = self.guest()
        self.begin(guest, self.pull("vda"))
        os.kill(guest.pid(), signal.SIGKILL)
        guest.wait_state("shut off", "crashed")
        self.wait_end(guest, "failed")
        self.assertGone()
        self.client.call("domain.create", domain="web1", paused=True)
        self.begin(guest, self.pull("vda"))
        pid = guest.pid()
        self.daemon.kill()
        os.kill(pid, signal.SIGKILL)
        self.restart()
        guest = Guest(self, guest.uuid)
        guest.wait_state("shut off", "crashed")
        until(lambda: not os.path.exists(self.path("nbd")), 60, "the end of its socket")
        until(lambda: self.history(guest)["kind"] == "backup", 60, "its outcome")
        self.assertGone()

    def test_destroyed(self):
        guest = self.guest()
        self.begin(guest, self.pull("vda"))
        self.client.call("domain.destroy", domain="web1")
        self.wait_end(guest, "cancelled")
        self.assertGone()

    def test_refused(self):
        """Nothing is left of what could not begin, and what was there stays."""
        guest = self.guest()
        nbd = self.write("nbd", "mine")
        with self.assertRaisesRegex(TroupeError, "is there already"):
            self.begin(guest, self.pull("vda"))
        with open(nbd) as file:
            self.assertEqual(file.read(), "mine")
        os.unlink(nbd)
        far = self.unix().replace("nbd", "no/such/folder")
        with self.assertRaisesRegex(TroupeError, "No such file"):
            self.begin(guest, self.pull("vda", server=far))
        self.assertGone()
        #   A server of somebody else's is not ended.
        self.qmp(guest, "nbd-server-start", addr={"type": "unix", "data": {"path": self.path("theirs")}})
        with self.assertRaisesRegex(TroupeError, "already running"):
            self.begin(guest, self.pull("vda"))
        self.assertGone()
        self.assertEqual(self.leftovers(guest), [])
        self.assertTrue(os.path.exists(self.path("theirs")))
        self.qmp(guest, "nbd-server-stop")

    def test_daemon_killed_at_any_moment(self):
        """Half begun is undone; begun is served, and can be ended."""
        guest = self.guest(disks=("vda", "vdb"))
        self.io(guest, "write -P 1 0 10M")
        for delay in range(0, 60, 5):
            self.client.send("domain.backup_begin", domain=guest.uuid, xml=self.pull("vda", "vdb"))
            time.sleep(delay / 1000)
            self.daemon.kill()
            self.restart()
            guest = Guest(self, guest.uuid)
            until(lambda: self.reached(guest), 60, "the guest")
            until(lambda: self.job(guest)["kind"] == "backup" or not self.leftovers(guest), 60, "either of the two")
            with self.subTest(delay=delay, job=self.job(guest)["kind"]):
                if self.job(guest)["kind"]:
                    self.assertEqual(os.path.getsize(self.read(self.url(), "pulled")), 64 * MIB)
                    self.client.call("domain.job_abort", domain=guest.uuid)
                    until(lambda: self.job(guest)["kind"] is None, 60, "its end")
                self.assertGone()
                self.assertEqual(self.leftovers(guest), [])


if __name__ == "__main__":
    unittest.main()
