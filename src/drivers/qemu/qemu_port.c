//  qemu_port.c: gives channels and virtio consoles their port, and USB devices theirs. What has a
//  port keeps it; the others get the first free one, in the order of the document.

#include "drivers/qemu/qemu_port.h"
#include "drivers/qemu/command/qemu_address.h"
#include "util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIRTIO_PORTS 31
#define HUB_PORTS 8
#define INDEX_MAX 255

//  Taken places, each as text: "0:1" for controller 0, port 1; USB's ports may be "1.2".
static int take_place (strings_t *taken, const xml_node_t *device, const char *place, error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    if (strings_contain (taken, place))
        return error_set (err, ERR_XML_ERROR,
                          "%s: another device has its address (controller:port %s)", name, place);
    strings_add (taken, place);
    return 0;
}

//  Port 0 of a controller is the console's; on a channel it means "any".
static bool has_virtio_port (const xml_node_t *device)
{
    const char *port = xml_string (device, "address/@port");
    return port && (xml_is (device, "console") || strcmp (port, "0") != 0);
}

//  Each of the devices has its controller by now.
static int virtio_ports_of (const completion_t *self, int index)
{
    int ports = VIRTIO_PORTS;
    xml_foreach (controller, self->devices, "controller") {
        int own = -1;
        error_t ignored; //  numbers are checked later
        if (xml_equals (controller, "@type", "virtio-serial") &&
            !xml_int (controller, "@index", 0, INDEX_MAX, &own, &ignored) && own == index)
            xml_int (controller, "@ports", 1, QEMU_VIRTIO_PORTS_MAX, &ports, &ignored);
    }
    return ports;
}

static int take_virtio_port (const completion_t *self, strings_t *taken, xml_node_t *device,
                             error_t *err)
{
    int controller = 0, port = 0;
    if (xml_int (device, "address/@controller", 0, INDEX_MAX, &controller, err) ||
        xml_int (device, "address/@port", 0, virtio_ports_of (self, controller) - 1, &port, err))
        return -1;
    char place[32];
    snprintf (place, sizeof place, "%d:%d", controller, port);
    return take_place (taken, device, place, err);
}

static int find_virtio_port (const completion_t *self, strings_t *taken, xml_node_t *device,
                             error_t *err)
{
    int controller = 0;
    if (xml_int (device, "address/@controller", 0, INDEX_MAX, &controller, err))
        return -1;
    const int ports = virtio_ports_of (self, controller);
    for (int port = xml_is (device, "console") ? 0 : 1; port < ports; port++) {
        char place[32];
        snprintf (place, sizeof place, "%d:%d", controller, port);
        if (strings_contain (taken, place))
            continue;
        strings_add (taken, place);
        xml_set (device, "address/@type", "virtio-serial");
        xml_setf (device, "address/@controller", "%d", controller);
        xml_set (device, "address/@bus", "0");
        xml_setf (device, "address/@port", "%d", port);
        return 0;
    }
    return error_set (err, ERR_XML_ERROR, "%s: the virtio-serial controller %d has no free port",
                      xml_name (device), controller);
}

int qemu_complete_virtio_ports (completion_t *self, error_t *err)
{
    auto(strings_t) taken = strings_new ();
    xml_foreach (device, self->devices, NULL)
        if (qemu_has_address_type (device, "virtio-serial") && has_virtio_port (device) &&
            take_virtio_port (self, taken, device, err))
            return -1;
    xml_foreach (device, self->devices, NULL)
        if (qemu_has_address_type (device, "virtio-serial") && !has_virtio_port (device) &&
            find_virtio_port (self, taken, device, err))
            return -1;
    return 0;
}

static const struct {
    const char *model;
    int ports;
} usb_ports[] = {
    { "piix3-uhci", 2 }, { "piix4-uhci", 2 }, { "vt82c686b-uhci", 2 }, { "pci-ohci", 3 },
    { "ehci", 6 },       { "ich9-ehci1", 6 }, { "nec-xhci", 4 },       { "qemu-xhci", 4 },
};

static int ports_of (const xml_node_t *controller)
{
    int ports = 0;
    error_t ignored = { 0 };
    if (!xml_equals (controller, "@type", "usb"))
        return 0;
    for (size_t i = 0; i < sizeof usb_ports / sizeof *usb_ports; i++)
        if (xml_equals (controller, "@model", usb_ports[i].model))
            ports = usb_ports[i].ports;
    xml_int (controller, "@ports", 1, 15, &ports, &ignored);
    return ports;
}

//  "2" or, behind hubs, "1.2.3.4": no deeper, says USB.
static bool is_usb_port (const char *text)
{
    for (int depth = 1; depth <= 4; depth++) {
        size_t digits = strspn (text, "0123456789");
        if (digits == 0 || digits > 3)
            return false;
        text += digits;
        if (!*text)
            return true;
        if (*text++ != '.')
            return false;
    }
    return false;
}

