//  qemu_native.c: see qemu_native.h.

#include "drivers/qemu/qemu_native.h"

#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_host_model.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_start.h"

#include <ctype.h>
#include <string.h>

static bool is_plain (const char *word)
{
    for (const char *c = word; *c; c++)
        if (!isalnum ((unsigned char) *c) && !strchr ("_-+=./:,@%^", *c))
            return false;
    return *word != 0;
}

//  In single quotes, which a shell lets end and begin anew around one of them.
static void add_word (text_t *text, const char *word)
{
    if (is_plain (word)) {
        text_add (text, word);
        return;
    }
    text_add_char (text, '\'');
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            text_add (text, "'\\''");
        else
            text_add_char (text, *c);
    text_add_char (text, '\'');
}

//  An option and its value share a line.
static void add_words (text_t *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        bool first = text->size == 0;
        bool value = i > 0 && words[i - 1][0] == '-' && words[i][0] != '-';
        text_add (text, first ? "" : value ? " " : " \\\n");
        add_word (text, words[i]);
    }
}

static strings_t *arguments_of (job_t *job, error_t *err)
{
    autofree char *folder = NULL;
    qemu_live_make (job, NULL, &folder);
    xml_t *live = job->guest->live;
    autofree char *said = job_emulator (job, xml_string (xml_root (live), "devices/emulator"), err);
    auto(qemu_caps_t) caps = said ? qemu_caps_parse (said, err) : NULL;
    if (!caps || qemu_host_model_apply (live, caps, err))
        return NULL;
    return qemu_command (live, NULL, caps, err);
}

int qemu_native (job_t *job, const xml_t *definition, text_t *text, error_t *err)
{
    const xml_node_t *root = xml_root (definition);
    auto(guest_t) guest = memory_new (1, sizeof *guest);
    guest->id = -1;
    guest->name = text_copy (xml_string (root, "name"));
    guest->definition = xml_copy (definition);
    snprintf (guest->uuid, sizeof guest->uuid, "%s", xml_string (root, "uuid"));
    //  The job is one of the host: it has no guest but this one, for as long as it looks at it.
    job->guest = guest;
    auto(strings_t) arguments = arguments_of (job, err);
    job->guest = NULL;
    if (!arguments)
        return error_prefix (err, "the command line of domain '%s'", guest->name);
    add_words (text, qemu_start_environment ());
    add_words (text, strings_list (arguments));
    text_add_char (text, '\n');
    return 0;
}
