"""Every command of the command line, in both outputs, against a real daemon with simulated guests."""

import json
import os
import re
import signal
import subprocess
import unittest

from harness import BIN, PATIENCE, Daemon, DaemonTest, behaviour, test_domain, until

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

#   A life of one domain. What the text output has to match, as a whole or (search) a part of it, and
#   which keys the JSON output has (None: it is null; a list stands for an array of such maps).
LIFE = [
    (["define", "FILE"], r"Domain 'web1' defined from .*\n", {"uuid", "name", "id"}),
    (["list", "--all"], r" Id   Name   State\n-{23}\n -    web1   shut off\n\n", ["uuid", "state"]),
    (["list"], r" Id   Name   State\n-+\n\n", []),
    (["domid", "web1"], r"-\n", {"uuid", "name", "id"}),
    (["domuuid", "web1"], UUID + "\n", {"uuid"}),
    (["domstate", "web1"], r"shut off\n", {"state", "reason", "state_text", "reason_text"}),
    (["vcpucount", "web1"], r"maximum +config +2\ncurrent +config +2\n", {"config_max"}),
    (["vcpucount", "web1", "--maximum", "--config"], r"2\n", {"config_max"}),
    (["autostart", "web1"], r"Domain 'web1' marked as autostarted\n", None),
    (["list", "--all", "--autostart", "--name"], r"web1\n", ["name"]),
    (["autostart", "web1", "--disable"], r"Domain 'web1' unmarked as autostarted\n", None),
    (["desc", "web1"], r"No description for domain: web1\n", None),
    (["desc", "web1", "the", "first", "one"], r"Domain description updated successfully\n", None),
    (["desc", "web1"], r"the first one\n", {"metadata"}),
    (["desc", "web1", "the", "other", "--config"], r"Domain description updated successfully\n", None),
    (["desc", "web1", "--config"], r"the other\n", {"metadata"}),
    (["desc", "web1", "--title", "One"], r"Domain title updated successfully\n", None),
    (["list", "--all", "--title"], r" Id   Name   State      Title\n-+\n.*  One\n\n", ["title"]),
    (
        ["metadata", "web1", "http://x.example/", "--key", "x", "--set", "<a b='c'/>"],
        r"Metadata modified\n",
        None,
    ),
    (["metadata", "web1", "http://x.example/"], r"<(x:)?a .*b=.c./>\n", {"metadata"}),
    (["metadata", "web1", "--uri", "http://x.example/", "--remove"], r"Metadata removed\n", None),
    (["perf", "web1"], r"(\w+ *: disabled\n)+", {"cpu_clock", "page_faults"}),
    (["setmaxmem", "web1", "96MiB", "--config"], "", None),
    (["setmem", "web1", "65536", "--config"], "", None),
    (["setvcpus", "web1", "2", "--config"], "", None),
    (["vcpuinfo", "web1"], r"(VCPU: .*CPU: +N/A\nState: +N/A\nCPU time: +N/A\nCPU Affinity: +y+\n\n)+", ["stats"]),
    (["setvcpu", "web1", "1", "--disable", "--config"], "", None),
    (["setvcpu", "web1", "1", "--enable", "--config"], "", None),
    (["memtune", "web1", "--hard-limit", "1GiB", "--config"], "", None),
    (["memtune", "web1"], r"hard_limit +: 1048576\nsoft_limit +: unlimited\nswap_hard_limit: .*", {"hard_limit"}),
    (["memtune", "web1", "--hard-limit", "-1"], "", None),
    (["blkiotune", "web1", "--weight", "500"], "", None),
    (["blkiotune", "web1"], r"weight +: 500\ndevice_weight +: \n.*", {"weight", "device_weight"}),
    (["schedinfo", "web1", "cpu_shares=100"], r"Scheduler +: posix\ncpu_shares +: 100\n.*", {"cpu_shares"}),
    (["numatune", "web1", "--mode", "interleave", "--nodeset", "0"], "", None),
    (["numatune", "web1"], r"numa_mode +: interleave\nnuma_nodeset +: 0\n", {"numa_mode", "numa_nodeset"}),
    (["vcpupin", "web1", "1", "0"], "", None),
    (["vcpupin", "web1", "--vcpu", "1"], r" VCPU +CPU Affinity\n-+\n 1 +0\n", ["number", "cpus"]),
    (["vcpupin", "web1", "1", "r"], "", None),
    (["emulatorpin", "web1", "0"], "", None),
    (["emulatorpin", "web1"], r"emulator: CPU Affinity\n-+\n +\*: 0\n", {"cpus"}),
    (["iothreadadd", "web1", "3", "--config"], "", None),
    (["iothreadset", "web1", "3", "--poll-max-ns", "0", "--config"], "", None),
    (["iothreaddel", "web1", "3", "--config"], "", None),
    (["iothreadinfo", "web1"], r" IOThread ID CPU Affinity\n-+\n", []),
    (["domrename", "web1", "web2"], r"Domain successfully renamed\n", None),
    (["domrename", "web2", "web1"], r"Domain successfully renamed\n", None),
    (["start", "--paused", "web1"], r"Domain 'web1' started\n", {"uuid", "name", "id"}),
    (["domstate", "--reason", "web1"], r"paused \(.*\)\n", {"reason_text"}),
    (["resume", "web1"], r"Domain 'web1' resumed\n", None),
    (["suspend", "--domain", "web1"], r"Domain 'web1' suspended\n", None),
    (["resume", "--domain=web1"], r"Domain 'web1' resumed\n", None),
    (["list"], r" Id   Name   State\n-{22}\n \d+    web1   running\n\n", ["uuid", "name", "id"]),
    (["list", "--state-running", "--uuid"], UUID + "\n", ["uuid"]),
    (["dominfo", "web1"], r"Id: +\d+\nName: +web1\n.*Used memory: +65536 KiB\n.*", {"usage"}),
    (["domname", "ID"], r"web1\n", {"name"}),
    (["dumpxml", "web1"], r"<domain .*<name>web1</name>.*</domain>\n", {"xml"}),
    (["dumpxml", "--inactive", "web1"], r"<domain .*</domain>\n", {"xml"}),
    (["domcontrol", "web1"], r"ok\n", {"state"}),
    (["dommemstat", "web1"], r"actual 65536\nlast_update \d+\nrss \d+\n", {"memory_kib"}),
    (["cpu-stats", "web1", "--total"], r"Total:\n\tcpu_time +\d+\.\d{9} seconds\n", {"cpu.time"}),
    (["domblkstat", "web1"], r" rd_req 0\n rd_bytes 0\n.* flush_total_times 0\n", {"block.count"}),
    (["vcpucount", "web1", "--live", "--active"], r"2\n", {"live_max", "live_current"}),
    (["reboot", "web1"], r"Domain 'web1' is being rebooted\n", None),
    (["reset", "web1"], r"Domain 'web1' was reset\n", None),
    (["shutdown", "web1", "--mode", "acpi"], r"Domain 'web1' is being shutdown\n", None),
    (["WAIT", "shut off"], None, None),
    (["start", "web1"], r"Domain 'web1' started\n", {"id"}),
    (["destroy", "web1", "--graceful"], r"Domain 'web1' destroyed\n", None),
    (["undefine", "web1"], r"Domain 'web1' has been undefined\n", None),
    (["create", "FILE", "--paused"], r"Domain 'web1' created from .*\n", {"uuid", "name", "id"}),
    (["list", "--transient", "--name"], r"web1\n", ["name"]),
    (["destroy", "web1"], r"Domain 'web1' destroyed\n", None),
    (["list", "--all", "--name"], r"", []),
    (["nodeinfo"], r"CPU model: .*Memory size: +\d+ KiB\n", {"cpus", "memory_kib"}),
    (["hostname"], r"\S+\n", {"hostname"}),
    (["nodememstats"], r"total  : +\d+ KiB\nfree   : .*cached : +\d+ KiB\n", {"total_kib", "cached_kib"}),
    (["nodecpustats"], r"user   : +\d+\n.*iowait : +\d+\n", {"user_ns", "idle_ns"}),
    (["nodecpumap", "--pretty"], r"CPUs present: +\d+\n.*CPU map: +[-\d,]+\n", {"present", "online", "map"}),
    (["freecell", "--all"], r"( +\d+: +\d+ KiB\n)+-{20}\nTotal: +\d+ KiB\n", ["cell", "free_kib"]),
    (["freepages"], r"Node 0:\n(\d+KiB: \d+\n)+.*", ["cell", "size_kib", "free", "total"]),
    (["capabilities"], r"<capabilities>.*</capabilities>\n", {"xml"}),
    (["version"], r"Command line: +troupe .*Drivers: .*test.*\n", {"troupe", "drivers"}),
    (["hypervisor", "test"], r"test \d+\.\d+\.\d+\n", {"driver", "version"}),
    (["uri"], r"ipc:///.*troupe.sock\n", {"uri"}),
    (["ps"], r" Address +State .*\n host +.*", ["address", "handled"]),
    (["link-list"], r" Index +Name +Kind +MAC +State +Bridge +Owner +Key\n-+\n\n", []),
    (["session.ping"], r"Session: .*Role: +admin\n.*", {"role"}),
    (["event", "--list"], r"lifecycle\n.*", "lifecycle"),
]

