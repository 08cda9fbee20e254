"""Commands that go on for a while, against a real daemon with simulated guests: consoles, what is told as it
happens, and what takes long."""

import errno
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import unittest

from harness import PATIENCE, DaemonTest, behaviour, until


def wait_attached(process):
    """A command that goes on until it is told to end takes signals once it has subscribed, or has
    opened its console."""

    def takes_signals():
        try:
            files = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd")]
        except FileNotFoundError:
            return False
        return "anon_inode:[signalfd]" in files

    until(takes_signals, what="the beginning of the command")


class Consoles(DaemonTest):
    def setUp(self):
        super().setUp()
        self.define("web1")

    def console(self, stdin):
        process = subprocess.Popen(
            self.daemon.command("console", "web1", "--pipe"),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def read_until(self, fd, text):
        output = b""
        while text not in output:
            self.assertTrue(select.select([fd], [], [], PATIENCE)[0], output)
            data = os.read(fd, 4096)
            self.assertTrue(data, output)
            output += data

    def test_without_a_terminal(self):
        self.daemon.run("start", "web1")
        process = self.console(subprocess.PIPE)
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        self.read_until(process.stdout.fileno(), b"hello")
        out, errors = process.communicate(b"\x1d", timeout=PATIENCE)
        self.assertEqual((process.returncode, errors), (0, b""))

    def test_end_of_the_guest(self):
        self.daemon.run("start", "web1")
        process = self.console(subprocess.DEVNULL)
        wait_attached(process)
        self.daemon.run("destroy", "web1")
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn(b"Console ended", errors)

    def test_error_names_the_command(self):
        done = self.daemon.run("console", "none", status=None)
        self.assertRegex(done.stderr, r"^error: console: no domain has .*'none'.*\n$")

    def test_not_running(self):
        done = self.daemon.run("console", "web1", "--pipe", status=None)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^error: .*web1.*\n$")

    def test_no_terminal(self):
        """Refused before anything is done, unless that is meant so."""
        for words in (["console", "web1"], ["start", "web1", "--console"]):
            done = self.daemon.run(*words, status=None)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^error: .*Cannot run interactive console without a controlling TTY.*\n$")
            self.assertEqual(self.daemon.run("domstate", "web1").strip(), "shut off")

    def terminal(self, *args):
        """A command on a terminal of its own: the process, and the terminal's other end."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            self.daemon.command(*args),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, ours

    @staticmethod
    def is_raw(terminal):
        return not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def check_terminal(self, leave):
        process, terminal = self.terminal("start", "web1", "--console")
        self.read_until(terminal, b"Escape character is ^] (Ctrl + ])")
        until(lambda: self.is_raw(terminal), what="a raw terminal")
        os.write(terminal, b"ping")
        self.read_until(terminal, b"ping")
        leave(process, terminal)
        process.wait(PATIENCE)
        self.assertFalse(self.is_raw(terminal))
        self.daemon.run("destroy", "web1")

    def test_terminal_is_restored(self):
        self.check_terminal(lambda process, terminal: os.write(terminal, b"\x1d"))
        self.check_terminal(lambda process, terminal: process.send_signal(signal.SIGTERM))
        self.check_terminal(lambda process, terminal: process.send_signal(signal.SIGHUP))

    def test_ttyconsole(self):
        #   A simulated guest has no pty, and that is said.
        self.daemon.run("start", "web1")
        done = self.daemon.run("ttyconsole", "web1", status=None)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has no console with a terminal", done.stderr)


class Slow(DaemonTest):
    def setUp(self):
        super().setUp()
        self.define("slow", extra=behaviour("<test:delay op='start' ms='1500'/>"))

    def start_slowly(self, seconds, stderr=subprocess.DEVNULL):
        """A start that is under way, and will be for so long."""
        with self.daemon.client() as client:
            xml = client.call("domain.xml", domain="slow")["xml"]
            client.call("domain.define", xml=xml.replace("ms='1500'", f"ms='{seconds * 1000}'"))
            process = subprocess.Popen(self.daemon.command("start", "slow"), stderr=stderr)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            until(lambda: client.call("domain.jobs"), what="the start")
        return process

    def rest(self, terminal):
        """All that comes in a terminal until nobody has its other side any more: a read gives what came together."""
        shown = b""
        try:
            while chunk := os.read(terminal, 65536):
                shown += chunk
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
        return shown

    def test_spinner(self):
        """It turns on a terminal's stderr, and is wiped away before anything else is said there."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.start_slowly(10 * PATIENCE, stderr=theirs)
        os.close(theirs)
        turned = os.read(ours, 1)  # waits for it
        self.daemon.run("domjobabort", "slow")
        shown = (turned + self.rest(ours)).decode()
        self.assertEqual(process.wait(PATIENCE), 1)
        self.assertRegex(shown, r"\A(\r[|/\\-] domain.create \d+ s )+\r\x1b\[Kerror: [^\r\n]+\r\n\Z")

    def test_no_spinner_without_a_terminal(self):
        done = self.daemon.run("start", "slow", status=None)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_queries_do_not_wait(self):
        process = self.start_slowly(10 * PATIENCE)
        self.assertEqual(self.daemon.run("domstate", "slow"), "shut off\n")
        self.daemon.run("dominfo", "slow")
        self.assertIsNone(process.poll())
        self.daemon.run("destroy", "slow")
        self.assertEqual(process.wait(PATIENCE), 1)

    def test_timeout(self):
        """A change behind the slow one is given up in time."""
        process = self.start_slowly(10 * PATIENCE)
        done = self.daemon.run("--timeout", "1", "suspend", "slow", status=None)
        self.assertEqual(done.returncode, 1)
        #   The daemon says so, or the client for a daemon that comes to nothing in that time.
        late = "within the deadline|gave no answer in time|does not answer within 1000 ms"
        self.assertRegex(done.stderr, rf"^error: [^\n]*({late})[^\n]*\n$")
        self.assertIsNone(process.poll())
        self.daemon.run("destroy", "slow")
        self.assertEqual(process.wait(PATIENCE), 1)


class Events(DaemonTest):
    def wait_for(self, *args):
        """The event command, once it is subscribed."""
        process = subprocess.Popen(
            self.daemon.command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_attached(process)
        return process

    def read_until(self, process, text):
        """What it says, line by line, up to the one with TEXT in it."""
        out = ""
        while text not in out:
            line = process.stdout.readline()
            self.assertTrue(line, out)
            out += line
        return out

    def test_one(self):
        self.define("web1")
        process = self.wait_for("event", "--domain", "web1", "--event", "lifecycle")
        self.daemon.run("start", "web1")
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(
            out, "event 'lifecycle' for domain 'web1': Started Booted\nevents received: 1\n"
        )

    def test_loop(self):
        self.define("web1")
        self.define("web2")
        process = self.wait_for("event", "web1", "--all", "--loop", "--timestamp")
        for command in ("start", "suspend", "resume", "destroy"):
            self.daemon.run(command, "web2")
            self.daemon.run(command, "web1")
        out = self.read_until(process, "Stopped Destroyed")
        process.send_signal(signal.SIGTERM)
        out += process.stdout.read()
        stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: "
        lines = re.findall(f"^{stamp}event 'lifecycle' for domain 'web1': (.*)$", out, re.M)
        self.assertEqual(
            lines, ["Started Booted", "Suspended Paused", "Resumed Unpaused", "Stopped Destroyed"]
        )
        self.assertNotIn("web2", out)

    def test_json(self):
        process = self.wait_for("--output", "json", "event", "--all", "--loop")
        self.define("web1")
        self.daemon.run("start", "web1")
        out = self.read_until(process, "domain.job_completed")
        process.send_signal(signal.SIGINT)
        out += process.stdout.read()
        events = [json.loads(line) for line in out.splitlines()]
        texts = [event["args"].get("event_text", event["verb"]) for event in events]
        self.assertEqual(texts, ["Defined", "Started", "domain.job_completed"])

    def test_the_end_of_a_job(self):
        """As virsh shows it, with what else is known of the job in lines of its own."""
        self.define("web1")
        process = self.wait_for("event", "web1", "--event", "job-completed")
        self.daemon.run("start", "web1")
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertIn("event 'job-completed' for domain 'web1': start completed\n", out)
        self.assertIn("\toperation: 1\n", out)

    def test_none_came(self):
        done = self.daemon.run("event", "--all", "--timeout", "1", status=None)
        self.assertEqual((done.returncode, done.stderr), (1, "error: event: none came in 1 s\n"))

    def test_restart_of_the_daemon(self):
        self.define("web1")
        process = self.wait_for("event", "--event", "lifecycle")
        self.daemon.stop()
        self.daemon.start()
        errors = process.stderr.readline() + process.stderr.readline()
        self.daemon.run("start", "web1")
        self.assertIn("for domain 'web1': Started Booted", process.stdout.read())
        self.assertEqual(
            errors + process.stderr.read(),
            "the connection was lost; waiting for the daemon\n"
            "connected again: events may be missing; look at the state anew\n",
        )

    def test_trace(self):
        self.define("web1")
        process = self.wait_for("trace", "--count", "5")
        self.daemon.run("start", "web1")
        out, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(len(out.splitlines()), 5)
        self.assertRegex(out.splitlines()[0], r"^\d+\.\d{6} \S+ +\S* -> \S* .*bytes\)$")


if __name__ == "__main__":
    unittest.main()
