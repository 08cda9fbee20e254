//  qemu_transport.c: see qemu_transport.h.

#include "drivers/qemu/qemu_transport.h"
#include "util/text.h"

#include <string.h>

static int refuse (const char *uri, const char *why, error_t *err)
{
    return error_set (err, ERR_INVALID_ARG,
                      "migration URI '%s': %s; it is tcp://HOST, tcp://HOST:PORT or unix:PATH", uri,
                      why);
}

static bool take_text (char *to, size_t size, const char *from, size_t length)
{
    if (length >= size)
        return false;
    memcpy (to, from, length);
    to[length] = 0;
    return true;
}

static int read_port (qemu_transport_t *self, const char *uri, const char *text, error_t *err)
{
    size_t digits = strspn (text, "0123456789");
    if (*text == 0)
        return 0;
    if (digits == 0 || text[digits] || strtoul (text, NULL, 10) > 65535 ||
        !take_text (self->port, sizeof self->port, text, digits))
        return refuse (uri, "its port is none", err);
    return 0;
}

static int read_host (qemu_transport_t *self, const char *uri, const char *text, error_t *err)
{
    const char *host = *text == '[' ? text + 1 : text;
    size_t length = strcspn (host, *text == '[' ? "]" : ":");
    const char *after = host + length;
    if (*text == '[' && *after++ != ']')
        return refuse (uri, "a bracket is open", err);
    if (*after && *after != ':')
        return refuse (uri, "something follows the host", err);
    if (strcspn (host, ", /") < length || !take_text (self->host, sizeof self->host, host, length))
        return refuse (uri, "its host is no name or address", err);
    return read_port (self, uri, *after ? after + 1 : after, err);
}

int qemu_transport_parse (qemu_transport_t *self, const char *uri, error_t *err)
{
    *self = (qemu_transport_t){ .port = "0" };
    if (text_starts (uri, "unix:")) {
        const char *path = uri + strlen ("unix:");
        if (text_starts (path, "///"))
            path += 2;
        self->local = true;
        if (*path && *path != '/')
            return refuse (uri, "its path is not absolute", err);
        return take_text (self->path, sizeof self->path, path, strlen (path))
                   ? 0
                   : refuse (uri, "a socket's path has 107 bytes at most", err);
    }
    if (text_starts (uri, "tcp://"))
        return read_host (self, uri, uri + strlen ("tcp://"), err);
    if (text_starts (uri, "tcp:"))
        return read_host (self, uri, uri + strlen ("tcp:"), err);
    return refuse (uri, "this transport is not supported", err);
}

int qemu_transport_listen (qemu_transport_t *self, const qemu_transport_t *at, const char *address,
                           error_t *err)
{
    qemu_transport_t given;
    *self = *at;
    if (!address)
        return 0;
    bool bare = *address != '[' && strchr (address, ':') != strrchr (address, ':');
    autofree char *uri = text_format (bare ? "tcp://[%s]" : "tcp://%s", address);
    if (at->local || qemu_transport_parse (&given, uri, err) || strcmp (given.port, "0") != 0 ||
        !*given.host)
        return error_set (err, ERR_INVALID_ARG,
                          "listen address '%s': it is a name or an address of this host, for what "
                          "is received over TCP",
                          address);
    memcpy (self->host, given.host, sizeof self->host);
    return 0;
}

static char *host_text (const qemu_transport_t *self)
{
    return text_format (strchr (self->host, ':') ? "[%s]" : "%s", self->host);
}

char *qemu_transport_text (const qemu_transport_t *self)
{
    autofree char *host = host_text (self);
    return self->local ? text_format ("unix:%s", self->path)
                       : text_format ("tcp://%s:%s", host, self->port);
}

char *qemu_transport_uri (const qemu_transport_t *self)
{
    autofree char *host = host_text (self);
    return self->local ? text_format ("unix:%s", self->path)
                       : text_format ("tcp:%s:%s", host, self->port);
}

json_t *qemu_transport_address (const qemu_transport_t *self, bool legacy)
{
    const char *type = self->local ? "unix" : "inet";
    json_t *address = self->local
                          ? json_pack ("{s:s}", "path", self->path)
                          : json_pack ("{s:s, s:s}", "host", self->host, "port", self->port);
    if (legacy)
        return json_pack ("{s:s, s:o}", "type", type, "data", address);
    json_object_set_new (address, "type", json_string (type));
    return address;
}
