"""The life of real guests: boot, console, pause, restart, and every way to end."""

import os
import re
import signal
import unittest

from guest import BOOT_SECONDS, Guest, QemuTest, processes_of, qemu_domain, stop_process
from harness import until
from troupe_client import NoAnswer


class Life(QemuTest):
    def test_from_define_to_undefine(self):
        self.client.call("event.subscribe")
        guest = self.start("web1", machine="q35")
        pid = guest.pid()
        self.assertEqual(guest.state()[0], "paused")
        guest.open()
        self.client.call("domain.resume", domain="web1")
        guest.wait_up()
        self.look(guest, pid)
        self.hold(guest)
        self.client.call("domain.shutdown", domain="web1")
        guest.wait_state("shut off", "shutdown")
        self.assertEqual(processes_of(guest.uuid), [])
        self.client.call("domain.undefine", domain="web1")
        self.assertEqual(self.client.call("domain.list", all=True), [])
        events = [f"{event} {detail}" for name, event, detail in self.events()]
        self.assertEqual(
            events,
            [
                "Defined Added",
                "Started Booted",
                "Suspended Paused",
                "Resumed Unpaused",
                "Suspended Paused",
                "Resumed Unpaused",
                "Shutdown Finished after guest request",
                "Stopped Shutdown",
                "Undefined Removed",
            ],
        )

    def events(self):
        """All lifecycle events up to the end of the definition."""
        events = []
        while not events or events[-1][1] != "Undefined":
            events += self.lifecycle(1)
        return events

    def look(self, guest, pid):
        """What the daemon says of the guest and what the guest says of itself are the same."""
        self.assertEqual(guest.run("hostname"), "web1")
        self.assertEqual(guest.run("echo $((6 * 7))"), "42")
        row = self.daemon.json("list")[0]
        self.assertEqual((row["name"], row["uuid"], row["state_text"]), ("web1", guest.uuid, "running"))
        info = self.client.call("domain.info", domain="web1")
        self.assertEqual((info["vcpus"], info["memory_kib"]), (1, 128 * 1024))
        self.assertEqual(guest.pid(), pid)
        xml = self.daemon.run("dumpxml", "web1")
        self.assertRegex(xml, r"<domain type='qemu' id='1'>")
        self.assertRegex(xml, r"machine='pc-q35-[0-9.]+'")
        tty = re.search(r"<source path='(/dev/pts/\d+)'/>", xml)[1]
        self.assertEqual(self.daemon.run("ttyconsole", "web1").strip(), tty)
        self.assertNotIn("<alias", self.daemon.run("dumpxml", "--inactive", "web1"))
        usage = self.client.call("domain.usage", domain="web1", budget=5000)
        self.assertGreater(usage["cpu_ns"], 10**8)
        self.assertGreater(usage["rss_kib"], 1024)
        reply = self.daemon.run("qemu-monitor-command", "web1", "query-status")
        self.assertRegex(reply, r'"status": ?"running"')
        reply = self.daemon.run("qemu-monitor-command", "web1", "--hmp", "info status")
        self.assertIn("VM status: running", reply)

    def hold(self, guest):
        """A guest on hold does not answer, and takes up where it was."""
        self.client.call("domain.suspend", domain="web1")
        self.assertEqual(guest.state(), ("paused", "user"))
        guest.forget()
        guest.type("echo a''wake")
        self.assertRaises(NoAnswer, guest.console.read_until, b"awake", 2)
        self.client.call("domain.resume", domain="web1")
        self.assertEqual(guest.state()[0], "running")
        guest.console.read_until(b"awake", 60)

    def test_restarts(self):
        """Reboot asks the guest, reset does not; the process stays, and so do id and console."""
        self.client.call("event.subscribe")
        (guest,) = self.boot("web1")
        pid = guest.pid()
        for restart in ("domain.reboot", "domain.reset", None):
            guest.forget()
            if restart:
                self.client.call(restart, domain="web1")
            else:
                guest.type("reboot")
            guest.wait_up()
            self.client.next_event("domain.reboot", name="web1")
            self.assertEqual((guest.pid(), guest.state()[0]), (pid, "running"))

    def test_ends(self):
        """Each way to end is told apart."""
        guests = dict(zip(("off", "killed", "cut", "asked"), self.boot("off", "killed", "cut", "asked")))
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        guests["off"].type("poweroff")
        os.kill(guests["killed"].pid(), signal.SIGKILL)
        self.client.call("domain.destroy", domain="cut")
        self.client.call("domain.destroy", domain="asked", graceful=True)
        guests["off"].wait_state("shut off", "shutdown")
        guests["killed"].wait_state("shut off", "crashed")
        guests["cut"].wait_state("shut off", "destroyed")
        guests["asked"].wait_state("shut off", "destroyed")
        ends = {}
        while len(ends) < 4:
            ((name, event, detail),) = self.lifecycle(1)
            if event == "Stopped":
                ends[name] = detail
        self.assertEqual(
            ends,
            {"off": "Shutdown", "killed": "Failed", "cut": "Destroyed", "asked": "Destroyed"},
        )
        for guest in guests.values():
            self.assertEqual(processes_of(guest.uuid), [])

    def test_a_process_that_does_not_react(self):
        """SIGSTOP: queries and others go on; destroy ends it."""
        self.client.call("domain.create_xml", xml=qemu_domain("stuck"))
        self.client.call("domain.create_xml", xml=qemu_domain("other"))
        uuid = self.client.call("domain.lookup", domain="stuck")["uuid"]
        until(lambda: not self.client.call("domain.usage", domain="stuck", budget=5000)["stale"], what="figures")
        stop_process(Guest(self, uuid).pid())
        usage = self.client.call("domain.usage", domain="stuck", budget=200)
        self.assertEqual(usage["stale"], True)
        self.assertEqual(self.client.call("domain.state", domain="stuck")["state_text"], "running")
        self.client.call("domain.suspend", domain="other")
        self.client.call("domain.destroy", domain="stuck")
        self.assertEqual(processes_of(uuid), [])

    def test_missing_sources(self):
        """What startupPolicy permits to miss is left out of the guest, and told; nothing else is."""
        media = "".join(
            f"<disk type='file' device='{device}'><source file='{self.daemon.root}/{dev}.img' startupPolicy='{policy}'/>"
            f"<target dev='{dev}' bus='{bus}'/></disk>"
            for device, dev, bus, policy in (
                ("cdrom", "sda", "sata", "optional"), ("cdrom", "sdb", "sata", "requisite"),
                ("disk", "vda", "virtio", "optional"), ("disk", "vdb", "virtio", "optional"),
            )
        )
        there = ("sdb", "vdb")
        for dev in there:
            with open(f"{self.daemon.root}/{dev}.img", "wb") as file:
                file.truncate(1 << 20)
        self.client.call("event.subscribe", verbs=["domain.disk_change"])
        self.start("web1", devices=media)
        told = [self.client.next_event("domain.disk_change")["args"] for _ in range(2)]
        self.assertEqual(
            [(args["path"], args["reason"], args["number"]) for args in told],
            [(f"{self.daemon.root}/sda.img", "emptied", 0), (f"{self.daemon.root}/vda.img", "dropped", 1)],
        )
        live = self.daemon.run("dumpxml", "web1")
        for dev in ("sda", "sdb", "vda", "vdb"):
            self.assertEqual(f"/{dev}.img" in live, dev in there, dev)
            self.assertEqual(f"<target dev='{dev}'" in live.replace('"', "'"), dev != "vda", dev)
            self.assertIn(f"/{dev}.img", self.daemon.run("dumpxml", "--inactive", "web1"))
        self.client.call("domain.destroy", domain="web1")
        os.unlink(f"{self.daemon.root}/sdb.img")
        refused = self.assertFails("VIR_ERR_SYSTEM_ERROR", self.client.call, "domain.create", domain="web1")
        self.assertIn("sdb.img", refused.message)
        wrong = qemu_domain("web2", devices=media.replace("optional", "requisite"))
        self.assertIn("'requisite' is for", self.assertFails("VIR_ERR_XML_ERROR", self.client.call,
                                                              "domain.define", xml=wrong).message)

    def test_transient(self):
        """No definition: it is forgotten at its end."""
        uuid = self.client.call("domain.create_xml", xml=qemu_domain("brief"))["uuid"]
        info = self.client.call("domain.info", domain="brief")
        self.assertEqual((info["persistent"], info["state_text"]), (False, "running"))
        self.client.call("domain.destroy", domain="brief")
        self.assertFails("VIR_ERR_NO_DOMAIN", self.client.call, "domain.info", domain="brief")
        self.assertEqual(processes_of(uuid), [])

    def test_starts_side_by_side(self):
        """Many at once, each answered, each a process of its own; all end at once as well."""
        names = [f"web{i}" for i in range(8)]
        for verb, args in (("domain.create", {"paused": True}), ("domain.destroy", {})):
            if verb == "domain.create":
                for name in names:
                    self.client.call("domain.define", xml=qemu_domain(name, memory_mib=32))
            ids = [self.client.send(verb, domain=name, **args) for name in names]
            for id in ids:
                self.client.wait(id, 120)
            running = verb == "domain.create"
            for row in self.client.call("domain.list", all=True):
                self.assertEqual(row["state_text"], "paused" if running else "shut off")
                self.assertEqual(len(processes_of(row["uuid"])), int(running))


