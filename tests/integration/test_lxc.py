"""Containers: from libvirt's XML to a shell inside, and to nothing left of it."""

import os
import re
import signal
import unittest

import harness
from cgroups import Cgroups
from container import SHELL, Shell, Terminal, container_xml, make_root
from harness import DaemonTest, until
from troupe_client import TroupeError


class ContainerTest(Cgroups, DaemonTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("containers need root")
        self.root = make_root(os.path.join(self.daemon.root, "root"))
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)

    def define(self, name, **parts):
        return self.client.call("domain.define", xml=container_xml(name, self.root, **parts))["uuid"]

    def start(self, name, **parts):
        uuid = self.define(name, **parts)
        self.client.call("domain.create", domain=uuid)
        return uuid

    def path_of_console(self, name, alias="console0"):
        live = self.daemon.run("dumpxml", name)
        console = rf"tty='([^']*)'>(?:(?!</console>).)*<alias name='{alias}'/>"
        return re.search(console, live, re.DOTALL).group(1)

    def console(self, name):
        shell = Shell(self.path_of_console(name))
        self.addCleanup(shell.close)
        return shell

    def state(self, name):
        return self.daemon.run("domstate", name, "--reason").strip()

    def left(self):
        """What is there of containers: processes, cgroups, files."""
        run = os.path.join(self.daemon.root, "run", "troupe", "lxc")
        files = [name for name in os.listdir(run) if not name.startswith(".")]
        return self.daemon.processes()[1:] + self.cgroups() + files  # the first is the daemon itself

    def assertNothingLeft(self):
        #   Of a container that ended by itself, or that an earlier daemon left, the files go last.
        until(lambda: not self.left(), what="the end of what is left of containers")

    def supervisor(self):
        return int(next(line.split()[0] for line in self.daemon.processes() if "troupe-container" in line))

    def init(self, uuid):
        path = os.path.join(self.daemon.root, "run", "troupe", "lxc", f"{uuid}.init")
        with open(path) as file:
            return int(file.read().split(":")[0])


