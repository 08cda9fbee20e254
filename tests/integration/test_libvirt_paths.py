"""libvirt's clients without any option: the daemon is where they look. In mount namespaces of the test's own, so that
nothing of the host's /run is touched."""

import os
import socket
import subprocess
import unittest

from harness import BIN, PATIENCE, Daemon, test_domain, until

#   A /run of its own, in which FOLDER is libvirt's.
KEEP = """mount -t tmpfs tmpfs /run && mkdir /run/libvirt && mount --bind "$1" /run/libvirt && exec sleep 1000000"""


#   What would have virsh look elsewhere.
ELSEWHERE = ("LIBVIRT_", "VIRSH_", "XDG_")


def usable():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@unittest.skipUnless(usable(), "needs root, and namespaces of mounts")
class Paths(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.remove)
        self.folder = os.path.join(self.daemon.root, "run", "libvirt")
        os.makedirs(self.folder)
        self.space = subprocess.Popen(["unshare", "--mount", "sh", "-c", KEEP, "sh", self.folder])
        self.addCleanup(self.space.wait)
        self.addCleanup(self.space.kill)
        until(self.is_up, what="a namespace of mounts")
        self.within = ["nsenter", "-t", str(self.space.pid), "-m", "--"]
        self.addCleanup(self.daemon.stop)

    def is_up(self):
        with open(f"/proc/{self.space.pid}/comm") as file:
            return file.read() == "sleep\n"

    def virsh(self, *args, status=0, user=(), **environment):
        known = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
        done = subprocess.run(
            [*self.within, *user, "virsh", "-q", *args],
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            stdin=subprocess.DEVNULL,
            #   Nobody else is to be started instead.
            env={**known, "LC_ALL": "C", "LIBVIRT_AUTOSTART": "0", **environment},
        )
        self.assertEqual(done.returncode, status, f"{args}: {done.stdout}{done.stderr}")
        return done.stdout.strip() if status == 0 else done.stderr

    def configure(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "troupe.conf"), "w") as file:
            file.write("[libvirt]\ntake_over = yes\n")

    def check_system(self):
        """Without a URI, and with those that people type."""
        with open(os.path.join(self.daemon.root, "web.xml"), "w") as file:
            file.write(test_domain("web"))
        self.assertEqual(self.virsh("list", "--all"), "")
        self.assertEqual(self.virsh("uri"), "qemu:///system")
        self.assertEqual(self.virsh("-r", "uri"), "qemu:///system")
        self.assertIn("read only", self.virsh("-r", "define", file.name, status=1))
        for name in ("qemu:///system", "lxc:///system", "lxc:///"):
            self.assertEqual(self.virsh("-c", name, "list", "--all"), "")
            self.assertIn("Using API: " + ("LXC" if "lxc" in name else "QEMU"), self.virsh("-c", name, "version"))
        #   Without a transport libvirt's library simulates guests itself.
        remote = ["-c", "test+unix:///default"]
        self.virsh(*remote, "define", file.name)
        self.assertEqual(self.virsh(*remote, "list", "--all", "--name"), "web")
        self.assertEqual(self.virsh("list", "--all"), "")

    def test_take_over(self):
        self.configure(os.path.join(self.daemon.root, "etc", "troupe"))
        self.daemon.start()
        self.check_system()

    def test_option(self):
        self.daemon.within = self.within
        self.daemon.options = ("--libvirt-socket", "/run/libvirt/libvirt-sock")
        self.daemon.start()
        self.check_system()
        self.assertEqual(
            sorted(os.listdir(self.folder)), ["libvirt-admin-sock", "libvirt-sock", "libvirt-sock-ro"]
        )

    @staticmethod
    def listens(path):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(path) == 0

    def test_session(self):
        """A user's own daemon is found by qemu:///session."""
        home = self.daemon.root
        environment = {
            "XDG_RUNTIME_DIR": os.path.join(home, "r"),
            "XDG_CONFIG_HOME": os.path.join(home, "c"),
            "XDG_STATE_HOME": os.path.join(home, "s"),
            "XDG_CACHE_HOME": os.path.join(home, "k"),
        }
        os.mkdir(environment["XDG_RUNTIME_DIR"], 0o700)
        self.configure(os.path.join(home, "c", "troupe"))
        with open(self.daemon.log_path, "ab") as log:
            session = subprocess.Popen(
                [os.path.join(BIN, "trouped"), "--session"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment},
            )
        try:
            place = os.path.join(home, "r", "libvirt", "libvirt-sock")
            until(lambda: self.listens(place) or session.poll() is not None, what="the session's socket")
            self.assertIsNone(session.poll(), self.daemon.log())
            #   For root there is no session; in a namespace of users nobody is root.
            environment["user"] = ("unshare", "--user")
            self.assertEqual(self.virsh("-c", "qemu:///session", "list", "--all", **environment), "")
            self.assertEqual(self.virsh("-c", "qemu:///session", "uri", **environment), "qemu:///session")
            self.assertEqual(self.virsh("uri", **environment), "qemu:///session")
        finally:
            session.terminate()
            self.assertEqual(session.wait(PATIENCE), 0, self.daemon.log())
