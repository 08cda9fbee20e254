//  qemu_words.c: what a QEMU wrote to its log before it ended.

#include "drivers/qemu/qemu_words.h"
#include "drivers/qemu/command/qemu_command.h"
#include "util/auto.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>
#include <sys/stat.h>

#define TAIL_LINES 4
#define TAIL_BYTES 4096

off_t qemu_words_mark (const char *log)
{
    struct stat status;
    return stat (log, &status) == 0 ? status.st_size : 0;
}

//  Without the line in which QEMU says that it waits for the daemon, and what came before.
static char *without_waiting (char *tail)
{
    const char *waiting = tail ? strstr (tail, QEMU_MONITOR_CHARDEV) : NULL;
    const char *end = waiting ? strchr (waiting, '\n') : NULL;
    if (!waiting)
        return tail;
    char *rest = text_copy (end ? end + 1 : "");
    free (tail);
    return rest;
}

//  The last LINES behind MARK; NULL: none. The caller owns it.
static char *tail_of (const char *log, off_t mark, unsigned lines)
{
    off_t written = qemu_words_mark (log) - mark;
    if (written <= 0)
        return NULL;
    error_t ignored = { 0 };
    //  With the newline before them: what may be the end of a line is left out.
    size_t most = written < TAIL_BYTES ? (size_t) written + 1 : TAIL_BYTES;
    return without_waiting (file_tail (log, lines, most, &ignored));
}

void qemu_words_add (const char *log, off_t mark, const char *when, error_t *err)
{
    autofree char *tail = tail_of (log, mark, TAIL_LINES);
    if (!tail || !*tail)
        return;
    error_code_t code = err->code;
    error_set (err, code, "QEMU ended %s; its last words are: %s", when, tail);
}

char *qemu_words_last (const char *log, off_t mark, const char *words)
{
    autofree char *tail = tail_of (log, mark, TAIL_BYTES);
    const char *found = NULL;
    for (const char *at = tail; at && (at = strstr (at, words));) {
        at += strlen (words);
        found = at;
    }
    return found ? text_copy_bytes (found, strcspn (found, "\n")) : NULL;
}