#   Commands that have tests of their own, below, in test_cli_lasting.py, test_jobs.py, test_remote.py, test_stats.py or
#   test_qemu_*.py.
ELSEWHERE = {
    "attach-device",
    "attach-disk",
    "attach-interface",
    "blkdeviotune",
    "domiftune",
    "change-media",
    "detach-device",
    "detach-device-alias",
    "detach-disk",
    "detach-interface",
    "domif-getlink",
    "domifstat",
    "domif-setlink",
    "update-device",
    "iothreadpin",
    "net-autostart",
    "net-check",
    "net-create",
    "net-define",
    "net-desc",
    "net-destroy",
    "net-dhcp-leases",
    "net-dumpxml",
    "net-edit",
    "net-event",
    "net-info",
    "net-list",
    "net-metadata",
    "net-name",
    "net-port-create",
    "net-port-delete",
    "net-port-dumpxml",
    "net-port-list",
    "net-start",
    "net-undefine",
    "net-update",
    "net-uuid",
    "nodedev-detach",
    "nodedev-dumpxml",
    "nodedev-event",
    "nodedev-info",
    "nodedev-list",
    "nodedev-reattach",
    "nodedev-reset",
    "blockcommit",
    "blockcopy",
    "blockjob",
    "blockpull",
    "blockresize",
    "backup-begin",
    "backup-dumpxml",
    "checkpoint-create",
    "checkpoint-create-as",
    "checkpoint-delete",
    "checkpoint-dumpxml",
    "checkpoint-edit",
    "checkpoint-info",
    "checkpoint-list",
    "checkpoint-parent",
    "dump",
    "node-memory-tune",
    "allocpages",
    "send-key",
    "inject-nmi",
    "domblkthreshold",
    "send-process-signal",
    "dompmsuspend",
    "dompmwakeup",
    "domdirtyrate-calc",
    "set-lifecycle-action",
    "get-user-sshkeys",
    "guest-agent-timeout",
    "set-user-sshkeys",
    "domdisplay",
    "iface-list",
    "iface-dumpxml",
    "iface-name",
    "iface-mac",
    "domcapabilities",
    "cpu-models",
    "cpu-compare",
    "cpu-baseline",
    "hypervisor-cpu-compare",
    "hypervisor-cpu-baseline",
    "maxvcpus",
    "domxml-to-native",
    "sysinfo",
    "key-add",
    "key-list",
    "key-own",
    "key-remove",
    "managedsave",
    "managedsave-define",
    "managedsave-dumpxml",
    "managedsave-edit",
    "managedsave-remove",
    "migrate",
    "migrate-compcache",
    "migrate-getmaxdowntime",
    "migrate-getspeed",
    "migrate-postcopy",
    "migrate-setmaxdowntime",
    "migrate-setspeed",
    "restore",
    "save",
    "save-image-define",
    "save-image-dumpxml",
    "save-image-edit",
    "screenshot",
    "snapshot-create",
    "snapshot-create-as",
    "snapshot-current",
    "snapshot-delete",
    "snapshot-dumpxml",
    "snapshot-edit",
    "snapshot-info",
    "snapshot-list",
    "snapshot-parent",
    "snapshot-revert",
    "completion",
    "console",
    "domjobabort",
    "domjobinfo",
    "domstats",
    "edit",
    "event",
    "exit",
    "help",
    "jobs",
    "domfsfreeze",
    "domblkerror",
    "domblkinfo",
    "domblklist",
    "domiflist",
    "domfsinfo",
    "domfsthaw",
    "domfstrim",
    "domhostname",
    "domifaddr",
    "domtime",
    "guestinfo",
    "guestvcpus",
    "set-user-password",
    "qemu-agent-command",
    "qemu-monitor-command",
    "lxc-enter-namespace",
    "quit",
    "trace",
    "ttyconsole",
}


