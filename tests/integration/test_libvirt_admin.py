"""The daemon's administration by libvirt's own virt-admin: who is connected, how many may be, where the log goes."""

import os
import stat
import struct
import subprocess

import libvirt

from harness import PATIENCE, DaemonTest
from libvirt_client import GET_TYPE, OPEN, Bare, uri

ADMIN = 0x06900690
LIST_SERVERS = 4
RPC = 39


class Admin(DaemonTest):
    def setUp(self):
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)
        self.path = os.path.join(self.daemon.root, "run", "troupe", "libvirt-admin-sock")

    def admin(self, *args, status=0):
        done = subprocess.run(
            ["virt-admin", "-q", "-c", f"libvirtd:///system?socket={self.path}", *args],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def fields(self, *args):
        pairs = (line.split(":", 1) for line in self.admin(*args).splitlines() if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    def ids(self, server="libvirtd"):
        return [int(line.split()[0]) for line in self.admin("srv-clients-list", server).splitlines() if line]

    def test_clients(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual([line.split() for line in self.admin("srv-list").splitlines() if line], [["0", "libvirtd"],
                                                                                                  ["1", "admin"]])
        self.assertEqual(self.ids(), [])
        #   virt-admin itself.
        self.assertEqual(len(self.ids("admin")), 1)
        writer = libvirt.open(uri(self.daemon))
        reader = libvirt.openReadOnly(uri(self.daemon, readonly=True))
        ids = self.ids()
        self.assertEqual(len(ids), 2)
        infos = [self.fields("client-info", "libvirtd", str(id)) for id in ids]
        self.assertEqual(sorted(info["readonly"] for info in infos), ["no", "yes"])
        for info in infos:
            self.assertEqual(info["transport"], "unix")
            self.assertEqual(info["unix_process_id"], str(os.getpid()))
            self.assertEqual(info["unix_user_id"], str(os.getuid()))
            self.assertRegex(info["connection_time"], r"^20\d\d-\d\d-\d\d ")
        (first,) = [id for id, info in zip(ids, infos) if info["readonly"] == "no"]
        self.admin("client-disconnect", "libvirtd", str(first))
        self.assertRaises(libvirt.libvirtError, writer.getHostname)
        self.assertEqual(reader.getType(), "TEST")
        self.assertEqual(len(self.ids()), 1)
        self.assertIn(f"No client with matching ID '{first}'",
                      self.admin("client-info", "libvirtd", str(first), status=1))
        self.assertIn("No server named 'nobody'", self.admin("srv-clients-list", "nobody", status=1))
        reader.close()

    def test_limits(self):
        limits = self.fields("srv-clients-info", "libvirtd")
        self.assertEqual(limits, {"nclients_max": "2000", "nclients": "0", "nclients_unauth": "0"})
        self.admin("srv-clients-set", "libvirtd", "--max-clients", "1")
        self.assertEqual(self.fields("srv-clients-info", "libvirtd")["nclients_max"], "1")
        with Bare(self.daemon) as one, Bare(self.daemon) as other:
            one.open()
            #   Whoever is one too many waits in front of the door until somebody goes.
            other.send(66)
            self.assertEqual(self.fields("srv-clients-info", "libvirtd")["nclients"], "1")
            one.socket.close()
            self.assertEqual(other.receive()[4], 0)
        self.assertIn("nclients_max has to be from 1",
                      self.admin("srv-clients-set", "libvirtd", "--max-clients", "0", status=1))
        self.assertIn("not supported", self.admin("srv-clients-set", "libvirtd", "--max-unauth-clients", "5", status=1))
        self.admin("srv-clients-set", "libvirtd", "--max-clients", "3")
        with Bare(self.daemon) as one, Bare(self.daemon) as other:
            one.open()
            other.open()

    def test_what_there_is_not(self):
        """There is no pool of workers, and the log is set up when the daemon starts: that is said."""
        pool = self.fields("srv-threadpool-info", "libvirtd")
        self.assertEqual(set(pool.values()), {"0"})
        self.assertIn("no pool of workers", self.admin("srv-threadpool-set", "libvirtd", "--max-workers", "7", status=1))
        outputs = self.admin("daemon-log-outputs")
        self.assertRegex(outputs, rf"\d:file:{self.daemon.root}/\S*troupe\.log \d:stderr")
        (log,) = [word.split(":", 2)[2] for word in outputs.split() if ":file:" in word]
        self.assertTrue(os.path.exists(log), log)
        self.assertEqual(self.admin("daemon-log-filters").strip(), "")
        self.assertIn("--debug", self.admin("daemon-log-filters", "--filters", "1:qemu", status=1))
        self.assertIn("--debug", self.admin("daemon-log-outputs", "--outputs", "1:stderr", status=1))
        self.assertIn("not supported", self.admin("daemon-timeout", "--timeout", "60", status=1))
        self.assertIn("not supported", self.admin("srv-update-tls", "libvirtd", status=1))

    def test_one_program_a_socket(self):
        """Who may not open the administrators' socket can't ask their questions elsewhere."""
        with Bare(self.daemon) as client:
            client.open()
            code, message = client.refused(LIST_SERVERS, struct.pack(">II", 1, 0), program=ADMIN)
            self.assertEqual((code, message), (RPC, "unknown program 0x6900690"))
        with Bare(self.daemon, path=self.path) as client:
            self.assertEqual(client.refused(GET_TYPE), (RPC, "unknown program 0x20008086"))
            self.assertIn("CONNECT_OPEN first", client.refused(LIST_SERVERS, struct.pack(">II", 1, 0), program=ADMIN)[1])
            self.assertEqual(client.call(OPEN, struct.pack(">I", 0), program=ADMIN), (0, b""))
            status, servers = client.call(LIST_SERVERS, struct.pack(">II", 0, 0), program=ADMIN)
            self.assertEqual((status, servers), (0, struct.pack(">II", 0, 2)))
