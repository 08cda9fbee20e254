"""Starts real daemons in folders of their own, talks to them, stops them, and looks for what they left.

Environment: TROUPE_BIN, the folder with trouped and troupe (default: build/debug/bin).
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from troupe_client import Client, TroupeError

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("TROUPE_BIN", os.path.join(SOURCE, "build", "debug", "bin"))
CGROUPS = "/sys/fs/cgroup"

#   Seconds to wait for what has to come, before it is taken for lost: much longer than it ever takes.
PATIENCE = 60


def until(condition, timeout=PATIENCE, what="the condition"):
    """Waits until CONDITION () is true; its value. TIMEOUT: only if it may take even longer."""
    timeout = max(timeout, PATIENCE)
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {timeout} s")
        time.sleep(0.01)


def within(test, seconds, attempt):
    """The value of the first ATTEMPT () of three that takes less than SECONDS. Not a measurement: a
    machine may halt for a while, but a wait that is built in shows each time."""
    took = []
    for unused in range(3):
        begun = time.monotonic()
        value = attempt()
        took.append(time.monotonic() - begun)
        if took[-1] < seconds:
            return value
    test.fail(f"it always takes more than {seconds} s: {took}")


def nothing_half_done(client, domain):
    """Returns once nothing that concerns the domain is half done any more, by the daemon before either: only then is
    a change admitted. That no job is listed does not say so: short ones are not, nor is what follows from one."""
    client.call("domain.metadata_set", domain=domain, type="title", value="looked at")


def seed_from(text):
    """A number, or for "random" a new one."""
    return random.SystemRandom().randrange(1 << 32) if text == "random" else int(text)


def seed(variable):
    """The seed that VARIABLE of the environment has. Without it always the same: a run that failed can be had again, and
    says something of the change that was made, not of another input."""
    return seed_from(os.environ.get(variable) or "1")


def test_domain(name, devices="<console type='pty'/>", extra="", memory_mib=64, vcpus=2):
    """XML of a simulated guest."""
    return f"""<domain type='test'>
  <name>{name}</name>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>{vcpus}</vcpu>
  <os><type>hvm</type></os>
  {extra}
  <devices>{devices}</devices>
</domain>
"""


def behaviour(settings):
    """The element by which a simulated guest has delays and faults, for test_domain's EXTRA."""
    return (
        "<test:behaviour xmlns:test='https://troupe.dev/xml/test/1'>"
        f"{settings}</test:behaviour>"
    )


