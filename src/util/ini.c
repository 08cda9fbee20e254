//  ini.c: see ini.h.

#include "util/ini.h"

#include "util/file.h"
#include "util/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
    MAX_BYTES = 64 * 1024
};

typedef struct {
    const char *path;
    int line;
    char *section; //  of the line; NULL: none yet
    const ini_setting_t *settings;
} reader_t;

//  TEXT without the white space around it, in place.
static char *trim (char *text)
{
    text += strspn (text, " \t\r");
    size_t size = strlen (text);
    while (size > 0 && strchr (" \t\r", text[size - 1]))
        text[--size] = 0;
    return text;
}

static int wrong (const reader_t *self, error_t *err, const char *what, const char *text)
{
    return error_set (err, ERR_CONF_SYNTAX, "read '%s', line %d: %s '%s'", self->path, self->line,
                      what, text);
}

static int set_bool (const reader_t *self, bool *value, const char *text, error_t *err)
{
    bool yes = strcmp (text, "yes") == 0;
    if (!yes && strcmp (text, "no") != 0)
        return wrong (self, err, "it has to be yes or no, and is", text);
    *value = yes;
    return 0;
}

static int set (const reader_t *self, const char *name, const char *text, error_t *err)
{
    for (const ini_setting_t *setting = self->settings; setting->section; setting++) {
        if (!text_equals (setting->section, self->section) || strcmp (setting->name, name) != 0)
            continue;
        if (setting->type == INI_BOOL)
            return set_bool (self, setting->value, text, err);
        free (*(char **) setting->value);
        *(char **) setting->value = text_copy (text);
        return 0;
    }
    return wrong (self, err, self->section ? "this section has no setting" : "no section before",
                  name);
}

static int read_section (reader_t *self, char *line, error_t *err)
{
    size_t size = strlen (line);
    if (line[size - 1] != ']')
        return wrong (self, err, "a section ends in ']':", line);
    line[size - 1] = 0;
    for (const ini_setting_t *setting = self->settings; setting->section; setting++)
        if (strcmp (setting->section, line + 1) == 0) {
            self->section = line + 1;
            return 0;
        }
    return wrong (self, err, "there is no section", line + 1);
}

static int read_line (reader_t *self, char *line, error_t *err)
{
    line = trim (line);
    if (!*line || *line == '#' || *line == ';')
        return 0;
    if (*line == '[')
        return read_section (self, line, err);
    char *equals = strchr (line, '=');
    if (!equals)
        return wrong (self, err, "it has to be NAME = VALUE:", line);
    *equals = 0;
    return set (self, trim (line), trim (equals + 1), err);
}

int ini_read (const char *path, const ini_setting_t *settings, error_t *err)
{
    autofree char *text = file_read (path, MAX_BYTES, NULL, err);
    if (!text)
        return errno == ENOENT ? 0 : -1;
    reader_t reader = { path, 0, NULL, settings };
    char *rest = text, *line;
    while ((line = strsep (&rest, "\n"))) {
        reader.line++;
        if (read_line (&reader, line, err))
            return -1;
    }
    return 0;
}
