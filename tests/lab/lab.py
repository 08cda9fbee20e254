"""What the tests in the lab share: PCI devices as sysfs shows them, and the cards that the machine of
tests/lab/run has. Runs in that machine only: what it writes to sysfs is real."""

import glob
import json
import os
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "integration"))
MODULES = os.path.join(os.path.dirname(TESTS), "build", "lab", "modules")

DEVICES = "/sys/bus/pci/devices"

CARD = "0000:01:00.0"  # the igb, which has VFs
TWINS = ("0000:03:01.0", "0000:03:02.0")  # two e1000 behind one bridge
BRIDGE = "0000:02:00.0"

TABLET = "0627:0001"  # there are two
STICK = "46f4:0001"  # a disk at USB
DISKS = {1: "first", 2: "second"}  # targets of the SCSI controller, and their serial numbers

PATIENCE = 120


def require_lab():
    """Nothing of the host may be touched: the lab says by its name that it is one."""
    if os.uname().nodename != "lab" or not os.path.exists("/run/lab/program"):
        raise SystemExit("this runs in the lab only: tests/lab/run python3 -m unittest ...")


def until(condition, what):
    """Waits until CONDITION () is true; its value."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {PATIENCE} s")
        time.sleep(0.02)


def path(address, *names):
    return os.path.join(DEVICES, address, *names)


def said(folder, name):
    with open(os.path.join(folder, name)) as file:
        return file.read().strip()


def read(address, name):
    return said(path(address), name)


def write(text, *at):
    with open(os.path.join(*at), "w") as file:
        file.write(text)


def link(address, name):
    """The last part of what the link NAME of a device points at; None: there is none."""
    try:
        return os.path.basename(os.readlink(path(address, name)))
    except FileNotFoundError:
        return None


def driver(address):
    return link(address, "driver")


def group(address):
    return link(address, "iommu_group")


def virtual_functions():
    """The addresses of the card's VFs, in order."""
    names = [name for name in os.listdir(path(CARD)) if name.startswith("virtfn")]
    return [link(CARD, name) for name in sorted(names, key=lambda name: int(name[6:]))]


def card_interface():
    """The name of the card's network interface."""
    return os.listdir(path(CARD, "net"))[0]


def settings():
    """What the card has set for its VFs, as the kernel says it: [(MAC, VLAN, trust), ...]."""
    shown = subprocess.run(["ip", "-d", "-j", "link", "show", "dev", card_interface()], check=True,
                           capture_output=True, text=True).stdout
    found = []
    for each in json.loads(shown)[0]["vfinfo_list"]:
        tags = [tag.get("vlan", 0) for tag in each.get("vlan_list", [])]
        found.append((each["address"], tags[0] if tags else 0, bool(each.get("trust"))))
    return found


def is_the_hosts(function):
    return driver(function) == "igbvf" and read(function, "driver_override") == "(null)"


def make_virtual_functions(count):
    """The card has COUNT VFs, with the driver of network cards; their addresses. Those that a test which failed left
    otherwise are made anew."""
    if int(read(CARD, "sriov_numvfs")) != count or not all(map(is_the_hosts, virtual_functions())):
        write("0", path(CARD, "sriov_numvfs"))
        if count:
            write(str(count), path(CARD, "sriov_numvfs"))
    found = virtual_functions()
    until(lambda: all(driver(function) == "igbvf" for function in found), "the VFs' driver")
    return found


def usb_folders(wanted):
    """Where sysfs has the USB devices WANTED (VENDOR:PRODUCT), without links."""
    found = []
    for at in glob.glob("/sys/bus/usb/devices/*/idVendor"):
        folder = os.path.dirname(os.path.realpath(at))
        if f"{said(folder, 'idVendor')}:{said(folder, 'idProduct')}" == wanted:
            found.append(folder)
    return found


def usb(wanted):
    """(bus, device) of each USB device WANTED, in order."""
    return sorted((int(said(folder, "busnum")), int(said(folder, "devnum"))) for folder in usb_folders(wanted))


def usb_folder(bus, device):
    return next(os.path.dirname(at) for at in glob.glob("/sys/bus/usb/devices/*/devnum")
                if (int(said(os.path.dirname(at), "busnum")), int(said(os.path.dirname(at), "devnum"))) == (bus, device))


def usb_driver(bus, device):
    """The driver of its first interface; None: there is none."""
    folder = usb_folder(bus, device)
    try:
        return os.path.basename(os.readlink(f"{folder}/{os.path.basename(folder)}:1.0/driver"))
    except FileNotFoundError:
        return None


def remove_usb(bus, device):
    write("1", usb_folder(bus, device), "remove")


def plug_usb_again():
    """The kernel finds all of USB anew."""
    driver = "/sys/bus/pci/drivers/xhci_hcd"
    for address in [name for name in os.listdir(driver) if name.startswith("0000:")]:
        write(address, driver, "unbind")
        write(address, driver, "bind")


def scsi(target):
    """(host, sg node) of the SCSI controller's disk with that TARGET."""
    at = [path for path in glob.glob(f"/sys/bus/scsi/devices/*:0:{target}:0/scsi_generic/*")]
    host = at[0].split("/")[5].split(":")[0]
    return int(host), os.path.basename(at[0])


def bind(address, override):
    """As an administrator does who wants the device to have a certain driver, or none."""
    write(override, path(address, "driver_override"))
    if driver(address):
        write(address, path(address, "driver", "unbind"))
    write(address, "/sys/bus/pci/drivers_probe")


def unload(module):
    subprocess.run(["busybox", "rmmod", module], check=True)


def load(module):
    subprocess.run(["busybox", "insmod", os.path.join(MODULES, f"{module}.ko")], check=True)