class Daemon:
    """One trouped --root FOLDER. The folder lives as long as this object does not remove () it."""

    def __init__(self, *options):
        self.root = tempfile.mkdtemp(prefix="tr-", dir="/tmp")  # a socket's path has 107 bytes
        self.options = options
        self.process = None
        self.within = []  # a command in front: nsenter, say
        self.log_path = os.path.join(self.root, "stderr.log")

    def socket_path(self, readonly=False):
        name = "troupe-ro.sock" if readonly else "troupe.sock"
        return os.path.join(self.root, "run", "troupe", name)

    def endpoint(self, readonly=False):
        return "ipc://" + self.socket_path(readonly)

    def start(self, timeout=PATIENCE):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.within, os.path.join(BIN, "trouped"), "--root", self.root, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._listens, timeout, "the daemon's socket")
        return self

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"trouped ended with {self.process.returncode}: {self.log()}")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(self.socket_path())
                who = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            except OSError:
                return False
        #   A process that a killed daemon was starting has that daemon's socket open until it executes.
        return struct.unpack("3i", who)[0] == self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=PATIENCE):
        """As an administrator does; guests go on. It has to end well."""
        if not self.running():
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"trouped did not stop within {timeout} s: {self.log()}") from None
        if code != 0:
            raise AssertionError(f"trouped ended with {code}: {self.log()}")

    def kill(self):
        """As a crash."""
        self.process.kill()
        self.process.wait()

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()[-8000:]

    def client(self, readonly=False, timeout=PATIENCE):
        return Client(self.endpoint(readonly), timeout)

    def command(self, *args):
        """The command line, as a list, that talks to this daemon."""
        return [*self.within, os.path.join(BIN, "troupe"), "--root", self.root, *args]

    def run(self, *args, status=0, **options):
        """Runs the troupe command; its stdout. STATUS is the exit status that it has to have (None:
        any, and the whole result is returned)."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        #   An edit that failed keeps its text there.
        options["env"] = {**(options.get("env") or os.environ), "TMPDIR": self.root}
        done = subprocess.run(
            self.command(*args), capture_output=True, text=True, timeout=2 * PATIENCE, **options
        )
        if status is None:
            return done
        if done.returncode != status:
            raise AssertionError(
                f"troupe {' '.join(args)}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def json(self, *args, **options):
        return json.loads(self.run("--output", "json", *args, **options))

    def _belongs(self, pid):
        """The command of a process that has the folder in its command line or among its open files
        (QEMU's log), or nothing."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
            files = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            return None
        inside = self.root in command or any(file.startswith(self.root) for file in files)
        return command if inside and int(pid) != os.getpid() else None

    def processes(self):
        """Living processes that belong to the daemon: "PID COMMAND"."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            command = self._belongs(pid)
            if command:
                found.append(f"{pid} {command}")
        return found

    def mounts(self):
        with open("/proc/self/mountinfo") as file:
            return [line for line in file if self.root in line]

    def instance(self):
        """What the daemon's cgroups are named by; each one on this folder has the same."""
        with open(self.log_path, errors="replace") as log:
            found = re.search(r"instance (\w+)", log.read())
        return found.group(1) if found else "none yet"

    def cgroups(self):
        """Folders of this daemon's guests, in all hierarchies."""
        wanted = f"troupe-{self.instance()}"
        return [
            os.path.join(at, wanted)
            for at, names, _ in os.walk(CGROUPS)
            if wanted in names
        ]

    def leftovers(self):
        return self.processes() + self.mounts() + self.cgroups()

    def told(self):
        """All logs in the folder, for the one who reads of a failed test."""
        paths = [os.path.join(at, name) for at, _, names in os.walk(self.root) for name in names]
        said = []
        for path in sorted(path for path in paths if path.endswith(".log")):
            with open(path, errors="replace") as log:
                said.append(f"== {os.path.relpath(path, self.root)}\n{log.read()[-4000:]}")
        return "\n".join(said)

    def _end_processes(self):
        for process in self.processes():
            try:
                os.kill(int(process.split()[0]), signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not self.processes()

    def _remove_cgroups(self):
        for top in self.cgroups():
            for at, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(at)
                except OSError:  # who was in it has not ended yet
                    return False
        return True

    def remove(self):
        """The folder; and of a test that failed, what it has left."""
        if os.path.exists(self.log_path):
            until(self._end_processes, what=f"the end of {self.processes()}")
            for mount in self.mounts():
                subprocess.run(["umount", "--lazy", mount.split()[4]], check=False)
            until(self._remove_cgroups, what="the end of its control groups")
        shutil.rmtree(self.root, ignore_errors=True)


class DaemonTest(unittest.TestCase):
    """A test with a daemon of its own, at whose end no guest, process or mount may be left."""

    options = ()

    def setUp(self):
        self.daemon = self.make_daemon()
        self.addCleanup(self.daemon.remove)
        self.addCleanup(self._tell)
        self.addCleanup(self._stop)
        self.daemon.start()

    def _tell(self):
        """The logs of a test that failed go with its failure, or that of a part of it."""
        result = self._outcome.result
        if any(getattr(test, "test_case", test) is self for test, _ in result.failures + result.errors):
            print(f"\nLogs of {self.id()}:\n{self.daemon.told()}", file=sys.stderr)

    def make_daemon(self):
        return Daemon(*self.options)

    def _stop(self):
        if not self.daemon.running():
            self.daemon.start()
        with self.daemon.client() as client:
            self.destroy_all(client)
        self.daemon.stop()
        until(lambda: not self.daemon.leftovers(), what=f"the end of {self.daemon.leftovers()}")

    def destroy_all(self, client):
        """Every guest that runs there; one may end by itself meanwhile."""
        for domain in client.call("domain.list"):
            try:
                client.call("domain.destroy", domain=domain["uuid"])
            except TroupeError as error:
                if error.name not in ("VIR_ERR_NO_DOMAIN", "VIR_ERR_OPERATION_INVALID"):
                    raise

    def write(self, name, text):
        """A file in the daemon's folder; its path."""
        path = os.path.join(self.daemon.root, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def define(self, name, **parts):
        """Defines a simulated guest through the protocol; its uuid."""
        with self.daemon.client() as client:
            return client.call("domain.define", xml=test_domain(name, **parts))["uuid"]

    def assertFails(self, code, call, *args, **named):
        """CALL raises TroupeError with this name; the error."""
        with self.assertRaises(TroupeError) as caught:
            call(*args, **named)
        error = caught.exception
        self.assertEqual(error.name, code, error.message)
        self.assertNotIn("\n", error.message)
        return error


#   A tool, not a test: unittest and pytest would collect it by its name.
test_domain.__test__ = False


class ClientTest(DaemonTest):
    """The same, with a client of that daemon."""

    def setUp(self):
        super().setUp()
        self.client = self.daemon.client()
        self.addCleanup(self.close)

    def close(self):
        self.client.close()

    def restart(self):
        """The daemon is killed, if it still runs; a new one, and a new client."""
        self.close()
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
