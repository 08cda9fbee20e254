"""The daemon is killed, and started again: no guest notices, and what ended meanwhile is known."""

import glob
import os
import re
import signal
import time
import unittest

from guest import Guest, QemuTest, processes_of, qemu_domain
from harness import nothing_half_done, until
from troupe_client import TroupeError


class Recovery(QemuTest):
    def test_guests_go_on(self):
        """Adopted, undisturbed: same process, same id, same shell; consoles and commands work."""
        guests = self.boot("web1", "web2")
        before = {}
        for guest in guests:
            guest.type(f"memory={guest.uuid}")
            uptime = float(guest.run("cut -d' ' -f1 /proc/uptime"))
            info = self.client.call("domain.info", domain=guest.uuid)
            before[guest.uuid] = (guest.pid(), info["id"], info["name"], uptime)
        self.client.call("domain.suspend", domain="web2")
        self.daemon.kill()
        time.sleep(1)
        self.restart()
        self.client.call("domain.resume", domain="web2")
        for uuid, (pid, id, name, uptime) in before.items():
            guest = Guest(self, uuid).open()
            info = self.client.call("domain.info", domain=uuid)
            self.assertEqual((guest.pid(), info["id"], info["name"]), (pid, id, name))
            self.assertEqual(info["state_text"], "running")
            self.assertEqual(guest.run("echo $memory"), uuid)
            self.assertGreater(float(guest.run("cut -d' ' -f1 /proc/uptime")), uptime)
        reply = self.daemon.run("qemu-monitor-command", "web1", "--hmp", "info status")
        self.assertIn("running", reply)
        self.client.call("domain.shutdown", domain="web1")
        Guest(self, "web1").wait_state("shut off", "shutdown")

    def test_state_is_found_as_it_is(self):
        """What happened while nobody looked: a pause, a resume, nothing."""
        self.client.call("domain.create_xml", xml=qemu_domain("held"), paused=True)
        self.client.call("domain.create_xml", xml=qemu_domain("running"))
        self.daemon.stop()
        self.restart()
        states = {row["name"]: row["state_text"] for row in self.client.call("domain.list")}
        self.assertEqual(states, {"held": "paused", "running": "running"})
        self.assertFalse(self.client.call("domain.info", domain="held")["persistent"])

    def test_what_ended_meanwhile(self):
        """Off by itself, asked to restart, killed: each with its reason, and nothing left of it."""
        off, again, killed, brief = self.boot("off", "again", "killed", "brief")
        self.client.call("domain.undefine", domain="brief")
        terminals = {}
        for name in ("off", "again"):
            terminals[name] = os.open(self.daemon.run("ttyconsole", name).strip(), os.O_RDWR | os.O_NOCTTY)
            self.addCleanup(os.close, terminals[name])
        pids = {guest.uuid: guest.pid() for guest in (off, again, killed, brief)}
        self.daemon.kill()
        os.write(terminals["off"], b"poweroff\n")
        os.write(terminals["again"], b"reboot\n")
        os.kill(pids[killed.uuid], signal.SIGKILL)
        os.kill(pids[brief.uuid], signal.SIGKILL)
        time.sleep(3)
        self.restart()
        Guest(self, off.uuid).wait_state("shut off", "shutdown")
        Guest(self, killed.uuid).wait_state("shut off", "crashed")
        self.assertEqual(Guest(self, again.uuid).state()[0], "running")
        self.assertEqual(processes_of(again.uuid), [pids[again.uuid]])

        def names():
            return {row["name"] for row in self.client.call("domain.list", all=True)}

        until(lambda: "brief" not in names(), 20, "the end of the domain without a definition")
        self.assertEqual(names(), {"off", "again", "killed"})
        for guest in (off, killed, brief):
            until(lambda uuid=guest.uuid: not processes_of(uuid), 20, "the end of its process")

    def test_killed_at_any_moment_of_a_start(self):
        """The guest runs and is known, or there is none; never half of one. It can be started then."""
        uuid = self.client.call("domain.define", xml=qemu_domain("web1"))["uuid"]
        for ms in (0, 2, 5, 10, 20, 40, 60, 90, 130, 200):
            with self.subTest(killed_after_ms=ms):
                self.client.send("domain.create", domain="web1", paused=True)
                time.sleep(ms / 1000)
                self.daemon.kill()
                self.restart()
                self.settle(uuid)
                state = self.client.call("domain.state", domain="web1")["state_text"]
                self.assertEqual(len(processes_of(uuid)), int(state == "paused"), state)
                if state == "paused":
                    self.client.call("domain.destroy", domain="web1")
                self.assertEqual(processes_of(uuid), [])

    def settle(self, uuid):
        """What was begun is done or undone. A launcher without its daemon exits by itself, within moments."""

        def known():
            state = self.client.call("domain.state", domain="web1")["state_text"]
            return len(processes_of(uuid)) == int(state == "paused")

        nothing_half_done(self.client, uuid)
        until(known, 20, "one truth about the guest")

    def test_killed_while_guests_end(self):
        """An end that was begun is brought to its end; whoever's was not runs on."""
        for ms in (0, 3, 10, 20, 40):
            with self.subTest(killed_after_ms=ms):
                self.kill_while_guests_end(ms)

    def kill_while_guests_end(self, ms):
        uuids = []
        for i in range(3):
            uuids.append(self.client.call("domain.create_xml", xml=qemu_domain(f"web{i}"))["uuid"])
        for uuid in uuids:
            self.client.send("domain.destroy", domain=uuid)
        time.sleep(ms / 1000)
        self.daemon.kill()
        untouched = {uuid for uuid in uuids if self.recorded(uuid) == "running"}
        self.restart()

        def listed():
            return {row["uuid"] for row in self.client.call("domain.list", all=True)}

        until(lambda: listed() == untouched, 60, f"the end of all but {untouched}")
        for uuid in uuids:
            self.assertEqual(len(processes_of(uuid)), int(uuid in untouched), uuid)
        for uuid in untouched:
            self.client.call("domain.destroy", domain=uuid)
        self.assertEqual([uuid for uuid in uuids if processes_of(uuid)], [])
        self.assertEqual(self.client.call("domain.list", all=True), [])

    def recorded(self, uuid):
        """What a daemon that was killed left on record of a guest."""
        path = os.path.join(self.daemon.root, "run", "troupe", "qemu", uuid + ".status")
        try:
            with open(path) as file:
                return "ending" if "<end " in file.read() else "running"
        except FileNotFoundError:
            return "gone"

    def test_a_preserved_crash(self):
        """on_crash 'preserve': a guest that panicked is kept to be looked at, by the next daemon too."""
        guest = self.start(
            "web1",
            machine="q35",
            devices="<panic model='isa'/>",
            extra="<on_crash>preserve</on_crash>",
        )
        self.client.call("domain.resume", domain="web1")
        pid = guest.pid()
        #   The port at which a kernel tells the device that it panicked.
        self.daemon.run("qemu-monitor-command", "web1", "--hmp", "o /b 0x505 1")
        guest.wait_state("crashed", "panicked")
        self.daemon.kill()
        self.restart()
        guest = Guest(self, guest.uuid)
        until(lambda: "found crashed" in self.daemon.log(), what="its adoption")
        until(lambda: not self.client.call("domain.jobs"), what="the end of its adoption")
        self.assertEqual(guest.state(), ("crashed", "panicked"))
        self.assertEqual(guest.pid(), pid)
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(processes_of(guest.uuid), [])

    def test_many_restarts(self):
        (guest,) = self.boot("web1")
        pid = guest.pid()
        for unused in range(5):
            self.daemon.kill()
            self.restart()
            self.assertEqual(Guest(self, "web1").state()[0], "running")
        guest = Guest(self, guest.uuid).open()
        self.assertEqual((guest.run("echo here"), guest.pid()), ("here", pid))

    def test_unreadable_files(self):
        """Set aside, with a clear word; the others are served."""
        uuids = {}
        for name in ("good", "torn", "empty"):
            uuids[name] = self.client.call("domain.define", xml=qemu_domain(name))["uuid"]
        self.client.call("domain.create", domain="good", paused=True)
        self.daemon.kill()
        folder = os.path.join(self.daemon.root, "etc", "troupe", "qemu")
        with open(os.path.join(folder, uuids["torn"] + ".xml"), "r+") as file:
            file.truncate(100)
        with open(os.path.join(folder, uuids["empty"] + ".xml"), "w"):
            pass
        with open(os.path.join(folder, "notes.txt"), "w") as file:
            file.write("not a definition")
        self.restart()
        names = {row["name"] for row in self.client.call("domain.list", all=True)}
        self.assertEqual(names, {"good"})
        self.assertEqual(len(processes_of(uuids["good"])), 1)
        for name in ("torn", "empty"):
            until(lambda: uuids[name] in self.daemon.log(), what="a word of it in the log")
            self.assertTrue(glob.glob(os.path.join(folder, uuids[name] + ".xml?*")), os.listdir(folder))
        self.client.call("domain.define", xml=qemu_domain("torn", uuid=uuids["torn"]))

    def test_unreadable_status(self):
        """The guest's own file of live state is damaged: its definition and the others live on."""
        good = self.client.call("domain.create_xml", xml=qemu_domain("good"), paused=True)["uuid"]
        bad = self.client.call("domain.define", xml=qemu_domain("bad"))["uuid"]
        self.client.call("domain.create", domain="bad", paused=True)
        (orphan,) = processes_of(bad)
        self.addCleanup(lambda: processes_of(bad) and os.kill(orphan, signal.SIGKILL))
        self.daemon.kill()
        (path,) = glob.glob(os.path.join(self.daemon.root, "run", "troupe", "qemu", bad + "*status"))
        with open(path, "w") as file:
            file.write("<status")
        self.restart()
        self.assertEqual(len(processes_of(good)), 1)
        self.assertEqual(Guest(self, good).state()[0], "paused")
        until(lambda: bad in self.daemon.log(), what="a word of it in the log")
        #   It runs, and is known to.
        Guest(self, bad).wait_state("paused", "starting up")
        info = self.client.call("domain.info", domain="bad")
        self.assertTrue(info["persistent"])
        ids = [row["id"] for row in self.client.call("domain.list")]
        self.assertEqual(len(set(ids)), 2, ids)
        self.assertEqual(processes_of(bad), [orphan])
        with self.assertRaisesRegex(TroupeError, "already running"):
            self.client.call("domain.create", domain="bad")
        guest = Guest(self, bad).open()
        self.client.call("domain.resume", domain="bad")
        guest.wait_up()
        self.assertEqual(guest.run("echo here"), "here")
        self.client.call("domain.destroy", domain="bad")
        self.assertEqual(processes_of(bad), [])

    def test_half_a_status(self):
        """A file that tells of a guest, but not all: the guest is not taken for one that is off."""
        uuid = self.client.call("domain.define", xml=qemu_domain("web1"))["uuid"]
        for tag in ("live", "record"):
            if not processes_of(uuid):
                self.client.call("domain.create", domain="web1", paused=True)
            (pid,) = processes_of(uuid)
            self.daemon.kill()
            path = os.path.join(self.daemon.root, "run", "troupe", "qemu", uuid + ".status")
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(re.sub("<%s>.*</%s>" % (tag, tag), "<%s/>" % tag, text, flags=re.DOTALL))
            self.restart()
            Guest(self, uuid).wait_state("paused", "starting up")
            self.assertEqual(processes_of(uuid), [pid])
            with self.assertRaisesRegex(TroupeError, "already running"):
                self.client.call("domain.create", domain="web1")
            self.assertTrue(glob.glob(path + ".broken-*"), os.listdir(os.path.dirname(path)))
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(processes_of(uuid), [])

    def test_lost_status(self):
        """Nothing at all is left of a guest but its process: it is found, and can be ended; a socket
        that nobody listens at is only removed."""
        files = "<memoryBacking><source type='file'/></memoryBacking>"
        lost = self.client.call("domain.create_xml", xml=qemu_domain("lost", vcpus=2, extra=files))["uuid"]
        dead = self.client.call("domain.create_xml", xml=qemu_domain("dead", extra=files))["uuid"]
        folder = os.path.join(self.daemon.root, "run", "troupe", "qemu")
        ram = os.path.join(self.daemon.root, "var/lib/troupe/qemu/ram")
        self.assertEqual(sorted(os.listdir(ram)), sorted([lost, dead]))
        self.daemon.kill()
        (pid,) = processes_of(dead)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not processes_of(dead), 20, "its end")
        for uuid in (lost, dead):
            os.unlink(os.path.join(folder, uuid + ".status"))
        os.mkdir(os.path.join(ram, "6f0a0b5e-1c1f-4d63-9a44-3f2f5f3d2a10"))  # of one that ended with its host
        self.restart()
        rows = self.client.call("domain.list", all=True)
        self.assertEqual([row["name"] for row in rows], ["lost"], self.daemon.log())
        self.assertEqual(os.listdir(ram), [lost])
        (row,) = rows
        self.assertEqual((row["name"], row["uuid"], row["persistent"]), ("lost", lost, False))
        Guest(self, lost).wait_state("running", "unknown")
        info = self.client.call("domain.info", domain="lost")
        self.assertEqual((info["vcpus"], info["max_memory_kib"]), (2, 128 * 1024))
        self.assertGreater(info["id"], 0)
        self.client.call("domain.destroy", domain="lost")
        self.assertEqual(processes_of(lost), [])
        self.assertEqual(os.listdir(folder), [])
        self.assertEqual(os.listdir(ram), [])
        self.assertEqual(self.daemon.cgroups(), [])

    def test_autostart(self):
        self.client.call("domain.define", xml=qemu_domain("web1"))
        self.client.call("domain.autostart", domain="web1")
        os.makedirs(self.daemon.root + "/run", exist_ok=True)
        self.daemon.stop()
        #   As after the host's start: /run is empty.
        for path in glob.glob(self.daemon.root + "/run/troupe/autostarted"):
            os.unlink(path)
        self.restart()
        Guest(self, "web1").wait_state("running", "booted")


if __name__ == "__main__":
    unittest.main()
