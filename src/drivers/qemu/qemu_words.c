//  qemu_words.c: what a QEMU wrote to its log before it ended.

#include "drivers/qemu/qemu_words.h"
#include "util/auto.h"
#include "util/file.h"

#include <sys/stat.h>

#define TAIL_LINES 4
#define TAIL_BYTES 4096

off_t qemu_words_mark (const char *log)
{
    struct stat status;
    return stat (log, &status) == 0 ? status.st_size : 0;
}

void qemu_words_add (const char *log, off_t mark, const char *when, error_t *err)
{
    off_t written = qemu_words_mark (log) - mark;
    if (written <= 0)
        return;
    error_t ignored = { 0 };
    //  With the newline before them: what may be the end of a line is left out.
    size_t most = written < TAIL_BYTES ? (size_t) written + 1 : TAIL_BYTES;
    autofree char *tail = file_tail (log, TAIL_LINES, most, &ignored);
    if (!tail || !*tail)
        return;
    error_code_t code = err->code;
    error_set (err, code, "QEMU ended %s; its last words are: %s", when, tail);
}
