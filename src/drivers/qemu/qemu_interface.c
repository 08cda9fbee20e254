//  qemu_interface.c: makes the links of a guest's network interfaces.

#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/qemu_alias.h"
#include "drivers/qemu/qemu_command.h"
#include "util/device.h"
#include "util/launch.h"
#include "util/uuid.h"
#include "util/xml.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define VHOST_PATH "/dev/vhost-net"

static xml_node_t *interfaces_of (const job_t *job)
{
    return xml_find (xml_root (job->guest->live), "devices");
}

static bool is_foreign (const xml_node_t *interface)
{
    return xml_equals (interface, "target/@managed", "no");
}

static int number (const xml_node_t *node, const char *path, int otherwise)
{
    uint64_t value = (uint64_t) otherwise;
    error_t ignored = { 0 };
    return xml_u64 (node, path, &value, &ignored) ? otherwise : (int) value;
}

xml_node_t *qemu_interface_link (const xml_t *record, const xml_node_t *interface)
{
    xml_foreach (link, record ? xml_root (record) : NULL, "link")
        if (text_equals (xml_string (link, "@alias"), qemu_alias (interface)))
            return link;
    return NULL;
}

//  A port of a network says in the live document what it is plugged into, as libvirt has it.
static bool is_direct (const xml_node_t *interface)
{
    return xml_equals (interface, "@type", "direct") ||
           (xml_equals (interface, "@type", "network") && xml_string (interface, "source/@dev"));
}

