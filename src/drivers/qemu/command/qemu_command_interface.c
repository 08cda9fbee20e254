//  qemu_command_interface.c: network interfaces: the host's side (-netdev) and the guest's card.

#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/qemu_interface.h"

#include <limits.h>
#include <string.h>

static void add_user_address (json_t *netdev, const xml_node_t *interface)
{
    xml_foreach (ip, interface, "ip") {
        const char *address = xml_string (ip, "@address"), *prefix = xml_string (ip, "@prefix");
        if (!address)
            continue;
        if (!xml_equals (ip, "@family", "ipv6")) {
            autofree char *net = text_format ("%s/%s", address, prefix ? prefix : "24");
            json_object_set_new (netdev, "net", json_string (net));
        } else {
            json_object_set_new (netdev, "ipv6-prefix", json_string (address));
            command_number (netdev, "ipv6-prefixlen", ip, "@prefix");
        }
    }
}

static void add_virtio (json_t *json, const xml_node_t *interface)
{
    const char *mode = xml_string (interface, "driver/@txmode");
    if (mode)
        json_object_set_new (json, "tx",
                             json_string (strcmp (mode, "iothread") == 0 ? "bh" : "timer"));
    command_flag (json, "ioeventfd", interface, "driver/@ioeventfd");
    command_flag (json, "event_idx", interface, "driver/@event_idx");
    command_number (json, "rx_queue_size", interface, "driver/@rx_queue_size");
    command_number (json, "tx_queue_size", interface, "driver/@tx_queue_size");
    command_number (json, "host_mtu", interface, "mtu/@size");
}

//  COUNT descriptors from FIRST: "fd":"4", or "fds":"4:5:6"; or with names, "net1-0:net1-1".
static void add_descriptors (json_t *netdev, const char *key, const char *keys, const char *name,
                             int first, int count)
{
    auto(text_t) list = text_new ();
    for (int fd = first; fd < first + count; fd++)
        text_addf (list, "%s%s%d", fd == first ? "" : ":", name, fd);
    json_object_set_new (netdev, count > 1 ? keys : key, json_string (list->data));
}

//  What the launcher opened of the interface's link; RECORD has none while nothing is plugged in.
static void add_link (command_t *self, json_t *netdev, const xml_node_t *interface, int queues)
{
    const xml_node_t *link = interface_link (self->record, interface);
    const char *fd = link ? xml_string (link, "@fd") : NULL;
    const char *names = link ? xml_string (link, "@names") : NULL;
    int first = fd ? (int) strtol (fd, NULL, 10) : 0;
    names = names ? names : "";
    json_object_set_new (netdev, "type", json_string ("tap"));
    add_descriptors (netdev, "fd", "fds", names, first, queues);
    if (!link || !xml_flag (link, "@vhost", false))
        return;
    json_object_set_new (netdev, "vhost", json_true ());
    add_descriptors (netdev, "vhostfd", "vhostfds", names, first + queues, queues);
}

static void add_vhost_user (command_t *self, json_t *netdev, const xml_node_t *interface,
                            int queues)
{
    autofree char *id = text_format ("char%s", qemu_alias (interface));
    autofree char *path = command_escape (xml_string (interface, "source/@path"));
    bool server = xml_equals (interface, "source/@mode", "server");
    command_add (self, "-chardev", "socket,id=%s,path=%s%s", id, path,
                 server ? ",server=on,wait=off" : "");
    json_object_set_new (netdev, "type", json_string ("vhost-user"));
    json_object_set_new (netdev, "chardev", json_string (id));
    if (queues > 1)
        json_object_set_new (netdev, "queues", json_integer (queues));
}

static void add_netdev (command_t *self, const xml_node_t *interface, const char *id, int queues)
{
    json_t *netdev = json_pack ("{s:s, s:s}", "type", "user", "id", id);
    if (xml_equals (interface, "@type", "user"))
        add_user_address (netdev, interface);
    else if (xml_equals (interface, "@type", "vhostuser"))
        add_vhost_user (self, netdev, interface, queues);
    else
        add_link (self, netdev, interface, queues);
    command_json (self, "-netdev", netdev);
}

//  One interrupt for each direction of each queue, one for the configuration, one for control. But
//  without KVM, where QEMU 7.2 ends when a guest takes the first one of a card whose peer is a
//  process, such a card has none of its own and takes the bus's.
static void add_vectors (command_t *self, json_t *json, const xml_node_t *interface, int queues)
{
    const bool bus = !self->kvm && xml_equals (interface, "@type", "vhostuser");
    if (queues > 1)
        json_object_set_new (json, "mq", json_true ());
    if (queues > 1 || bus)
        json_object_set_new (json, "vectors", json_integer (bus ? 0 : 2 * queues + 2));
}

int qemu_command_interface (command_t *self, const xml_node_t *interface, error_t *err)
{
    int queues = 1;
    if (xml_equals (interface, "@type", "hostdev"))
        return qemu_command_hostdev (self, interface, err);
    autofree char *id = text_format ("host%s", qemu_alias (interface));
    if (xml_int (interface, "driver/@queues", 1, INT_MAX, &queues, err))
        return -1;
    add_netdev (self, interface, id, queues);

    json_t *json = command_model (self, interface, err);
    if (!json)
        return -1;
    json_object_set_new (json, "netdev", json_string (id));
    command_string (json, "mac", interface, "mac/@address");
    int index = command_bootindex (self, interface);
    if (index)
        json_object_set_new (json, "bootindex", json_integer (index));
    if (text_starts (qemu_model_name (interface), "virtio"))
        add_virtio (json, interface);
    add_vectors (self, json, interface, queues);
    command_rom (json, interface);
    command_json (self, "-device", json);
    return 0;
}
