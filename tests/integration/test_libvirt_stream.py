"""Streams of libvirt's protocol: consoles of simulated guests, by virsh and by the Python binding."""

import os
import pty
import struct
import subprocess

import libvirt

from harness import PATIENCE, DaemonTest, test_domain, until
from libvirt_client import STREAM, Bare, text, uri

LOOKUP, CONSOLE, DESTROY = 23, 201, 12
OK, ERROR, CONTINUE = range(3)


class Console(DaemonTest):
    def setUp(self):
        super().setUp()
        libvirt.registerErrorHandler(lambda *unused: None, None)
        self.connection = libvirt.open(uri(self.daemon))
        self.addCleanup(self.connection.close)
        self.domain = self.connection.defineXML(test_domain("web"))
        self.domain.create()

    @staticmethod
    def read_until(stream, words):
        seen = b""
        while words not in seen:
            data = stream.recv(4096)
            if not data:
                raise AssertionError(f"the console ended: {seen}")
            seen += data
        return seen

    def test_python(self):
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream)
        self.read_until(stream, b"web login: ")
        stream.send(b"root\r")
        self.read_until(stream, b"# ")
        stream.send(b"help\r")
        self.assertIn(b"ends this guest", self.read_until(stream, b"logs out"))
        #   Somebody else is refused, or takes it over.
        other = self.connection.newStream()
        with self.assertRaises(libvirt.libvirtError):
            self.domain.openConsole(None, other)
        self.domain.openConsole(None, other, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        with self.assertRaisesRegex(libvirt.libvirtError, "taken over"):
            while stream.recv(4096):
                pass
        other.send(b"exit\r")
        self.read_until(other, b"login: ")
        #   The guest's end is the end of the file.
        self.domain.destroy()
        while other.recv(4096):
            pass
        other.finish()
        self.assertTrue(self.connection.isAlive())

    def test_finish_and_abort(self):
        for end in ("finish", "abort"):
            stream = self.connection.newStream()
            self.domain.openConsole(None, stream)
            stream.send(b"x" * 100)
            getattr(stream, end)()

    def test_virsh(self):
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = subprocess.Popen(
            ["virsh", "-c", uri(self.daemon), "console", "web"],
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen = b""
        typed = [(b"Escape character", b"\r"), (b"login: ", b"root\r"), (b"# ", b"\x1d")]
        for words, answer in typed:
            while words not in seen:
                seen += os.read(leader, 4096)
            os.write(leader, answer)
        self.assertEqual(process.wait(PATIENCE), 0)

    def open_bare(self):
        client = Bare(self.daemon).open()
        self.addCleanup(client.socket.close)
        _, domain = client.call(LOOKUP, text("web"))
        serial = client.serial
        self.assertEqual(client.call(CONSOLE, domain + struct.pack(">II", 0, 0)), (OK, b""))
        return client, serial

    def packet(self, client, serial, status, payload=b""):
        client.serial = serial
        client.send(CONSOLE, payload, kind=STREAM, status=status)

    def test_packets(self):
        client, serial = self.open_bare()
        self.assertEqual(client.receive()[1:5], (CONSOLE, STREAM, serial, CONTINUE))
        #   Of no stream: nobody's.
        self.packet(client, serial + 7, CONTINUE, b"x")
        self.packet(client, serial, CONTINUE, b"y" * 300000)
        while (message := client.receive())[4] == CONTINUE:
            pass
        self.assertEqual(message[4], ERROR)
        self.assertIn(b"262120", message[5])

    def test_much(self):
        """More than a console takes at once arrives whole."""
        client, serial = self.open_bare()
        for unused in range(300):
            self.packet(client, serial, CONTINUE, b"root\r")
        seen = b""
        while seen.count(b"root: not found") < 299:  # the first is the login
            message = client.receive()
            self.assertEqual(message[4], CONTINUE)
            seen += message[5]
        self.packet(client, serial, OK)
        while (message := client.receive())[4] == CONTINUE:
            pass
        self.assertEqual(message[4], OK)

    def test_does_not_read(self):
        """Who does not read holds up its own console only, and loses it when it goes."""
        client, serial = self.open_bare()
        for unused in range(200):
            self.packet(client, serial, CONTINUE, b"a" * 1000 + b"\r")
        #   Others are served, and may take the console.
        stream = self.connection.newStream()
        self.domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        stream.send(b"\r")
        self.read_until(stream, b"\n")
        stream.abort()
        client.socket.close()
        self.domain.destroy()

    def test_gone(self):
        """A client that vanishes takes its console with it."""
        client, _ = self.open_bare()
        client.socket.close()

        def opened():
            stream = self.connection.newStream()
            try:
                self.domain.openConsole(None, stream)
            except libvirt.libvirtError:
                return False
            stream.abort()
            return True

        until(opened)
