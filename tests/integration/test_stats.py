"""Statistics of many domains in one call; a QEMU that hangs delays nobody beyond the budget."""

import os
import re
import signal
import subprocess
import unittest

from guest import QemuTest, processes_of, qemu_domain, stop_process
from harness import test_domain, until, within
from troupe_client import TroupeError


def sectors(path):
    """The size of a file, as QEMU counts it."""
    return (os.path.getsize(path) + 511) // 512 * 512


class Stats(QemuTest):
    def stats(self, **args):
        """By name."""
        return {row["name"]: row for row in self.client.call("domain.stats", **args)}

    def answered(self, name, **args):
        """All rows, if NAME's guest answered."""
        rows = self.stats(**args)
        return None if rows[name]["stale"] else rows

    def answer(self, name, **args):
        """The guest's row, once it has answered."""
        return until(lambda: self.answered(name, budget=5000, **args), what="an answer")[name]

    def test_one_guest(self):
        """Every group of a guest with a disk, under libvirt's names."""
        path = os.path.join(self.daemon.root, "disk.raw")
        subprocess.run(["truncate", "-s", "8M", path], check=True)
        disk = f"<disk type='file'><source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
        xml = qemu_domain("web1", devices="<console type='pty'/>" + disk, extra="<iothreads>2</iothreads>", vcpus=2)
        self.client.call("domain.create_xml", xml=xml)
        row = self.answer("web1")
        self.assertIsNone(row["error"])
        stats = row["stats"]
        for name, value in {
            "state.state": 1,
            "state.reason": 1,
            "balloon.maximum": 128 * 1024,
            "balloon.current": 128 * 1024,
            "vcpu.current": 2,
            "vcpu.maximum": 2,
            "vcpu.1.state": 1,
            "net.count": 0,
            "block.count": 1,
            "block.0.name": "vda",
            "block.0.path": path,
            "block.0.capacity": 8 << 20,
            "iothread.count": 2,
        }.items():
            self.assertEqual(stats[name], value, name)
        self.assertEqual(stats["cpu.time"], stats["cpu.user"] + stats["cpu.system"])
        self.assertGreater(stats["balloon.rss"], 0)
        self.assertIn("block.0.rd.reqs", stats)
        until(lambda: self.stats(budget=5000)["web1"]["stats"]["vcpu.0.time"] > stats["vcpu.0.time"], 30, "CPU time")
        groups = self.answer("web1", block=True, state=True)["stats"]
        self.assertEqual({name.split(".")[0] for name in groups}, {"block", "state"})

    def test_chain(self):
        """With --backing each image of a disk is told by itself."""
        base, top = (os.path.join(self.daemon.root, name) for name in ("base.qcow2", "top.qcow2"))
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "4M"], check=True)
        behind = ["-b", base, "-F", "qcow2"]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *behind, top, "8M"], check=True)
        disk = (
            f"<disk type='file'><driver name='qemu' type='qcow2'/><source file='{top}'/>"
            "<target dev='vda' bus='virtio'/></disk>"
        )
        self.client.call("domain.create_xml", xml=qemu_domain("web1", devices="<console type='pty'/>" + disk))
        row = self.answer("web1")["stats"]
        self.assertEqual(row["block.count"], 1)
        self.assertEqual(row["block.0.physical"], sectors(top))
        self.assertNotIn("block.1.name", row)
        self.assertFalse([name for name in row if name.startswith("backing.")])
        self.assertEqual(row["dirtyrate.calc_status"], 0)
        row = self.answer("web1", block=True, backing=True)["stats"]
        for name, value in {
            "block.count": 2,
            "block.0.path": top,
            "block.0.capacity": 8 << 20,
            "block.1.name": "vda",
            "block.1.backingIndex": 1,
            "block.1.path": base,
            "block.1.capacity": 4 << 20,
            "block.1.physical": sectors(base),
        }.items():
            self.assertEqual(row[name], value, name)
        self.assertNotIn("block.0.backingIndex", row)
        said = self.daemon.run("domblkstat", "web1", "vda")
        self.assertRegex(said, r"^vda rd_req \d+\nvda rd_bytes \d+\n")
        self.assertEqual(self.daemon.run("domblkstat", "web1", top).count(f"{top} "), said.count("vda "))
        self.assertIn(" number of bytes read ", self.daemon.run("domblkstat", "web1", "--human"))
        out = self.daemon.run("domstats", "--block", "--backing", "--raw", "--nowait", "web1")
        self.assertIn("  block.1.backingIndex=1\n", out)

    def test_which_domains(self):
        for name in ("on", "off"):
            self.client.call("domain.define", xml=test_domain(name))
        self.client.call("domain.create", domain="on")
        self.assertEqual(set(self.stats()), {"on", "off"})
        self.assertEqual(set(self.stats(active=True)), {"on"})
        self.assertEqual(set(self.stats(inactive=True)), {"off"})
        self.assertEqual(set(self.stats(domains=["off"])), {"off"})
        off = self.stats()["off"]
        self.assertEqual((off["stats"]["state.state"], off["stale"]), (5, False))
        self.assertNotIn("cpu.time", off["stats"])
        with self.assertRaises(TroupeError):
            self.stats(domains=["nobody"])
        self.client.call("domain.create_xml", xml=test_domain("passing"))
        self.client.call("domain.suspend", domain="passing")
        for option, names in {
            "--list-active": ["on", "passing"],
            "--list-inactive": ["off"],
            "--list-persistent": ["off", "on"],
            "--list-transient": ["passing"],
            "--list-running": ["on"],
            "--list-paused": ["passing"],
            "--list-shutoff": ["off"],
            "--list-other": [],
        }.items():
            out = self.daemon.run("domstats", option, "--state")
            self.assertEqual(sorted(re.findall("Domain: '(.*)'", out)), names, option)
        self.client.call("domain.destroy", domain="passing")
        out = self.daemon.run("domstats", "--state", "--cpu-total", "on")
        self.assertRegex(out, r"^Domain: 'on'\n  state.state=1\n  state.reason=1\n  cpu.time=\d+\n\n$")
        self.assertRegex(self.daemon.run("domstats", "--list-inactive", "--state"), r"^Domain: 'off'\n")

    def test_what_is_not_supported(self):
        """Absent, unless who asks insists; nothing else is then told either."""
        self.client.call("domain.create_xml", xml=test_domain("on"))
        self.assertEqual(self.stats(perf=True, memory=True)["on"]["stats"], {})
        with self.assertRaisesRegex(TroupeError, "not supported: 'memory'") as caught:
            self.stats(state=True, enforce=True, memory=True)
        self.assertEqual(caught.exception.name, "VIR_ERR_NO_SUPPORT")
        with self.assertRaisesRegex(TroupeError, "not supported: performance events"):
            self.client.call("domain.perf_set", domain="on", enable=["cpu_clock"])
        self.assertIn("state.state=1", self.daemon.run("domstats", "--enforce", "--state", "on"))
        self.daemon.run("domstats", "--list-active", "on", status=2)

    def test_perf(self):
        """Events are counted from the start, or from when they are enabled; the document says which."""
        perf = "<perf><event name='page_faults' enabled='yes'/><event name='cpu_clock' enabled='no'/></perf>"
        xml = qemu_domain("web1", extra=perf)
        self.client.call("domain.define", xml=xml)
        self.client.call("domain.create", domain="web1")

        def counted():
            return self.stats(perf=True, budget=5000)["web1"]["stats"]

        until(lambda: set(counted()) == {"perf.page_faults"}, what="the counter of page faults")
        self.assertGreater(counted()["perf.page_faults"], 1000)  # of all of QEMU's memory so far
        self.assertIn("page_faults              : enabled\n", self.daemon.run("perf", "web1"))
        events = "cpu_clock,context_switches"
        self.daemon.run("perf", "web1", "--enable", events, "--disable", "page_faults", "--live", "--config")
        names = {"perf.cpu_clock", "perf.context_switches"}
        until(lambda: set(counted()) == names, what="other counters")
        first = counted()
        until(lambda: counted()["perf.cpu_clock"] > first["perf.cpu_clock"], what="time of the vcpus")

        def check_documents():
            for options in ([], ["--config"]):
                shown = self.daemon.json("perf", "web1", *options)
                self.assertEqual({name for name in shown if shown[name]}, {"cpu_clock", "context_switches"})

        check_documents()
        #   The processor's own events are not counted on every host; what was counted goes on.
        refused = self.daemon.run("perf", "web1", "--enable", "cpu_cycles", "--live", status=None)
        if refused.returncode:
            self.assertRegex(refused.stderr, "not supported: performance event 'cpu_cycles'")
            self.assertEqual(set(counted()), names)
            self.assertNotIn("cpu_cycles", self.client.call("domain.xml", domain="web1")["xml"])
        for enable in (["no_such_event"], ["cmt"]):
            with self.assertRaisesRegex(TroupeError, "there is no event"):
                self.client.call("domain.perf_set", domain="web1", enable=enable)
        self.daemon.run("perf", "web1", "--disable", "cpu_cycles", "--live")
        self.daemon.kill()
        self.restart()
        until(lambda: set(counted()) == names, what="the counters of the next daemon")
        check_documents()
        self.client.call("domain.destroy", domain="web1")
        self.assertEqual(counted(), {})
        with self.assertRaisesRegex(TroupeError, "perf/event/@name 'mbmt'"):
            self.client.call("domain.define", xml=xml.replace("page_faults", "mbmt"))
        with self.assertRaisesRegex(TroupeError, "there twice"):
            self.client.call("domain.define", xml=xml.replace("page_faults", "cpu_clock"))

    def test_one_hangs(self):
        """It is reported from its last values, flagged; never asked before, it says so."""
        uuids = {}
        for name in ("hung", "fresh", "web1"):
            uuids[name] = self.client.call("domain.create_xml", xml=qemu_domain(name))["uuid"]
        known = self.answer("hung", domains=["hung"])
        for name in ("hung", "fresh"):
            (pid,) = processes_of(uuids[name])
            stop_process(pid)
            self.addCleanup(lambda pid=pid: os.path.exists(f"/proc/{pid}") and os.kill(pid, signal.SIGCONT))
        #   The budget is for all at once; a guest that runs may miss it on a slow day.
        rows = until(lambda: within(self, 6, lambda: self.answered("web1", budget=1000)), what="web1's figures")
        hung, fresh, web1 = rows["hung"], rows["fresh"], rows["web1"]
        self.assertTrue(hung["stale"])
        self.assertGreater(hung["age_ms"], 0)
        self.assertEqual(hung["stats"]["cpu.time"], known["stats"]["cpu.time"])
        self.assertEqual(hung["stats"]["state.state"], 1)
        self.assertTrue(fresh["stale"])
        self.assertRegex(fresh["error"], "did not answer within the budget")
        self.assertEqual(fresh["stats"]["state.state"], 1)
        self.assertFalse(web1["stale"])
        self.assertIn("last known values", self.daemon.run("domstats", "hung"))
        #   What is known anyway needs nobody's answer.
        self.assertFalse(self.stats(state=True)["hung"]["stale"])
        #   A daemon that ends in the middle of a call ends well.
        self.client.send("domain.stats", budget=20000)
        self.client.call("session.ping")
        self.daemon.stop()
        self.restart()


if __name__ == "__main__":
    unittest.main()
