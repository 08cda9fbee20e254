"""libvirt's own clients on a daemon of the tests: virsh, the Python binding, and bare messages."""

import os
import socket
import struct
import subprocess

from harness import PATIENCE, DaemonTest

REMOTE, QEMU = 0x20008086, 0x20008087
KEEPALIVE = 0x6B656570
CALL, REPLY, MESSAGE, STREAM = range(4)

AUTH_LIST, OPEN, CLOSE, GET_TYPE, LIST_ALL, FEATURE = 66, 1, 2, 3, 273, 60


def libvirt_socket(daemon, readonly=False):
    return os.path.join(daemon.root, "run", "troupe", "libvirt-sock-ro" if readonly else "libvirt-sock")


def uri(daemon, name="test:///default", readonly=False, path=None):
    scheme, rest = name.split(":", 1)
    return f"{scheme}+unix:{rest}?socket={path or libvirt_socket(daemon, readonly)}"


def virsh(daemon, *args, connect="test:///default", status=0, readonly=False, path=None):
    """virsh with ARGS; its stdout. STATUS None: any, and the whole result is returned."""
    options = ["-r"] if readonly else []
    done = subprocess.run(
        ["virsh", "-q", *options, "-c", uri(daemon, connect, readonly, path), *args],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
    )
    if status is None:
        return done
    if done.returncode != status:
        raise AssertionError(
            f"virsh {' '.join(args)}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout.strip()


def text(value):
    data = value.encode()
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


class Bare:
    """One connection of bare messages."""

    def __init__(self, daemon, readonly=False, path=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path or libvirt_socket(daemon, readonly))
        self.serial = 0

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def message(self, procedure, payload=b"", program=REMOTE, version=1, kind=CALL, status=0):
        words = struct.pack(">IIIIII", program, version, procedure, kind, self.serial, status)
        self.serial += 1
        return struct.pack(">I", 28 + len(payload)) + words + payload

    def send(self, *args, **options):
        self.socket.sendall(self.message(*args, **options))

    def take(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the daemon closed the connection")
            data += more
        return data

    def receive(self):
        """The next message: (program, procedure, kind, serial, status, payload)."""
        (size,) = struct.unpack(">I", self.take(4))
        data = self.take(size - 4)
        program, _, procedure, kind, serial, status = struct.unpack(">IIIIII", data[:24])
        return program, procedure, kind, serial, status, data[24:]

    def call(self, procedure, payload=b"", **options):
        """(status, payload) of the answer."""
        self.send(procedure, payload, **options)
        return self.receive()[4:]

    def open(self, name="test:///default", flags=0):
        assert self.call(AUTH_LIST) == (0, struct.pack(">II", 1, 0))
        optional = struct.pack(">I", 1) + text(name) if name is not None else struct.pack(">I", 0)
        status, payload = self.call(OPEN, optional + struct.pack(">I", flags))
        assert status == 0, payload
        return self

    def refused(self, *args, **options):
        """The call has to be refused: (code, message)."""
        status, payload = self.call(*args, **options)
        assert status == 1, (status, payload)
        code, _, _, size = struct.unpack(">iiII", payload[:16])
        return code, payload[16 : 16 + size].decode()

    def closed(self):
        """Waits until the daemon closes it; what came before."""
        data = b""
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data


class Virsh:
    """For tests whose client is virsh; they say which connection it opens."""

    connect = "test:///default"

    def virsh(self, *args, **options):
        return virsh(self.daemon, *args, **{"connect": self.connect, **options})

    def refused(self, *args, **options):
        """The command has to fail; what it says."""
        done = self.virsh(*args, status=None, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def fields(self, *args, **options):
        """What the command says in lines NAME: VALUE."""
        lines = self.virsh(*args, **options).splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    def rows(self, *args, **options):
        """What it says in lines of words."""
        return [line.split() for line in self.virsh(*args, **options).splitlines()]


class VirshTest(Virsh, DaemonTest):
    """The same on simulated guests."""
