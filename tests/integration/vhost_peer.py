"""The other end of a vhostuser interface: as much of the vhost-user protocol (QEMU's "Vhost-user Protocol"
page) as lets a guest's card come up, and looks into the memory that it is given."""

import array
import mmap
import os
import socket
import struct
import threading

from harness import until

GET_FEATURES, SET_MEM_TABLE = 1, 5
SET_VRING_NUM, SET_VRING_ADDR, GET_VRING_BASE = 8, 9, 11
GET_PROTOCOL_FEATURES, GET_QUEUE_NUM = 15, 17
#   The modern device, and that there are features of the protocol: only that it acknowledges what asks for it.
FEATURES, PROTOCOL = 1 << 32 | 1 << 30, 1 << 3
VERSION, REPLY, NEED_REPLY = 1, 4, 8
TRANSMIT = 1


class Region:
    """A part of the guest's memory: a descriptor that the peer got, mapped."""

    def __init__(self, where, fd):
        self.guest, self.size, self.user, offset = where
        self.file = os.readlink(f"/proc/self/fd/{fd}")
        self.memory = mmap.mmap(fd, self.size + offset)
        self.offset = offset
        os.close(fd)

    def read(self, address, start, count):
        at = address - start
        return self.memory[self.offset + at : self.offset + at + count] if 0 <= at < self.size else None


class Peer:
    """Listens at PATH (QEMU is the client), or connects to it. It serves one QEMU, in a thread, until close ()."""

    def __init__(self, test, path, listen=True):
        self.regions, self.vrings, self.failed, self.path = [], {}, None, path
        self.socket = socket.socket(socket.AF_UNIX)
        self.listening = self.socket if listen else None
        if listen:
            self.socket.bind(path)
            self.socket.listen(1)
        else:
            until(lambda: self.socket.connect_ex(path) == 0, what="QEMU's socket")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def close(self):
        for end in {self.socket, self.listening} - {None}:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join()
        for end in {self.socket, self.listening} - {None}:
            end.close()
        if self.listening and os.path.exists(self.path):
            os.unlink(self.path)

    def serve(self):
        try:
            if self.listening:
                self.socket, unused = self.listening.accept()
            while self.answer():
                pass
        except OSError:
            pass  # the end of either side
        except Exception as error:  # for whoever waits
            self.failed = error

    def receive(self, size, fds):
        data = b""
        while len(data) < size:
            part, extra, unused, unused = self.socket.recvmsg(size - len(data), socket.CMSG_SPACE(8 * 4))
            for unused, unused, packed in extra:
                fds.frombytes(packed)
            if not part:
                return None
            data += part
        return data

    def answer(self):
        fds = array.array("i")
        header = self.receive(12, fds)
        if header is None:
            return False
        request, flags, size = struct.unpack("=3I", header)
        payload = self.receive(size, fds)
        said = self.handle(request, payload, fds)
        for fd in fds:
            os.close(fd)
        if said is None and flags & NEED_REPLY:
            said = struct.pack("=Q", 0)
        if said is not None:
            self.socket.sendall(struct.pack("=3I", request, VERSION | REPLY, len(said)) + said)
        return True

    def handle(self, request, payload, fds):
        """The answer; None: there is none."""
        numbers = {GET_FEATURES: FEATURES, GET_PROTOCOL_FEATURES: PROTOCOL, GET_QUEUE_NUM: 1}
        if request in numbers:
            return struct.pack("=Q", numbers[request])
        if request == SET_MEM_TABLE:
            (count,) = struct.unpack_from("=I", payload)
            assert count == len(fds), f"{count} regions and {len(fds)} descriptors"
            self.regions = [Region(struct.unpack_from("=4Q", payload, 8 + 32 * i), fds.pop(0)) for i in range(count)]
        elif request == SET_VRING_NUM:
            index, size = struct.unpack("=2I", payload)
            self.vrings.setdefault(index, {})["size"] = size
        elif request == SET_VRING_ADDR:
            index, unused, descriptors, unused, available, unused = struct.unpack("=2I4Q", payload)
            self.vrings.setdefault(index, {}).update(descriptors=descriptors, available=available)
        elif request == GET_VRING_BASE:
            (index,) = struct.unpack_from("=I", payload)
            self.vrings.pop(index, None)
            return struct.pack("=2I", index, 0)
        return None

    #   What the guest has.

    def user(self, address, count):
        """Bytes at an address of QEMU's."""
        return self.find(address, count, lambda region: region.user)

    def guest(self, address, count):
        return self.find(address, count, lambda region: region.guest)

    def find(self, address, count, start):
        for region in self.regions:
            data = region.read(address, start(region), count)
            if data is not None:
                return data
        raise AssertionError(f"no region has the address {address:#x}")

    def frames(self):
        """What the guest has put up for transmission, each with the header of virtio in front."""
        if self.failed:
            raise self.failed
        ring = self.vrings.get(TRANSMIT, {})
        if "available" not in ring:
            return []
        (count,) = struct.unpack("=H", self.user(ring["available"] + 2, 2))
        return [self.frame(ring, i) for i in range(min(count, ring["size"]))]

    def frame(self, ring, number):
        (at,) = struct.unpack("=H", self.user(ring["available"] + 4 + 2 * number, 2))
        data = b""
        for unused in range(ring["size"]):
            address, size, flags, follows = struct.unpack("=QIHH", self.user(ring["descriptors"] + 16 * at, 16))
            data += self.guest(address, size)
            if not flags & 1:
                break
            at = follows
        return data