class Devices(QemuTest):
    def test_what_the_guest_sees(self):
        disk = os.path.join(self.daemon.root, "disk.img")
        sealed = self.write("sealed.img", "sealed" + "." * (1024 * 1024 - 6))
        with open(disk, "wb") as file:
            file.truncate(2 * 1024 * 1024)
        (guest,) = self.boot(
            "web1",
            machine="q35",
            vcpus=2,
            devices=f"""<console type='pty'/>
            <disk><driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda'/>
              <serial>first</serial></disk>
            <disk><source file='{sealed}'/><target dev='vdb'/><readonly/></disk>
            <interface type='user'><mac address='52:54:00:01:02:03'/><model type='virtio'/></interface>
            <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>""",
        )
        self.assertEqual(guest.run("grep -c ^processor /proc/cpuinfo"), "2")
        self.assertEqual(guest.run("cat /sys/block/vda/size /sys/block/vda/serial"), "4096\nfirst")
        self.assertEqual(guest.run("head -c 6 /dev/vdb; cat /sys/block/vdb/ro"), "sealed1")
        self.assertEqual(guest.run("cat /sys/class/net/eth0/address"), "52:54:00:01:02:03")
        self.assertIn("virtio", guest.run("cat /sys/class/misc/hw_random/rng_available"))
        guest.run("echo written by the guest > /dev/vda; sync")
        with open(disk, "rb") as file:
            self.assertTrue(file.read().startswith(b"written by the guest\n"))

    def test_addresses_are_kept(self):
        """What was completed at the definition is the same at each start."""
        uuid = self.client.call(
            "domain.define",
            xml=qemu_domain("web1", machine="q35", devices="<interface type='user'/><console/>"),
        )["uuid"]
        seen = set()
        for unused in range(2):
            self.client.call("domain.create", domain=uuid, paused=True)
            xml = self.client.call("domain.xml", domain=uuid)["xml"]
            seen.add(tuple(re.findall(r"<mac address=.*?/>|<address type='pci'.*?/>", xml)))
            self.client.call("domain.destroy", domain=uuid)
        self.assertEqual(len(seen), 1)
        self.assertIn("52:54:00:", str(seen))


