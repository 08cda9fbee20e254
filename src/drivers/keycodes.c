//  keycodes.c: see keycodes.h.

#include "drivers/keycodes.h"

#include "util/text.h"

#include <string.h>

//  The columns of the table.
typedef enum {
    SET_LINUX,
    SET_AT1,
    SET_AT2,
    SET_AT3,
    SET_USB,
    SET_WIN32,
    SET_COUNT,
    SET_XT,  //  of set 1 what a keyboard of an XT had
    SET_QNUM //  passed on
} set_t;

static const struct {
    const char *name;
    set_t set;
} codesets[] = {
    { "linux", SET_LINUX }, { "xt", SET_XT },   { "atset1", SET_AT1 },  { "atset2", SET_AT2 },
    { "atset3", SET_AT3 },  { "usb", SET_USB }, { "win32", SET_WIN32 }, { "qnum", SET_QNUM },
};

//  0: the key has no number in that set.
static const struct {
    const char *name;
    uint16_t codes[SET_COUNT];
} keys[] = {
    //  name, { linux, set 1, set 2, set 3, USB, Windows }
    { "KEY_ESC", { 1, 0x01, 0x76, 0x08, 41, 0x1b } },
    { "KEY_1", { 2, 0x02, 0x16, 0x16, 30, 0x31 } },
    { "KEY_2", { 3, 0x03, 0x1e, 0x1e, 31, 0x32 } },
    { "KEY_3", { 4, 0x04, 0x26, 0x26, 32, 0x33 } },
    { "KEY_4", { 5, 0x05, 0x25, 0x25, 33, 0x34 } },
    { "KEY_5", { 6, 0x06, 0x2e, 0x2e, 34, 0x35 } },
    { "KEY_6", { 7, 0x07, 0x36, 0x36, 35, 0x36 } },
    { "KEY_7", { 8, 0x08, 0x3d, 0x3d, 36, 0x37 } },
    { "KEY_8", { 9, 0x09, 0x3e, 0x3e, 37, 0x38 } },
    { "KEY_9", { 10, 0x0a, 0x46, 0x46, 38, 0x39 } },
    { "KEY_0", { 11, 0x0b, 0x45, 0x45, 39, 0x30 } },
    { "KEY_MINUS", { 12, 0x0c, 0x4e, 0x4e, 45, 0xbd } },
    { "KEY_EQUAL", { 13, 0x0d, 0x55, 0x55, 46, 0xbb } },
    { "KEY_BACKSPACE", { 14, 0x0e, 0x66, 0x66, 42, 0x08 } },
    { "KEY_TAB", { 15, 0x0f, 0x0d, 0x0d, 43, 0x09 } },
    { "KEY_Q", { 16, 0x10, 0x15, 0x15, 20, 0x51 } },
    { "KEY_W", { 17, 0x11, 0x1d, 0x1d, 26, 0x57 } },
    { "KEY_E", { 18, 0x12, 0x24, 0x24, 8, 0x45 } },
    { "KEY_R", { 19, 0x13, 0x2d, 0x2d, 21, 0x52 } },
    { "KEY_T", { 20, 0x14, 0x2c, 0x2c, 23, 0x54 } },
    { "KEY_Y", { 21, 0x15, 0x35, 0x35, 28, 0x59 } },
    { "KEY_U", { 22, 0x16, 0x3c, 0x3c, 24, 0x55 } },
    { "KEY_I", { 23, 0x17, 0x43, 0x43, 12, 0x49 } },
    { "KEY_O", { 24, 0x18, 0x44, 0x44, 18, 0x4f } },
    { "KEY_P", { 25, 0x19, 0x4d, 0x4d, 19, 0x50 } },
    { "KEY_LEFTBRACE", { 26, 0x1a, 0x54, 0x54, 47, 0xdb } },
    { "KEY_RIGHTBRACE", { 27, 0x1b, 0x5b, 0x5b, 48, 0xdd } },
    { "KEY_ENTER", { 28, 0x1c, 0x5a, 0x5a, 40, 0x0d } },
    { "KEY_LEFTCTRL", { 29, 0x1d, 0x14, 0x11, 224, 0xa2 } },
    { "KEY_A", { 30, 0x1e, 0x1c, 0x1c, 4, 0x41 } },
    { "KEY_S", { 31, 0x1f, 0x1b, 0x1b, 22, 0x53 } },
    { "KEY_D", { 32, 0x20, 0x23, 0x23, 7, 0x44 } },
    { "KEY_F", { 33, 0x21, 0x2b, 0x2b, 9, 0x46 } },
    { "KEY_G", { 34, 0x22, 0x34, 0x34, 10, 0x47 } },
    { "KEY_H", { 35, 0x23, 0x33, 0x33, 11, 0x48 } },
    { "KEY_J", { 36, 0x24, 0x3b, 0x3b, 13, 0x4a } },
    { "KEY_K", { 37, 0x25, 0x42, 0x42, 14, 0x4b } },
    { "KEY_L", { 38, 0x26, 0x4b, 0x4b, 15, 0x4c } },
    { "KEY_SEMICOLON", { 39, 0x27, 0x4c, 0x4c, 51, 0xba } },
    { "KEY_APOSTROPHE", { 40, 0x28, 0x52, 0x52, 52, 0xde } },
    { "KEY_GRAVE", { 41, 0x29, 0x0e, 0x0e, 53, 0xc0 } },
    { "KEY_LEFTSHIFT", { 42, 0x2a, 0x12, 0x12, 225, 0xa0 } },
    { "KEY_BACKSLASH", { 43, 0x2b, 0x5d, 0x5c, 49, 0xdc } },
    { "KEY_Z", { 44, 0x2c, 0x1a, 0x1a, 29, 0x5a } },
    { "KEY_X", { 45, 0x2d, 0x22, 0x22, 27, 0x58 } },
    { "KEY_C", { 46, 0x2e, 0x21, 0x21, 6, 0x43 } },
    { "KEY_V", { 47, 0x2f, 0x2a, 0x2a, 25, 0x56 } },
    { "KEY_B", { 48, 0x30, 0x32, 0x32, 5, 0x42 } },
    { "KEY_N", { 49, 0x31, 0x31, 0x31, 17, 0x4e } },
    { "KEY_M", { 50, 0x32, 0x3a, 0x3a, 16, 0x4d } },
    { "KEY_COMMA", { 51, 0x33, 0x41, 0x41, 54, 0xbc } },
    { "KEY_DOT", { 52, 0x34, 0x49, 0x49, 55, 0xbe } },
    { "KEY_SLASH", { 53, 0x35, 0x4a, 0x4a, 56, 0xbf } },
    { "KEY_RIGHTSHIFT", { 54, 0x36, 0x59, 0x59, 229, 0xa1 } },
    { "KEY_KPASTERISK", { 55, 0x37, 0x7c, 0x7e, 85, 0x6a } },
    { "KEY_LEFTALT", { 56, 0x38, 0x11, 0x19, 226, 0xa4 } },
    { "KEY_SPACE", { 57, 0x39, 0x29, 0x29, 44, 0x20 } },
    { "KEY_CAPSLOCK", { 58, 0x3a, 0x58, 0x14, 57, 0x14 } },
    { "KEY_F1", { 59, 0x3b, 0x05, 0x07, 58, 0x70 } },
    { "KEY_F2", { 60, 0x3c, 0x06, 0x0f, 59, 0x71 } },
    { "KEY_F3", { 61, 0x3d, 0x04, 0x17, 60, 0x72 } },
    { "KEY_F4", { 62, 0x3e, 0x0c, 0x1f, 61, 0x73 } },
    { "KEY_F5", { 63, 0x3f, 0x03, 0x27, 62, 0x74 } },
    { "KEY_F6", { 64, 0x40, 0x0b, 0x2f, 63, 0x75 } },
    { "KEY_F7", { 65, 0x41, 0x83, 0x37, 64, 0x76 } },
    { "KEY_F8", { 66, 0x42, 0x0a, 0x3f, 65, 0x77 } },
    { "KEY_F9", { 67, 0x43, 0x01, 0x47, 66, 0x78 } },
    { "KEY_F10", { 68, 0x44, 0x09, 0x4f, 67, 0x79 } },
    { "KEY_NUMLOCK", { 69, 0x45, 0x77, 0x76, 83, 0x90 } },
    { "KEY_SCROLLLOCK", { 70, 0x46, 0x7e, 0x5f, 71, 0x91 } },
    { "KEY_KP7", { 71, 0x47, 0x6c, 0x6c, 95, 0x67 } },
    { "KEY_KP8", { 72, 0x48, 0x75, 0x75, 96, 0x68 } },
    { "KEY_KP9", { 73, 0x49, 0x7d, 0x7d, 97, 0x69 } },
    { "KEY_KPMINUS", { 74, 0x4a, 0x7b, 0x84, 86, 0x6d } },
    { "KEY_KP4", { 75, 0x4b, 0x6b, 0x6b, 92, 0x64 } },
    { "KEY_KP5", { 76, 0x4c, 0x73, 0x73, 93, 0x65 } },
    { "KEY_KP6", { 77, 0x4d, 0x74, 0x74, 94, 0x66 } },
    { "KEY_KPPLUS", { 78, 0x4e, 0x79, 0x7c, 87, 0x6b } },
    { "KEY_KP1", { 79, 0x4f, 0x69, 0x69, 89, 0x61 } },
    { "KEY_KP2", { 80, 0x50, 0x72, 0x72, 90, 0x62 } },
    { "KEY_KP3", { 81, 0x51, 0x7a, 0x7a, 91, 0x63 } },
    { "KEY_KP0", { 82, 0x52, 0x70, 0x70, 98, 0x60 } },
    { "KEY_KPDOT", { 83, 0x53, 0x71, 0x71, 99, 0x6e } },
    { "KEY_102ND", { 86, 0x56, 0x61, 0x13, 100, 0xe2 } },
    { "KEY_F11", { 87, 0x57, 0x78, 0x56, 68, 0x7a } },
    { "KEY_F12", { 88, 0x58, 0x07, 0x5e, 69, 0x7b } },
    { "KEY_KPENTER", { 96, 0xe01c, 0xe05a, 0x79, 88, 0x00 } },
    { "KEY_RIGHTCTRL", { 97, 0xe01d, 0xe014, 0x58, 228, 0xa3 } },
    { "KEY_KPSLASH", { 98, 0xe035, 0xe04a, 0x77, 84, 0x6f } },
    { "KEY_SYSRQ", { 99, 0x54, 0x7f, 0x57, 70, 0x2c } },
    { "KEY_RIGHTALT", { 100, 0xe038, 0xe011, 0x39, 230, 0xa5 } },
    { "KEY_HOME", { 102, 0xe047, 0xe06c, 0x6e, 74, 0x24 } },
    { "KEY_UP", { 103, 0xe048, 0xe075, 0x63, 82, 0x26 } },
    { "KEY_PAGEUP", { 104, 0xe049, 0xe07d, 0x6f, 75, 0x21 } },
    { "KEY_LEFT", { 105, 0xe04b, 0xe06b, 0x61, 80, 0x25 } },
    { "KEY_RIGHT", { 106, 0xe04d, 0xe074, 0x6a, 79, 0x27 } },
    { "KEY_END", { 107, 0xe04f, 0xe069, 0x65, 77, 0x23 } },
    { "KEY_DOWN", { 108, 0xe050, 0xe072, 0x60, 81, 0x28 } },
    { "KEY_PAGEDOWN", { 109, 0xe051, 0xe07a, 0x6d, 78, 0x22 } },
    { "KEY_INSERT", { 110, 0xe052, 0xe070, 0x67, 73, 0x2d } },
    { "KEY_DELETE", { 111, 0xe053, 0xe071, 0x64, 76, 0x2e } },
    { "KEY_MUTE", { 113, 0xe020, 0xe023, 0x00, 127, 0xad } },
    { "KEY_VOLUMEDOWN", { 114, 0xe02e, 0xe021, 0x00, 129, 0xae } },
    { "KEY_VOLUMEUP", { 115, 0xe030, 0xe032, 0x00, 128, 0xaf } },
    { "KEY_POWER", { 116, 0xe05e, 0xe037, 0x00, 102, 0x00 } },
    { "KEY_KPEQUAL", { 117, 0x59, 0x0f, 0x00, 103, 0x00 } },
    { "KEY_PAUSE", { 119, 0xe046, 0xe077, 0x62, 72, 0x13 } },
    { "KEY_LEFTMETA", { 125, 0xe05b, 0xe01f, 0x8b, 227, 0x5b } },
    { "KEY_RIGHTMETA", { 126, 0xe05c, 0xe027, 0x8c, 231, 0x5c } },
    { "KEY_COMPOSE", { 127, 0xe05d, 0xe02f, 0x8d, 101, 0x5d } },
};

