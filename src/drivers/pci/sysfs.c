//  sysfs.c: see sysfs.h.

#include "drivers/pci/sysfs.h"

#include "util/file.h"

#include <limits.h>
#include <string.h>

enum {
    ATTRIBUTE_MAX = 64 * 1024
};

char *sysfs_text (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *path = text_format_args (format, args);
    va_end (args);
    error_t ignored; //  then there is none
    char *text = file_read (path, ATTRIBUTE_MAX, NULL, &ignored);
    if (text)
        text[strcspn (text, "\n")] = 0;
    return text;
}

long sysfs_number (const char *folder, const char *name, long otherwise)
{
    char *end;
    autofree char *text = sysfs_text ("%s/%s", folder, name);
    long number = text ? strtol (text, &end, 0) : 0;
    return text && end != text && !*end ? number : otherwise;
}

char *sysfs_link (const char *folder, const char *name)
{
    char target[PATH_MAX];
    autofree char *path = text_format ("%s/%s", folder, name);
    ssize_t size = readlink (path, target, sizeof target - 1);
    if (size <= 0)
        return NULL;
    target[size] = 0;
    const char *slash = strrchr (target, '/');
    return text_copy (slash ? slash + 1 : target);
}

char *sysfs_real (const char *path)
{
    return realpath (path, NULL);
}

strings_t *sysfs_names (const char *folder)
{
    error_t ignored; //  then there are none
    strings_t *names = file_list (folder, "", &ignored);
    return names ? names : strings_new ();
}