class Consoles(QemuTest):
    def test_taken_over(self):
        """One at a time; force takes it away, and says so to who had it."""
        (guest,) = self.boot("web1")
        with self.daemon.client() as other:
            self.assertFails("VIR_ERR_OPERATION_FAILED", other.console, "web1")
            taken = other.console("web1", force=True)
            while guest.console.ended is None:
                guest.console.read()
            taken.write(b"echo t''aken\n")
            taken.read_until(b"taken")
            taken.close()
        self.assertEqual(guest.open().run("echo mine"), "mine")

    def test_much_output(self):
        """More than any buffer holds comes complete and in order, and nobody else waits."""
        (guest,) = self.boot("web1")
        guest.forget()
        guest.type("seq $((0 + 1)) $((3 * 10000)); echo e''nd")
        self.client.call("session.ping")
        output = guest.console.read_until(b"end", 120)
        numbers = [int(word) for word in output.split() if word.isdigit()]
        self.assertEqual(numbers, list(range(1, 30001)))

    def test_boot_without_a_reader(self):
        """Nobody reads the console: the guest boots all the same."""
        self.client.call("domain.create_xml", xml=qemu_domain("web1"))
        guest = Guest(self, "web1")

        def answers():
            guest.open()
            guest.type("")
            try:
                guest.console.read_until(b"/ # ", 3)
                return True
            except Exception:
                return False
            finally:
                guest.console.close()

        until(answers, BOOT_SECONDS, "the guest's shell")


if __name__ == "__main__":
    unittest.main()