//  What QEMU gets of an interface; NULL: nothing.
static const char *device_kind (const xml_node_t *interface)
{
    const char *type = xml_string (interface, "@type");
    if (is_direct (interface))
        return "macvtap";
    if (!text_equals (type, "bridge") && !text_equals (type, "ethernet") &&
        !text_equals (type, "network"))
        return NULL;
    return number (interface, "driver/@queues", 1) > 1 ? "tap-queue" : "tap";
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

//  Names of these kinds are the kernel's to give.
static void forget_name (xml_node_t *interface)
{
    static const char *const prefixes[] = { "vnet", "vif", "macvtap", "macvlan" };
    const char *name = xml_string (interface, "target/@dev");
    for (size_t i = 0; name && !is_foreign (interface) && i < 4; i++)
        if (text_starts (name, prefixes[i])) {
            xml_remove_path (interface, "target");
            return;
        }
}

static void forget_port (xml_node_t *interface)
{
    static const char *const granted[] = { "source/@portid", "source/@bridge", "source/@dev",
                                           "source/@mode" };
    for (size_t i = 0; xml_equals (interface, "@type", "network") && i < 4; i++)
        xml_remove_path (interface, granted[i]);
}

void qemu_interface_forget (xml_node_t *interface)
{
    forget_name (interface);
    forget_port (interface);
}

//  Intent.

static int intend_port (job_t *job, const xml_node_t *interface, xml_node_t *link, error_t *err)
{
    uint8_t random[16];
    char network[UUID_TEXT_SIZE], port[UUID_TEXT_SIZE];
    if (job_network (job, xml_string (interface, "source/@network"), network, err))
        return error_prefix (err, "plug '%s' in", qemu_alias (interface));
    job_random (job, random, sizeof random);
    uuid_from_random (random, port);
    xml_set (link, "@network", network);
    xml_set (link, "@port", port);
    autofree char *undo = text_format ("%s/%s", network, port);
    return job_undo (job, "port", undo, err);
}

static int intend (job_t *job, xml_node_t *interface, int *fd, error_t *err)
{
    bool vhost;
    qemu_interface_forget (interface); //  a saved guest's document has them
    const char *kind = device_kind (interface);
    if (!kind)
        return 0;
    if (choose_vhost (interface, &vhost, err))
        return -1;
    int queues = number (interface, "driver/@queues", 1);
    xml_node_t *link = xml_add (xml_root (job->guest->record), "link");
    xml_set (link, "@alias", qemu_alias (interface));
    xml_set (link, "@kind", kind);
    xml_setf (link, "@queues", "%d", queues);
    xml_setf (link, "@fd", "%d", *fd);
    xml_set (link, "@vhost", vhost ? "yes" : "no");
    *fd += vhost ? 2 * queues : queues;
    if (xml_equals (interface, "@type", "network") && intend_port (job, interface, link, err))
        return -1;
    return is_foreign (interface) ? 0 : job_undo (job, "link", qemu_alias (interface), err);
}

int qemu_interface_intend (job_t *job, error_t *err)
{
    int fd = QEMU_MONITOR_FD + 1;
    xml_foreach (interface, interfaces_of (job), "interface")
        if (intend (job, interface, &fd, err))
            return -1;
    if (fd - QEMU_MONITOR_FD <= LAUNCH_LIST_MAX)
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: network interfaces with more than %d queues in all (with "
                      "vhost, each counts twice)",
                      LAUNCH_LIST_MAX);
}

//  Plugging.

//  The kernel would lower the MTU of a bridge to that of the last one that is plugged in.
static int find_bridge (job_t *job, const xml_node_t *interface, link_settings_t *set, error_t *err)
{
    link_t bridge;
    const char *name = xml_string (interface, "source/@bridge");
    if (job_link_find (job, name, &bridge, err))
        return -1;
    if (strcmp (bridge.kind, "bridge") != 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "plug '%s' in: the link '%s' is no bridge of the kernel",
                          qemu_alias (interface), name);
    set->master = name;
    if (!set->mtu)
        set->mtu = bridge.mtu;
    if (xml_string (interface, "port/@isolated"))
        set->isolated = xml_flag (interface, "port/@isolated", false) ? LINK_ON : LINK_OFF;
    return 0;
}

//  The lowest address among its ports becomes that of a bridge which has none of its own, and so
//  changes it when a guest comes: the link's has to be a high one, and not the guest's.
static void set_tap_mac (const xml_node_t *interface, char mac[LINK_MAC_SIZE], link_settings_t *set)
{
    const char *own = xml_string (interface, "mac/@address");
    snprintf (mac, LINK_MAC_SIZE, "%s%s", strncasecmp (own, "fe", 2) == 0 ? "fa" : "fe", own + 2);
    set->mac = mac;
}

static int describe_tap (job_t *job, const xml_node_t *interface, char mac[LINK_MAC_SIZE],
                         link_spec_t *spec, error_t *err)
{
    spec->kind = LINK_TAP;
    spec->vnet_hdr = true;
    spec->multi_queue = number (interface, "driver/@queues", 1) > 1;
    set_tap_mac (interface, mac, &spec->set);
    if (!spec->set.name)
        spec->set.name = "vnet%d";
    return xml_string (interface, "source/@bridge") ? find_bridge (job, interface, &spec->set, err)
                                                    : 0;
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
    if (is_direct (interface))
        describe_macvtap (interface, &spec);
    else if (describe_tap (job, interface, mac, &spec, err))
        return -1;
    if (xml_string (interface, "mtu/@size"))
        spec.set.mtu = (uint32_t) number (interface, "mtu/@size", 0);
    return job_link_create (job, qemu_alias (interface), &spec, link, err);
}

static void read_rate (const xml_node_t *node, link_rate_t *rate)
{
    error_t ignored = { 0 }; //  it was checked
    xml_u64 (node, "@average", &rate->average_kb, &ignored);
    xml_u64 (node, "@peak", &rate->peak_kb, &ignored);
    xml_u64 (node, "@burst", &rate->burst_kib, &ignored);
}

//  The interface's own limits go before those of its network.
static int limit (job_t *job, const xml_node_t *interface, const port_grant_t *grant, error_t *err)
{
    link_bandwidth_t bandwidth = grant->bandwidth;
    const xml_node_t *node = xml_find (interface, "bandwidth");
    if (!node && !grant->limited)
        return 0;
    if (node) {
        bandwidth = (link_bandwidth_t){ 0 };
        read_rate (xml_find (node, "inbound"), &bandwidth.inbound);
        read_rate (xml_find (node, "outbound"), &bandwidth.outbound);
    }
    return job_link_bandwidth (job, qemu_alias (interface), &bandwidth, err);
}

static int check_grant (const xml_node_t *interface, const port_grant_t *grant, error_t *err)
{
    const char *network = xml_string (interface, "source/@network");
    if (grant->kind == PORT_HOSTDEV)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: network '%s' with <forward mode='hostdev'/> for a guest "
                          "of QEMU",
                          network);
    if (grant->vlan)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: VLAN %" PRIu32 " of network '%s', for a bridge or a "
                          "macvtap",
                          grant->vlan, network);
    return 0;
}

