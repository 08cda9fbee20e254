"""Bare messages of libvirt's protocol: what no good client sends, and clients that do not read."""

import os
import random
import select
import struct
import threading

from harness import PATIENCE, DaemonTest, behaviour, test_domain, until
from libvirt_client import (
    AUTH_LIST,
    CALL,
    CLOSE,
    FEATURE,
    GET_TYPE,
    KEEPALIVE,
    LIST_ALL,
    MESSAGE,
    OPEN,
    QEMU,
    REPLY,
    STREAM,
    Bare,
    text,
)

CREATE, DEFINE, LOOKUP, GET_XML = 9, 11, 23, 14
SUSPEND, SAVE, JOB_INFO, ABORT_JOB, BLOCK_INFO = 34, 55, 163, 164, 194
INVALID_ARG, OPERATION_DENIED, RPC, NO_DOMAIN, NO_SUPPORT, AUTH_FAILED = 8, 29, 39, 42, 3, 45
RESOURCE_BUSY = 87


class BareMessages(DaemonTest):
    def bare(self, **options):
        client = Bare(self.daemon, **options)
        self.addCleanup(client.socket.close)
        return client

    def undisturbed(self):
        """Somebody else is served."""
        with self.bare() as other:
            self.assertEqual(other.open().call(GET_TYPE), (0, text("TEST")))

    def test_order(self):
        """What is asked before its time."""
        client = self.bare()
        self.assertEqual(client.refused(GET_TYPE)[0], RPC)
        #   SASL, and polkit: of the ways to authenticate there is only none.
        for procedure, name in ((67, "AUTH_SASL_INIT"), (70, "AUTH_POLKIT")):
            code, message = client.refused(procedure)
            self.assertEqual((code, message.split(":")[0]), (AUTH_FAILED, name))
        self.assertEqual(client.call(AUTH_LIST), (0, struct.pack(">II", 1, 0)))
        self.assertIn("CONNECT_OPEN first", client.refused(GET_TYPE)[1])
        self.assertEqual(client.call(FEATURE, struct.pack(">i", 10)), (0, struct.pack(">i", 1)))
        client.open()
        self.assertIn("open already", client.refused(OPEN, struct.pack(">II", 0, 0))[1])
        self.assertEqual(client.call(CLOSE), (0, b""))
        self.assertEqual(client.closed(), b"")

    def test_refused(self):
        """Bad calls, after which the connection is as good as before."""
        client = self.bare().open()
        code, message = client.refused(9999)
        self.assertEqual((code, message[:17]), (RPC, "unknown procedure"))
        self.assertEqual(client.refused(GET_TYPE, program=1)[0], RPC)
        self.assertEqual(client.refused(GET_TYPE, version=2)[0], RPC)
        self.assertEqual(client.refused(GET_TYPE, status=1)[0], RPC)
        self.assertEqual(client.refused(LOOKUP)[0], RPC)
        self.assertEqual(client.refused(LOOKUP, struct.pack(">I", 0xFFFFFFFF))[0], RPC)
        self.assertEqual(client.refused(LOOKUP, struct.pack(">I", 2) + b"\xff\xfe\0\0")[0], RPC)
        self.assertEqual(client.refused(LOOKUP, text("nobody"))[0], NO_DOMAIN)
        self.assertEqual(client.refused(LIST_ALL, struct.pack(">iI", 1, 1 << 20))[0], INVALID_ARG)
        code, message = client.refused(2, struct.pack(">II", 1, 0), program=QEMU)
        self.assertEqual((code, message.split()[-1]), (NO_SUPPORT, "virDomainQemuAttach"))
        #   What is behind the arguments does not count; replies and messages are nobody's.
        self.assertEqual(client.call(GET_TYPE, b"more"), (0, text("TEST")))
        for kind in (REPLY, MESSAGE, STREAM, 6):
            client.send(GET_TYPE, kind=kind)
        client.send(1, program=KEEPALIVE, kind=MESSAGE)
        self.assertEqual(client.receive()[:3], (KEEPALIVE, 2, MESSAGE))

    def test_pings(self):
        """A client that asked for it is pinged when it says nothing."""
        quiet, answers, silent = (self.bare().open() for unused in range(3))
        for client in (answers, silent):
            self.assertEqual(client.call(FEATURE, struct.pack(">i", 10)), (0, struct.pack(">i", 1)))
        self.assertEqual(answers.receive()[:3], (KEEPALIVE, 1, MESSAGE))
        answers.send(2, program=KEEPALIVE, kind=MESSAGE)
        answers.send(GET_TYPE)
        while (message := answers.receive())[0] == KEEPALIVE:
            pass  # another one, on a machine that halted for a while
        self.assertEqual(message[4:], (0, text("TEST")))
        self.assertEqual(silent.receive()[:3], (KEEPALIVE, 1, MESSAGE))
        #   Who did not ask hears nothing.
        quiet.socket.setblocking(False)
        self.assertRaises(BlockingIOError, quiet.socket.recv, 1)

    def test_read_only(self):
        """Clients that do not refuse by themselves are refused."""
        writer = self.bare().open()
        status, domain = writer.call(DEFINE, text(test_domain("web")))
        self.assertEqual(status, 0)
        socket = self.bare(readonly=True).open()
        flag = self.bare().open(flags=1)
        for client in (socket, flag):
            self.assertEqual(client.call(LOOKUP, text("web")), (0, domain))
            self.assertEqual(client.refused(CREATE, domain)[0], OPERATION_DENIED)
            self.assertEqual(client.refused(DEFINE, text("<domain/>"))[0], OPERATION_DENIED)
            self.assertEqual(client.call(GET_XML, domain + struct.pack(">I", 0))[0], 0)
            secure = domain + struct.pack(">I", 1)
            self.assertEqual(client.refused(GET_XML, secure)[0], OPERATION_DENIED)
        self.assertEqual(writer.call(GET_XML, domain + struct.pack(">I", 1))[0], 0)

    def test_readers(self):
        """Those who may only read do not fill the queue in which others wait."""
        slow = behaviour("<test:delay op='save' ms='60000'/>")
        writer, saver = self.bare().open(), self.bare().open()
        status, domain = writer.call(DEFINE, text(test_domain("web", extra=slow)))
        self.assertEqual((status, writer.call(CREATE, domain)), (0, (0, b"")))
        saver.send(SAVE, domain + text(os.path.join(self.daemon.root, "web.save")))
        until(lambda: writer.call(JOB_INFO, domain)[1][:4] == struct.pack(">i", 2), what="the save")
        readers = [self.bare(readonly=True).open() for unused in range(6)]
        for reader in readers:
            asked = domain + text("vda") + struct.pack(">I", 0)
            reader.socket.sendall(b"".join(reader.message(BLOCK_INFO, asked) for unused in range(64)))
        answered, _, _ = select.select([reader.socket for reader in readers], [], [], PATIENCE)
        (reader,) = [reader for reader in readers if reader.socket is answered[0]]
        self.assertEqual(reader.receive()[5][:4], struct.pack(">i", RESOURCE_BUSY))
        writer.send(SUSPEND, domain)
        writer.send(ABORT_JOB, domain)
        answers = {message[1]: message[4:] for message in (writer.receive(), writer.receive())}
        self.assertEqual(answers, {SUSPEND: (0, b""), ABORT_JOB: (0, b"")})

    def test_pipelined(self):
        """Many calls at once, more than are taken at a time, and cut anywhere."""
        client = self.bare().open()
        first = client.serial
        stream = b"".join(client.message(59) for unused in range(300))
        sender = threading.Thread(target=self.dribble, args=(client, stream))
        sender.start()
        serials = set()
        for unused in range(300):
            _, procedure, kind, serial, status, _ = client.receive()
            self.assertEqual((procedure, kind, status), (59, REPLY, 0))
            serials.add(serial)
        sender.join()
        self.assertEqual(serials, set(range(first, first + 300)))

    @staticmethod
    def dribble(client, data):
        chance = random.Random(5)
        while data:
            size = chance.randrange(1, 200)
            client.socket.sendall(data[:size])
            data = data[size:]

    def test_lengths(self):
        """A length that is none ends the connection, without an answer."""
        for length in (0, 27, 33554437, 0xFFFFFFFF):
            client = self.bare()
            client.socket.sendall(struct.pack(">I", length))
            self.assertEqual(client.closed(), b"")
        client = self.bare(readonly=True)
        client.socket.sendall(struct.pack(">I", 5 * 1024 * 1024))
        self.assertEqual(client.closed(), b"")
        self.undisturbed()

    def test_crowd(self):
        """A hundred that send garbage, half messages, wrong lengths or floods, or do not read, disturb nobody, and
        leave nothing behind."""
        good = self.bare().open()
        answered, over = [], threading.Event()

        def ask():
            while not over.is_set():
                answered.append(good.call(GET_TYPE))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            self.one_crowd(1)
            until(lambda: self.clients() == 1, what="the end of the crowd")
            files, memory = self.files(), self.resident_kib()
            for seed in (2, 3):
                before = len(answered)
                self.one_crowd(seed)
                until(lambda: len(answered) > before + 20, what="answers for the one who behaves")
            until(lambda: self.clients() == 1, what="the end of the crowd")
            until(lambda: self.files() <= files, what="descriptors that are closed")
        finally:
            over.set()
            asking.join()
        self.assertEqual(set(answered), {(0, text("TEST"))})
        #   A sanitizer keeps what was freed, for a while.
        self.assertLess(self.resident_kib() - memory, 300 * 1024 if self.sanitized() else 48 * 1024)

    def one_crowd(self, seed):
        chance = random.Random(seed)
        crowd = []
        for number in range(100):
            client = self.bare(readonly=number % 2 == 1)
            client.socket.setblocking(number % 5 == 4)
            crowd.append(client)
            self.misbehave(client, number % 5, chance)
            if number % 10 == 0:
                self.undisturbed()
        self.undisturbed()
        for client in crowd:
            client.socket.close()

    def misbehave(self, client, how, chance):
        if how == 0:
            self.pour(client, os.urandom(chance.randrange(1, 4000)), 1)
        elif how == 1:  # a length that is none, behind a call
            client.socket.setblocking(True)
            client.open()
            wrong = struct.pack(">I", chance.choice((0, 27, 33554437, 0xFFFFFFFF)))
            self.pour(client, client.message(GET_TYPE) + wrong, 1)
        elif how == 2:  # a flood of calls whose answers it never reads: as much as its side takes
            client.socket.setblocking(True)
            client.open()
            client.socket.setblocking(False)
            self.pour(client, client.message(7), 20000)
        elif how == 3:  # the same with large answers, to what nobody may call yet
            self.pour(client, client.message(LOOKUP, text("x" * 5000)), 2000)
        else:
            client.open()
            whole = client.message(LOOKUP, text("x" * 5000))
            client.socket.sendall(whole[: chance.randrange(1, len(whole))])

    def clients(self):
        """Connections that the daemon still has to libvirt's sockets."""
        with open("/proc/net/unix") as file:
            path = os.path.join(self.daemon.root, "run", "troupe", "libvirt-sock")
            #   A listening socket has its flag (__SO_ACCEPTCON).
            return sum(path in line and line.split()[3] != "00010000" for line in file)

    def files(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.daemon.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    def sanitized(self):
        with open(f"/proc/{self.daemon.process.pid}/maps") as file:
            maps = file.read()
        return "libasan" in maps or "libtsan" in maps

    @staticmethod
    def pour(client, data, times):
        try:
            for unused in range(times):
                client.socket.sendall(data)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass

    def test_gone(self):
        """Clients that go while their calls are open."""
        writer = self.bare().open()
        status, domain = writer.call(DEFINE, text(test_domain("web")))
        self.assertEqual(status, 0)
        for unused in range(20):
            with self.bare() as client:
                client.open()
                client.send(CREATE, domain)
                client.send(12, domain)
        until(lambda: writer.call(12, domain)[0] in (0, 1))
        self.undisturbed()
