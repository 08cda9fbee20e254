//  error.c: how an error is made and named.

#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
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

//  Bytes of the character at TEXT (RFC 3629); 0 if there is none.
static size_t character_size (const unsigned char *text)
{
    static const unsigned char masks[] = { 0, 0x80, 0xe0, 0xf0, 0xf8 };
    size_t size = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    if (size == 1)
        return 1;
    uint32_t code = text[0] & (unsigned char) ~masks[size];
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return text[0] < 0xc0 || text[0] > 0xf4 || code < least[size] || code > 0x10ffff || surrogate
               ? 0
               : size;
}

void error_one_line (char *text)
{
    char *end = text;
    for (char *at = text; *at;) {
        size_t size = character_size ((const unsigned char *) at);
        if (size == 0)
            *at = '?';
        else if (size == 1 && ((unsigned char) *at < ' ' || *at == 0x7f))
            *at = ' ';
        at += size ? size : 1;
        end = at[-1] == ' ' ? end : at;
    }
    *end = 0;
}

int error_set (error_t *err, error_code_t code, const char *format, ...)
{
    //  Made aside first: an argument may be the old message itself.
    char message[ERROR_MESSAGE_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (message, sizeof message, format, args);
    va_end (args);
    error_one_line (message);
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
