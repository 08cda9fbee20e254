"""A client of libvirt's RPC that drives a migration, and may stop between any two of its calls."""

import struct
import uuid as uuids

from libvirt_client import Bare, text

BEGIN3, PREPARE3, PERFORM3, FINISH3, CONFIRM3 = 213, 214, 216, 217, 218
LIVE, UNSAFE = 1, 512


def data(value):
    return struct.pack(">I", len(value)) + value + b"\0" * (-len(value) % 4)


def optional(value):
    return struct.pack(">I", 0) if value is None else struct.pack(">I", 1) + text(value)


class Reader:
    def __init__(self, payload):
        self.payload = payload

    def number(self):
        (value,) = struct.unpack(">I", self.payload[:4])
        self.payload = self.payload[4:]
        return value

    def data(self):
        size = self.number()
        value, self.payload = self.payload[:size], self.payload[size + -size % 4 :]
        return value

    def optional(self):
        return self.data().decode() if self.number() else None


class Refused(Exception):
    pass


class Phases:
    """The calls without typed parameters, each of which returns what the next one needs."""

    def __init__(self, source, destination, name, uuid, flags=LIVE | UNSAFE):
        self.source = Bare(source).open("qemu:///system")
        self.destination = Bare(destination).open("qemu:///system")
        self.name, self.uuid, self.flags = name, uuid, flags
        self.cookie, self.xml, self.uri = b"", None, None

    def close(self):
        self.source.socket.close()
        self.destination.socket.close()

    def ask(self, connection, procedure, payload):
        status, answer = connection.call(procedure, payload)
        if status:
            code, _, _, size = struct.unpack(">iiII", answer[:16])
            raise Refused(code, answer[16 : 16 + size].decode())
        return Reader(answer)

    def domain(self):
        return text(self.name) + uuids.UUID(self.uuid).bytes + struct.pack(">i", -1)

    def begin(self):
        rest = optional(None) + struct.pack(">Q", self.flags) + optional(None) + struct.pack(">Q", 0)
        answer = self.ask(self.source, BEGIN3, self.domain() + rest)
        self.cookie, self.xml = answer.data(), answer.data().decode()

    def prepare(self, uri=None):
        rest = optional(uri) + struct.pack(">Q", self.flags) + optional(None) + struct.pack(">Q", 0)
        answer = self.ask(self.destination, PREPARE3, data(self.cookie) + rest + text(self.xml))
        self.cookie, self.uri = answer.data(), answer.optional()

    def perform_payload(self, mib):
        return (self.domain() + optional(None) + data(self.cookie) + optional(None) + optional(self.uri) +
                struct.pack(">Q", self.flags) + optional(None) + struct.pack(">Q", mib))

    def perform(self, mib=0):
        self.cookie = self.ask(self.source, PERFORM3, self.perform_payload(mib)).data()

    def send_perform(self, mib):
        """It is under way when this returns."""
        self.source.send(PERFORM3, self.perform_payload(mib))

    def finish(self, cancelled=False):
        rest = optional(None) + optional(self.uri) + struct.pack(">Qi", self.flags, cancelled)
        answer = self.ask(self.destination, FINISH3, text(self.name) + data(self.cookie) + rest)
        answer.data()  # the domain's name
        answer.payload = answer.payload[16 + 4 :]  # uuid and id
        self.cookie = answer.data()

    def confirm(self, cancelled=False):
        self.ask(self.source, CONFIRM3,
                 self.domain() + data(self.cookie) + struct.pack(">Qi", self.flags, cancelled))

    def go(self, *names):
        """So many of them, by their names."""
        for name in names:
            getattr(self, name)()
        return self
