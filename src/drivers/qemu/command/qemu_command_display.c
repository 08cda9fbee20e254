//  qemu_command_display.c: VNC, video cards and sound cards.

#include "drivers/qemu/command/qemu_command_parts.h"

#include <string.h>

#define KIB 1024

//  Where it listens. A port that is left to us is left to QEMU, which takes the first free one: it
//  is bound when it is found, so no other guest can get it in between.
static void add_place (text_t *text, const xml_node_t *graphics)
{
    const char *address = xml_string (graphics, "listen/@address");
    const char *socket = xml_string (graphics, "listen/@socket");
    const char *port = xml_string (graphics, "@port");
    if (socket) {
        autofree char *path = command_escape (socket);
        text_addf (text, "unix:%s", path);
        return;
    }
    bool ipv6 = address && strchr (address, ':');
    text_addf (text, ipv6 ? "[%s]" : "%s", address ? address : "127.0.0.1");
    long number = port ? strtol (port, NULL, 10) : -1;
    if (number < QEMU_VNC_PORT_MIN)
        text_addf (text, ":0,to=%d", QEMU_VNC_PORT_MAX - QEMU_VNC_PORT_MIN);
    else
        text_addf (text, ":%ld", number - QEMU_VNC_PORT_MIN);
}

int qemu_command_graphics (command_t *self, const xml_node_t *graphics, error_t *err)
{
    (void) err;
    auto(text_t) text = text_new ();
    add_place (text, graphics);
    const char *websocket = xml_string (graphics, "@websocket");
    if (websocket)
        text_addf (text, ",websocket=%s", strcmp (websocket, "-1") == 0 ? "on" : websocket);
    if (xml_string (graphics, "@passwd"))
        text_add (text, ",password=on");
    if (xml_string (graphics, "@sharePolicy"))
        text_addf (text, ",share=%s", xml_string (graphics, "@sharePolicy"));
    if (xml_string (graphics, "@powerControl"))
        text_addf (text, ",power-control=%s",
                   xml_flag (graphics, "@powerControl", false) ? "on" : "off");
    const char *audio = xml_string (self->devices, "audio/@id");
    if (audio)
        text_addf (text, ",audiodev=audio%s", audio);
    command_add (self, "-vnc", "%s", text->data);
    if (xml_string (graphics, "@keymap"))
        command_add (self, "-k", "%s", xml_string (graphics, "@keymap"));
    return 0;
}

//  The sizes of a card's memories: what it calls them, and in which unit.
static const struct {
    const char *type, *path, *property;
    int kib; //  in one of the property's units; 0: the property is in bytes
} video_sizes[] = {
    { "qxl", "model/@ram", "ram_size", 0 },       { "qxl", "model/@vram", "vram_size", 0 },
    { "qxl", "model/@vgamem", "vgamem_mb", KIB }, { "vga", "model/@vram", "vgamem_mb", KIB },
    { "vmvga", "model/@vram", "vgamem_mb", KIB }, { "bochs", "model/@vram", "vgamem", 0 },
};

static int add_sizes (json_t *json, const xml_node_t *video, error_t *err)
{
    for (size_t i = 0; i < sizeof video_sizes / sizeof *video_sizes; i++) {
        int kib = 0;
        if (!xml_equals (video, "model/@type", video_sizes[i].type))
            continue;
        if (xml_int (video, video_sizes[i].path, 1, INT32_MAX, &kib, err))
            return -1;
        json_int_t value = video_sizes[i].kib ? kib / video_sizes[i].kib : (json_int_t) kib * KIB;
        json_object_set_new (json, video_sizes[i].property, json_integer (value));
    }
    return 0;
}

int qemu_command_video (command_t *self, const xml_node_t *video, error_t *err)
{
    if (xml_equals (video, "model/@type", "none"))
        return 0;
    json_t *json = command_model (self, video, err);
    if (!json)
        return -1;
    bool qxl = xml_equals (video, "model/@type", "qxl");
    if (qxl || xml_equals (video, "model/@type", "virtio"))
        command_number (json, "max_outputs", video, "model/@heads");
    int vram64_kib = 0;
    if (add_sizes (json, video, err) ||
        xml_int (video, "model/@vram64", 0, INT32_MAX, &vram64_kib, err)) {
        json_decref (json);
        return -1;
    }
    if (qxl)
        json_object_set_new (json, "vram64_size_mb", json_integer (vram64_kib / KIB));
    command_number (json, "xres", video, "model/resolution/@x");
    command_number (json, "yres", video, "model/resolution/@y");
    command_json (self, "-device", json);
    return 0;
}

static void add_codec (command_t *self, const xml_node_t *sound, int number, const char *type,
                       const char *audiodev)
{
    autofree char *driver = text_format ("hda-%s", type);
    autofree char *id = text_format ("%s-codec%d", qemu_alias (sound), number);
    autofree char *bus = text_format ("%s.0", qemu_alias (sound));
    command_json (self, "-device",
                  json_pack ("{s:s, s:s, s:s, s:i, s:s}", "driver", driver, "id", id, "bus", bus,
                             "cad", number, "audiodev", audiodev));
}

//  What is at the end of Intel's HDA bus; a duplex codec unless the definition has others.
static void add_codecs (command_t *self, const xml_node_t *sound, const char *audiodev)
{
    int number = 0;
    xml_foreach (codec, sound, "codec")
        add_codec (self, sound, number++, xml_string (codec, "@type"), audiodev);
    if (!number)
        add_codec (self, sound, 0, "duplex", audiodev);
}

int qemu_command_sound (command_t *self, const xml_node_t *sound, error_t *err)
{
    const char *id = xml_string (sound, "audio/@id");
    if (!id)
        id = xml_string (self->devices, "audio/@id");
    autofree char *audiodev = text_format ("audio%s", id ? id : "1");
    json_t *json = command_model (self, sound, err);
    if (!json)
        return -1;
    bool hda = text_starts (xml_string (sound, "@model"), "ich");
    if (!hda)
        json_object_set_new (json, "audiodev", json_string (audiodev));
    command_json (self, "-device", json);
    if (hda)
        add_codecs (self, sound, audiodev);
    return 0;
}