class Life(ContainerTest):
    def test_from_start_to_end(self):
        uuid = self.start("web1")
        self.assertEqual(self.state("web1"), "running (booted)")
        shell = self.console("web1")
        self.assertEqual(shell.run("cat /proc/1/comm; hostname"), ("sh\nweb1", 0))
        self.assertRegex(self.daemon.run("dominfo", "web1"), r"OS Type: +exe\n")
        self.assertRegex(self.daemon.run("list"), r"web1 +running")
        usage = self.client.call("domain.usage", domain=uuid)
        self.assertGreater(usage["cpu_ns"], 0)
        self.assertGreater(usage["rss_kib"], 0)

        self.daemon.run("suspend", "web1")
        self.assertEqual(self.state("web1"), "paused (user)")
        shell.type("echo aw''ake")
        stat = self.freeze_state(uuid)
        self.assertTrue(stat, "it is not frozen")
        self.daemon.run("resume", "web1")
        shell.read_until("awake")

        self.adopted(uuid, shell)
        self.daemon.run("destroy", "web1")
        self.assertEqual(self.state("web1"), "shut off (destroyed)")
        self.assertNothingLeft()

        #   The same again, paused at first.
        self.daemon.run("start", "web1", "--paused")
        self.assertEqual(self.state("web1"), "paused (user)")
        self.daemon.run("destroy", "web1")
        self.assertNothingLeft()
        self.daemon.run("undefine", "web1")

    def freeze_state(self, uuid):
        for folder in self.cgroups():
            for name, frozen in (("cgroup.events", "frozen 1"), ("freezer.state", "FROZEN")):
                path = os.path.join(folder, uuid, name)
                if os.path.exists(path):
                    with open(path) as file:
                        if frozen in file.read():
                            return True
        return False

    def adopted(self, uuid, shell):
        """A daemon that is killed is followed by one that has the container, running or paused."""
        for stop in (self.daemon.kill, self.daemon.stop):
            stop()
            self.assertEqual(shell.run("echo alone"), ("alone", 0))
            self.daemon.start()
            self.assertEqual(self.state("web1"), "running (unpaused)")
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.client.call("domain.suspend", domain=uuid)
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.state("web1"), "paused (user)")
        self.client = self.daemon.client()
        self.addCleanup(self.client.close)
        self.client.call("domain.resume", domain=uuid)
        self.assertEqual(shell.run("echo again"), ("again", 0))

    def test_ends_by_itself(self):
        """How it ends, while the daemon watches and while it is away."""
        self.client.call("event.subscribe", verbs=["domain.lifecycle", "domain.reboot"])
        for command, state in (("exit 0", "shutdown"), ("exit 3", "shutdown"), ("poweroff -f", "shutdown")):
            self.start("web1")
            self.console("web1").type(command)
            until(lambda: self.state("web1") == f"shut off ({state})", what=command)
            self.assertNothingLeft()
        self.daemon.run("start", "web1")
        shell = self.console("web1")
        self.daemon.stop()
        shell.type("exit 0")
        self.daemon.start()
        until(lambda: self.state("web1") == "shut off (shutdown)", what="its end")
        self.assertNothingLeft()

    def test_why_it_ended_survives_the_daemon(self):
        """The daemon is killed while it cleans up behind a container whose supervisor was killed."""
        if not os.path.exists(f"{harness.CGROUPS}/freezer/tasks"):
            self.skipTest("only a freezer of cgroups version 1 keeps a process from being killed")
        uuid = self.start("web1")
        freezer = os.path.join(harness.CGROUPS, "freezer", f"test-{uuid}")
        os.mkdir(freezer)
        self.addCleanup(os.rmdir, freezer)
        self.addCleanup(self.write_cgroup, freezer, "freezer.state", "THAWED")
        init = self.init(uuid)
        self.write_cgroup(freezer, "cgroup.procs", str(init))
        self.write_cgroup(freezer, "freezer.state", "FROZEN")
        os.kill(self.supervisor(), signal.SIGKILL)
        status = os.path.join(self.daemon.root, "run", "troupe", "lxc", f"{uuid}.status")
        until(lambda: "<end " in self.content(status), what="a record of the end")
        self.daemon.kill()
        self.write_cgroup(freezer, "freezer.state", "THAWED")
        until(lambda: not self.content(f"{freezer}/cgroup.procs"), what="the end of init")
        self.daemon.start()
        until(lambda: self.state("web1") == "shut off (crashed)", what="its end")
        self.assertNothingLeft()

    @staticmethod
    def write_cgroup(folder, name, text):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)

    @staticmethod
    def content(path):
        with open(path) as file:
            return file.read()

    def test_shutdown(self):
        """Init is asked by a signal that it handles, and whatever it does then counts as asked for."""
        uuid = self.start("web1")
        with self.assertRaisesRegex(TroupeError, "does not handle signal 15"):
            self.client.call("domain.shutdown", domain=uuid)
        with self.assertRaisesRegex(TroupeError, "not supported.*initctl or signal"):
            self.client.call("domain.shutdown", domain=uuid, mode="acpi")
        with self.assertRaisesRegex(TroupeError, "nobody in it listens"):
            self.client.call("domain.shutdown", domain=uuid, mode="initctl")
        shell = self.console("web1")
        shell.run("mkfifo /tmp/initctl")
        #   A link is followed inside only: there is no such place.
        shell.run("ln -s /proc/1/root/../../../../etc/passwd /dev/initctl")
        with self.assertRaisesRegex(TroupeError, "nobody in it listens"):
            self.client.call("domain.shutdown", domain=uuid, mode="initctl")
        shell.run("rm /dev/initctl; ln -s /tmp/initctl /dev/initctl; (head -c 384 /tmp/initctl | "
                  "od -An -tx1 | head -n 1; echo ca''me) &")
        until(lambda: self.asked("domain.shutdown", uuid, mode="initctl"), what="a listener")
        shell.read_until(r"69 19 09 03 01 00 00 00 30 00 00 00 .*came")
        self.client.call("domain.destroy", domain=uuid)

        self.start("web1", init="/sbin/init", args=())
        until(lambda: self.asked("domain.shutdown", uuid), what="an init that handles signals")
        until(lambda: self.state("web1") == "shut off (shutdown)", what="its end")
        self.assertNothingLeft()

    def asked(self, verb, uuid, **how):
        """False while init is not there yet to be asked."""
        try:
            self.client.call(verb, domain=uuid, **how)
            return True
        except TroupeError:
            return False

    def test_reboot(self):
        """From inside and from outside: a new init, the same consoles; and not with on_reboot destroy."""
        self.client.call("event.subscribe", verbs=["domain.reboot"])
        uuid = self.start("web1")
        shell, first = self.console("web1"), self.init(uuid)
        shell.type("reboot -f")
        self.client.next_event("domain.reboot")
        self.assertNotEqual(self.init(uuid), first)
        self.assertEqual(self.state("web1"), "running (booted)")
        self.assertEqual(Shell.run(self.console("web1"), "echo anew"), ("anew", 0))
        self.client.call("domain.destroy", domain=uuid)

        self.start("web1", init="/sbin/init", args=())
        until(lambda: self.asked("domain.reboot", uuid), what="an init that handles signals")
        self.client.next_event("domain.reboot")
        self.client.call("domain.destroy", domain=uuid)
        self.start("web1", extra="<on_reboot>destroy</on_reboot>")
        self.console("web1").type("reboot -f")
        until(lambda: self.state("web1") == "shut off (shutdown)", what="its end")
        self.start("web1", extra="<on_poweroff>restart</on_poweroff>")
        first = self.init(uuid)
        self.console("web1").type("exit 0")
        until(lambda: self.init(uuid) != first and self.state("web1") == "running (booted)", what="a new start")
        self.client.call("domain.destroy", domain=uuid)
        self.assertNothingLeft()

    def test_killed(self):
        """Whoever is killed, nothing is left; not even an init that does not want to go."""
        uuid = self.start("web1")
        os.kill(self.supervisor(), signal.SIGKILL)
        until(lambda: self.state("web1") == "shut off (crashed)", what="its end")
        self.assertNothingLeft()
        self.start("web1")
        os.kill(self.init(uuid), signal.SIGKILL)
        until(lambda: self.state("web1") == "shut off (crashed)", what="its end")
        self.assertNothingLeft()
        self.start("web1")
        supervisor = self.supervisor()
        self.daemon.kill()
        os.kill(supervisor, signal.SIGKILL)
        self.daemon.start()
        until(lambda: self.state("web1") == "shut off (crashed)", what="its end")
        self.assertNothingLeft()


