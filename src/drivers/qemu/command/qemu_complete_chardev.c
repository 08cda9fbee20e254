//  qemu_complete_chardev.c: completes serial and parallel ports, consoles and channels. The first
//  console is the first serial port seen again, unless it is a virtio one; libvirt's documents
//  have both.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "util/text.h"

#include <string.h>

static int complete_port (xml_node_t *device, int *next, error_t *err)
{
    int port = *next;
    if (xml_int (device, "target/@port", 0, 255, &port, err))
        return -1;
    if (!xml_string (device, "target/@port"))
        xml_setf (device, "target/@port", "%d", port);
    if (port >= *next)
        *next = port + 1;
    return 0;
}

//  Ports that the user numbered come first, so that the others don't take their numbers.
static int complete_ports (completion_t *self, const char *kind, error_t *err)
{
    int next = 0;
    for (int numbered = 1; numbered >= 0; numbered--)
        xml_foreach (device, self->devices, kind)
            if ((xml_string (device, "target/@port") != NULL) == numbered &&
                complete_port (device, &next, err))
                return -1;
    return 0;
}

static int complete_serial (xml_node_t *serial, error_t *err)
{
    qemu_default (serial, "@type", "pty");
    const char *model = xml_string (serial, "target/model/@name");
    const char *type = xml_string (serial, "target/@type");
    autofree char *name = text_copy (type ? type : model ? model : "isa-serial");
    if (model && strcmp (model, name) != 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "serial port: its model '%s' is not one of target type '%s'", model,
                          name);
    xml_set (serial, "target/@type", name);
    xml_set (serial, "target/model/@name", name);
    return 0;
}

//  What is on the host's side of a port.
static void copy_host_side (xml_node_t *to, const xml_node_t *from)
{
    static const char *const parts[] = { "source", "protocol", "log" };
    for (size_t i = 0; i < 3; i++) {
        const xml_node_t *part = xml_first (from, parts[i]);
        if (part)
            xml_add_copy (to, part);
    }
}

static void make_serial_of (completion_t *self, const xml_node_t *console)
{
    xml_node_t *serial = qemu_insert (self->devices, "serial");
    xml_set (serial, "@type", xml_string (console, "@type"));
    copy_host_side (serial, console);
    xml_set (serial, "target/@type", "isa-serial");
    xml_set (serial, "target/@port", "0");
    xml_set (serial, "target/model/@name", "isa-serial");
}

static void mirror_serial (xml_node_t *console, const xml_node_t *serial)
{
    while (xml_first (console, NULL))
        xml_remove (xml_first (console, NULL));
    xml_set (console, "@type", xml_string (serial, "@type"));
    copy_host_side (console, serial);
    xml_set (console, "target/@type", "serial");
    xml_set (console, "target/@port", xml_string (serial, "target/@port"));
}

static int complete_consoles (completion_t *self, error_t *err)
{
    int count = 0;
    xml_foreach (console, self->devices, "console") {
        qemu_default (console, "@type", "pty");
        qemu_default (console, "target/@type", "serial");
        if (count++ > 0 && xml_equals (console, "target/@type", "serial"))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: a second console of target type 'serial'; only the "
                              "first console can be a serial port");
    }
    xml_node_t *first = xml_first (self->devices, "console");
    xml_node_t *serial = xml_first (self->devices, "serial");
    if (!first && serial)
        first = qemu_insert (self->devices, "console");
    else if (!first || !xml_equals (first, "target/@type", "serial"))
        return 0;
    if (!serial)
        make_serial_of (self, first);
    mirror_serial (first, xml_first (self->devices, "serial"));
    return 0;
}

//  Again, when the serial port has its address.
void qemu_mirror_console (completion_t *self)
{
    xml_node_t *console = xml_first (self->devices, "console");
    const xml_node_t *serial = xml_first (self->devices, "serial");
    if (!console || !serial || !xml_equals (console, "target/@type", "serial"))
        return;
    mirror_serial (console, serial);
    if (xml_first (serial, "address"))
        xml_add_copy (console, xml_first (serial, "address"));
}

static int complete_channel (xml_node_t *channel, error_t *err)
{
    qemu_default (channel, "@type", "unix");
    if (!xml_string (channel, "target/@type"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a channel has no <target type='virtio' name='...'/>");
    //  The state of its other end, which only a running guest has.
    xml_remove_path (channel, "target/@state");
    return 0;
}

typedef struct {
    const char *type;
    const char *needed[2]; //  paths that must be there
} backend_t;

static const backend_t backends[] = {
    { "pty", { NULL } },
    { "null", { NULL } },
    { "file", { "source/@path" } },
    { "pipe", { "source/@path" } },
    { "dev", { "source/@path" } },
    { "tcp", { "source/@host", "source/@service" } },
};

//  What they would be relative to, QEMU's working folder, is none that a user knows of.
static int check_paths (const xml_node_t *device, error_t *err)
{
    static const char *const paths[] = { "source/@path", "log/@file" };
    char name[128];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = xml_string (device, paths[i]);
        if (!path || path[0] == '/')
            continue;
        qemu_device_name (device, name);
        return error_set (err, ERR_XML_ERROR, "%s: %s '%s' is not an absolute path", name, paths[i],
                          path);
    }
    return 0;
}

//  It may be a name as well, of those in /etc/services.
static int check_service (const xml_node_t *device, error_t *err)
{
    int port = 0;
    error_t ignored;
    char name[128];
    const char *service = xml_string (device, "source/@service");
    if (!service || (*service && !service[strcspn (service, "0123456789")]) ||
        !xml_int (device, "source/@service", 0, UINT16_MAX, &port, &ignored))
        return 0;
    qemu_device_name (device, name);
    return error_set (err, ERR_XML_ERROR, "%s: source/@service '%s' is no TCP port (0 to %d)", name,
                      service, UINT16_MAX);
}

static int check_backend (const xml_node_t *device, error_t *err)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        for (size_t n = 0; n < 2 && backends[i].needed[n]; n++)
            if (xml_equals (device, "@type", backends[i].type) &&
                !xml_string (device, backends[i].needed[n]))
                return error_set (err, ERR_XML_ERROR, "domain XML: a %s of type '%s' needs %s",
                                  xml_name (device), backends[i].type, backends[i].needed[n]);
    //  A channel to the host that has no path gets one below the daemon's folder at each start.
    bool is_unix = xml_equals (device, "@type", "unix");
    bool may_be_made =
        xml_is (device, "channel") && !xml_equals (device, "source/@mode", "connect");
    if (is_unix && !may_be_made && !xml_string (device, "source/@path"))
        return error_set (err, ERR_XML_ERROR, "domain XML: a %s of type 'unix' needs source/@path",
                          xml_name (device));
    return check_service (device, err) || check_paths (device, err) ? -1 : 0;
}

int qemu_complete_chardevs (completion_t *self, error_t *err)
{
    xml_foreach (serial, self->devices, "serial")
        if (complete_serial (serial, err))
            return -1;
    xml_foreach (channel, self->devices, "channel")
        if (complete_channel (channel, err))
            return -1;
    xml_foreach (parallel, self->devices, "parallel")
        qemu_default (parallel, "@type", "pty");
    if (complete_ports (self, "serial", err) || complete_ports (self, "parallel", err) ||
        complete_consoles (self, err) || complete_ports (self, "console", err))
        return -1;
    static const char *const kinds[] = { "serial", "parallel", "console", "channel", "redirdev" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        xml_foreach (device, self->devices, kinds[i])
            if (check_backend (device, err))
                return -1;
    return 0;
}
