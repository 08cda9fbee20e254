"""A guest's share of the host's resources: QEMU's cgroups, and where its threads run."""

import json
import os
import unittest

from cgroups import MIB, Cgroups
from guest import QemuTest, processes_of, qemu_domain
from harness import until
from troupe_client import TroupeError

TUNED = """
  <iothreads>1</iothreads>
  <memtune><hard_limit unit='MiB'>900</hard_limit></memtune>
  <blkiotune><weight>300</weight></blkiotune>
  <cputune>
    <shares>512</shares><global_period>50000</global_period><global_quota>40000</global_quota>
    <vcpupin vcpu='1' cpuset='1'/><emulatorpin cpuset='0'/><iothreadpin iothread='1' cpuset='1'/>
  </cputune>
"""


@unittest.skipUnless(os.geteuid() == 0, "cgroups need root")
@unittest.skipUnless(len(os.sched_getaffinity(0)) > 1, "threads are pinned to the CPUs 0 and 1")
class Tuning(Cgroups, QemuTest):
    def define(self, name, **parts):
        self.client.call("domain.define", xml=qemu_domain(name, **parts))
        return self.client.call("domain.info", domain=name)["uuid"]

    def threads(self, uuid):
        """What each kind of QEMU's threads may run on."""
        (pid,) = processes_of(uuid)
        info = self.client.call("domain.monitor_command", domain=uuid, command='{"execute": "query-cpus-fast"}')
        own = {vcpu["thread-id"]: f"vcpu{vcpu['cpu-index']}" for vcpu in self.json(info)}
        info = self.client.call("domain.monitor_command", domain=uuid, command='{"execute": "query-iothreads"}')
        own |= {thread["thread-id"]: thread["id"] for thread in self.json(info)}
        found = {}
        for thread in map(int, os.listdir(f"/proc/{pid}/task")):
            try:
                cpus = os.sched_getaffinity(thread)
            except ProcessLookupError:
                continue
            found.setdefault(own.get(thread, "emulator"), set()).add(tuple(sorted(cpus & {0, 1})))
        return found

    def json(self, answer):
        reply = json.loads(answer["reply"] if isinstance(answer, dict) else answer)
        return reply["return"]

    def assertNothingLeft(self):
        until(lambda: not self.cgroups(), what="the end of its cgroups")

    def test_life(self):
        uuid = self.define("web1", vcpus=2, extra=TUNED)
        try:
            self.client.call("domain.create", domain=uuid, paused=True)
        except TroupeError as error:
            self.assertIn("not supported", str(error))
            self.skipTest(f"this host's cgroups can't: {error}")
        first = {"memory": str(900 * MIB), "shares": "512", "period": "50000", "quota": "40000", "weight": "300"}
        self.assertValues(uuid, **first)
        (pid,) = processes_of(uuid)
        with open(f"/proc/{pid}/cgroup") as file:
            self.assertIn(f"/{uuid}\n", file.read())
        pins = {"vcpu0": {(0, 1)}, "vcpu1": {(1,)}, "emulator": {(0,)}, "iothread1": {(1,)}}
        self.assertEqual(self.threads(uuid), pins)

        #   Live, at once.
        self.client.call("event.subscribe", verbs=["domain.tunable"])
        self.daemon.run("vcpupin", "web1", "0", "1", "--live")
        event = self.client.next_event("domain.tunable")
        self.assertEqual(event["args"]["params"], {"cputune.vcpupin0": "1"})
        self.daemon.run("emulatorpin", "web1", "r")
        self.daemon.run("iothreadpin", "web1", "1", "0-1", "--live", "--config")
        self.daemon.run("schedinfo", "web1", "--set", "cpu_shares=700", "global_quota=-1")
        now = {**first, "shares": "700", "quota": self.unlimited(uuid)}
        pins = {"vcpu0": {(1,)}, "vcpu1": {(1,)}, "emulator": {(0, 1)}, "iothread1": {(0, 1)}}
        self.assertEqual(self.threads(uuid), pins)
        self.assertValues(uuid, **now)
        self.assertRegex(self.daemon.run("vcpupin", "web1"), r" 0 +1\n 1 +1\n")
        self.assertRegex(self.daemon.run("iothreadinfo", "web1", "--config"), r" 1 +0-1\n")

        #   What changes nothing.
        before = self.daemon.run("dumpxml", "web1")
        for verb, args, why in (
            ("domain.vcpu_pin", {"vcpu": 0, "cpus": "1000"}, "none of them"),
            ("domain.vcpu_pin", {"vcpu": 2, "cpus": "0"}, "from 0 to 1"),
            ("domain.iothread_pin", {"iothread": 2, "cpus": "0"}, "it has 1 of them"),
            ("domain.scheduler_parameters_set", {"vcpu_quota": 5000}, "not supported"),
            ("domain.memory_parameters_set", {"swap_hard_limit": 5}, "swap"),
            ("domain.vcpus_set", {"vcpus": 1}, "can't be unplugged"),
        ):
            with self.subTest(verb), self.assertRaisesRegex(TroupeError, why):
                self.client.call(verb, domain=uuid, live=True, **args)
        self.assertEqual(before, self.daemon.run("dumpxml", "web1"))
        self.assertEqual(self.threads(uuid), pins)
        self.assertValues(uuid, **now)

        #   The next daemon has the same; the next start what its definition says.
        self.restart()
        self.assertEqual(self.threads(uuid), pins)
        self.daemon.run("schedinfo", "web1", "--live", "--set", "cpu_shares=800")
        self.assertValues(uuid, **{**now, "shares": "800"})
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()

    def test_balloon(self):
        uuid = self.define("web1", devices="<memballoon model='virtio'/>")
        self.daemon.run("setmaxmem", "web1", "160MiB", "--config")
        self.client.call("domain.create", domain=uuid, paused=True)
        self.daemon.run("setmem", "web1", "100MiB", "--live", "--config")
        self.assertRegex(self.daemon.run("dominfo", "web1"), r"Max memory: +163840 KiB\nUsed memory: +102400 KiB")
        self.assertRegex(self.daemon.run("dumpxml", "web1", "--inactive"), r"<currentMemory unit='KiB'>102400<")
        self.daemon.run("destroy", "web1")
        self.daemon.run("setvcpus", "web1", "3", "--maximum", "--config")
        self.daemon.run("setvcpus", "web1", "2", "--config")
        self.assertRegex(self.daemon.run("vcpucount", "web1"), r"maximum +config +3\ncurrent +config +2\n")
        self.assertNothingLeft()


del QemuTest

if __name__ == "__main__":
    unittest.main()
