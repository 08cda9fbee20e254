//  error.h: the one error idiom.
//
//  A function that can fail returns 0 or -1 (or a pointer or NULL) and fills ERR:
//
//      if (file_write (path, data, size, err))
//          return -1;
//      return error_set (err, ERR_NO_DOMAIN, "start domain '%s': no domain has this name; "
//                        "'troupe list --all' shows them", name);
//
//  A message is one line: what failed, on which object, why, what to do. It is made where the
//  cause is known, once; callers above pass it on. ERR is never NULL.

#ifndef TROUPE_ERROR_H
#define TROUPE_ERROR_H

#include <stdbool.h>

//  libvirt's public error numbers (virErrorNumber in its API reference), as ERR_NO_DOMAIN = 42.
typedef enum {
#define ERROR_CODE(name, number, text) ERR_##name = number,
#include "util/error_codes.def"
#undef ERROR_CODE
} error_code_t;

#define ERROR_MESSAGE_MAX 1024

typedef struct {
    error_code_t code;               //  ERR_OK: no error
    bool retry;                      //  the same request may succeed a little later
    char message[ERROR_MESSAGE_MAX]; //  one line, no newline at the end
} error_t;

//  Fills ERR; control characters (a newline from QEMU, say) become spaces. Returns -1.
int error_set (error_t *err, error_code_t code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  Like error_set, with ": " and the text of the current errno at the end. Returns -1.
int error_errno (error_t *err, error_code_t code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

//  Puts "PREFIX: " before the message, for a caller who alone knows the object. Returns -1.
int error_prefix (error_t *err, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

//  Makes TEXT, in place, one line of UTF-8: control characters become spaces, those at the end go,
//  and what is no character (a name of another encoding, one that was cut) becomes '?'.
void error_one_line (char *text);

//  "VIR_ERR_NO_DOMAIN" for ERR_NO_DOMAIN; "VIR_ERR_UNKNOWN" for a number that is not in the table.
const char *error_code_name (int code);

//  A short text for a code ("domain not found"), for tables and documents.
const char *error_code_text (int code);

#endif