static int take_usb_port (strings_t *taken, xml_node_t *device, error_t *err)
{
    const char *port = xml_string (device, "address/@port");
    int bus = 0;
    if (!xml_equals (device, "address/@type", "usb") || !port || !is_usb_port (port))
        return error_set (err, ERR_XML_ERROR,
                          "%s: its address is none of USB: <address type='usb' bus='0' port='1'/>",
                          xml_name (device));
    if (xml_int (device, "address/@bus", 0, INDEX_MAX, &bus, err))
        return -1;
    qemu_default (device, "address/@bus", "0");
    char place[32];
    snprintf (place, sizeof place, "%d:%s", bus, port);
    return take_place (taken, device, place, err);
}

static bool try_usb_port (strings_t *taken, xml_node_t *device, const char *bus, const char *port)
{
    autofree char *place = text_format ("%s:%s", bus, port);
    if (strings_contain (taken, place))
        return false;
    strings_add (taken, place);
    xml_set (device, "address/@type", "usb");
    xml_set (device, "address/@bus", bus);
    xml_set (device, "address/@port", port);
    return true;
}

static int find_usb_port (completion_t *self, strings_t *taken, xml_node_t *device, error_t *err)
{
    char port[64];
    xml_foreach (controller, self->devices, "controller")
        for (int number = 1; number <= ports_of (controller); number++) {
            snprintf (port, sizeof port, "%d", number);
            if (try_usb_port (taken, device, xml_string (controller, "@index"), port))
                return 0;
        }
    xml_foreach (hub, self->devices, "hub")
        for (int number = 1; xml_string (hub, "address/@port") && number <= HUB_PORTS; number++) {
            snprintf (port, sizeof port, "%.15s.%d", xml_string (hub, "address/@port"), number);
            if (try_usb_port (taken, device, xml_string (hub, "address/@bus"), port))
                return 0;
        }
    char name[128];
    qemu_device_name (device, name);
    return error_set (err, ERR_XML_ERROR,
                      "%s: no USB port is free; add <hub type='usb'/> or a controller with more "
                      "ports",
                      name);
}

//  Companions (ich9-uhci1) have no ports of their own.
static int ports_at_bus (const completion_t *self, int bus, bool *there)
{
    int ports = 0;
    *there = false;
    xml_foreach (controller, self->devices, "controller") {
        int own = -1;
        error_t ignored;
        if (!xml_equals (controller, "@type", "usb") || xml_equals (controller, "@model", "none") ||
            xml_int (controller, "@index", 0, INDEX_MAX, &own, &ignored) || own != bus)
            continue;
        *there = true;
        if (ports_of (controller) > ports)
            ports = ports_of (controller);
    }
    return ports;
}

static bool has_hub (const completion_t *self, int bus, const char *port, size_t size)
{
    xml_foreach (hub, self->devices, "hub") {
        int own = 0;
        error_t ignored;
        const char *at = xml_string (hub, "address/@port");
        if (at && strlen (at) == size && strncmp (at, port, size) == 0 &&
            !xml_int (hub, "address/@bus", 0, INDEX_MAX, &own, &ignored) && own == bus)
            return true;
    }
    return false;
}

static int no_usb_port (const xml_node_t *device, int bus, const char *cause, error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    return error_set (err, ERR_XML_ERROR,
                      "%s: the USB bus %d %s '%s'; leave its <address> out, and "
                      "a port is found",
                      name, bus, cause, xml_string (device, "address/@port"));
}

//  All have theirs.
static int check_usb_port (const completion_t *self, const xml_node_t *device, error_t *err)
{
    int bus = 0;
    bool there;
    const char *port = xml_string (device, "address/@port"), *dot = strrchr (port, '.');
    if (xml_int (device, "address/@bus", 0, INDEX_MAX, &bus, err))
        return -1;
    const int ports = ports_at_bus (self, bus, &there);
    const long number = strtol (dot ? dot + 1 : port, NULL, 10);
    if (!there)
        return no_usb_port (device, bus, "is not there, so neither is its port", err);
    if (dot && !has_hub (self, bus, port, (size_t) (dot - port)))
        return no_usb_port (device, bus, "has no hub for the port", err);
    if (number < 1 || number > (dot ? HUB_PORTS : ports))
        return no_usb_port (device, bus, "has no port", err);
    return 0;
}

int qemu_complete_usb_ports (completion_t *self, error_t *err)
{
    auto(strings_t) taken = strings_new ();
    xml_foreach (device, self->devices, NULL)
        if (qemu_has_address_type (device, "usb") && xml_find (device, "address") &&
            take_usb_port (taken, device, err))
            return -1;
    //  Hubs first: the others may need their ports.
    for (int hubs = 1; hubs >= 0; hubs--)
        xml_foreach (device, self->devices, NULL)
            if (qemu_has_address_type (device, "usb") && xml_is (device, "hub") == hubs &&
                !xml_find (device, "address") && find_usb_port (self, taken, device, err))
                return -1;
    xml_foreach (device, self->devices, NULL)
        if (qemu_has_address_type (device, "usb") && check_usb_port (self, device, err))
            return -1;
    return 0;
}
