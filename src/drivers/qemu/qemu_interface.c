//  qemu_interface.c: makes the links of a guest's network interfaces.

#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "util/device.h"
#include "util/launch.h"
#include "util/xml.h"

#include <string.h>

#define VHOST_PATH "/dev/vhost-net"
#define QMP_MS 10000

static xml_node_t *interfaces_of (const job_t *job)
{
    return xml_find (xml_root (job->guest->live), "devices");
}

static bool is_foreign (const xml_node_t *interface)
{
    return xml_equals (interface, "target/@managed", "no");
}

//  What QEMU gets of an interface; NULL: nothing.
static const char *device_kind (const xml_node_t *interface)
{
    const char *type = xml_string (interface, "@type");
    if (interface_is_direct (interface))
        return "macvtap";
    if (!text_equals (type, "bridge") && !text_equals (type, "ethernet") &&
        !text_equals (type, "network"))
        return NULL;
    return interface_number (interface, "driver/@queues", 1) > 1 ? "tap-queue" : "tap";
}

//  The kernel's vhost is used where it is there, unless the user wants QEMU itself to do the work.
static int choose_vhost (const xml_node_t *interface, bool *vhost, error_t *err)
{
    const char *name = xml_string (interface, "driver/@name");
    const char *model = xml_string (interface, "model/@type");
    bool there = access (VHOST_PATH, F_OK) == 0;
    *vhost = there && model && text_starts (model, "virtio") && !text_equals (name, "qemu");
    if (*vhost || !text_equals (name, "vhost"))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: <driver name='vhost'/> of the interface '%s': there is no "
                      "%s (is the kernel's module vhost_net loaded?)",
                      qemu_alias (interface), VHOST_PATH);
}

//  Intent.

//  *LINK: the record's element; NULL: the interface needs none.
static int intend (job_t *job, xml_node_t *interface, xml_node_t **link, error_t *err)
{
    bool vhost;
    *link = NULL;
    interface_forget (interface); //  a saved guest's document has them
    const char *kind = device_kind (interface);
    if (!kind)
        return 0;
    if (choose_vhost (interface, &vhost, err) || interface_intend (job, interface, link, err))
        return -1;
    xml_set (*link, "@kind", kind);
    xml_setf (*link, "@queues", "%d", interface_number (interface, "driver/@queues", 1));
    xml_set (*link, "@vhost", vhost ? "yes" : "no");
    return 0;
}

//  What is plugged into a pool is no link of the host.
static bool is_hostdev (const xml_node_t *link)
{
    return xml_equals (link, "@kind", "hostdev");
}

static int descriptors_of (const xml_node_t *link)
{
    if (is_hostdev (link))
        return 0;
    int queues = interface_number (link, "@queues", 1);
    return xml_flag (link, "@vhost", false) ? 2 * queues : queues;
}

int qemu_interface_intend (job_t *job, error_t *err)
{
    int fd = QEMU_MONITOR_FD + 1;
    xml_foreach (interface, interfaces_of (job), "interface") {
        xml_node_t *link;
        if (intend (job, interface, &link, err))
            return -1;
        if (link)
            xml_setf (link, "@fd", "%d", fd);
        fd += link ? descriptors_of (link) : 0;
    }
    if (fd - QEMU_MONITOR_FD <= LAUNCH_LIST_MAX)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: network interfaces with more than %d queues in all (with "
                      "vhost, each counts twice)",
                      LAUNCH_LIST_MAX);
}

int qemu_interface_next_fd (const xml_t *record)
{
    int next = QEMU_MONITOR_FD + 1;
    xml_foreach (link, xml_root (record), "link") {
        int end = interface_number (link, "@fd", 0) + descriptors_of (link);
        next = end > next ? end : next;
    }
    return next;
}

int qemu_interface_intend_one (job_t *job, xml_node_t *interface, error_t *err)
{
    xml_node_t *link;
    if (intend (job, interface, &link, err))
        return -1;
    if (link)
        xml_setf (link, "@names", "%s-", qemu_alias (interface));
    return 0;
}

//  Plugging.

static int describe_tap (job_t *job, const xml_node_t *interface, char mac[LINK_MAC_SIZE],
                         link_spec_t *spec, error_t *err)
{
    spec->kind = LINK_TAP;
    spec->vnet_hdr = true;
    spec->multi_queue = interface_number (interface, "driver/@queues", 1) > 1;
    interface_host_mac (interface, mac);
    spec->set.mac = mac;
    if (!spec->set.name)
        spec->set.name = "vnet%d";
    return interface_find_bridge (job, interface, &spec->set, err);
}

