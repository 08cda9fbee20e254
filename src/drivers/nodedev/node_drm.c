//  node_drm.c: graphics cards, as the Direct Rendering Manager has them.

#include "drivers/nodedev/node_kind.h"

#include <string.h>

static const struct {
    const char *prefix, *type;
} minors[] = { { "card", "primary" }, { "renderD", "render" }, { "controlD", "control" } };

static const char *type_of (const char *called)
{
    for (size_t i = 0; i < sizeof minors / sizeof *minors; i++)
        if (text_starts (called, minors[i].prefix))
            return minors[i].type;
    return NULL;
}

//  "card0-HDMI-A-1" is a connector of one.
bool node_is_drm (const char *path, const char *called)
{
    (void) path;
    return type_of (called) && !strchr (called, '-');
}

void node_read_drm (const char *sysfs, node_t *self)
{
    (void) sysfs;
    self->file = text_format ("dri/%s", node_called (self->path));
}

void node_describe_drm (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    xml_set (capability, "type", type_of (node_called (self->path)));
}
