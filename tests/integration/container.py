"""Containers for tests: a root file system with busybox, and a definition."""

import os
import re
import select
import shutil
import time
import uuid

from harness import PATIENCE

BUSYBOX = "/usr/bin/busybox"  # Debian's busybox-static


def make_root(folder, inittab=None):
    """A root file system; with INITTAB its /sbin/init is busybox's."""
    for name in ("bin", "sbin", "etc", "tmp", "proc", "sys", "dev", "root"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    shutil.copy(BUSYBOX, os.path.join(folder, "bin", "busybox"))
    os.symlink("busybox", os.path.join(folder, "bin", "sh"))
    os.symlink("../bin/busybox", os.path.join(folder, "sbin", "init"))
    files = {
        "etc/passwd": "root:x:0:0:root:/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\n",
        "etc/group": "root:x:0:\nweb:x:1001:\nextra:x:1002:\n",
        "etc/inittab": inittab or "",
    }
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    return folder


#   A shell on the console that is not init itself: busybox's ends when a process is handed to it.
SHELL = ("-c", "sh; exit $?")


def container_xml(
    name, root, init="/bin/sh", args=SHELL, os_extra="", features="", devices="<console type='pty'/>", extra=""
):
    arguments = "".join(f"<initarg>{arg}</initarg>" for arg in args)
    return f"""<domain type='lxc'>
  <name>{name}</name>
  <uuid>{uuid.uuid5(uuid.NAMESPACE_DNS, name)}</uuid>
  <memory unit='MiB'>64</memory>
  <os><type>exe</type><init>{init}</init>{arguments}{os_extra}</os>
  <features><privnet/>{features}</features>
  {extra}
  <devices>
    <filesystem type='mount'><source dir='{root}'/><target dir='/'/></filesystem>
    {devices}
  </devices>
</domain>
"""


class Terminal:
    """A container's terminal, as a pty of the host."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        self.seen = ""

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def read_until(self, pattern):
        """What was shown up to PATTERN's match, which is returned."""
        end = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.seen, re.DOTALL)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"the console did not show {pattern!r}: {self.seen[-2000:]!r}")
            self.seen += os.read(self.fd, 65536).decode(errors="replace").replace("\r\n", "\n")
        self.seen = self.seen[match.end() :]
        return match

    def close(self):
        os.close(self.fd)


class Shell(Terminal):
    """The shell on a console. No job of it may end in the background: that ends busybox's shell."""

    def __init__(self, path):
        super().__init__(path)
        self.count = 0
        #   What is typed before the shell asks is thrown away.
        self.read_until("[#$] ")
        self.type("stty -echo; PS1=; export PATH=/bin:/sbin; busybox --install -s /bin 2>/dev/null")

    def run(self, command):
        """COMMAND's output (both), without the last newline, and its exit status."""
        self.count += 1
        self.type(f"echo be''gin-{self.count}; ({command}) 2>&1; echo en''d-{self.count}-$?-")
        match = self.read_until(rf"begin-{self.count}\n(.*?)end-{self.count}-(\d+)-\n")
        return match.group(1).rstrip("\n"), int(match.group(2))
