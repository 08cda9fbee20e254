//  xml_scan.c: the linear look at a document from outside.
//
//  libxml2 takes seconds for one tag with 30,000 attributes, or for many attributes below many
//  namespace declarations, because it compares each with each. Limits on the outline of the
//  document, counted here in one pass, keep its work proportional to the size.

#include "util/xml_scan.h"
#include "util/xml.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    size_t bytes;
    unsigned depth, tag_attributes, elements, attributes, namespaces;
} limits_t;

enum {
    OWN_FACTOR = 4,
    OWN_MORE = 16, //  levels, attributes and namespaces around what came from outside
    OWN_DEPTH = XML_MAX_DEPTH + OWN_MORE
};

static const limits_t outside = { .bytes = XML_MAX_BYTES,
                                  .depth = XML_MAX_DEPTH,
                                  .tag_attributes = XML_MAX_ATTRIBUTES,
                                  .elements = XML_MAX_ELEMENTS,
                                  .attributes = XML_MAX_ALL_ATTRIBUTES,
                                  .namespaces = XML_MAX_NAMESPACES };
static const limits_t own = { .bytes = (size_t) OWN_FACTOR * XML_MAX_BYTES,
                              .depth = OWN_DEPTH,
                              .tag_attributes = XML_MAX_ATTRIBUTES + OWN_MORE,
                              .elements = OWN_FACTOR * XML_MAX_ELEMENTS,
                              .attributes = OWN_FACTOR * XML_MAX_ALL_ATTRIBUTES,
                              .namespaces = XML_MAX_NAMESPACES + OWN_MORE };

typedef struct {
    const char *text, *at, *end;
    const char *what;
    const limits_t *limits;
    unsigned depth;
    unsigned elements, attributes;
    unsigned namespaces[OWN_DEPTH + 1]; //  in scope inside the element of that depth
    error_t *err;
} scan_t;

//  Where *AT is, for people: both count from 1; a column is a byte, as libxml2 counts.
static int scan_error (const scan_t *self, error_code_t code, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

static int scan_error (const scan_t *self, error_code_t code, const char *format, ...)
{
    unsigned line = 1;
    const char *start = self->text;
    for (const char *c = self->text; c < self->at; c++)
        if (*c == '\n') {
            line++;
            start = c + 1;
        }
    char reason[256];
    va_list args;
    va_start (args, format);
    vsnprintf (reason, sizeof reason, format, args);
    va_end (args);
    return error_set (self->err, code, "%s, line %u, column %td: %s", self->what, line,
                      self->at - start + 1, reason);
}

static bool continues (const char *at, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if ((at[i] & 0xc0) != 0x80)
            return false;
    return true;
}

size_t xml_scan_char (const char *at, const char *end)
{
    const unsigned char c = (unsigned char) *at;
    if (c < 0x80)
        return c >= ' ' || c == '\t' || c == '\n' || c == '\r';
    const size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || (size_t) (end - at) < size || !continues (at, size - 1))
        return 0;
    const unsigned char next = (unsigned char) at[1];
    //  Overlong forms, surrogates, U+FFFE and U+FFFF, above U+10FFFF.
    if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ||
        (c == 0xef && next == 0xbf && (unsigned char) at[2] > 0xbd) || (c == 0xf0 && next < 0x90) ||
        (c == 0xf4 && next > 0x8f))
        return 0;
    return size;
}

static int scan_characters (scan_t *self)
{
    while (self->at < self->end) {
        const size_t size = xml_scan_char (self->at, self->end);
        if (size == 0)
            return scan_error (self, ERR_XML_DETAIL,
                               "byte 0x%02x is no character of UTF-8 that XML admits",
                               (unsigned char) *self->at);
        self->at += size;
    }
    self->at = self->text;
    return 0;
}

