"""libvirt's Python binding: its errors as exceptions only, and its event loop."""

import threading

import libvirt


def quiet(*unused):
    """Errors come as exceptions; nothing of them on stderr."""


libvirt.registerErrorHandler(quiet, None)
libvirt.virEventRegisterDefaultImpl()


class EventLoop:
    """libvirt's event loop in a thread, as long as a test wants events."""

    def __enter__(self):
        self.ended = threading.Event()
        #   So that the loop looks at ENDED from time to time.
        self.timer = libvirt.virEventAddTimeout(50, quiet, None)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.ended.is_set():
            libvirt.virEventRunDefaultImpl()

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()
        libvirt.virEventRemoveTimeout(self.timer)
