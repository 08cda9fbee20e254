//  test_console.c: the console of a simulated guest: a boot log, and a shell that knows little.

#include "drivers/test/test_driver.h"

#include <stdio.h>
#include <string.h>

static const char *name_of (const xml_t *live)
{
    const char *name = xml_string (xml_root (live), "name");
    return name ? name : "guest";
}

static void add_prompt (const xml_t *live, const console_line_t *line, text_t *output)
{
    if (line->logged_in)
        text_add (output, "# ");
    else
        text_addf (output, "%s login: ", name_of (live));
}

void test_console_boot (const xml_t *live, text_t *output)
{
    const xml_node_t *domain = xml_root (live), *devices = xml_find (domain, "devices");
    const char *vcpus = xml_string (domain, "vcpu"), *memory = xml_string (domain, "memory");
    int ms = 0;
    text_addf (output, "[    0.000000] simulated guest '%s' of troupe's test driver\r\n",
               name_of (live));
    text_addf (output, "[    0.%03d000] %s vcpus, %s KiB of memory\r\n", ms += 4,
               vcpus ? vcpus : "1", memory ? memory : "0");
    if (devices)
        xml_foreach (device, devices, NULL) {
            const char *alias = xml_string (device, "alias/@name");
            if (alias && ms < 990)
                text_addf (output, "[    0.%03d000] found %s\r\n", ms += 2, alias);
        }
    text_add (output, "\r\n");
    add_prompt (live, &(console_line_t){ 0 }, output);
}

//  True: power off.
static bool run_line (const xml_t *live, console_line_t *line, text_t *output)
{
    line->text[line->size] = 0;
    line->size = 0;
    text_add (output, "\r\n");
    if (strcmp (line->text, "poweroff") == 0) {
        text_add (output, "reboot: Power down\r\n");
        return true;
    }
    if (!line->logged_in)
        line->logged_in = line->text[0] != 0;
    else if (strcmp (line->text, "exit") == 0)
        line->logged_in = false;
    else if (strcmp (line->text, "help") == 0)
        text_add (output, "poweroff  ends this guest\r\nexit      logs out\r\n");
    else if (line->text[0])
        text_addf (output, "%s: not found; try help\r\n", line->text);
    add_prompt (live, line, output);
    return false;
}

static void edit_line (console_line_t *line, char c, text_t *output)
{
    if (c == '\b' || c == 0x7f) {
        if (line->size > 0)
            text_add (output, "\b \b");
        line->size -= line->size > 0;
    } else if ((unsigned char) c >= ' ' && line->size + 1 < sizeof line->text) {
        line->text[line->size++] = c;
        text_add_char (output, c);
    } else if ((unsigned char) c >= ' ')
        text_add_char (output, '\a'); //  no more room
}

bool test_console_input (const xml_t *live, console_line_t *line, const void *bytes, size_t size,
                         text_t *output)
{
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *) bytes)[i];
        bool second_half = c == '\n' && line->after_cr;
        line->after_cr = c == '\r';
        if (second_half)
            continue;
        if (c != '\r' && c != '\n')
            edit_line (line, c, output);
        else if (run_line (live, line, output))
            return true;
    }
    return false;
}
