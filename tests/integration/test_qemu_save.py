"""Guests saved to files and restored from them, and dumps; called off, cut off, and watched."""

import glob
import os
import re
import subprocess
import time
import unittest

from guest import AGENT_DEVICES, Guest, QemuTest, processes_of, qemu_domain
from harness import nothing_half_done, until
from troupe_client import TroupeError

#   Bytes a second: the guest's state takes a minute.
SLOW = 1000000


class Save(QemuTest):
    def path(self, name):
        return os.path.join(self.daemon.root, name)

    def leftovers(self):
        """What saving leaves only while it is under way."""
        found = glob.glob(self.path(".troupe*")) + glob.glob(self.path("*.partial*"))
        return found + [name for name in os.listdir(self.daemon.root) if name.startswith(".")]

    def begin(self, guest, verb="domain.save", **args):
        """A slow save that is under way; the request's id."""
        id = self.client.send(verb, domain=guest.uuid, bandwidth=SLOW, **args)
        until(lambda: self.job(guest).get("done", 0) > 0, 30, "the first bytes")
        return id

    def job(self, guest):
        return self.client.call("domain.job_info", domain=guest.uuid)

    def cpu(self, **args):
        xml = self.client.call("domain.xml", domain="web1", **args)["xml"]
        return re.search("<cpu .*?(/>|</cpu>)", xml, re.S).group()

    def test_round_trip(self):
        """The guest that comes back is the one that was saved, with its memory, its shell, and the
        processor that was chosen when it started."""
        sockets = "<graphics type='vnc'><listen type='socket'/></graphics>"
        (guest,) = self.boot("web1", devices=AGENT_DEVICES + sockets, extra="<cpu mode='host-model'/>")
        flags = guest.run("grep -m1 flags /proc/cpuinfo")
        self.assertIn("flags", flags)
        cpu = self.cpu()
        self.assertRegex(cpu, "mode=.custom.")
        self.assertRegex(cpu, "<feature ")
        self.assertRegex(self.cpu(inactive=True), "mode=.host-model.")
        guest.type("memory=kept")
        guest.run("true")
        path = self.path("web1.save")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.daemon.run("save", "web1", path)
        self.assertEqual(guest.state(), ("shut off", "saved"))
        self.assertEqual(processes_of(guest.uuid), [])
        said = self.client.next_event("domain.lifecycle", event_text="Stopped")
        self.assertEqual(said["args"]["detail_text"], "Saved")
        self.daemon.run("restore", path)
        said = self.client.next_event("domain.lifecycle", event_text="Started")
        self.assertEqual(said["args"]["detail_text"], "Restored")
        self.assertEqual(guest.state(), ("running", "restored"))
        restored = Guest(self, guest.uuid).open()
        self.assertEqual(restored.run("echo $memory"), "kept")
        self.assertEqual(restored.run("grep -m1 flags /proc/cpuinfo"), flags)
        self.assertEqual(self.cpu(), cpu)
        with self.assertRaisesRegex(TroupeError, "already running"):
            self.client.call("domain.restore", path=path)
        self.assertEqual(self.leftovers(), [])

    def test_transient(self):
        """A domain without a definition comes back from the file alone, paused if asked."""
        uuid = self.client.call("domain.create_xml", xml=qemu_domain("brief"))["uuid"]
        path = self.path("brief.save")
        self.client.call("domain.save", domain="brief", path=path)
        self.assertEqual(self.client.call("domain.list", all=True), [])
        found = self.client.call("domain.restore", path=path, paused=True)
        self.assertEqual((found["uuid"], found["name"]), (uuid, "brief"))
        self.assertEqual(Guest(self, uuid).state()[0], "paused")
        self.assertFalse(self.client.call("domain.info", domain="brief")["persistent"])

    def test_managed_save(self):
        """Used by the next start, once; removable; never lost by undefine; known after a restart."""
        (guest,) = self.boot("web1")
        guest.type("memory=managed")
        guest.run("true")
        self.daemon.run("managedsave", "web1")
        self.daemon.kill()
        self.restart()
        self.assertTrue(self.client.call("domain.info", domain="web1")["managed_save"])
        with self.assertRaisesRegex(TroupeError, "managed save"):
            self.client.call("domain.undefine", domain="web1")
        self.client.call("domain.create", domain="web1")
        self.assertFalse(self.client.call("domain.info", domain="web1")["managed_save"])
        guest = Guest(self, guest.uuid).open()
        self.assertEqual(guest.run("echo $memory"), "managed")
        self.client.call("domain.managed_save", domain="web1")
        self.client.call("domain.create", domain="web1", force_boot=True)
        self.assertEqual(guest.state(), ("running", "booted"))
        self.client.call("domain.managed_save", domain="web1")
        self.client.call("domain.managed_save_remove", domain="web1")
        self.assertFalse(self.client.call("domain.info", domain="web1")["managed_save"])
        self.client.call("domain.managed_save_remove", domain="web1")
        self.client.call("domain.undefine", domain="web1")

    def test_changed_xml(self):
        """What does not change the hardware may change; what does is refused, and nothing happens."""
        (guest,) = self.boot("web1")
        path = self.path("web1.save")
        self.client.call("domain.save", domain="web1", path=path)
        xml = self.client.call("image.xml", path=path)["xml"]
        with self.assertRaises(TroupeError):
            self.client.call("image.define", path=path, xml=xml.replace(">131072<", ">262144<"))
        self.assertEqual(self.client.call("image.xml", path=path)["xml"], xml)
        titled = xml.replace("<memory ", "<title>changed</title><memory ", 1)
        self.client.call("image.define", path=path, xml=titled, paused=True)
        self.client.call("domain.restore", path=path)
        self.assertEqual(guest.state()[0], "paused")
        self.assertIn("changed", self.client.call("domain.xml", domain="web1")["xml"])

    def test_watched_and_aborted(self):
        """While it runs queries are answered, changes wait; an abort lets the guest go on."""
        (guest,) = self.boot("web1")
        guest.type("memory=here")
        id = self.begin(guest, path=self.path("web1.save"))
        job = self.job(guest)
        self.assertEqual((job["kind"], job["verb"], job["step"]), ("save", "domain.save", "saving"))
        self.assertGreater(job["total"], job["done"])
        self.assertGreater(job["remaining"], 0)
        self.assertEqual(guest.state(), ("paused", "saving"))
        waiting = self.client.send("domain.resume", domain="web1", deadline=60000)
        rows = until(lambda: self.client.call("domain.jobs")[1:], 10, "the one that waits")
        self.assertEqual((rows[0]["state"], rows[0]["verb"]), ("waiting", "domain.resume"))
        self.daemon.run("domjobabort", "web1")
        with self.assertRaisesRegex(TroupeError, "cancelled"):
            self.client.wait(id)
        self.client.wait(waiting)
        self.assertEqual(guest.state()[0], "running")
        self.assertEqual(guest.run("echo $memory"), "here")
        self.assertIsNone(self.job(guest)["kind"])
        until(lambda: not self.leftovers(), 5, "the removal of what was written")

    def test_destroyed_meanwhile(self):
        """Destroy does not wait; no half of a file is left."""
        (guest,) = self.boot("web1")
        path = self.path("web1.save")
        id = self.begin(guest, path=path)
        self.client.call("domain.destroy", domain="web1")
        with self.assertRaises(TroupeError):
            self.client.wait(id)
        self.assertEqual(guest.state(), ("shut off", "destroyed"))
        self.assertEqual(processes_of(guest.uuid), [])
        self.assertFalse(os.path.exists(path))
        until(lambda: not self.leftovers(), 5, "the removal of what was written")

    def test_memory_only_dump(self):
        """QEMU can't cancel it, which is said; but destroy does not wait for it either."""
        (guest,) = self.boot("web1", memory_mib=1024)
        #   What can't be compressed makes it long.
        for part in range(6):
            guest.run(f"dd if=/dev/urandom of=/filled{part} bs=1M count=50")
        path = self.path("core")
        id = self.client.send("domain.dump", domain="web1", path=path, memory_only=True, format="kdump-zlib")
        until(lambda: self.job(guest).get("step") == "dumping", 30, "the dump")
        with self.assertRaisesRegex(TroupeError, "QEMU can't cancel"):
            self.client.call("domain.job_abort", domain="web1")
        self.client.call("domain.destroy", domain="web1")
        with self.assertRaisesRegex(TroupeError, "cancelled"):
            self.client.wait(id)
        self.assertEqual(guest.state(), ("shut off", "destroyed"))
        self.assertFalse(os.path.exists(path))
        until(lambda: not self.leftovers(), 5, "the removal of what was written")

    def test_events(self):
        """A guest that its save ends is stopped once, and does not shut down."""
        uuid = self.start("web1").uuid
        self.client.call("domain.resume", domain=uuid)
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        self.client.call("domain.save", domain=uuid, path=self.path("web1.save"))
        self.assertEqual(
            self.lifecycle(2), [("web1", "Suspended", "Paused"), ("web1", "Stopped", "Saved")]
        )

    def test_daemon_killed_meanwhile(self):
        """The next daemon undoes it, and the guest goes on as if nothing had been."""
        for verb in ("domain.save", "domain.dump"):
            with self.subTest(verb=verb):
                (guest,) = self.boot(verb.replace(".", "-"))
                guest.type("memory=survived")
                guest.run("true")
                pid = guest.pid()
                path = self.path(verb)
                self.begin(guest, verb=verb, path=path)
                self.daemon.kill()
                self.restart()
                guest = Guest(self, guest.uuid).open()
                until(lambda: guest.state()[0] == "running", 30, "the guest going on")
                self.assertEqual(guest.run("echo $memory"), "survived")
                self.assertEqual(guest.pid(), pid)
                self.assertFalse(os.path.exists(path))
                until(lambda: not self.leftovers(), 10, "the removal of what was written")
                said = re.compile(rf"{verb} .*rolled back after daemon restart")
                until(lambda: said.search(self.daemon.run("jobs", guest.uuid, "--history")), 30, "the job's row")
                self.client.call("domain.suspend", domain=guest.uuid)
                self.client.call("domain.destroy", domain=guest.uuid)

    def test_daemon_killed_in_a_restore(self):
        """The guest is there and known, or its managed save still is; never both, never neither."""
        uuid = self.start("web1").uuid
        self.client.call("domain.managed_save", domain=uuid)
        for ms in (0, 30, 60, 100, 150, 200, 300, 450):
            with self.subTest(killed_after_ms=ms):
                self.client.send("domain.create", domain=uuid, deadline=60000)
                time.sleep(ms / 1000)
                self.daemon.kill()
                self.restart()
                nothing_half_done(self.client, uuid)
                info = self.client.call("domain.info", domain=uuid)
                active = info["state_text"] != "shut off"
                self.assertEqual(info["managed_save"], not active)
                self.assertEqual(len(processes_of(uuid)), int(active))
                self.assertEqual(info["id"] > 0, active)
                if active:
                    self.client.call("domain.managed_save", domain=uuid)
        self.client.call("domain.create", domain=uuid)
        self.assertEqual(Guest(self, uuid).state()[0], "paused")

    def test_qemu_killed_meanwhile(self):
        (guest,) = self.boot("web1")
        path = self.path("web1.save")
        id = self.begin(guest, path=path)
        os.kill(guest.pid(), 9)
        #   Whether the job heard of it from the monitor, or found it gone: QEMU, not an address of ours.
        with self.assertRaisesRegex(TroupeError, "^save domain 'web1' to '[^']*': [^/]*QEMU [^/]*ended"):
            self.client.wait(id)
        guest.wait_state("shut off", "crashed")
        self.assertFalse(os.path.exists(path))
        until(lambda: not self.leftovers(), 5, "the removal of what was written")

    def test_dump(self):
        """A core that tools read; the guest goes on, or is over if that was asked."""
        (guest,) = self.boot("web1")
        core, raw = self.path("core"), self.path("raw")
        self.daemon.run("dump", "web1", core, "--memory-only")
        head = subprocess.run(["readelf", "-h", core], capture_output=True, text=True)
        self.assertIn("CORE (Core file)", head.stdout)
        self.assertEqual(guest.run("echo here"), "here")
        self.daemon.run("dump", "web1", raw, "--crash")
        self.assertEqual(guest.state(), ("shut off", "crashed"))
        self.assertEqual(processes_of(guest.uuid), [])
        self.assertGreater(os.path.getsize(raw), 0)

    def test_screenshot(self):
        video = "<console type='pty'/><video><model type='vga'/></video>"
        self.client.call("domain.create_xml", xml=qemu_domain("seen", devices=video))
        path = self.path("shot")
        self.assertRegex(self.daemon.run("screenshot", "seen", path), "type of image/(png|x-portable)")
        with open(path, "rb") as file:
            self.assertIn(file.read(4), (b"\x89PNG", b"P6\n7"))
        with self.assertRaisesRegex(TroupeError, "screen"):
            self.client.call("domain.screenshot", domain="seen", screen=7)
        run = os.path.join(self.daemon.root, "run", "troupe", "qemu")
        self.assertEqual([name for name in os.listdir(run) if "screenshot" in name], [])

    def test_refused(self):
        self.client.call("domain.create_xml", xml=qemu_domain("web1"), paused=True)
        for verb, args, pattern in (
            ("domain.save", {"domain": "web1", "path": "here"}, "not absolute"),
            ("domain.save", {"domain": "web1", "path": "/no/such/folder/x"}, "No such file"),
            ("domain.save", {"domain": "web1", "path": "/tmp/x", "running": True, "paused": True}, "contradict"),
            ("domain.managed_save", {"domain": "web1"}, "transient"),
            ("domain.restore", {"path": "/etc/hostname"}, "no saved guest"),
            ("domain.restore", {"path": "/no/such/file"}, "No such file"),
            ("domain.dump", {"domain": "web1", "path": "/tmp/x", "format": "kdump-zlib"}, "memory only"),
        ):
            with self.subTest(verb=verb, args=args), self.assertRaisesRegex(TroupeError, pattern):
                self.client.call(verb, **args)
        self.assertEqual(self.client.call("domain.state", domain="web1")["state_text"], "paused")


if __name__ == "__main__":
    unittest.main()
