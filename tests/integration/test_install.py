"""What "cmake --install" puts into a folder works from there."""

import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import harness
from guest import EMULATOR
from harness import Daemon, test_domain, until

BUILD = os.path.dirname(harness.BIN)
CLIENT = r"""
#include <stdio.h>
#include <troupe.h>

int main (int argc, char **argv)
{
    troupe_error_t err;
    troupe_t *troupe = troupe_open (argv[argc - 1], 60000, &err);
    troupe_message_t *reply = troupe ? troupe_call (troupe, "host.version", NULL, 60000, &err) : NULL;
    puts (reply ? troupe_get_str (troupe_message_value (reply), "troupe") : err.message);
    troupe_message_destroy (&reply);
    troupe_close (&troupe);
    return 0;
}
"""


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = tempfile.mkdtemp(prefix="tri-", dir="/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.prefix, ignore_errors=True)
        subprocess.run(
            ["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, capture_output=True
        )

    def path(self, *parts):
        found = os.path.join(self.prefix, *parts)
        self.assertTrue(os.path.exists(found), found)
        return found

    def setUp(self):
        self.addCleanup(setattr, harness, "BIN", harness.BIN)
        harness.BIN = self.path("bin")

    def daemon(self):
        daemon = Daemon()
        self.addCleanup(daemon.remove)
        self.addCleanup(daemon.stop)
        return daemon.start()

    def test_daemon_and_command(self):
        daemon = self.daemon()
        daemon.run("define", "-", input=test_domain("web1"))
        daemon.run("start", "web1")
        self.assertEqual(daemon.run("domstate", "web1").strip(), "running")
        daemon.run("destroy", "web1")

    @unittest.skipUnless(os.access(EMULATOR, os.X_OK), f"there is no {EMULATOR}")
    def test_service(self):
        """As a service of systemd it says when it serves, to a path or an abstract name, and when it ends."""
        for name in ("notify", None):
            daemon = Daemon()
            self.addCleanup(daemon.remove)
            with self.subTest(name=name), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
                ready.settimeout(harness.PATIENCE)
                ready.bind(os.path.join(daemon.root, name) if name else b"")
                address = ready.getsockname()
                daemon.within = ["env", "NOTIFY_SOCKET=" + (address if name else "@" + address[1:].decode())]
                self.addCleanup(daemon.stop)
                daemon.start()
                self.assertEqual(ready.recv(100), b"READY=1")
                daemon.stop()
                self.assertEqual(ready.recv(100), b"STOPPING=1")

    def test_launcher(self):
        """The daemon finds it in libexec."""
        self.path("libexec", "troupe", "troupe-launch")
        self.assertFalse(os.path.exists(os.path.join(self.prefix, "bin", "troupe-launch")))
        daemon = self.daemon()
        xml = test_domain("web1").replace("type='test'", "type='qemu'")
        daemon.run("create", "-", "--paused", input=xml)
        daemon.run("destroy", "web1")
        until(lambda: "web1" not in daemon.run("list", "--all"), 10, "the domain's end")

    def test_library(self):
        """A program finds header and library through pkg-config."""
        daemon = self.daemon()
        source = daemon.root + "/client.c"
        with open(source, "w") as file:
            file.write(CLIENT)
        env = dict(os.environ, PKG_CONFIG_PATH=self.path("lib", "pkgconfig"))
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libtroupe"],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        sanitize = os.environ.get("TROUPE_SANITIZE")
        flags += [f"-fsanitize={sanitize}"] if sanitize else []
        flags.append("-Wl,-rpath," + self.path("lib"))
        program = daemon.root + "/client"
        subprocess.run(["cc", "-o", program, source, *flags], check=True)
        done = subprocess.run([program, daemon.endpoint()], capture_output=True, text=True, timeout=3 * harness.PATIENCE)
        self.assertRegex(done.stdout, r"^\d+\.\d+\.\d+\n$", done)

    def test_files(self):
        with open(self.path("lib", "systemd", "system", "trouped.service")) as file:
            self.assertIn(f"ExecStart={self.prefix}/bin/trouped", file.read())
        with open(self.path("lib", "systemd", "user", "trouped.service")) as file:
            self.assertIn("--session", file.read())
        completion = self.path("share", "bash-completion", "completions", "troupe")
        subprocess.run(["bash", "-n", completion], check=True)
        self.path("share", "man", "man1", "troupe.1")
        self.path("share", "man", "man8", "trouped.8")
        self.path("share", "doc", "troupe", "examples", "guest.xml")


if __name__ == "__main__":
    unittest.main()