class Commands(DaemonTest):
    def check_json(self, document, keys):
        if keys is None:
            self.assertIsNone(document)
        elif isinstance(keys, str):
            self.assertIn(keys, document)
        elif isinstance(keys, list):
            self.assertIsInstance(document, list)
            self.assertEqual(bool(keys), bool(document))
            for row in document:
                self.assertLessEqual(set(keys), set(row))
        else:
            self.assertLessEqual(keys, set(document))

    def arguments(self, args):
        """The words of LIFE stand for a file and for an id."""
        words = {"FILE": self.file}
        if "ID" in args:
            words["ID"] = str(self.daemon.json("domid", "web1")["id"])
        return [words.get(arg, arg) for arg in args]

    def live(self, check):
        self.file = self.write("web1.xml", test_domain("web1"))
        for args, text, keys in LIFE:
            with self.subTest(command=" ".join(args)):
                if args[0] == "WAIT":
                    until(lambda: args[1] in self.daemon.run("domstate", "web1"), 10, args[1])
                else:
                    check(self.arguments(args), text, keys)

    def test_text(self):
        def check(args, text, keys):
            self.assertRegex(self.daemon.run(*args), re.compile(rf"\A(?:{text})\Z", re.S))

        self.live(check)

    def test_json(self):
        def check(args, text, keys):
            self.check_json(self.daemon.json(*args), keys)

        self.live(check)

    def test_quiet(self):
        file = self.write("web1.xml", test_domain("web1"))
        self.assertEqual(self.daemon.run("-q", "define", file), "")
        self.assertEqual(self.daemon.run("start", "web1", "-q"), "")
        self.assertEqual(self.daemon.run("-q", "domstate", "web1"), "running\n")

    def test_no_command_is_forgotten(self):
        listed = set(re.findall(r"^    ([a-z-]+) ", self.daemon.run("help"), re.M))
        self.assertGreater(len(listed), 30)
        self.assertEqual(listed, {args[0] for args, *_ in LIFE if args[0] in listed} | ELSEWHERE)

    def test_help_of_every_command(self):
        for command in re.findall(r"^    ([a-z-]+) ", self.daemon.run("help"), re.M):
            text = self.daemon.run("help", command)
            self.assertIn(f"  NAME\n    {command} - ", text)
            self.assertIn(f"  SYNOPSIS\n    {command}", text)
            self.assertEqual(text, self.daemon.run(command, "--help"))

    def test_definition_from_stdin(self):
        self.daemon.run("define", "-", input=test_domain("web1"))
        self.assertEqual(self.daemon.run("list", "--all", "--name"), "web1\n")

    def test_devices(self):
        devices = (
            "<disk type='file' device='disk'><source file='/images/web.qcow2'/><target dev='vda'/></disk>"
            "<disk type='file' device='cdrom'><target dev='sda'/></disk>"
            "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>"
            "<interface type='bridge'><source bridge='br0'/><target dev='web'/>"
            "<mac address='52:54:00:00:00:02'/></interface>"
        )
        self.daemon.run("define", "/dev/stdin", input=test_domain("web9", devices))
        self.addCleanup(self.daemon.run, "undefine", "web9")
        self.assertRegex(
            self.daemon.run("domiflist", "web9"),
            r"^ Interface +Type +Source +Model +MAC *\n-+\n"
            r" - +user +- +virtio +52:54:00:00:00:01 *\n web +bridge +br0 +- +52:54:00:00:00:02 *\n\n$",
        )
        self.assertRegex(
            self.daemon.run("domblklist", "web9"),
            r"^ Target +Source *\n-+\n vda +/images/web.qcow2 *\n sda +- *\n\n$",
        )
        self.assertRegex(self.daemon.run("domblklist", "web9", "--details"), r"\n file +cdrom +sda +- *\n")
        self.assertEqual(
            self.daemon.json("domblklist", "web9"),
            [{"target": "vda", "source": "/images/web.qcow2"}, {"target": "sda", "source": None}],
        )

    def test_order_of_the_list(self):
        for name in ("d", "b", "c", "a"):
            self.define(name)
        for name in ("c", "b"):
            self.daemon.run("start", name)
        self.assertEqual(self.daemon.run("list", "--all", "--name").split(), ["c", "b", "a", "d"])

    def test_monitor_of_a_guest_without_one(self):
        self.define("web1")
        self.daemon.run("start", "web1")
        done = self.daemon.run("qemu-monitor-command", "web1", "query-status", status=None)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^error: .+\n$")


