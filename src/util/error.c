//  error.c: how an error is made and named.

#include "util/error.h"

#include "util/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name, *text;
} error_codes[] = {
#define ERROR_CODE(name, number, text) { number, "VIR_ERR_" #name, text },
#include "util/error_codes.def"
#undef ERROR_CODE
};

int error_set (error_t *err, error_code_t code, const char *format, ...)
{
    //  Made aside first: an argument may be the old message itself.
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (message, sizeof message, format, args);
    va_end (args);
    text_one_line (message);
    err->code = code;
    err->retry = false;
    memcpy (err->message, message, sizeof message);
    return -1;
}

int error_errno (error_t *err, error_code_t code, const char *format, ...)
{
    int number = errno;
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (message, sizeof message, format, args);
    va_end (args);
    return error_set (err, code, "%s: %s", message, strerror (number));
}

int error_prefix (error_t *err, const char *format, ...)
{
    char prefix[ERROR_MESSAGE_MAX / 2];
    va_list args;
    va_start (args, format);
    vsnprintf (prefix, sizeof prefix, format, args);
    va_end (args);
    bool retry = err->retry;
    error_set (err, err->code, "%s: %s", prefix, err->message);
    err->retry = retry;
    return -1;
}

static size_t error_code_index (int code)
{
    size_t i = 0;
    while (i < sizeof error_codes / sizeof *error_codes && error_codes[i].code != code)
        i++;
    return i;
}

const char *error_code_name (int code)
{
    size_t i = error_code_index (code);
    return i < sizeof error_codes / sizeof *error_codes ? error_codes[i].name : "VIR_ERR_UNKNOWN";
}

const char *error_code_text (int code)
{
    size_t i = error_code_index (code);
    return i < sizeof error_codes / sizeof *error_codes ? error_codes[i].text : "unknown error";
}
