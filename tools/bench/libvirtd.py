"""libvirtd, where it is installed, to be measured beside: in namespaces of the benchmark's own, with files on a
tmpfs that nobody else sees."""

import ctypes
import os
import socket
import subprocess
import sys

from bench import until

try:
    import libvirt
except ImportError:
    libvirt = None

LIBVIRTD = "/usr/sbin/libvirtd"
#   Users, groups and sandboxes of its own would be measured, too.
SETTINGS = {
    "qemu.conf": 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n'
    'stdio_handler = "file"\n',
    "libvirtd.conf": 'auth_unix_rw = "none"\nunix_sock_group = "root"\nmax_clients = 200\nmax_workers = 64\n',
}


def know_users():
    """It wants the user and groups that its distribution makes, though its settings name others."""
    lines = {"/etc/passwd": ["libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin"],
             "/etc/group": ["libvirt-qemu:x:64055:", "kvm:x:64056:"]}
    for path, added in lines.items():
        with open(path) as file:
            text = file.read()
        known = {line.split(":")[0] for line in text.splitlines()}
        copy = "/tmp/libvirtd-" + os.path.basename(path)
        with open(copy, "w") as file:
            file.write(text + "".join(f"{line}\n" for line in added if line.split(":")[0] not in known))
        subprocess.run(["mount", "--bind", copy, path], check=True)


class Libvirtd:
    socket_path = "/run/libvirt/libvirt-sock"
    uri = "qemu:///system"

    @staticmethod
    def installed():
        """And a client for it."""
        return bool(libvirt) and os.access(LIBVIRTD, os.X_OK)

    def __init__(self):
        know_users()
        for folder in ("/run/libvirt", "/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/etc/libvirt"):
            os.makedirs(folder, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        for name, text in SETTINGS.items():
            with open(os.path.join("/etc/libvirt", name), "w") as file:
                file.write(text)
        self.daemon = subprocess.Popen([LIBVIRTD, "--pid-file", "/run/libvirt/libvirtd.pid"], stderr=subprocess.DEVNULL)
        until(self.listens, what="libvirtd's socket")
        self.connection = self.connect()

    def listens(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"libvirtd ended with {self.daemon.returncode}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.socket_path) == 0

    def connect(self):
        return libvirt.open(self.uri)

    def close(self):
        for domain in self.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            domain.destroy()  # of what was cut short
        self.connection.close()
        self.daemon.terminate()
        self.daemon.wait()


def enter_namespace():
    """A network and a mount namespace of our own, in which /sys shows that network and the host's cgroups, and /tmp
    is in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_mounts, new_network = 0x00020000, 0x40000000  # CLONE_NEWNS, CLONE_NEWNET: unshare(2)
    if libc.unshare(new_mounts | new_network):
        sys.exit(f"not measured: a network namespace: {os.strerror(ctypes.get_errno())}")
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        ["mount", "-t", "sysfs", "sysfs", "/mnt"],
        ["mount", "--rbind", "/sys/fs/cgroup", "/mnt/fs/cgroup"],
        ["mount", "--move", "/mnt", "/sys"],
        ["ip", "link", "set", "lo", "up"],
    ):
        subprocess.run(command, check=True)
