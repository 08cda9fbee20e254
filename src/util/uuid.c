//  uuid.c: uuids as text.

#include "util/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DIGITS 32

static void put_dashes (const char digits[DIGITS], char uuid[UUID_TEXT_SIZE])
{
    snprintf (uuid, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
              digits + 16, digits + 20);
}

static bool is_all (const char digits[DIGITS], char digit)
{
    for (int i = 0; i < DIGITS; i++)
        if (digits[i] != digit)
            return false;
    return true;
}

bool uuid_normalize (const char *text, char uuid[UUID_TEXT_SIZE])
{
    char digits[DIGITS];
    int count = 0;
    text += strspn (text, " \t\r\n");
    for (; *text && !isspace ((unsigned char) *text); text++) {
        if (*text == '-' && count > 0)
            continue;
        if (count == DIGITS || !isxdigit ((unsigned char) *text))
            return false;
        digits[count++] = (char) tolower ((unsigned char) *text);
    }
    if (text[strspn (text, " \t\r\n")] || count != DIGITS || is_all (digits, '0') ||
        is_all (digits, 'f'))
        return false;
    put_dashes (digits, uuid);
    return true;
}

void uuid_to_text (const uint8_t bytes[16], char uuid[UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char digits[DIGITS];
    for (int i = 0; i < 16; i++) {
        digits[2 * i] = hex[bytes[i] >> 4];
        digits[2 * i + 1] = hex[bytes[i] & 15];
    }
    put_dashes (digits, uuid);
}

//  By a table, as which digits come can't be predicted: lists hold hundreds of uuids.
static int digit_value (char digit)
{
    static const uint8_t above[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    };
    return above[(uint8_t) digit] - 1;
}

bool uuid_to_bytes (const char *text, uint8_t bytes[16])
{
    for (int i = 0; i < 16; i++) {
        text += *text == '-';
        int high = digit_value (text[0]), low = high < 0 ? -1 : digit_value (text[1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t) (high << 4 | low);
        text += 2;
    }
    return !*text;
}

void uuid_from_random (const uint8_t random[16], char uuid[UUID_TEXT_SIZE])
{
    uint8_t bytes[16];
    memcpy (bytes, random, sizeof bytes);
    bytes[6] = (uint8_t) ((bytes[6] & 0x0f) | 0x40); //  RFC 9562: version 4
    bytes[8] = (uint8_t) ((bytes[8] & 0x3f) | 0x80); //  and its variant
    uuid_to_text (bytes, uuid);
}