//  Windows has numbers for "one of the two", too: that is the left one here.
static const struct {
    uint16_t either, left;
} either_side[] = { { 0x10, 0xa0 }, { 0x11, 0xa2 }, { 0x12, 0xa4 } };

enum {
    PREFIXED = 0x100, //  e0..
    XT_LAST = 0x53,
    QNUM_PREFIXED = 0x80,
    QNUM_LAST = 0xff
};

static unsigned qnum_of (size_t key)
{
    unsigned code = keys[key].codes[SET_AT1];
    return (code & 0x7f) | (code >= PREFIXED ? QNUM_PREFIXED : 0u);
}

static uint64_t one_side (set_t set, uint64_t code)
{
    for (size_t i = 0; set == SET_WIN32 && i < sizeof either_side / sizeof *either_side; i++)
        if (either_side[i].either == code)
            return either_side[i].left;
    return code;
}

static bool is_key (size_t key, set_t set, const char *name, bool number, uint64_t code)
{
    if (!number)
        return set == SET_LINUX && strcmp (keys[key].name, name) == 0;
    if (set == SET_XT)
        return code <= XT_LAST && keys[key].codes[SET_AT1] == code;
    return keys[key].codes[set] == code;
}

static int find_key (const char *codeset, set_t set, const char *key, unsigned *qnum, error_t *err)
{
    uint64_t code = 0;
    bool number = text_to_u64 (key, &code);
    if (set == SET_QNUM && number && code > 0 && code <= QNUM_LAST) {
        *qnum = (unsigned) code;
        return 0;
    }
    code = one_side (set, code);
    for (size_t i = 0; set != SET_QNUM && (!number || code > 0) && i < sizeof keys / sizeof *keys;
         i++)
        if (is_key (i, set, key, number, code)) {
            *qnum = qnum_of (i);
            return 0;
        }
    return error_set (err, ERR_INVALID_ARG, "the codeset '%s' has no key '%.64s'%s", codeset, key,
                      set == SET_LINUX ? "; it is to be a number or a name such as KEY_A"
                                       : " that is known; it is to be a number");
}

int keycode_qnum (const char *codeset, const char *key, unsigned *qnum, error_t *err)
{
    for (size_t i = 0; i < sizeof codesets / sizeof *codesets; i++)
        if (strcmp (codesets[i].name, codeset) == 0)
            return find_key (codeset, codesets[i].set, key, qnum, err);
    return error_set (err, ERR_INVALID_ARG,
                      "there is no codeset '%.64s'; it can be linux, xt, atset1, atset2, atset3, "
                      "usb, win32 or qnum",
                      codeset);
}