//  Asks the network for the port, and says in the live document what it is plugged into.
static int take_port (job_t *job, xml_node_t *interface, xml_node_t *link, port_grant_t *grant,
                      error_t *err)
{
    const port_request_t request = { .network = xml_string (link, "@network"),
                                     .port = xml_string (link, "@port"),
                                     .mac = xml_string (interface, "mac/@address"),
                                     .portgroup = xml_string (interface, "source/@portgroup") };
    if (!request.port)
        return 0;
    if (job_port_create (job, &request, grant, err) || check_grant (interface, grant, err))
        return -1;
    xml_set (interface, "source/@portid", request.port);
    if (grant->kind == PORT_BRIDGE)
        xml_set (interface, "source/@bridge", grant->bridge);
    else {
        xml_set (interface, "source/@dev", grant->device);
        xml_set (interface, "source/@mode", grant->mode);
        xml_set (link, "@kind", device_kind (interface));
    }
    return 0;
}

static int find_or_make (job_t *job, xml_node_t *interface, xml_node_t *link, uid_t uid, gid_t gid,
                         link_t *made, error_t *err)
{
    port_grant_t grant = { 0 };
    if (is_foreign (interface))
        return job_link_find (job, xml_string (interface, "target/@dev"), made, err);
    bool failed = take_port (job, interface, link, &grant, err) ||
                  make_link (job, interface, &grant, uid, gid, made, err) ||
                  limit (job, interface, &grant, err);
    return failed ? -1 : 0;
}

static int plug (job_t *job, xml_node_t *interface, uid_t uid, gid_t gid, error_t *err)
{
    link_t made;
    xml_node_t *link = qemu_interface_link (job->guest->record, interface);
    if (!link)
        return 0;
    if (find_or_make (job, interface, link, uid, gid, &made, err))
        return error_prefix (err, "plug '%s' in", qemu_alias (interface));
    xml_set (link, "@name", made.name);
    xml_setf (link, "@ifindex", "%" PRIu32, made.ifindex);
    xml_set (interface, "target/@dev", made.name);
    return 0;
}

int qemu_interface_plug (job_t *job, uid_t uid, gid_t gid, error_t *err)
{
    xml_foreach (interface, interfaces_of (job), "interface")
        if (plug (job, interface, uid, gid, err))
            return -1;
    return 0;
}

static const char *alias_of_port (const job_t *job, const char *port)
{
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link")
        if (xml_equals (link, "@port", port))
            return xml_string (link, "@alias");
    return NULL;
}

//  A macvtap stays on its lower link, which the network did not take away.
int qemu_interface_plug_again (job_t *job, const char *port, const port_grant_t *grant,
                               error_t *err)
{
    link_t link;
    const char *alias = alias_of_port (job, port);
    const link_settings_t set = { .master = grant->bridge,
                                  .master_index = grant->bridge_index,
                                  .isolated = grant->isolated ? LINK_ON : LINK_KEEP };
    if (!alias || grant->kind != PORT_BRIDGE)
        return 0;
    if (job_link_set (job, alias, false, &set, &link, err))
        return error_prefix (err, "plug '%s' of domain '%s' in again", alias, job->guest->name);
    return 0;
}

static void add_device (strings_t *devices, int fd, const device_t *device)
{
    autofree char *text = device_text (device);
    autofree char *item = text_format ("%d:%s", fd, text);
    strings_add (devices, item);
}

strings_t *qemu_interface_devices (const xml_t *record)
{
    static const device_t vhost = { DEVICE_FILE, 0, VHOST_PATH };
    strings_t *devices = strings_new ();
    xml_foreach (link, xml_root (record), "link") {
        device_t device = { .kind = device_kind_by_name (xml_string (link, "@kind")),
                            .ifindex = (uint32_t) number (link, "@ifindex", 0),
                            .name = xml_string (link, "@name") };
        int fd = number (link, "@fd", 0), queues = number (link, "@queues", 1);
        for (int i = 0; i < queues; i++)
            add_device (devices, fd++, &device);
        for (int i = 0; i < queues && xml_flag (link, "@vhost", false); i++)
            add_device (devices, fd++, &vhost);
    }
    return devices;
}

//  The end, and afterwards.

int qemu_interface_claim (job_t *job, error_t *err)
{
    auto(strings_t) keys = strings_new ();
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link")
        strings_add (keys, xml_string (link, "@alias"));
    return job_link_claim (job, strings_list (keys), err);
}

//  All of it is tried, whatever fails; ERR is the last failure.
int qemu_interface_unplug (job_t *job, error_t *err)
{
    int rc = job_link_release (job, err);
    xml_foreach (link, job->guest->record ? xml_root (job->guest->record) : NULL, "link") {
        const char *port = xml_string (link, "@port");
        if (port && job_port_delete (job, xml_string (link, "@network"), port, err))
            rc = -1;
    }
    return rc;
}