class Refusals(DaemonTest):
    def assertRefused(self, status, pattern, *args):
        done = self.daemon.run(*args, status=None)
        self.assertEqual(done.returncode, status, done)
        self.assertRegex(done.stderr, r"\Aerror: [^\n]*" + pattern + r"[^\n]*\n\Z")
        self.assertEqual(done.stdout, "")

    def test_usage(self):
        self.assertRefused(2, "unknown command 'nosuch'", "nosuch")
        self.assertRefused(2, "<domain> is missing", "start")
        self.assertRefused(2, "'web2' is one word too many", "start", "web1", "web2")
        self.assertRefused(2, "there is no option '--nosuch'", "list", "--nosuch")
        self.assertRefused(2, "one of acpi.agent", "shutdown", "web1", "--mode", "x")
        self.assertRefused(2, "there is no option '--nosuch'", "--nosuch")
        self.assertRefused(2, "has to be table or json", "--output", "yaml", "list")
        self.assertRefused(2, "--event or --all", "event")
        self.assertRefused(2, "no command or group 'nosuch'", "help", "nosuch")

    def test_mistakes(self):
        """What can't be meant is an error, and does nothing."""
        self.define("web1")
        self.daemon.run("start", "web1")
        self.assertRefused(1, "has no disk 'nosuch'", "blockjob", "web1", "nosuch")
        self.assertRefused(1, "the name of the file is empty", "save", "web1", "")
        self.assertRefused(2, "--wide goes with --history", "jobs", "--wide")
        self.assertEqual(self.daemon.run("domstate", "web1").strip(), "running")

    def test_history_is_not_too_wide(self):
        self.define("web1", extra=behaviour(f"<test:fault op='start' step='2' message='{'long ' * 60}'/>"))
        self.assertRefused(1, "long", "start", "web1")
        short = self.daemon.run("jobs", "--history").splitlines()
        self.assertLess(max(map(len, short)), 200)
        self.assertTrue(short[-2].endswith("..."), short)
        self.assertIn("long " * 59, self.daemon.run("jobs", "--history", "--wide"))

    def test_failures(self):
        self.define("web1")
        self.assertRefused(1, "'nobody'", "start", "nobody")
        self.assertRefused(1, "'web1' is not running", "suspend", "web1")
        self.assertRefused(1, "web1", "ttyconsole", "web1")
        self.assertRefused(1, "/nosuch/file", "define", "/nosuch/file")
        self.assertRefused(1, "define '.*/bad.xml': .*XML", "define", self.write("bad.xml", "<domain>"))

    def test_failure_as_json(self):
        done = self.daemon.run("start", "nobody", "--output", "json", status=None)
        self.assertEqual(done.returncode, 1)
        error = json.loads(done.stdout)["error"]
        self.assertEqual((error["code"], error["name"]), (42, "VIR_ERR_NO_DOMAIN"))
        self.assertEqual(done.stderr, f"error: {error['message']}\n")

    def test_read_only(self):
        self.define("web1")
        self.assertEqual(self.daemon.run("--readonly", "list", "--all", "--name"), "web1\n")
        self.assertRefused(1, "", "-r", "start", "web1")
        self.assertRefused(1, "", "-r", "dumpxml", "--security-info", "web1")

    def test_no_daemon(self):
        self.daemon.stop()
        self.assertRefused(1, "nobody listens there; start trouped", "list")

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                self.daemon.command("help"), stdout=full, stderr=subprocess.PIPE, text=True
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn("write to stdout", done.stderr)


