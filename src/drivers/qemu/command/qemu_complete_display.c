//  qemu_complete_display.c: completes graphics and video cards.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "util/text.h"

#include <string.h>

//  <graphics listen='A'> and its <listen type='address' address='A'> say the same.
static int complete_listen (xml_node_t *graphics, error_t *err)
{
    xml_node_t *listen = xml_first (graphics, "listen");
    const char *address = xml_string (graphics, "@listen");
    if (listen && xml_next (listen, "listen"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: graphics with more than one <listen>");
    if (!listen) {
        listen = xml_add (graphics, "listen");
        xml_set (listen, "@type", "address");
    }
    const char *own = xml_string (listen, "@address");
    if (address && own && strcmp (address, own) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "graphics: its listen attribute '%s' is not the address '%s' of its "
                          "<listen>",
                          address, own);
    if (address)
        qemu_default (listen, "@address", address);
    else if (own)
        xml_set (graphics, "@listen", own);
    return 0;
}

static int complete_socket (xml_node_t *graphics, error_t *err)
{
    if (xml_string (graphics, "@port") || xml_string (graphics, "@listen"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: graphics with a port and a socket; it listens at one");
    const char *path = xml_string (graphics, "@socket");
    if (path) {
        xml_set (graphics, "listen/@type", "socket");
        qemu_default (graphics, "listen/@socket", path);
    }
    path = xml_string (graphics, "listen/@socket");
    if (path)
        qemu_default (graphics, "@socket", path);
    return 0;
}

int qemu_complete_graphics (completion_t *self, xml_node_t *graphics, error_t *err)
{
    (void) self;
    if (!xml_string (graphics, "@type"))
        return error_set (err, ERR_XML_ERROR, "domain XML: graphics have no type");
    if (xml_string (graphics, "@socket") || xml_equals (graphics, "listen/@type", "socket"))
        return complete_socket (graphics, err);
    int port = -1, websocket = -1;
    if (xml_int (graphics, "@port", -1, 65535, &port, err) ||
        xml_int (graphics, "@websocket", -1, 65535, &websocket, err))
        return -1;
    bool automatic = xml_flag (graphics, "@autoport", port < 1);
    if (!automatic && port < 5900)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: graphics/@port '%d'; VNC's ports begin at 5900", port);
    if (automatic)
        xml_set (graphics, "@port", "-1");
    xml_set (graphics, "@autoport", automatic ? "yes" : "no");
    return complete_listen (graphics, err);
}

static const char *default_model (const completion_t *self)
{
    return qemu_caps_device (self->caps, "cirrus-vga") ? "cirrus" : "vga";
}

//  libvirt's defaults, in KiB.
static const struct {
    const char *type, *path, *value;
} video_defaults[] = {
    { "qxl", "model/@ram", "65536" },     { "qxl", "model/@vram", "65536" },
    { "qxl", "model/@vgamem", "16384" },  { "vga", "model/@vram", "16384" },
    { "cirrus", "model/@vram", "16384" }, { "vmvga", "model/@vram", "16384" },
    { "bochs", "model/@vram", "16384" },
};

static int complete_card (xml_node_t *video, bool primary, error_t *err)
{
    const char *type = xml_string (video, "model/@type");
    bool other = strcmp (type, "qxl") == 0 || strcmp (type, "virtio") == 0;
    if (!primary && !other)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a second video card of model '%s'; it can be qxl or "
                          "virtio",
                          type);
    for (size_t i = 0; i < sizeof video_defaults / sizeof *video_defaults; i++)
        if (strcmp (video_defaults[i].type, type) == 0)
            qemu_default (video, video_defaults[i].path, video_defaults[i].value);
    if (strcmp (type, "none") == 0)
        return 0;
    qemu_default (video, "model/@heads", "1");
    if (primary)
        xml_set (video, "model/@primary", "yes");
    else
        xml_remove_path (video, "model/@primary");
    return 0;
}

int qemu_complete_video (completion_t *self, error_t *err)
{
    if (!xml_first (self->devices, "video") && xml_first (self->devices, "graphics"))
        qemu_insert (self->devices, "video");
    xml_node_t *primary = xml_first (self->devices, "video");
    int said = 0;
    xml_foreach (video, self->devices, "video") {
        qemu_default (video, "model/@type", default_model (self));
        if (xml_equals (video, "model/@type", "none") &&
            (video != primary || xml_next (video, "video")))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: a video card of model 'none' means that there is no "
                              "other");
        if (xml_flag (video, "model/@primary", false) && said++ == 0)
            primary = video;
    }
    if (said > 1)
        return error_set (err, ERR_XML_ERROR, "domain XML: two video cards are primary");
    xml_foreach (video, self->devices, "video")
        if (complete_card (video, video == primary, err))
            return -1;
    return 0;
}
