//  qemu_console.c: finds a guest's console: what "virsh console" opens.

#include "drivers/channel.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/qemu_ops.h"

#include <stdio.h>
#include <string.h>

static const xml_node_t *find_device (const xml_node_t *devices, const char *alias)
{
    static const char *const kinds[] = { "console", "serial", "parallel", "channel" };
    for (size_t i = 0; i < 4; i++)
        xml_foreach (device, devices, kinds[i])
            if (!alias ? i < 2 : strcmp (qemu_alias (device), alias) == 0)
                return device;
    return NULL;
}

//  What DEVICE is connected to; NAME: the domain's.
static int read_source (const xml_node_t *device, const char *name, console_source_t *source,
                        error_t *err)
{
    bool pty = xml_equals (device, "@type", "pty");
    bool socket =
        xml_equals (device, "@type", "unix") && !xml_equals (device, "source/@mode", "connect");
    const char *path = xml_string (device, "source/@path");
    if ((!pty && !socket) || !path)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "console of domain '%s': the device '%s' is of type '%s'; it can be pty "
                          "or unix",
                          name, qemu_alias (device), xml_string (device, "@type"));
    if (strlen (path) >= sizeof source->path)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "console of domain '%s': the path '%s' is too long", name, path);
    source->kind = pty ? CONSOLE_PTY : CONSOLE_UNIX;
    snprintf (source->alias, sizeof source->alias, "%s", qemu_alias (device));
    snprintf (source->path, sizeof source->path, "%s", path);
    return 0;
}

int qemu_console (const xml_t *live, const char *alias, console_source_t *source, error_t *err)
{
    const xml_node_t *domain = xml_root (live);
    const char *name = xml_string (domain, "name");
    const xml_node_t *device = find_device (xml_find (domain, "devices"), alias);
    if (!device)
        return error_set (err, ERR_INTERNAL_ERROR,
                          "console of domain '%s': it has no character device '%s'; add "
                          "<serial type='pty'/>",
                          name, alias ? alias : "console or serial");
    return read_source (device, name, source, err);
}

static const xml_node_t *find_channel (const xml_node_t *devices, const char *name)
{
    xml_foreach (channel, devices, "channel")
        if (!name || xml_equals (channel, "target/@name", name) ||
            strcmp (qemu_alias (channel), name) == 0)
            return channel;
    return NULL;
}

int qemu_channel (const xml_t *live, const char *channel, console_source_t *source, error_t *err)
{
    const xml_node_t *domain = xml_root (live);
    const char *name = xml_string (domain, "name");
    const xml_node_t *device = find_channel (xml_find (domain, "devices"), channel);
    if (!device)
        return error_set (err, ERR_INTERNAL_ERROR, "channel of domain '%s': it has no channel%s%s",
                          name, channel ? " " : "", channel ? channel : "");
    if (xml_equals (device, "target/@name", CHANNEL_AGENT_NAME))
        return error_set (err, ERR_OPERATION_INVALID,
                          "channel of domain '%s': '%s' is its agent's: qemu-agent-command passes "
                          "commands to that",
                          name, CHANNEL_AGENT_NAME);
    return read_source (device, name, source, err);
}
