//  qemu_command_chardev.c: serial and parallel ports, channels, consoles and USB devices that come
//  from elsewhere: the host's side
//  (-chardev) and the guest's device.

#include "drivers/qemu/command/qemu_command_parts.h"

#include <stdio.h>
#include <string.h>

static bool connects (const xml_node_t *device)
{
    return xml_equals (device, "source/@mode", "connect");
}

static void add_reconnect (text_t *text, const xml_node_t *device)
{
    const char *timeout = xml_string (device, "source/reconnect/@timeout");
    if (xml_flag (device, "source/reconnect/@enabled", false) && timeout)
        text_addf (text, ",reconnect=%s", timeout);
}

static void add_socket_end (text_t *text, const xml_node_t *device)
{
    bool connecting = connects (device);
    if (connecting)
        add_reconnect (text, device);
    else
        text_add (text, ",server=on,wait=off");
}

static void add_unix (text_t *text, const char *id, const xml_node_t *device)
{
    autofree char *path = command_escape (xml_string (device, "source/@path"));
    text_addf (text, "socket,id=%s,path=%s", id, path);
    //  Libvirt's default for what listens.
    add_socket_end (text, device);
}

static void add_tcp (text_t *text, const char *id, const xml_node_t *device)
{
    autofree char *host = command_escape (xml_string (device, "source/@host"));
    autofree char *port = command_escape (xml_string (device, "source/@service"));
    bool telnet = xml_equals (device, "protocol/@type", "telnet");
    text_addf (text, "socket,id=%s,host=%s,port=%s%s", id, host, port, telnet ? ",telnet=on" : "");
    //  A TCP source without a mode connects.
    if (xml_equals (device, "source/@mode", "bind"))
        text_add (text, ",server=on,wait=off");
    else
        add_reconnect (text, device);
}

static void add_file (text_t *text, const char *id, const xml_node_t *device)
{
    autofree char *path = command_escape (xml_string (device, "source/@path"));
    const char *append = xml_string (device, "source/@append");
    text_addf (text, "file,id=%s,path=%s", id, path);
    if (append)
        text_addf (text, ",append=%s", append);
}

static void add_path (text_t *text, const char *id, const xml_node_t *device)
{
    autofree char *path = command_escape (xml_string (device, "source/@path"));
    const char *backend = xml_equals (device, "@type", "pipe") ? "pipe"
                          : xml_is (device, "parallel")        ? "parallel"
                                                               : "serial";
    text_addf (text, "%s,id=%s,path=%s", backend, id, path);
}

static void add_plain (text_t *text, const char *id, const xml_node_t *device)
{
    text_addf (text, "%s,id=%s", xml_string (device, "@type"), id);
}

static const struct {
    const char *type;
    void (*add) (text_t *text, const char *id, const xml_node_t *device);
} backends[] = {
    { "unix", add_unix }, { "tcp", add_tcp },   { "file", add_file },  { "pipe", add_path },
    { "dev", add_path },  { "pty", add_plain }, { "null", add_plain },
};

static void add_backend (command_t *self, const char *id, const xml_node_t *device)
{
    auto(text_t) text = text_new ();
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (xml_equals (device, "@type", backends[i].type))
            backends[i].add (text, id, device);
    const char *log = xml_string (device, "log/@file");
    if (log) {
        autofree char *path = command_escape (log);
        text_addf (text, ",logfile=%s,logappend=%s", path,
                   xml_flag (device, "log/@append", true) ? "on" : "off");
    }
    command_add (self, "-chardev", "%s", text->data);
}

static const char *driver_of (const xml_node_t *device)
{
    if (xml_is (device, "serial"))
        return xml_string (device, "target/model/@name");
    if (xml_is (device, "parallel"))
        return "isa-parallel";
    return xml_is (device, "channel") ? "virtserialport" : "virtconsole";
}

int qemu_command_chardev (command_t *self, const xml_node_t *device, error_t *err)
{
    (void) err;
    //  A console that is a serial port is that port.
    if (xml_is (device, "console") && xml_equals (device, "target/@type", "serial"))
        return 0;
    autofree char *id = text_format ("char%s", qemu_alias (device));
    add_backend (self, id, device);
    const char *driver = driver_of (device);
    json_t *json = command_device (driver, device);
    command_address (self, json, device);
    json_object_set_new (json, "chardev", json_string (id));
    if (strcmp (driver, "isa-serial") == 0)
        command_number (json, "index", device, "target/@port");
    if (xml_is (device, "channel"))
        command_string (json, "name", device, "target/@name");
    command_json (self, "-device", json);
    return 0;
}

//  "CLASS:VENDOR:PRODUCT:VERSION:ALLOW" for each rule, -1 for any.
static void add_filter (command_t *self, json_t *json)
{
    static const char *const parts[] = { "@class", "@vendor", "@product" };
    const xml_node_t *filter = xml_first (self->devices, "redirfilter");
    auto(text_t) text = text_new ();
    xml_foreach (rule, filter, "usbdev") {
        int major = 0, minor = 0;
        const char *version = xml_string (rule, "@version");
        text_add (text, text->size ? "|" : "");
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            const char *value = xml_string (rule, parts[i]);
            text_addf (text, "%s:", value ? value : "-1");
        }
        if (version && sscanf (version, "%d.%d", &major, &minor) == 2)
            text_addf (text, "0x%02d%02d:", major, minor);
        else
            text_add (text, "-1:");
        text_add (text, xml_flag (rule, "@allow", false) ? "1" : "0");
    }
    if (text->size)
        json_object_set_new (json, "filter", json_string (text->data));
}

int qemu_command_redirdev (command_t *self, const xml_node_t *redirdev, error_t *err)
{
    (void) err;
    const int index = command_bootindex (self, redirdev);
    autofree char *id = text_format ("char%s", qemu_alias (redirdev));
    json_t *json = command_device ("usb-redir", redirdev);
    add_backend (self, id, redirdev);
    command_address (self, json, redirdev);
    json_object_set_new (json, "chardev", json_string (id));
    if (index > 0)
        json_object_set_new (json, "bootindex", json_integer (index));
    add_filter (self, json);
    command_json (self, "-device", json);
    return 0;
}
