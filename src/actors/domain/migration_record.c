//  migration_record.c: see migration_record.h.

#include "actors/domain/migration_record.h"

#include "util/text.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *path;
    size_t at;
} flags[] = {
    { "@run", offsetof (migration_record_t, run) },
    { "@persistent", offsetof (migration_record_t, persistent) },
    { "@undefine", offsetof (migration_record_t, undefine) },
    { "@copy", offsetof (migration_record_t, copy) },
};

static bool *flag (const migration_record_t *self, size_t i)
{
    return (bool *) ((char *) self + flags[i].at);
}

migration_record_t *migration_record_read (const xml_t *record)
{
    const xml_node_t *node = record ? xml_find (xml_root (record), "migration") : NULL;
    const char *token = node ? xml_string (node, "@token") : NULL;
    const char *peer = node ? xml_string (node, "@peer") : NULL;
    if (!token || !peer)
        return NULL;
    error_t ignored = { 0 };
    uint64_t since = 0;
    migration_record_t *self = memory_new (1, sizeof *self);
    snprintf (self->token, sizeof self->token, "%s", token);
    self->peer = text_copy (peer);
    self->trouble = text_copy (xml_string (node, "@trouble"));
    self->incoming = xml_equals (node, "@role", "in");
    self->handed = xml_equals (node, "@phase", "handed");
    xml_u64 (node, "@since_us", &since, &ignored);
    self->since_us = (int64_t) since;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        *flag (self, i) = xml_equals (node, flags[i].path, "yes");
    return self;
}

migration_record_t *migration_record_parse (const char *record)
{
    error_t ignored = { 0 };
    if (!record || !strstr (record, "<migration"))
        return NULL;
    auto(xml_t) doc = xml_parse_own (record, strlen (record), "record", &ignored);
    return migration_record_read (doc);
}

void migration_record_destroy (migration_record_t **self_p)
{
    migration_record_t *self = take (self_p);
    if (!self)
        return;
    free (self->peer);
    free (self->trouble);
    free (self);
}

void migration_record_write (const migration_record_t *self, xml_t *record)
{
    xml_node_t *node = xml_ensure (xml_root (record), "migration");
    xml_set (node, "@role", self->incoming ? "in" : "out");
    xml_set (node, "@phase", self->incoming ? "receiving" : self->handed ? "handed" : "sending");
    xml_set (node, "@token", self->token);
    xml_set (node, "@peer", self->peer);
    xml_set_u64 (node, "@since_us", self->since_us > 0 ? (uint64_t) self->since_us : 0);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (*flag (self, i))
            xml_set (node, flags[i].path, "yes");
        else
            xml_remove_path (node, flags[i].path);
    if (self->trouble)
        xml_set (node, "@trouble", self->trouble);
    else
        xml_remove_path (node, "@trouble");
}

void migration_record_remove (xml_t *record)
{
    xml_remove_path (xml_root (record), "migration");
}
