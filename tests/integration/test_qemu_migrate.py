"""Live migration between two daemons: the guest is never lost, and never runs twice."""

import glob
import os
import re
import signal
import socket
import stat
import subprocess
import time
import unittest

from guest import processes_of, qemu_domain, stop_process
from harness import until
from troupe_client import TroupeError
from two_daemons import SLOW, TwoDaemonsTest


class Migrate(TwoDaemonsTest):
    def migrate(self, uuid, **args):
        args.setdefault("peer", self.other.endpoint())
        args.setdefault("live", True)
        return self.client.send("domain.migrate", deadline=600000, domain=uuid, **args)

    def sending(self, uuid, **args):
        """A slow migration that is under way; the request's id."""
        id = self.migrate(uuid, bandwidth=SLOW, **args)
        until(lambda: self.job(uuid).get("done", 0) > 0 or self.answered(id), 60, "the first bytes")
        return id

    def answered(self, id):
        """It failed already: the error is raised."""
        if id in self.client.answers:
            self.client.wait(id)
        return False

    def test_live(self):
        """The guest goes on there, with its memory; both sides tell; nothing is left here."""
        (guest,) = self.boot("web1")
        guest.type("memory=kept")
        guest.run("true")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.there.call("event.subscribe", verbs=["domain.lifecycle"])
        self.client.wait(self.migrate(guest.uuid), timeout=120)
        self.assertEqual(guest.state(), ("shut off", "migrated"))
        self.assertEqual(self.qemus(guest.uuid), [])
        self.assertEqual(
            self.lifecycle(2), [("web1", "Suspended", "Migrated"), ("web1", "Stopped", "Migrated")]
        )
        self.assertEqual(self.state(self.there, guest.uuid), ("running", "migrated"))
        said = [self.there.next_event("domain.lifecycle")["args"] for unused in range(2)]
        self.assertEqual([(s["event_text"], s["detail_text"]) for s in said],
                         [("Started", "Migrated"), ("Resumed", "Migrated")])
        self.assertFalse(self.there.call("domain.info", domain=guest.uuid)["persistent"])
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "kept")
        #   Unless its own word of it came in time, the other daemon asks.
        until(lambda: not self.marks(), what="the end of the mark")

    def test_back_and_forth(self):
        """Persistent there, undefined here, under another name; paused stays paused; over TCP. With the vcpus
        that it has by then."""
        (guest,) = self.boot("web1", vcpus=3, current=1)
        self.client.call("domain.vcpu_set", domain="web1", vcpus="2", enable=True)
        id = self.migrate(guest.uuid, persistent=True, undefine_source=True, name="web2",
                          uri="tcp://127.0.0.1", parallel=2)
        self.client.wait(id, timeout=120)
        self.assertEqual(self.client.call("domain.list", all=True), [])
        info = self.there.call("domain.info", domain="web2")
        self.assertTrue(info["persistent"])
        self.assertEqual(self.there.call("domain.vcpus", domain="web2")["live_current"], 2)
        xml = self.there.call("domain.xml", domain="web2")["xml"]
        self.assertEqual(re.findall(r"<vcpu id='(\d)' enabled='yes'", xml), ["0", "2"])
        #   Linux numbers them as they come.
        present = "cat /sys/devices/system/cpu/present"
        there = self.guest_there(guest.uuid).open()
        until(lambda: there.run(present) == "0-1", what="both CPUs in the guest")
        self.there.call("domain.suspend", domain="web2")
        id = self.there.send("domain.migrate", deadline=600000, domain="web2", peer=self.daemon.endpoint())
        self.there.wait(id, timeout=120)
        self.assertEqual(self.state(self.client, guest.uuid)[0], "paused")
        self.assertEqual(self.state(self.there, guest.uuid), ("shut off", "migrated"))
        self.client.call("domain.resume", domain=guest.uuid)

    def test_definition_only(self):
        """--offline: what is defined here is defined there too, or instead, whether it runs or not."""
        uuid = self.client.call("domain.define", xml=qemu_domain("web1"))["uuid"]
        peer = self.other.endpoint()
        self.daemon.run("migrate", "web1", peer, "--offline", "--persistent", "--dname", "web2")
        there = self.there.call("domain.info", domain=uuid)
        self.assertEqual((there["name"], there["persistent"], there["id"]), ("web2", True, -1))
        self.assertTrue(self.client.call("domain.info", domain=uuid)["persistent"])
        refused = self.daemon.run("migrate", "web1", peer, "--offline", "--persistent", "--undefinesource", status=None)
        self.assertIn("web2", refused.stderr)
        self.there.call("domain.undefine", domain="web2")
        self.client.call("domain.create", domain=uuid, paused=True)
        self.daemon.run("migrate", "web1", peer, "--offline", "--persistent", "--undefinesource")
        here = self.client.call("domain.info", domain=uuid)
        self.assertEqual((here["state_text"], here["persistent"]), ("paused", False))
        self.assertEqual(self.there.call("domain.info", domain="web1")["state_text"], "shut off")

    def cpu(self, client, uuid):
        """What a host's model became when the guest started; and no host makes its own of it later."""
        xml = client.call("domain.xml", domain=uuid)["xml"]
        cpu = re.search(r"<cpu.*?(/>|</cpu>)", xml, re.DOTALL).group(0)
        self.assertNotIn("host-model", cpu)
        (pid,) = processes_of(uuid)
        with open(f"/proc/{pid}/cmdline") as file:
            words = file.read().split("\0")
        return cpu, words[words.index("-cpu") + 1]

    def test_over_tcp(self):
        """Addresses and ports as wanted; what is wanted does not stay for the next one."""
        path = os.path.join(self.daemon.root, "vda")
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", path, "8M"], check=True)
        disk = ("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>")
        guest = self.start("web1", devices="<console type='pty'/>" + disk, extra="<cpu mode='host-model'/>")
        xml = self.client.call("domain.xml", domain=guest.uuid, security_info=True)["xml"]
        cpu = self.cpu(self.client, guest.uuid)
        moved = xml.replace(path, os.path.join(self.other.root, "vda"))
        with self.assertRaisesRegex(TroupeError, "'vda' can't be copied: .* is the same file for both"):
            self.client.wait(self.migrate(guest.uuid, copy="all"), timeout=120)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            wishes = {"uri": "tcp://127.0.0.1", "copy": "all", "xml": moved, "disks_port": port}
            with self.assertRaisesRegex(TroupeError, "receive disks.*in use"):
                self.client.wait(self.migrate(guest.uuid, **wishes), timeout=120)
            with self.assertRaisesRegex(TroupeError, "listen address"):
                self.client.wait(self.migrate(guest.uuid, listen_address="no/address", **wishes), timeout=120)
        id = self.migrate(guest.uuid, listen_address="127.0.0.1", compression="zlib", parallel=2, abort_on_error=True,
                          **wishes)
        self.client.wait(id, timeout=120)
        self.assertEqual(self.state(self.there, guest.uuid)[0], "paused")
        self.assertEqual(self.cpu(self.there, guest.uuid), cpu)
        id = self.there.send("domain.migrate", deadline=600000, domain=guest.uuid, peer=self.daemon.endpoint(),
                             compression="xbzrle", compression_cache=1 << 20, auto_converge=True,
                             auto_converge_initial=30, auto_converge_increment=20)
        self.there.wait(id, timeout=120)
        self.assertEqual(guest.state()[0], "paused")
        self.client.call("domain.destroy", domain=guest.uuid)

    @unittest.skipUnless(os.getuid() == 0, "needs a file system that is full")
    def test_full_disk(self):
        """A guest that is stopped by an I/O error stays here, if that is wanted."""
        full = os.path.join(self.daemon.root, "full")
        os.mkdir(full)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", full], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", full], check=True)
        path = os.path.join(full, "vda")
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", path, "8M"], check=True)
        disk = ("<disk type='file' device='disk'><driver name='qemu' type='raw' error_policy='stop'/>"
                f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>")
        (guest,) = self.boot("web1", devices="<console type='pty'/>" + disk)
        id = self.sending(guest.uuid, abort_on_error=True)
        guest.type("dd if=/dev/urandom of=/dev/vda bs=64k count=4 conv=fsync")
        with self.assertRaisesRegex(TroupeError, "I/O error"):
            self.client.wait(id, timeout=120)
        self.assertEqual(guest.state(), ("paused", "I/O error"))
        self.assertGone(guest.uuid)
        self.client.call("domain.destroy", domain=guest.uuid)

    def test_command_line(self):
        """virsh's options; what they need and exclude; tuning; --timeout."""
        (guest,) = self.boot("web1")
        peer = self.other.endpoint()
        for args, said in (
            (("migrate", "web1", "qemu+ssh://host/system"), "a daemon's endpoint is"),
            (("migrate", "web1", peer, "--undefinesource"), "--undefinesource goes with --persistent"),
            (("migrate", "web1", peer, "--copy-storage-all", "--copy-storage-inc"), "does not go with"),
            (("migrate", "web1", peer, "--migrate-disks", "vda"), "--migrate-disks goes with"),
            (("migrate-postcopy", "web1"), "no migration"),
            (("migrate", "web1", peer, "--postcopy-resume"), "no migration"),
            (("domjobabort", "web1", "--postcopy"), "no migration"),
            (("migrate", "web1", peer, "--offline"), "--offline goes with --persistent"),
            (("migrate", "web1", peer, "--dname", "a/b"), "--dname 'a/b': "),
            (("migrate", "web1", "ipc:///no/such.sock"), "connect to ipc:///no/such.sock: nobody listens there"),
            (("migrate", "web1", peer, "--tls"), "not supported: --tls: "),
            (("migrate", "web1", peer, "--tunnelled"), "not supported: --tunnelled: "),
            (("migrate", "web1", peer, "--compressed", "--comp-methods", "mt,xbzrle"), "one method at a time"),
            (("migrate", "web1", peer, "--comp-zlib-level", "3"), "--comp-methods zlib"),
            (("migrate", "web1", peer, "--auto-converge-initial", "3"), "goes with --auto-converge"),
        ):
            with self.subTest(args=args):
                done = self.daemon.run(*args, status=None)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)
                self.assertNotIn(" -c", done.stderr)
        command = self.daemon.command("migrate", "web1", peer, "--live", "--verbose", "--bandwidth", "1",
                                      "--timeout", "2")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            until(lambda: self.job(guest.uuid).get("done", 0) > 0, 60, "the first bytes")
            self.assertIn(f"Migration:      to {peer}, sending", self.daemon.run("dominfo", "web1"))
            until(lambda: guest.state()[0] == "paused", 60, "the guest's pause after --timeout")
            self.assertEqual(self.daemon.run("migrate-getspeed", "web1"), "1\n")
            self.assertEqual(self.daemon.run("migrate-getspeed", "web1", "--postcopy"), "8796093022207\n")
            self.assertRegex(self.daemon.run("domjobinfo", "web1", "--rawstats"), r"(?m)^kind: migrate$[^$]*^total: \d+$")
            refused = self.daemon.run("domjobabort", "web1", "--postcopy", status=None)
            self.assertIn("tune the migration of domain 'web1'", refused.stderr)
            self.daemon.run("migrate-setmaxdowntime", "web1", "2000")
            self.assertEqual(self.daemon.run("migrate-getmaxdowntime", "web1"), "2000\n")
            self.daemon.run("migrate-setspeed", "web1", "1000")
            out, err = process.communicate(timeout=120)
        self.assertEqual((process.returncode, out), (0, ""), err)
        self.assertRegex(err, r"migrate: \[ *\d+ %\]")
        self.assertEqual(self.state(self.there, guest.uuid)[0], "paused")

    def stranger(self):
        """Connects to the socket at which the other QEMU receives disks, and says nothing."""
        pattern = os.path.join(self.other.root, "**", "storage")
        (path,) = until(lambda: [p for p in glob.glob(pattern, recursive=True) if stat.S_ISSOCK(os.stat(p).st_mode)],
                        60, "the socket for disks")
        stranger = socket.socket(socket.AF_UNIX)
        self.addCleanup(stranger.close)
        stranger.connect(path)

    def test_disks(self):
        """Disks are copied, and made there if need be. A client of their server that is silent harms nobody."""
        disks = ""
        for target, kind in (("vda", "raw"), ("vdb", "qcow2")):
            path = os.path.join(self.daemon.root, target)
            subprocess.run(["qemu-img", "create", "-q", "-f", kind, path, "64M"], check=True)
            subprocess.run(["qemu-io", "-f", kind, "-c", "write -q -P 42 1M 2M", path], check=True)
            disks += (f"<disk type='file' device='disk'><driver name='qemu' type='{kind}'/>"
                      f"<source file='{path}'/><target dev='{target}' bus='virtio'/></disk>")
        guest = self.start("web1", devices="<console type='pty'/>" + disks)
        xml = self.client.call("domain.xml", domain=guest.uuid, security_info=True)["xml"]
        moved = xml.replace(self.daemon.root + "/vd", self.other.root + "/vd")
        id = self.migrate(guest.uuid, copy="all", xml=moved, bandwidth=4 << 20)
        self.stranger()
        until(lambda: self.job(guest.uuid).get("step") == "migrating" or self.answered(id), what="the memory's turn")
        self.client.call("domain.migrate_tune", domain=guest.uuid, bandwidth=1 << 40)
        self.client.wait(id, timeout=120)
        self.assertEqual(self.state(self.there, guest.uuid)[0], "paused")
        self.there.call("domain.destroy", domain=guest.uuid)
        for target, kind in (("vda", "raw"), ("vdb", "qcow2")):
            here, there = (os.path.join(d.root, target) for d in (self.daemon, self.other))
            subprocess.run(["qemu-img", "compare", "-q", "-f", kind, "-F", kind, here, there], check=True)
        with open(os.path.join(self.other.root, "vda"), "rb") as file:
            file.seek(1 << 20)
            self.assertEqual(file.read(2 << 20), b"\x2a" * (2 << 20))

    def test_refused(self):
        """What can't be is said in one line, and nothing has happened."""
        guest = self.start("web1")
        refused = lambda code, **args: self.assertFails(
            code, self.client.wait, self.migrate(guest.uuid, **args))
        refused("VIR_ERR_NO_CONNECT", peer="ipc:///no/such.sock")
        self.assertIn("itself", refused("VIR_ERR_INVALID_ARG", peer=self.daemon.endpoint()).message)
        refused("VIR_ERR_INVALID_ARG", uri="rdma://host")
        refused("VIR_ERR_INVALID_ARG", postcopy=True, parallel=2)
        xml = self.client.call("domain.xml", domain=guest.uuid)["xml"]
        refused("VIR_ERR_CONFIG_UNSUPPORTED", xml=xml.replace(">131072<", ">262144<"))
        self.client.call("domain.define", xml=xml)
        snapshot = (f"<domainsnapshot><name>one</name><state>shutoff</state><creationTime>1</creationTime>"
                    f"{xml}</domainsnapshot>")
        self.client.call("snapshot.create", domain=guest.uuid, xml=snapshot, redefine=True)
        self.assertIn("1 snapshots", refused("VIR_ERR_OPERATION_INVALID", persistent=True,
                                             undefine_source=True).message)
        self.there.call("domain.define", xml=qemu_domain("web1"))
        self.assertIn("web1", refused("VIR_ERR_OPERATION_FAILED").message)
        self.assertEqual(guest.state()[0], "paused")
        self.assertEqual(self.qemus(guest.uuid, self.other), [])

    def test_watched_and_aborted(self):
        """Queries go on on both sides; an abort lets the guest go on, and nothing is left there."""
        (guest,) = self.boot("web1")
        guest.type("memory=here")
        id = self.sending(guest.uuid)
        job = self.job(guest.uuid)
        self.assertEqual((job["kind"], job["step"]), ("migrate", "migrating"))
        self.assertGreater(job["remaining"], 0)
        self.assertEqual(self.state(self.there, guest.uuid), ("paused", "migrating"))
        info = self.client.call("domain.info", domain=guest.uuid)["migration"]
        self.assertEqual((info["role"], info["phase"]), ("out", "sending"))
        with self.assertRaisesRegex(TroupeError, "incoming migration"):
            self.there.call("domain.resume", domain=guest.uuid)
        self.client.call("domain.suspend", domain=guest.uuid)
        self.client.call("domain.resume", domain=guest.uuid)
        self.client.call("domain.job_abort", domain=guest.uuid)
        with self.assertRaisesRegex(TroupeError, "cancelled"):
            self.client.wait(id, timeout=60)
        self.assertEqual(guest.state()[0], "running")
        self.assertEqual(guest.run("echo $memory"), "here")
        self.assertGone(guest.uuid)

    def test_tuned(self):
        """A migration that would take for ever is let loose while it runs."""
        (guest,) = self.boot("web1")
        id = self.sending(guest.uuid)
        self.client.call("domain.migrate_tune", domain=guest.uuid, bandwidth=1 << 40, downtime_ms=2000)
        self.client.wait(id, timeout=120)
        self.assertEqual(self.state(self.there, guest.uuid)[0], "running")

    def test_postcopy(self):
        """The guest runs there before its memory has come."""
        (guest,) = self.boot("web1")
        guest.type("memory=fetched")
        guest.run("true")
        with open("/proc/sys/vm/unprivileged_userfaultfd") as file:
            if file.read().strip() != "1":
                refused = self.assertFails("VIR_ERR_CONFIG_UNSUPPORTED", self.sending, guest.uuid, postcopy=True)
                self.assertIn("vm.unprivileged_userfaultfd", refused.message)
                self.assertEqual(guest.state()[0], "running")
                return
        id = self.sending(guest.uuid, postcopy=True)
        self.client.call("domain.migrate_tune", domain=guest.uuid, postcopy=True)
        self.client.wait(id, timeout=120)
        self.assertEqual(self.state(self.there, guest.uuid)[0], "running")
        there = self.guest_there(guest.uuid).open()
        self.assertEqual(there.run("echo $memory"), "fetched")
        #   And back, by itself after the first pass; what the guest changes takes too long to send.
        there.type("while :; do dd if=/dev/urandom of=/tmp/noise bs=1M count=24; done 2> /dev/null")
        id = self.there.send("domain.migrate", deadline=600000, domain=guest.uuid, peer=self.daemon.endpoint(),
                             live=True, postcopy=True, postcopy_after_precopy=True, bandwidth=16 * SLOW, downtime_ms=1,
                             postcopy_bandwidth=4 * SLOW)
        until(lambda: guest.state() == ("running", "post-copy"), 180, "the switch by itself")
        self.there.call("domain.migrate_tune", domain=guest.uuid, postcopy_bandwidth=1 << 40)
        self.there.wait(id, timeout=180)
        self.assertEqual(guest.state()[0], "running")

    def test_postcopy_broken(self):
        """Its connection breaks in the midst: both sides say so, restarted or not; and it goes on."""
        with open("/proc/sys/vm/unprivileged_userfaultfd") as file:
            if file.read().strip() != "1":
                self.skipTest("post-copy needs vm.unprivileged_userfaultfd=1")
        (guest,) = self.boot("web1")
        guest.type("memory=fetched")
        guest.run("true")
        self.sending(guest.uuid, postcopy=True, postcopy_bandwidth=8 * SLOW)
        self.client.call("domain.migrate_tune", domain=guest.uuid, postcopy=True)
        until(lambda: self.state(self.there, guest.uuid) == ("running", "post-copy"), 60, "the switch")
        self.daemon.run("domjobabort", "web1", "--postcopy")
        broken = lambda: (self.state(self.there, guest.uuid), guest.state()) == (
            ("running", "post-copy failed"), ("paused", "post-copy failed"))
        until(broken, 60, "the break")
        for daemon in (self.daemon, self.other):
            daemon.kill()
        self.restart()
        self.restart_other()
        until(lambda: "--postcopy-resume" in (self.migration(guest.uuid)["trouble"] or ""), 60, "the advice")
        self.assertTrue(broken())
        done = self.daemon.run("migrate", "web1", self.other.endpoint(), "--postcopy-resume", status=None)
        if done.returncode and self.there.call("domain.state", domain=guest.uuid)["silent_since_us"]:
            #   An emulated processor that takes an interrupt holds QEMU's lock while it fetches a page.
            self.skipTest("the receiving QEMU itself waits for memory that it will not get")
        self.assertEqual(done.returncode, 0, done.stderr)
        until(lambda: guest.state() == ("shut off", "migrated"), 180, "the end of it here")
        until(lambda: self.state(self.there, guest.uuid) == ("running", "migrated"), 30, "all of it there")
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "fetched")

    def test_qemu_killed(self):
        """There: the guest goes on here. Here: it is over, and nothing waits for it there."""
        (guest,) = self.boot("web1")
        id = self.sending(guest.uuid)
        os.kill(self.qemus(guest.uuid, self.other)[0], signal.SIGKILL)
        with self.assertRaises(TroupeError):
            self.client.wait(id, timeout=60)
        until(lambda: guest.state()[0] == "running", 30, "the guest going on")
        self.assertEqual(guest.run("echo alive"), "alive")
        self.assertGone(guest.uuid)
        id = self.sending(guest.uuid)
        os.kill(self.qemus(guest.uuid)[0], signal.SIGKILL)
        with self.assertRaisesRegex(TroupeError, "^(?!.*monitor/)"):
            self.client.wait(id, timeout=60)
        until(lambda: guest.state() == ("shut off", "crashed"), 30, "the truth")
        self.assertGone(guest.uuid)

    def test_receiver_killed(self):
        """The receiving daemon ends in the middle: one guest runs when all is over."""
        (guest,) = self.boot("web1")
        id = self.sending(guest.uuid)
        self.other.kill()
        self.client.call("domain.migrate_tune", domain=guest.uuid, bandwidth=1 << 40)
        until(lambda: self.client.call("domain.info", domain=guest.uuid)["migration"]["phase"] == "handed over",
              60, "the hand-over")
        self.assertEqual(guest.state()[0], "paused")
        with self.assertRaises(TroupeError):
            self.client.call("domain.resume", domain=guest.uuid)
        self.restart_other()
        self.settled(guest.uuid)
        try:
            self.client.wait(id, timeout=60)
        except TroupeError:
            pass
        stayed = guest.state()[0] == "running"
        self.assertEqual(self.last_job(self.client, guest.uuid)[:2],
                         ("migrate", "failed" if stayed else "completed"))

    def test_killed_behind_its_mark(self):
        """The receiving daemon ends between the mark that makes the guest its own and what would say so."""
        (guest,) = self.boot("web1")
        guest.type("memory=there")
        guest.run("true")
        self.sending(guest.uuid)
        self.other.kill()
        self.client.call("domain.migrate_tune", domain=guest.uuid, bandwidth=1 << 40)
        until(lambda: self.migration(guest.uuid)["phase"] == "handed over", 60, "the hand-over")
        status = os.path.join(self.other.root, "run", "troupe", "qemu", guest.uuid + ".status")
        with open(status) as file:
            record = file.read()
        token = re.search(r"<migration .*token=.(\w{32})", record).group(1)
        #   Before a mark is made, the record says whether the guest is to run.
        with open(status, "w") as file:
            file.write(record.replace("<migration ", "<migration run='yes' "))
        folder = os.path.join(self.other.root, "var", "lib", "troupe", "migrations")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, f"{guest.uuid}.{token}"), "w") as file:
            file.write(self.daemon.endpoint() + "\n")
        #   Nobody can take it before the sender says that it does not need the mark any more.
        (qemu,) = self.qemus(guest.uuid, self.other)
        stop_process(qemu)
        self.addCleanup(self.continue_process, qemu)
        self.restart_other()
        self.there.call("migration.resolve", uuid=guest.uuid, token=token, confirm=True)
        self.assertEqual(len(self.marks()), 1)
        self.continue_process(qemu)
        until(lambda: guest.state() == ("shut off", "migrated"), 60, "the end of it here")
        until(lambda: self.state(self.there, guest.uuid) == ("running", "migrated"), 60, "its going on there")
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "there")
        #   What became of it is told by its record now.
        self.other.kill()
        self.restart_other()
        until(lambda: not self.marks(), 60, "the end of the mark")
        self.assertEqual(self.state(self.there, guest.uuid), ("running", "migrated"))

    def continue_process(self, pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def handed_over(self, guest, **args):
        """To a receiving daemon that has ended; no job of the sender's is at it any more."""
        self.sending(guest.uuid, **args)
        self.other.kill()
        self.client.call("domain.migrate_tune", domain=guest.uuid, bandwidth=1 << 40)
        until(lambda: self.migration(guest.uuid)["phase"] == "handed over", 60, "the hand-over")
        self.daemon.kill()
        self.restart()

    def migration(self, uuid):
        return self.client.call("domain.info", domain=uuid)["migration"]

    def test_handed_over_and_killed(self):
        """A QEMU that ends here when the guest may run there: the other host is asked first."""
        (guest,) = self.boot("web1")
        guest.type("memory=there")
        guest.run("true")
        self.client.call("domain.define", xml=self.client.call("domain.xml", domain=guest.uuid)["xml"])
        self.handed_over(guest, persistent=True, undefine_source=True)
        os.kill(self.qemus(guest.uuid)[0], signal.SIGKILL)
        until(lambda: "has ended" in (self.migration(guest.uuid)["trouble"] or ""), 60, "the trouble")
        self.assertEqual(guest.state(), ("paused", "migrating"))
        self.restart_other()
        until(lambda: not self.client.call("domain.list", all=True), 90, "the end of it here")
        self.assertEqual(self.state(self.there, guest.uuid), ("running", "migrated"))
        self.assertEqual(self.last_job(self.there, guest.uuid), ("migrate_receive", "completed", None))
        self.assertTrue(self.there.call("domain.info", domain=guest.uuid)["persistent"])
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "there")
        until(lambda: not self.marks(), 30, "the confirmation")

    def test_killed_on_both_sides(self):
        """While no daemon looked: then the guest is over, and both say so."""
        (guest,) = self.boot("web1")
        self.client.call("domain.define", xml=self.client.call("domain.xml", domain=guest.uuid)["xml"])
        self.handed_over(guest)
        self.daemon.kill()
        for daemon in (self.daemon, self.other):
            os.kill(self.qemus(guest.uuid, daemon)[0], signal.SIGKILL)
        self.restart()
        self.assertEqual(guest.state(), ("paused", "migrating"))
        self.restart_other()
        until(lambda: guest.state() == ("shut off", "crashed"), 90, "the truth")
        self.assertEqual(self.last_job(self.client, guest.uuid)[:2], ("migrate", "failed"))
        self.assertGone(guest.uuid)

    def test_killed_after_its_end(self):
        """The daemon ends between the end of its QEMU and what it would have written of it."""
        guest = self.start("web1")
        status = os.path.join(self.daemon.root, "run", "troupe", "qemu", guest.uuid + ".status")
        receiver = self.other.process
        self.addCleanup(receiver.send_signal, signal.SIGCONT)
        self.migrate(guest.uuid, persistent=True, undefine_source=True)
        self.wait_for_end(status)
        #   The last thing that it does is to ask the other daemon, which has no time for it.
        receiver.send_signal(signal.SIGSTOP)
        until(lambda: not self.qemus(guest.uuid), 30, "the end of its QEMU")
        self.daemon.kill()
        receiver.send_signal(signal.SIGCONT)
        self.restart()
        until(lambda: not self.client.call("domain.list", all=True), 30, "the end of its definition")
        self.assertEqual(self.state(self.there, guest.uuid)[0], "paused")
        self.assertEqual(self.last_job(self.there, guest.uuid), ("migrate_receive", "completed", None))
        #   Unless that was too late, the mark is still there: the other daemon finds out by asking.
        self.other.kill()
        self.restart_other()
        until(lambda: not self.marks(), 60, "the end of the mark")
        self.assertEqual(self.state(self.there, guest.uuid)[0], "paused")

    def wait_for_end(self, status):
        """Until the daemon has written that it ends the guest: it is there for a moment only."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with open(status) as file:
                    if "<end " in file.read():
                        return
            except FileNotFoundError:
                return
            time.sleep(0.0005)
        self.fail("the guest's end did not come")

    def last_job(self, client, uuid):
        """What its history says of the migration."""
        row = client.call("domain.jobs", domain=uuid, history=True)[-1]
        return row["kind"], row["outcome"], row["error"]

    def settled(self, uuid):
        def one():
            self.assertLessEqual(self.running_copies(uuid), 1)
            return self.running_copies(uuid) == 1 and not self.undecided(uuid)

        until(one, 90, "one running guest")

    def undecided(self, uuid):
        return any(self.migration_of(client, uuid) for client in (self.client, self.there))

    def migration_of(self, client, uuid):
        """What the domain says of its migration; nothing if the client's host has no such domain."""
        try:
            return client.call("domain.info", domain=uuid).get("migration")
        except TroupeError as error:
            self.assertEqual(error.name, "VIR_ERR_NO_DOMAIN")
            return None

    def killed_after(self, ms, *daemons):
        """A migration in the midst of which DAEMONS end; one guest runs when all is over."""
        with self.subTest(killed_after_ms=ms):
            guest = self.start(f"web{ms}")
            self.client.call("domain.resume", domain=guest.uuid)
            self.migrate(guest.uuid)
            time.sleep(ms / 1000)
            for daemon in daemons:
                daemon.kill()
            if self.daemon in daemons:
                self.restart()
            if self.other in daemons:
                self.restart_other()
            self.settled(guest.uuid)
            for client in (self.client, self.there):
                self.destroy_all(client)

    def test_sender_killed(self):
        """The sending daemon ends at any moment."""
        for ms in (0, 100, 200, 300, 500, 800, 1200, 2000):
            self.killed_after(ms, self.daemon)

    def test_both_killed(self):
        """And both daemons at once."""
        for ms in (100, 300, 600, 1000):
            self.killed_after(ms, self.daemon, self.other)


if __name__ == "__main__":
    unittest.main()