static void describe_macvtap (const xml_node_t *interface, link_spec_t *spec)
{
    spec->kind = LINK_MACVTAP;
    spec->lower = xml_string (interface, "source/@dev");
    spec->mode = xml_string (interface, "source/@mode");
    spec->set.mac = xml_string (interface, "mac/@address");
    if (!spec->set.name)
        spec->set.name = "macvtap%d";
}

static int make_link (job_t *job, const xml_node_t *interface, const port_grant_t *grant, uid_t uid,
                      gid_t gid, link_t *link, error_t *err)
{
    char mac[LINK_MAC_SIZE];
    link_spec_t spec = { .uid = uid, .gid = gid };
    spec.set.master_index = grant->bridge_index;
    spec.set.mtu = grant->mtu;
    spec.set.isolated = grant->isolated ? LINK_ON : LINK_KEEP;
    spec.set.name = xml_string (interface, "target/@dev");
    spec.set.up = LINK_ON;
    if (interface_is_direct (interface))
        describe_macvtap (interface, &spec);
    else if (describe_tap (job, interface, mac, &spec, err))
        return -1;
    if (xml_string (interface, "mtu/@size"))
        spec.set.mtu = (uint32_t) interface_number (interface, "mtu/@size", 0);
    return job_link_create (job, qemu_alias (interface), &spec, link, err);
}

static int find_or_make (job_t *job, xml_node_t *interface, xml_node_t *link, uid_t uid, gid_t gid,
                         link_t *made, error_t *err)
{
    port_grant_t grant = { 0 };
    if (is_foreign (interface))
        return job_link_find (job, xml_string (interface, "target/@dev"), made, err);
    if (interface_take_port (job, interface, link, NULL, &grant, err))
        return -1;
    if (grant.kind == PORT_HOSTDEV) {
        xml_set (link, "@kind", "hostdev");
        return qemu_hostdev_take_pooled (job, interface, link, &grant, err);
    }
    xml_set (link, "@kind", device_kind (interface));
    return make_link (job, interface, &grant, uid, gid, made, err) ||
                   interface_limit (job, interface, &grant, err)
               ? -1
               : 0;
}

int qemu_interface_plug_one (job_t *job, xml_node_t *interface, uid_t uid, gid_t gid, error_t *err)
{
    link_t made;
    xml_node_t *link = interface_link (job->guest->record, interface);
    if (!link)
        return 0;
    if (find_or_make (job, interface, link, uid, gid, &made, err))
        return error_prefix (err, "plug '%s' in", qemu_alias (interface));
    if (!is_hostdev (link))
        interface_note (interface, link, &made);
    return 0;
}

int qemu_interface_plug (job_t *job, uid_t uid, gid_t gid, error_t *err)
{
    xml_foreach (interface, interfaces_of (job), "interface")
        if (qemu_interface_plug_one (job, interface, uid, gid, err))
            return -1;
    return 0;
}

//  Number I of a link's descriptors: its queues, then as many of vhost. The caller frees it.
static char *descriptor (const xml_node_t *link, int i)
{
    static const device_t vhost = { DEVICE_FILE, 0, VHOST_PATH };
    const device_t device = { .kind = device_kind_by_name (xml_string (link, "@kind")),
                              .ifindex = (uint32_t) interface_number (link, "@ifindex", 0),
                              .name = xml_string (link, "@name") };
    return device_text (i < interface_number (link, "@queues", 1) ? &device : &vhost);
}

strings_t *qemu_interface_devices (const xml_t *record)
{
    strings_t *devices = strings_new ();
    xml_foreach (link, xml_root (record), "link")
        for (int i = 0; i < descriptors_of (link); i++) {
            autofree char *device = descriptor (link, i);
            strings_addf (devices, "%d:%s", interface_number (link, "@fd", 0) + i, device);
        }
    return devices;
}

//  While the guest runs.

static json_t *name_of (const xml_node_t *link, int i)
{
    autofree char *name = text_format ("%s%d", xml_string (link, "@names"), i);
    return json_pack ("{s:s}", "fdname", name);
}

int qemu_interface_pass (job_t *job, const xml_node_t *link, error_t *err)
{
    for (int i = 0; i < descriptors_of (link); i++) {
        autofree char *device = descriptor (link, i);
        const job_file_t file = { .device = device };
        json_auto_t *passed = job_qmp_file (job, "getfd", name_of (link, i), &file, QMP_MS, err);
        if (!passed)
            return -1;
    }
    return 0;
}

int qemu_interface_take_back (job_t *job, const xml_node_t *link, error_t *err)
{
    for (int i = 0; xml_string (link, "@names") && i < descriptors_of (link); i++)
        if (qemu_tell_away (job, "closefd", name_of (link, i), err))
            return -1;
    return 0;
}
