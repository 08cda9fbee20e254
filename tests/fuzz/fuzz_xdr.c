//  fuzz_xdr.c: any bytes as arguments or result of any procedure: they are refused, or what was
//  read is written and read again as the same. libFuzzer can drive it, or fuzz_main.c.

#include "msg/xdr/procedures.h"
#include "util/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static document_t *read_one (const xdr_field_t *fields, const void *bytes, size_t size)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    document_t *document =
        xdr_decode (fields, bytes, size, &pack, &err)
            ? NULL
            : document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, &err);
    pack_close (&pack);
    return document;
}

static void check_again (const xdr_field_t *fields, const document_t *document)
{
    error_t err;
    auto(text_t) first = text_new ();
    auto(text_t) second = text_new ();
    int rc = xdr_encode (fields, document_root (document), first, &err);
    assert (rc == 0);
    auto(document_t) again = read_one (fields, first->data, first->size);
    assert (again);
    rc = xdr_encode (fields, document_root (again), second, &err);
    assert (rc == 0 && first->size == second->size);
    assert (memcmp (first->data, second->data, first->size) == 0);
}

//  The first two bytes say which procedure, the third which of its sides.
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    size_t count = 0;
    while (procedure_at (count))
        count++;
    if (size < 3)
        return 0;
    const procedure_t *procedure = procedure_at ((size_t) (data[0] << 8 | data[1]) % count);
    const xdr_field_t *fields = data[2] % 2 ? procedure->ret : procedure->args;
    auto(document_t) document = fields ? read_one (fields, data + 3, size - 3) : NULL;
    if (document)
        check_again (fields, document);
    return 0;
}
