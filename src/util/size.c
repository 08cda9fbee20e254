//  size.c: see size.h.

#include "util/size.h"
#include "util/text.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    { "b", 1 },
    { "byte", 1 },
    { "bytes", 1 },
    { "KB", 1000 },
    { "k", 1ull << 10 },
    { "KiB", 1ull << 10 },
    { "MB", 1000000 },
    { "M", 1ull << 20 },
    { "MiB", 1ull << 20 },
    { "GB", 1000000000 },
    { "G", 1ull << 30 },
    { "GiB", 1ull << 30 },
    { "TB", 1000000000000 },
    { "T", 1ull << 40 },
    { "TiB", 1ull << 40 },
    { "PB", 1000000000000000 },
    { "P", 1ull << 50 },
    { "PiB", 1ull << 50 },
    { "EB", 1000000000000000000 },
    { "E", 1ull << 60 },
    { "EiB", 1ull << 60 },
};

uint64_t size_unit (const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp (units[i].name, name) == 0)
            return units[i].bytes;
    return 0;
}

bool size_from_text (const char *text, uint64_t scale, uint64_t *bytes)
{
    uint64_t number;
    size_t digits = strspn (text, "0123456789");
    autofree char *head = text_copy_bytes (text, digits);
    uint64_t unit = text[digits] ? size_unit (text + digits) : scale;
    return text_to_u64 (head, &number) && unit > 0 && !__builtin_mul_overflow (number, unit, bytes);
}