class Editing(DaemonTest):
    def edit(self, editor, status=0):
        env = dict(os.environ, EDITOR=editor, TMPDIR=self.daemon.root)
        env.pop("VISUAL", None)
        return self.daemon.run("edit", "web1", status=None, env=env)

    def test_edit(self):
        self.define("web1")
        done = self.edit("sed -i s/65536/131072/")
        self.assertEqual(done.stdout, "Domain 'web1' XML configuration edited.\n", done)
        self.assertIn(">131072</memory>", self.daemon.run("dumpxml", "web1"))
        done = self.edit("true")
        self.assertEqual(done.stdout, "Domain 'web1' XML configuration not changed.\n", done)
        done = self.edit("false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was changed", done.stderr)
        self.assertEqual([f for f in os.listdir(self.daemon.root) if f.startswith("troupe-")], [])

    def test_text_is_not_lost(self):
        self.define("web1")
        done = self.edit("sed -i 's/<memory.*memory>//'")
        self.assertEqual(done.returncode, 1, done)
        path = re.search(r"your text is kept in (.*)\)", done.stderr)[1]
        with open(path) as file:
            self.assertIn("<name>web1</name>", file.read())


class Shell(DaemonTest):
    def test_commands_from_stdin(self):
        file = self.write("my guest.xml", test_domain("web1"))
        done = self.daemon.run(
            input=f"define '{file}'\n\n# a comment\nstart \"web1\" -q\nnosuch\ndomstate web1\n"
            "quit\ndestroy web1\n",
            status=None,
        )
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout, f"Domain 'web1' defined from {file}\nrunning\n")
        self.assertRegex(done.stderr, r"\Aerror: unknown command 'nosuch'.*\n\Z")

    def test_several_in_a_string(self):
        """As virsh has it: parted by semicolons, in the shell and as the one argument."""
        self.define("web1")
        self.assertEqual(self.daemon.run("domstate web1"), "shut off\n")
        both = "desc web1 'a; b' ; desc web1;"
        done = self.daemon.run(both)
        self.assertEqual(done, "Domain description updated successfully\na; b\n")
        self.assertEqual(self.daemon.run(input=both), done)
        done = self.daemon.run("domstate web1; domstate none", status=None)
        self.assertEqual((done.returncode, done.stdout), (1, "shut off\n"))
        self.assertEqual(self.daemon.run("# domstate none"), "")

    def test_status_is_the_last_ones(self):
        self.assertEqual(self.daemon.run(input="domstate x\n", status=None).returncode, 1)
        self.assertEqual(self.daemon.run(input="start 'x\n", status=None).returncode, 2)
        self.assertEqual(self.daemon.run(input="exit\n", status=None).returncode, 0)

    def test_several_in_one_argument(self):
        """Parted by semicolons and newlines, unless these are quoted; one that fails stops no other."""
        self.define("web1")
        self.define("a;b c")
        out = self.daemon.run("start web1; domstate web1;; # that's all; no\ndomstate \\\n 'a;b c';")
        self.assertEqual(out, "Domain 'web1' started\nrunning\nshut off\n")
        self.assertEqual(self.daemon.run("domstate a\\;b\\ c"), "shut off\n")
        done = self.daemon.run("-q", "nosuch; domstate nobody; domid web1 ;quit; destroy web1", status=None)
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"))
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)
        self.assertEqual(self.daemon.run("domid web1; nosuch", status=2), "1\n")
        #   Nothing is done of a line that can't be read to its end.
        self.assertEqual(self.daemon.run("destroy web1; domstate 'web1", status=2), "")
        self.assertEqual(self.daemon.run(input="domstate web1; domid web1\n"), "running\n1\n")

    def complete(self, *words):
        script = self.write("completion.bash", self.daemon.run("completion", "bash"))
        #   compopt works only while bash completes for a user.
        code = (
            f'source {script}; PATH={BIN}:$PATH; compopt () {{ :; }}; COMP_WORDS=("$@"); '
            'COMP_CWORD=$(($# - 1)); _troupe; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", code, "bash", "troupe", "--root", self.daemon.root, *words],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion(self):
        self.define("web1")
        self.define("db")
        self.assertEqual(self.complete("sta"), ["start"])
        self.assertEqual(sorted(self.complete("start", "")), ["db", "web1"])
        self.assertEqual(self.complete("start", "w"), ["web1"])
        self.assertEqual(self.complete("start", "--pau"), ["--paused"])
        self.assertEqual(self.complete("shutdown", "--mode", "ag"), ["agent", "agent,acpi"])
        self.assertEqual(self.complete("--output", "j"), ["json"])
        self.assertEqual(self.complete("help", "domst"), ["domstate", "domstats"])
        self.assertIn("/etc/passwd", self.complete("define", "/etc/pass"))


class Session(unittest.TestCase):
    @staticmethod
    def daemon_of(folder):
        """The pid of the session daemon whose home is FOLDER."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ") as environ, open(f"/proc/{pid}/comm") as name:
                    if name.read() == "trouped\n" and f"HOME={folder}\0" in environ.read():
                        return int(pid)
            except OSError:
                pass
        raise AssertionError("there is no session daemon")

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user")
    def test_starts_by_itself(self):
        home = Daemon()  # only its folder
        self.addCleanup(home.remove)
        nobody = 65534
        os.chown(home.root, nobody, nobody)
        env = {"HOME": home.root, "XDG_RUNTIME_DIR": home.root, "PATH": os.environ["PATH"]}

        def run(*args, **other):
            return subprocess.run(
                [os.path.join(BIN, "troupe"), *args],
                user=nobody,
                group=nobody,
                extra_groups=[],
                env={**env, **other},
                capture_output=True,
                text=True,
                timeout=2 * PATIENCE,
            )

        if subprocess.run(["test", "-x", BIN], user=nobody).returncode != 0:
            self.skipTest("the build folder is not open to others")
        self.assertEqual(run("--no-start", "list").returncode, 1)
        done = run("session.ping", "--output", "json")
        self.assertEqual(done.returncode, 0, done)
        first = json.loads(run("version", "--output", "json").stdout)
        self.assertEqual(json.loads(run("session.ping", "--output", "json").stdout)["uid"], nobody)
        self.assertEqual(run("uri").stdout, f"ipc://{home.root}/troupe/troupe.sock\n")
        again = json.loads(run("version", "--output", "json").stdout)
        self.assertEqual(first["instance"], again["instance"])
        #   Another login of the same user has other sockets, but the same definitions.
        other = os.path.join(home.root, "other")
        os.mkdir(other, 0o700)
        os.chown(other, nobody, nobody)
        done = run("list", XDG_RUNTIME_DIR=other)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^error: start the session daemon .*: another daemon serves .*\n$")
        self.assertEqual(json.loads(run("version", "--output", "json").stdout), again)
        daemon = self.daemon_of(home.root)
        os.kill(daemon, signal.SIGTERM)
        until(lambda: run("--no-start", "list").returncode == 1, what="the end of the daemon's service")
        #   It still has files to remove then; to the last one it has its log open.
        until(lambda: not home.processes(), what="the end of the daemon")


if __name__ == "__main__":
    unittest.main()
