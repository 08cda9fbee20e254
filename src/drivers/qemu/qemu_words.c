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

//  Cuts the line out in which QEMU says that it waits for the daemon.
static void cut_waiting (char *text)
{
    static const char says[] = QEMU_MONITOR_CHARDEV ": info: QEMU waiting for connection on: ";
    char *found = strstr (text, says), *line = found;
    if (!found)
        return;
    while (line > text && line[-1] != '\n')
        line--;
    const char *rest = found + strcspn (found, "\n");
    rest += *rest == '\n';
    memmove (line, rest, strlen (rest) + 1);
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
    autofree char *tail = file_tail (log, TAIL_BYTES, most, &ignored);
    if (!tail)
        return NULL;
    cut_waiting (tail);
    return text_copy (text_last_lines (tail, strlen (tail), lines));
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
