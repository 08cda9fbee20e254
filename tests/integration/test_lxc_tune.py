"""A container's share of the host's resources: what its definition and the commands say is what the kernel has."""

import os
import unittest

from cgroups import MIB
from container import container_xml
from harness import DaemonTest  # noqa: F401  (the base of ContainerTest)
from test_lxc import ContainerTest
from troupe_client import TroupeError

DEVICE = "/dev/loop0"

TUNED = """
  <blkiotune><weight>300</weight></blkiotune>
  <memtune><hard_limit unit='MiB'>48</hard_limit><soft_limit unit='MiB'>32</soft_limit></memtune>
  <vcpu cpuset='0'>1</vcpu>
  <cputune><shares>512</shares><period>50000</period><quota>25000</quota></cputune>
  <numatune><memory mode='strict' nodeset='0'/></numatune>
"""


class Tuning(ContainerTest):
    def restart_daemon(self):
        self.daemon.kill()
        self.daemon.start()
        self.client.close()
        self.client = self.daemon.client()

    def start_tuned(self):
        uuid = self.define("web1", extra=TUNED)
        try:
            self.client.call("domain.create", domain=uuid)
        except TroupeError as error:
            self.assertIn("not supported", str(error))
            self.assertNothingLeft()
            self.skipTest(f"this host's cgroups can't: {error}")
        return uuid

    def test_life(self):
        uuid = self.start_tuned()
        first = {
            "memory": str(48 * MIB),
            "soft": str(32 * MIB),
            "shares": "512",
            "quota": "25000",
            "period": "50000",
            "cpus": "0",
            "weight": "300",
        }
        self.assertValues(uuid, **first)
        #   From inside: init is there.
        shell = self.console("web1")
        self.assertIn("Cpus_allowed_list:\t0\n", shell.run("cat /proc/self/status; echo")[0])

        #   Live: at once, and in no definition.
        self.client.call("event.subscribe", verbs=["domain.tunable"])
        self.daemon.run("schedinfo", "web1", "--live", "--set", "cpu_shares=2048", "vcpu_quota=-1")
        self.assertValues(uuid, shares="2048", quota=self.unlimited(uuid))
        event = self.client.next_event("domain.tunable")
        self.assertEqual(event["args"]["params"], {"cputune.cpu_shares": 2048, "cputune.vcpu_quota": -1})
        self.daemon.run("memtune", "web1", "--hard-limit", "40MiB", "--live", "--config")
        self.assertValues(uuid, memory=str(40 * MIB))
        self.assertRegex(self.daemon.run("memtune", "web1"), r"hard_limit +: 40960\nsoft_limit +: 32768\nswap_hard")
        self.assertRegex(self.daemon.run("memtune", "web1", "--config"), r"hard_limit +: 40960\n")
        self.assertRegex(self.daemon.run("schedinfo", "web1", "--config"), r"cpu_shares +: 512\n")

        #   What changes nothing.
        before = self.daemon.run("dumpxml", "web1"), self.daemon.run("dumpxml", "web1", "--inactive")
        for verb, args, why in (
            ("domain.scheduler_parameters_set", {"cpu_shares": 4096, "vcpu_period": 5}, "from 1000 to 1000000"),
            ("domain.scheduler_parameters_set", {"cpu_shares": 4096, "emulator_quota": 5000}, "not supported"),
            ("domain.memory_parameters_set", {"hard_limit": 65536, "swap_hard_limit": 1024}, "swap"),
            ("domain.blkio_parameters_set", {"weight": 400, "device_read_bytes_sec": "/dev/null,5"}, "no block device"),
            ("domain.numa_parameters_set", {"numa_nodeset": "1000"}, "cpuset.mems"),
            ("domain.vcpu_pin", {"vcpu": 0, "cpus": "0"}, "not supported"),
            ("domain.vcpus_set", {"vcpus": 1, "maximum": True}, "running"),
        ):
            with self.subTest(verb, args=args), self.assertRaisesRegex(TroupeError, why):
                self.client.call(verb, domain=uuid, live=True, **args)
        self.assertEqual(before, (self.daemon.run("dumpxml", "web1"), self.daemon.run("dumpxml", "web1", "--inactive")))
        second = {**first, "memory": str(40 * MIB), "shares": "2048", "quota": self.unlimited(uuid)}
        self.assertValues(uuid, **second)

        #   The next daemon has the same; so has the next start what its definition says.
        self.restart_daemon()
        self.assertValues(uuid, **second)
        self.assertRegex(self.daemon.run("schedinfo", "web1"), r"cpu_shares +: 2048\n")
        self.daemon.run("blkiotune", "web1", "--weight", "0")
        self.assertEqual(self.value(uuid, "weight"), "100")
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()
        self.daemon.run("schedinfo", "web1", "--set", "vcpu_quota=30000")
        self.daemon.run("start", "web1")
        self.assertValues(uuid, **{**first, "memory": str(40 * MIB), "quota": "30000"})
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()

    def test_memory_is_its_limit(self):
        uuid = self.start("web1")
        self.needs(uuid, "memory")
        self.assertValues(uuid, memory=str(64 * MIB))
        self.daemon.run("setmem", "web1", "32MiB", "--live")
        self.assertValues(uuid, memory=str(32 * MIB))
        self.assertRegex(self.daemon.run("dominfo", "web1"), r"Used memory: +32768 KiB")
        shell = self.console("web1")
        if self.folder(uuid, "swap"):
            self.daemon.run("memtune", "web1", "--swap-hard-limit", "32MiB", "--live")
        #   Inside, nobody gets more: what wants it all is killed.
        self.assertEqual(shell.run("awk 'BEGIN { s = \"x\"; while (1) s = s s }'")[1], 137)
        self.daemon.run("memtune", "web1", "--swap-hard-limit", "-1", "--live")
        self.daemon.run("setmem", "web1", "64MiB")
        self.daemon.run("setmaxmem", "web1", "128MiB", "--config")
        with self.assertRaisesRegex(TroupeError, "more than it can have"):
            self.client.call("domain.memory_set", domain=uuid, memory_kib=100 * 1024)
        self.assertValues(uuid, memory=str(64 * MIB))

    def test_devices(self):
        if not os.path.exists(DEVICE):
            self.skipTest(f"there is no {DEVICE}")
        uuid = self.start("web1")
        self.needs(uuid, "reads")
        self.daemon.run("blkiotune", "web1", "--device-read-bytes-sec", f"{DEVICE},1048576")
        self.assertRegex(self.value(uuid, "reads"), r"^7:0 (rbps=)?1048576\b")
        self.daemon.run("blkiotune", "web1", "--device-write-iops-sec", f"{DEVICE},50")
        self.assertRegex(self.daemon.run("blkiotune", "web1"), rf"device_read_bytes_sec: {DEVICE},1048576\n")
        self.assertIn("<device>", self.daemon.run("dumpxml", "web1"))
        self.daemon.run("blkiotune", "web1", "--device-read-bytes-sec", f"{DEVICE},0")
        self.assertNotRegex(self.value(uuid, "reads"), "1048576")

    def test_what_a_host_lacks(self):
        """A partition that is not there: nothing starts, and nothing stays."""
        with self.assertRaisesRegex(TroupeError, "there is no cgroup '.*/nowhere/else'"):
            self.start("web1", extra="<resource><partition>/nowhere/else</partition></resource>")
        self.assertNothingLeft()
        for wrong, why in (
            ("<memtune><min_guarantee>5</min_guarantee></memtune>", "memtune/min_guarantee"),
            ("<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>", "cputune/vcpupin"),
            ("<cputune><shares>0.5</shares></cputune>", "cputune/shares"),
            ("<numatune><memory mode='interleave' nodeset='0'/></numatune>", "numatune/memory/@mode"),
        ):
            with self.subTest(wrong), self.assertRaisesRegex(TroupeError, why):
                self.client.call("domain.define", xml=container_xml("web2", self.root, extra=wrong))

    def test_a_partition(self):
        """It is where the administrator made it, in all hierarchies."""
        made = []
        self.addCleanup(lambda: [os.rmdir(path) for path in reversed(made)])
        with open("/proc/self/mounts") as file:
            mounts = [line.split()[1] for line in file if line.split()[2] in ("cgroup", "cgroup2")]
        name = f"troupe-test-{os.getpid()}"
        for mount in mounts:
            try:
                os.mkdir(os.path.join(mount, name))
            except OSError:
                continue
            made.append(os.path.join(mount, name))
            for file in ("cpuset.cpus", "cpuset.mems"):
                path = os.path.join(made[-1], file)
                if os.path.exists(path) and "cpuset" in mount:
                    with open(os.path.join(mount, file)) as above, open(path, "w") as below:
                        below.write(above.read())
        if not made:
            self.skipTest("this host has no cgroups that could be made")
        self.start("web1", extra=f"<resource><partition>/{name}</partition></resource>")
        for folder in self.cgroups():
            self.assertIn(f"/{name}/", folder)
        self.assertTrue(self.cgroups())
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()


del ContainerTest, DaemonTest

if __name__ == "__main__":
    unittest.main()