class Inside(ContainerTest):
    def test_what_it_sees(self):
        """The environment, the devices, the file systems that were asked for, and nothing of the host's."""
        shared = os.path.join(self.daemon.root, "shared")
        os.makedirs(shared)
        with open(os.path.join(shared, "file"), "w") as file:
            file.write("of the host")
        devices = f"""
            <filesystem><source dir='{shared}'/><target dir='/data'/></filesystem>
            <filesystem><source dir='{shared}'/><target dir='/ro'/><readonly/></filesystem>
            <filesystem type='ram'><source usage='2' units='MiB'/><target dir='/run'/></filesystem>
            <filesystem type='bind'><source dir='/data'/><target dir='/data2'/></filesystem>
            <console type='pty'/><console type='pty'/>"""
        uuid = self.start(
            "web1", devices=devices, args=(*SHELL, "two words"),
            os_extra="<initenv name='COLOR'>blue</initenv><initdir>/etc</initdir>",
        )  # fmt: skip
        shell = self.console("web1")
        environment = shell.run("tr '\\0' '\\n' </proc/1/environ")[0].split("\n")
        self.assertEqual(sorted(line for line in environment if line), sorted([
            "PATH=/bin:/usr/bin:/sbin:/usr/sbin", "TERM=linux", "HOME=/", "container=lxc-libvirt",
            f"container_uuid={uuid}", f"LIBVIRT_LXC_UUID={uuid}", "LIBVIRT_LXC_NAME=web1",
            f"LIBVIRT_LXC_CMDLINE={' '.join(SHELL)} two words", "container_ttys=pts/1", "COLOR=blue",
        ]))  # fmt: skip
        self.assertEqual(shell.run("readlink /proc/1/cwd"), ("/etc", 0))
        self.assertEqual(shell.run("ls /proc/1/fd | grep -v -x '[012]'"), ("", 1))
        self.assertEqual(
            sorted(shell.run("ls /dev")[0].split()),
            "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty tty1 tty2 urandom zero".split(),
        )
        self.assertEqual(shell.run("cat /data/file; cat /data2/file"), ("of the hostof the host", 0))
        self.assertNotEqual(shell.run("echo x >/ro/file")[1], 0)
        self.assertEqual(shell.run("df -k /run | tail -n 1 | awk '{print $2}'"), ("2048", 0))
        self.assertEqual(shell.run("ip link | grep -c '^[0-9]'"), ("1", 0))
        mounts = shell.run("cut -d' ' -f5 /proc/self/mountinfo")[0].split()
        self.assertIn("/data", mounts)
        self.assertNotIn(self.daemon.root, shell.run("cut -d' ' -f5 /proc/self/mountinfo")[0])
        self.assertLess(int(shell.run("ls -d /proc/[0-9]* | wc -l")[0]), 10)
        shell.type("read line </dev/tty2; echo got-$line >/dev/tty2")
        second = Terminal(self.path_of_console("web1", "console1"))
        self.addCleanup(second.close)
        second.type("hello")
        second.read_until("got-hello")
        self.assertEqual([line for line in self.daemon.mounts() if "/data" in line], [])

    def test_no_way_out(self):
        """Init is root, and reaches nothing outside."""
        self.start("web1")
        shell = self.console("web1")
        with open("/proc/sys/kernel/hostname") as file:
            hostname = file.read()
        attempts = (
            "mount -t tmpfs none /tmp", "mount -o remount,rw /sys", "mount -t proc none /tmp",
            "mount -t cgroup -o memory none /tmp", "mount --bind /dev /tmp", "umount /proc/sys",
            "mknod /tmp/disk b 254 0", "mknod /dev/disk b 254 0", "cat /dev/mem",
            "echo x >/proc/sys/kernel/hostname", "echo /tmp/x >/proc/sys/kernel/core_pattern",
            "echo b >/proc/sysrq-trigger", "echo 0 >/proc/sys/vm/overcommit_memory",
            "echo 1 >/sys/kernel/mm/ksm/run", "echo offline >/sys/devices/system/memory/memory0/state",
            "cat /proc/kcore", "ls /sys/firmware | grep .", "cat /proc/keys | grep .", "dmesg",
            "nsenter -t 1 -m true", "unshare -m true", "unshare -U true", "unshare -n true", "unshare -p true",
            "chroot /proc/1/root/../.. ls /tmp/troupe", "adjtimex -f 1", "insmod /tmp/x.ko",
            "renice -n -10 1", "swapon /tmp/x", "hwclock -w", "sysctl -w kernel.panic=1",
            "find / -name release_agent | grep .", "kill -0 2147", "ls /proc/1/root/proc/2147",
        )  # fmt: skip
        for attempt in attempts:
            output, status = shell.run(attempt)
            self.assertNotEqual(status, 0, f"{attempt}: {output}")
        with open("/proc/sys/kernel/hostname") as file:
            self.assertEqual(file.read(), hostname)
        self.assertEqual(shell.run("true"), ("", 0))

    def test_the_program_is_out_of_reach(self):
        """What the supervisor runs, and init before its own program, is a copy that can't be written."""
        self.start("web1")
        program = f"/proc/{self.supervisor()}/exe"
        self.assertIn("memfd:", os.readlink(program))
        with self.assertRaises(OSError):
            open(program, "r+b").close()

    def test_identity_and_capabilities(self):
        """Another user, by the container's own names; what the definition leaves of root."""
        #   The shell is a user's: what it may not do ends it no more than what it may.
        self.start("web1", os_extra="<inituser>web</inituser><initgroup>extra</initgroup>")
        shell = self.console("web1")
        self.assertEqual(shell.run("/bin/busybox id"), ("uid=1000(web) gid=1002(extra)", 0))
        none = "\n".join(f"Cap{kind}:\t0000000000000000" for kind in ("Inh", "Prm", "Eff"))
        self.assertEqual(shell.run("/bin/busybox grep -E 'Cap(Inh|Prm|Eff)' /proc/1/status"), (none, 0))
        self.daemon.run("destroy", "web1")
        self.start("web1", os_extra="<inituser>+1000</inituser>")
        self.assertEqual(
            self.console("web1").run("/bin/busybox id -u; /bin/busybox id -g"), ("1000\n1001", 0)
        )
        self.daemon.run("destroy", "web1")
        self.start("web1", features="<capabilities policy='deny'><chown state='on'/></capabilities>")
        self.assertEqual(
            self.console("web1").run("/bin/busybox grep CapBnd /proc/1/status"), ("CapBnd:\t0000000000000001", 0)
        )
        self.daemon.run("destroy", "web1")
        self.define("web1", os_extra="<inituser>nobody-here</inituser>")
        with self.assertRaisesRegex(TroupeError, "os/inituser 'nobody-here'.*no such user"):
            self.client.call("domain.create", domain="web1")
        #   A pipe in its place holds up nobody.
        passwd = os.path.join(self.root, "etc", "passwd")
        os.unlink(passwd)
        os.mkfifo(passwd)
        with self.assertRaisesRegex(TroupeError, "os/inituser 'nobody-here'.*no such user"):
            self.client.call("domain.create", domain="web1")
        self.assertNothingLeft()

    def test_refusals(self):
        """What can't be done is refused in one line, and nothing is left."""
        refused = (
            ({"init": "/bin/none"}, "execute '/bin/none'.*No such file"),
            ({"os_extra": "<initdir>/none</initdir>"}, "<initdir> '/none'.*No such file"),
            ({"devices": "<filesystem><source dir='/none'/><target dir='/x'/></filesystem>"}, "'/x'.*'/none'"),
        )
        for parts, message in refused:
            self.define("web1", **parts)
            with self.assertRaisesRegex(TroupeError, message):
                self.client.call("domain.create", domain="web1")
            self.assertNothingLeft()
        unsupported = (
            ({"devices": "<interface type='user'/>"}, "devices/interface/@type 'user'"),
            ({"devices": "<disk/>"}, "<devices/disk>"),
            ({"devices": "<filesystem type='template'/>"}, "filesystem/@type 'template'"),
            ({"features": "<capabilities><none state='on'/></capabilities>"}, "capabilities/none"),
            ({"extra": "<clock offset='localtime'/>"}, "clock/@offset 'localtime'"),
        )
        for parts, message in unsupported:
            with self.assertRaisesRegex(TroupeError, f"not supported: .*{message}"):
                self.client.call("domain.define", xml=container_xml("web2", self.root, **parts))


if __name__ == "__main__":
    unittest.main()
