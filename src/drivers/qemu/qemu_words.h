//  qemu_words.h: what a QEMU wrote to its log before it ended: usually why it did.

#ifndef TROUPE_QEMU_WORDS_H
#define TROUPE_QEMU_WORDS_H

#include "util/error.h"

#include <sys/types.h>

//  The size of the log, which may not be there: what comes behind it is a new QEMU's.
off_t qemu_words_mark (const char *log);

//  Puts the last lines of LOG behind MARK, if there are any, in place of ERR's message (which tells
//  of a closed connection only); the code stays. WHEN: "at its start".
void qemu_words_add (const char *log, off_t mark, const char *when, error_t *err);

//  Of the last line behind MARK that has WORDS, what follows them; NULL: there is none. (It looks
//  at the last 4 KiB.) The caller owns it.
char *qemu_words_last (const char *log, off_t mark, const char *words);

#endif
