"""Migration as virsh and other clients of libvirt do it: between two daemons, which the client drives."""

import os
import re
import subprocess

import libvirt

from guest import qemu_domain
from harness import PATIENCE, until
from libvirt_client import Virsh, uri, virsh
from two_daemons import TwoDaemonsTest

QEMU = "qemu:///system"


class Migrate(Virsh, TwoDaemonsTest):
    connect = QEMU

    def virsh_there(self, *args, **options):
        return virsh(self.other, *args, **{"connect": QEMU, **options})

    def there_uri(self):
        return uri(self.other, QEMU)

    def run_guest(self, name="g", **parts):
        """One that runs, and need not come up."""
        guest = self.start(name, **parts)
        self.client.call("domain.resume", domain=guest.uuid)
        return guest

    def migrate_by_virsh(self, *options, name="g", **how):
        return self.virsh("migrate", *options, name, self.there_uri(), **how)

    def test_live(self):
        (guest,) = self.boot("g")
        guest.type("memory=kept")
        guest.run("true")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.there.call("event.subscribe", verbs=["domain.lifecycle"])
        self.migrate_by_virsh("--live")
        self.assertEqual(guest.state(), ("shut off", "migrated"))
        self.assertEqual(self.qemus(guest.uuid), [])
        self.assertEqual(self.lifecycle(2), [("g", "Suspended", "Migrated"), ("g", "Stopped", "Migrated")])
        self.assertEqual(self.state(self.there, guest.uuid), ("running", "migrated"))
        said = [self.there.next_event("domain.lifecycle")["args"] for unused in range(2)]
        self.assertEqual([(s["event_text"], s["detail_text"]) for s in said],
                         [("Started", "Migrated"), ("Resumed", "Migrated")])
        self.assertEqual(self.guest_there(guest.uuid).open().run("echo $memory"), "kept")
        self.assertEqual(self.marks(), [])

    def test_persistent(self):
        """Under another name, paused, over TCP; back peer-to-peer, in its old place."""
        guest = self.run_guest()
        self.migrate_by_virsh("--live", "--persistent", "--undefinesource", "--dname", "h", "--suspend",
                              "--migrateuri", "tcp://127.0.0.1", "--parallel", "--change-protection")
        self.assertEqual(self.virsh("list", "--all"), "")
        self.assertEqual(self.virsh_there("domstate", "h"), "paused")
        self.assertIn("Persistent:     yes", self.virsh_there("dominfo", "h"))
        self.virsh_there("resume", "h")
        socket = uri(self.daemon, QEMU).split("=", 1)[1]
        self.virsh_there("migrate", "--live", "--p2p", "--dname", "g", "h",
                         f"qemu+unix://here.example/system?socket={socket}")
        self.assertEqual(self.virsh("domstate", "g", "--reason"), "running (migrated)")
        self.assertEqual(self.virsh_there("domstate", "h", "--reason"), "shut off (migrated)")
        self.assertIn("Persistent:     no", self.virsh("dominfo", "g"))
        self.assertEqual(len(self.qemus(guest.uuid)), 1)

    def disk(self, target, size="8M"):
        path = os.path.join(self.daemon.root, f"{target}.raw")
        subprocess.run(["qemu-img", "create", "-q", "-f", "raw", path, size], check=True)
        return path, ("<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                      f"<source file='{path}'/><target dev='{target}' bus='virtio'/></disk>")

    def test_disks(self):
        """Copied to where --xml says; without that, or --unsafe, a local disk is no reason to go there."""
        path, disk = self.disk("vda")
        with open(path, "r+b") as file:
            file.write(b"of the source")
        guest = self.run_guest(devices="<console type='pty'/>" + disk)
        self.assertIn("no shared file system", self.failed("--live"))
        moved = os.path.join(self.other.root, "vda.raw")
        xml = self.write("moved.xml", self.virsh("dumpxml", "--migratable", "g").replace(path, moved))
        self.assertIn("vdz", self.failed("--live", "--copy-storage-all", "--migrate-disks", "vdz", "--xml", xml))
        self.migrate_by_virsh("--live", "--copy-storage-all", "--migrate-disks", "vda", "--xml", xml)
        self.assertEqual(self.virsh_there("domstate", "g"), "running")
        with open(moved, "rb") as file:
            self.assertEqual(file.read(13), b"of the source")
        self.assertIn(moved, self.virsh_there("domblklist", "g"))
        self.assertEqual(self.qemus(guest.uuid), [])

    def test_binding(self):
        """Through the Python binding, in each of the ways that it has; and virsh tells of it."""
        guest = self.run_guest()
        here, there = (libvirt.open(uri(daemon, QEMU)) for daemon in (self.daemon, self.other))
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        said = self.watch(self.daemon), self.watch(self.other)
        domain = here.lookupByName("g")
        gone = domain.migrate(there, libvirt.VIR_MIGRATE_LIVE, "h", None, 0)
        self.assertEqual((gone.name(), gone.isActive()), ("h", 1))
        flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PERSIST_DEST | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
        back = gone.migrate3(here, {libvirt.VIR_MIGRATE_PARAM_DEST_NAME: "g"}, flags)
        self.assertEqual(back.UUIDString(), guest.uuid)
        self.assertEqual(there.listAllDomains(), [])
        self.assertSaid(said[0], "Suspended Migrated", "Stopped Migrated", "Started Migrated", "Resumed Migrated")
        self.assertSaid(said[1], "Started Migrated", "Resumed Migrated", "Suspended Migrated", "Stopped Migrated")

    def watch(self, daemon):
        """The file into which virsh writes lifecycle events; it does by now."""
        path = os.path.join(daemon.root, "events")
        command = ["virsh", "-c", uri(daemon, QEMU), "event", "--event", "lifecycle", "--loop"]
        with open(path, "w") as file:
            virsh = subprocess.Popen(["stdbuf", "-oL", *command], stdout=file)
        self.addCleanup(virsh.wait)
        self.addCleanup(virsh.kill)
        probe = self.write("probe.xml", qemu_domain("probe"))

        def hears():
            daemon.run("define", probe)
            daemon.run("undefine", "probe")
            return self.said(path)

        until(hears, PATIENCE, "virsh that hears of events")
        return path

    def said(self, path):
        with open(path) as file:
            return file.read()

    def assertSaid(self, path, *events):
        """In this order, whatever is between."""
        order = re.compile(".*".join(events), re.DOTALL)
        until(lambda: order.search(self.said(path)), PATIENCE, f"{events} in {self.said(path)}")

    def failed(self, *options, **how):
        done = self.migrate_by_virsh(*options, status=None, **how)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_offline(self):
        self.client.call("domain.define", xml=qemu_domain("g"))
        self.assertIn("--persistent", self.failed("--offline"))
        self.assertIn("not running", self.failed("--live"))
        self.migrate_by_virsh("--offline", "--persistent", "--dname", "h")
        self.assertEqual(self.virsh_there("domstate", "h"), "shut off")
        self.assertEqual(self.virsh("domstate", "g"), "shut off")
        self.virsh_there("start", "h", "--paused")
        self.assertIn("it runs here already", self.failed("--offline", "--persistent", "--dname", "h"))
        self.virsh_there("destroy", "h")
        self.virsh_there("undefine", "h")
        self.migrate_by_virsh("--offline", "--persistent", "--undefinesource")
        self.assertEqual(self.virsh_there("list", "--all", "--name"), "g")
        self.assertEqual(self.virsh("list", "--all"), "")

    def sending(self, *options):
        """virsh that migrates slowly, and has sent something."""
        command = ["virsh", "-c", uri(self.daemon, QEMU), "migrate", "g", self.there_uri(), "--live", *options]
        virsh = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(virsh.stdout.close)
        self.addCleanup(virsh.kill)
        until(lambda: virsh.poll() is not None or self.bytes_sent(), PATIENCE, "the first bytes")
        self.assertIsNone(virsh.poll(), virsh.poll() is not None and virsh.stdout.read())
        return virsh

    def bytes_sent(self):
        said = re.search(r"Data processed: +([0-9.]+)", self.virsh("domjobinfo", "g"))
        return said and float(said[1]) > 0

    def test_under_way(self):
        """It is seen, tuned, ahead of it as well, and aborted."""
        (guest,) = self.boot("g")
        #   16 MiB that are always new: at a few MiB a second it does not come to its end by itself.
        guest.type("while :; do tr '\\0' x </dev/zero | dd of=/full bs=64k count=256 2>/dev/null; sleep 1; done &")
        self.assertLimits("8796093022207", "300", "64.000")
        self.virsh("migrate-setspeed", "g", "3")
        self.daemon.run("migrate-setmaxdowntime", "g", "700")
        self.assertIn("32.000 MiB", self.virsh("migrate-compcache", "g", "--size", str(32 << 20)))
        self.assertIn("tune the migration", self.refused("migrate-setmaxdowntime", "g", "100000000"))
        self.assertIn("no migration", self.refused("migrate-postcopy", "g"))
        self.daemon.kill()
        self.restart()
        self.assertLimits("3", "700", "32.000")
        client = self.sending("--verbose", "--bandwidth", "1")
        self.assertLimits("1", "700", "32.000")
        self.assertIn("Outgoing migration", self.virsh("domjobinfo", "g"))
        self.virsh("migrate-setmaxdowntime", "g", "450")
        self.assertEqual(self.virsh("migrate-getmaxdowntime", "g"), "450")
        self.virsh("migrate-setspeed", "g", "2")
        self.assertEqual(self.virsh("migrate-getspeed", "g"), "2")
        self.assertIn("at least 1", self.refused("migrate-setspeed", "g", "0"))
        self.assertIn("128.000 MiB", self.virsh("migrate-compcache", "g", "--size", str(128 << 20)))
        self.assertIn("128.000 MiB", self.daemon.run("migrate-compcache", "g"))
        self.assertIn("Incoming migration", self.virsh_there("domjobinfo", "g"))
        self.virsh("domjobabort", "g")
        self.assertIn("cancelled", client.communicate(timeout=PATIENCE)[0])
        self.assertEqual(client.returncode, 1)
        self.assertEqual(self.virsh("domstate", "g"), "running")
        self.assertGone(guest.uuid)
        self.assertLimits("3", "700", "32.000")
        self.virsh("migrate-setspeed", "g", "1")
        client = self.sending("--timeout", "1")  # then it is suspended, and there is nothing left to wait for
        self.virsh("migrate-setspeed", "g", "1000")
        self.assertEqual(client.wait(PATIENCE), 0, client.stdout.read())
        until(lambda: self.virsh_there("domstate", "g") in ("paused", "running"), PATIENCE, "the guest there")
        self.assertEqual(self.qemus(guest.uuid), [])
        self.assertIn("not running", self.refused("migrate-getspeed", "g"))

    def assertLimits(self, speed, downtime, cache):
        for ask in self.virsh, self.daemon.run:
            self.assertEqual(ask("migrate-getspeed", "g").strip(), speed)
            self.assertEqual(ask("migrate-getmaxdowntime", "g").strip(), downtime)
            self.assertIn(f"{cache} MiB", ask("migrate-compcache", "g"))

    def test_refused(self):
        """What is not supported is named; a destination that can't take it leaves it here."""
        guest = self.run_guest()
        for options, what in ((("--tls",), "tls"), (("--p2p", "--tunnelled"), "tunnelled"),
                              (("--migrateuri", "rdma://host"), "transport"), (("--zerocopy",), "zerocopy"),
                              (("--disks-uri", "tcp://host"), "disks_uri"),
                              (("--compressed", "--comp-methods", "xbzrle,mt"), "choose one"),
                              (("--auto-converge-initial", "10"), "auto"),
                              (("--postcopy-resume",), "postcopy-resume"),
                              (("--graphicsuri", "spice://host"), "graphics_uri")):
            with self.subTest(options=options):
                where = {"--p2p": "qemu://host/system"}.get(options[0], self.there_uri())
                self.assertIn(what, self.refused("migrate", "--live", *options, "g", where))
        self.assertIn("running", self.failed("--offline", "--persistent"))
        self.assertIn("not supported", self.refused("migrate", "--live", "g", uri(self.other, "test:///default")))
        with open("/proc/sys/vm/unprivileged_userfaultfd") as file:
            if file.read(1) == "0":
                self.assertIn("vm.unprivileged_userfaultfd", self.failed("--live", "--postcopy"))
        self.assertIn("same daemon", self.refused("migrate", "--live", "g", uri(self.daemon, QEMU)))
        self.assertIn("not supported", self.refused("migrate", "--live", "--p2p", "g", "qemu+ssh://host/system"))
        nowhere = "qemu+unix:///system?socket=/nonexistent/libvirt-sock"
        self.assertRegex(self.refused("migrate", "--live", "--p2p", "g", nowhere),
                         re.escape(f"to '{nowhere}': ") + ".*nobody listens there")
        self.there.call("domain.define", xml=qemu_domain("g"))
        self.assertIn("g", self.failed("--live"))
        self.assertEqual(self.virsh("domstate", "g"), "running")
        self.assertIn("None", self.virsh("domjobinfo", "g"))
        self.assertEqual(self.qemus(guest.uuid, self.other), [])