static bool is_space (char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_start (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (c & 0x80);
}

static bool is_name (char c)
{
    return is_name_start (c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

//  The next character, 0 at the end: the text has no NUL.
static char scan_peek (const scan_t *self)
{
    return self->at < self->end ? *self->at : 0;
}

static bool scan_spaces (scan_t *self)
{
    const char *start = self->at;
    while (is_space (scan_peek (self)))
        self->at++;
    return self->at > start;
}

static bool scan_take (scan_t *self, const char *text)
{
    const size_t size = strlen (text);
    if ((size_t) (self->end - self->at) < size || memcmp (self->at, text, size) != 0)
        return false;
    self->at += size;
    return true;
}

//  Where END is. Not memmem: the sanitizers' own reads all that follows, for each of the many ends
//  of a document.
static const char *find_end (const char *at, const char *stop, const char *end)
{
    const size_t size = strlen (end);
    if ((size_t) (stop - at) < size)
        return NULL;
    const char *last = at + size - 1;
    while ((last = memchr (last, end[size - 1], (size_t) (stop - last)))) {
        if (memcmp (last + 1 - size, end, size) == 0)
            return last + 1 - size;
        last++;
    }
    return NULL;
}

//  Moves past the next END.
static int scan_until (scan_t *self, const char *end, const char *what)
{
    const char *found = find_end (self->at, self->end, end);
    if (!found)
        return scan_error (self, ERR_XML_DETAIL, "%s is not closed", what);
    self->at = found + strlen (end);
    return 0;
}

static int scan_name (scan_t *self, const char *what)
{
    if (!is_name_start (scan_peek (self)))
        return scan_error (self, ERR_XML_DETAIL, "%s is expected here", what);
    while (is_name (scan_peek (self)))
        self->at++;
    return 0;
}

static int scan_value (scan_t *self)
{
    const char quote = scan_peek (self);
    if (quote != '\'' && quote != '"')
        return scan_error (self, ERR_XML_DETAIL, "the attribute's value has no quotes");
    const char *start = self->at + 1;
    const char *close = memchr (start, quote, (size_t) (self->end - start));
    if (!close)
        return scan_error (self, ERR_XML_DETAIL, "the attribute's value is not closed");
    const char *less = memchr (start, '<', (size_t) (close - start));
    if (less) {
        self->at = less;
        return scan_error (self, ERR_XML_DETAIL,
                           "'<' in an attribute's value: write &lt;, or close the value before");
    }
    self->at = close + 1;
    return 0;
}

static int scan_attribute (scan_t *self)
{
    if (scan_name (self, "an attribute or the end of the tag"))
        return -1;
    scan_spaces (self);
    if (!scan_take (self, "="))
        return scan_error (self, ERR_XML_DETAIL, "the attribute has no value");
    scan_spaces (self);
    return scan_value (self);
}

//  Counts one more attribute, a namespace declaration if it begins with "xmlns".
static int scan_count_attribute (scan_t *self, unsigned count, bool namespace)
{
    const limits_t *limits = self->limits;
    if (count > limits->tag_attributes)
        return scan_error (self, ERR_XML_ERROR, "more than %u attributes in one tag",
                           limits->tag_attributes);
    if (++self->attributes > limits->attributes)
        return scan_error (self, ERR_XML_ERROR, "more than %u attributes", limits->attributes);
    if (namespace && ++self->namespaces[self->depth] > limits->namespaces)
        return scan_error (self, ERR_XML_ERROR, "more than %u namespaces inside one another",
                           limits->namespaces);
    return 0;
}

static int scan_count_element (scan_t *self)
{
    if (++self->elements > self->limits->elements)
        return scan_error (self, ERR_XML_ERROR, "more than %u elements", self->limits->elements);
    return 0;
}

//  After "<".
static int scan_start_tag (scan_t *self)
{
    if (self->depth == self->limits->depth)
        return scan_error (self, ERR_XML_ERROR, "elements nested deeper than %u",
                           self->limits->depth);
    if (scan_name (self, "an element's name") || scan_count_element (self))
        return -1;
    self->depth++;
    self->namespaces[self->depth] = self->namespaces[self->depth - 1];
    for (unsigned count = 1;; count++) {
        const bool spaces = scan_spaces (self);
        if (scan_take (self, ">"))
            return 0;
        if (scan_take (self, "/>")) {
            self->depth--;
            return 0;
        }
        if (!spaces)
            return scan_error (self, ERR_XML_DETAIL, "a space or the end of the tag is expected");
        const char *rest = self->at;
        const bool namespace = self->end - rest > 5 && memcmp (rest, "xmlns", 5) == 0;
        if (scan_attribute (self) || scan_count_attribute (self, count, namespace))
            return -1;
    }
}

//  After "</".
static int scan_end_tag (scan_t *self)
{
    if (self->depth == 0)
        return scan_error (self, ERR_XML_DETAIL, "an end tag without its start");
    if (scan_name (self, "an element's name"))
        return -1;
    scan_spaces (self);
    if (!scan_take (self, ">"))
        return scan_error (self, ERR_XML_DETAIL, "the end tag is not closed");
    self->depth--;
    return 0;
}

//  After "<!--".
static int scan_comment (scan_t *self)
{
    if (scan_until (self, "--", "the comment"))
        return -1;
    if (!scan_take (self, ">"))
        return scan_error (self, ERR_XML_DETAIL, "'--' in a comment");
    return 0;
}

//  After "<?".
static int scan_instruction (scan_t *self)
{
    if (scan_name (self, "an instruction's name"))
        return -1;
    return scan_until (self, "?>", "the processing instruction");
}

//  At "<".
static int scan_markup (scan_t *self)
{
    if (scan_take (self, "</"))
        return scan_end_tag (self);
    if (scan_take (self, "<!--"))
        return scan_count_element (self) ? -1 : scan_comment (self);
    if (scan_take (self, "<?"))
        return scan_count_element (self) ? -1 : scan_instruction (self);
    if (self->depth > 0 && scan_take (self, "<![CDATA["))
        return scan_count_element (self) ? -1 : scan_until (self, "]]>", "the CDATA section");
    if (scan_take (self, "<!DOCTYPE"))
        return scan_error (self, ERR_XML_ERROR, "a DOCTYPE is not admitted: remove it");
    if (scan_take (self, "<!"))
        return scan_error (self, ERR_XML_DETAIL, "'<!' begins nothing that is known here");
    self->at++;
    return scan_start_tag (self);
}

static int scan (const char *text, size_t size, const limits_t *limits, const char *what,
                 error_t *err)
{
    if (size > limits->bytes)
        return error_set (err, ERR_XML_ERROR, "%s: %zu bytes, more than the %zu that are admitted",
                          what, size, limits->bytes);
    scan_t self = {
        .text = text, .at = text, .end = text + size, .what = what, .limits = limits, .err = err
    };
    if (scan_characters (&self))
        return -1;
    while (self.at < self.end) {
        self.at = memchr (self.at, '<', (size_t) (self.end - self.at));
        if (!self.at)
            break; //  text after the last tag: libxml2's affair
        if (scan_markup (&self))
            return -1;
    }
    return 0;
}

int xml_scan (const char *text, size_t size, const char *what, error_t *err)
{
    return scan (text, size, &outside, what, err);
}

int xml_scan_own (const char *text, size_t size, const char *what, error_t *err)
{
    return scan (text, size, &own, what, err);
}
