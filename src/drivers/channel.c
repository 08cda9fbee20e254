//  channel.c: see channel.h.

#include "drivers/channel.h"

static bool is_agent (const xml_node_t *channel)
{
    return xml_equals (channel, "@type", "unix") &&
           xml_equals (channel, "target/@type", "virtio") &&
           xml_equals (channel, "target/@name", CHANNEL_AGENT_NAME) &&
           !xml_equals (channel, "source/@mode", "connect") &&
           xml_string (channel, "alias/@name") && xml_string (channel, "source/@path");
}

bool channel_find_agent (const xml_t *live, channel_t *channel)
{
    xml_foreach (each, xml_find (xml_root (live), "devices"), "channel") {
        if (!is_agent (each))
            continue;
        channel->alias = xml_string (each, "alias/@name");
        channel->path = xml_string (each, "source/@path");
        channel->state = xml_equals (each, "target/@state", "connected")      ? CHANNEL_OPEN
                         : xml_equals (each, "target/@state", "disconnected") ? CHANNEL_CLOSED
                                                                              : CHANNEL_UNKNOWN;
        return true;
    }
    return false;
}

void channel_set_state (xml_t *live, const char *alias, bool open)
{
    xml_foreach (each, xml_find (xml_root (live), "devices"), "channel")
        if (xml_equals (each, "alias/@name", alias) && xml_equals (each, "target/@type", "virtio"))
            xml_set (each, "target/@state", open ? "connected" : "disconnected");
}
