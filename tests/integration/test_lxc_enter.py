"""Programs run inside a container from the host: troupe lxc-enter-namespace."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import BIN, PATIENCE, until
from libvirt_client import virsh
from test_lxc import ContainerTest
from test_lxc_idmap import IDMAP, UID, give
from troupe_client import TroupeError

CAPABILITIES = "grep -E 'CapEff|CapBnd|Seccomp:|NoNewPrivs' /proc/self/status"


class Entered(ContainerTest):
    def command(self, *words):
        return [os.path.join(BIN, "troupe"), "--root", self.daemon.root, "lxc-enter-namespace", *words]

    def enter(self, *words, **how):
        if "input" not in how:
            how["stdin"] = subprocess.DEVNULL
        command = self.command("web1", *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **how)

    def shell(self, script, **how):
        return self.enter("--", "/bin/sh", "-c", script, **how)

    def prepare(self, **parts):
        uuid = self.start("web1", **parts)
        inside = self.console("web1")
        inside.run("true")  # busybox's links are there now
        return uuid, inside

    def test_signal(self):
        """Processes are known by what they are called inside; others of the host are out of reach."""
        _, inside = self.prepare()
        pid = inside.run("sleep 1000 & echo $!")[0]
        send = ("send-process-signal", "web1")
        self.daemon.run(*send, pid, "nop")
        self.daemon.run(*send, pid, "SIG_USR1")
        there = f"grep -q sleeping /proc/{pid}/status 2>/dev/null && echo there || echo gone"
        until(lambda: inside.run(there)[0] == "gone", what="the end of a process")
        self.assertIn("no process 99999", self.daemon.run(*send, "99999", "kill", status=None).stderr)
        self.assertIn(f"no process {os.getpid()}", self.daemon.run(*send, str(os.getpid()), "0", status=None).stderr)
        self.assertIn("no signal 'sigh'", self.daemon.run(*send, "1", "sigh", status=None).stderr)
        self.assertIn("no signal '65'", self.daemon.run(*send, "1", "65", status=None).stderr)
        for wrong in (0, -1):
            with self.assertRaisesRegex(TroupeError, "is no process: the first is 1"):
                self.client.call("domain.send_signal", domain="web1", pid=wrong, signal="kill")
        self.client.call("event.subscribe", verbs=["domain.lifecycle"])
        done = virsh(self.daemon, *send, "1", "sigkill", connect="lxc:///system")
        self.assertEqual(done, "")
        until(lambda: self.client.call("domain.state", domain="web1")["state_text"] != "running", what="its end")

    def test_program(self):
        """It is where init is, with what init may; its streams are the caller's; its end is ours."""
        uuid, inside = self.prepare()
        done = self.enter("--noseclabel", "/bin/sh", "-c", "cat; echo out; echo no >&2; exit 7", input="in\n")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("in\nout\n", "no\n", 7))
        spaces = "for space in mnt pid uts ipc net cgroup user; do readlink /proc/self/ns/$space; done"
        self.assertEqual(self.shell(spaces).stdout.strip(), inside.run(spaces)[0])
        self.assertEqual(self.shell(CAPABILITIES).stdout.strip(), inside.run(CAPABILITIES)[0])
        groups = f"/proc/{self.init(uuid)}/cgroup"
        with open(groups) as file:
            ours = sorted(line for line in file.read().split("\n") if f"troupe-{self.instance()}" in line)
        reader, writer = os.pipe()
        with subprocess.Popen(self.command("web1", "/bin/cat"), stdin=reader) as cat:
            os.close(reader)
            until(lambda: self.cgroup_lines_of("cat", uuid) == ours, what="cat in the container's cgroups")
            os.close(writer)
            self.assertEqual(cat.wait(PATIENCE), 0)
        self.assertTrue(ours or not self.cgroups())

        #   Nothing comes with it but the streams.
        environment = self.shell("tr '\\0' '\\n' </proc/$$/environ | sort", env={**os.environ, "SECRET": "x"}).stdout
        self.assertEqual(environment.strip(), inside.run("tr '\\0' '\\n' </proc/1/environ | sort")[0].strip())
        self.assertEqual(self.shell("ls /proc/self/fd | grep -v -x '[0123]'; pwd; umask").stdout, "/\n0022\n")
        self.assertEqual(self.shell("kill -9 $$").returncode, 128 + signal.SIGKILL)
        for attempt in ("mount -t tmpfs none /tmp", "mknod /tmp/x c 1 1", "dmesg", "unshare -U true"):
            self.assertNotEqual(self.shell(attempt).returncode, 0, attempt)
        #   Many at once, and one after another.
        runs = [
            subprocess.Popen(self.command("web1", "/bin/echo", str(i)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            for i in range(20)
        ]
        self.assertEqual([run.communicate(timeout=PATIENCE)[0] for run in runs], [f"{i}\n" for i in range(20)])
        self.refusals(uuid, inside)

    def cgroup_lines_of(self, name, uuid):
        """Our lines in /proc/PID/cgroup of the container's process of this NAME."""
        found = None
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/cgroup") as groups:
                    same = os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{self.init(uuid)}/ns/pid")
                    if comm.read() == f"{name}\n" and same:
                        found = sorted(line for line in groups.read().split("\n") if f"troupe-{self.instance()}" in line)
            except OSError:
                continue
        return found

    def refusals(self, uuid, inside):
        def refused(done, pattern):
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, rf"^error: [^\n]*{pattern}[^\n]*\n$")

        refused(self.enter("/bin/none"), "execute '/bin/none' in the container: No such file")
        self.assertEqual(self.enter().returncode, 2)
        #   A ticket is good for one entry, and nobody gets in without.
        path = self.client.call("domain.enter", domain=uuid, argv=["/bin/true"])["socket"]
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with self.assertRaisesRegex(TroupeError, "argv is empty"):
            self.client.call("domain.enter", domain=uuid, argv=[])
        self.client.call("domain.suspend", domain=uuid)
        refused(self.enter("/bin/true"), "is paused; resume it first")
        self.client.call("domain.resume", domain=uuid)
        #   Who is ended leaves a program that hears of it.
        with subprocess.Popen(self.command("web1", "/bin/sh", "-c", "echo here; cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            self.assertEqual(run.stdout.readline(), b"here\n")
            run.send_signal(signal.SIGTERM)
            self.assertEqual(run.wait(PATIENCE), 128 + signal.SIGTERM)
        until(lambda: self.cgroup_lines_of("cat", uuid) is None, what="the end of a program that was left")
        #   It goes with the container.
        with subprocess.Popen(self.command("web1", "/bin/sh", "-c", "echo here; cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            self.assertEqual(run.stdout.readline(), b"here\n")
            self.client.call("domain.destroy", domain=uuid)
            self.assertEqual((run.wait(PATIENCE), run.stderr.read()[:6]), (1, b"error:"))
        refused(self.enter("/bin/true"), "not running")
        self.assertNothingLeft()

    def test_terminal(self):
        """A caller's terminal stays outside: the program has one of the container, of the same size."""
        give(self.root)
        self.prepare(extra=IDMAP)
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
            command = self.command("web1", "/bin/sh")
            os.execv(command[0], command)
        self.addCleanup(os.close, terminal)
        seen = self.read(terminal, "", "[#$] ")
        os.write(terminal, b"tty; stty size; id -u; cat /proc/self/uid_map; echo do''ne; read x\n")
        seen = self.read(terminal, seen, "done")
        self.assertRegex(seen, r"/dev/pts/\d+\s+33 77\s+0\s+0 +%d +2000" % UID)
        os.write(terminal, b"\x03")
        self.read(terminal, "", "[#$] ")
        os.write(terminal, b"exit 5\n")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)

    def test_never_more(self):
        """From inside, a process that enters is never seen with more capabilities than the container has."""
        features = "<capabilities><sys_ptrace state='on'/></capabilities>"
        loop = "while [ ! -e /end ]; do grep -h -E '^Cap(Prm|Bnd)' /proc/[0-9]*/status >>/seen 2>/dev/null; done; sleep 1000"
        uuid = self.start("web1", features=features, args=("-c", "/bin/busybox --install -s /bin; " + loop))
        seen = os.path.join(self.root, "seen")
        until(lambda: os.path.exists(seen) and os.path.getsize(seen), what="what the loop inside sees")
        for unused in range(20):
            self.assertEqual(self.enter("/bin/true").returncode, 0)
        own = self.shell("grep CapBnd /proc/self/status").stdout.split()[1]
        with open(os.path.join(self.root, "end"), "w"):
            pass
        with open(seen) as file:
            seen = {line.split()[1] for line in file.read().splitlines(True) if line.endswith("\n")}
        self.assertEqual(seen, {own})
        self.client.call("domain.destroy", domain=uuid)

    def read(self, terminal, seen, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, seen):
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                self.fail(f"no {pattern!r} in {seen!r}")
            seen += os.read(terminal, 4096).decode(errors="replace")
        return seen


if __name__ == "__main__":
    unittest.main()
