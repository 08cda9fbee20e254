//  fields.h: the words in which types.def and procedures_*.def are written; for the files that make
//  tables of them, each of which undefines nothing: they include no other table.

#define FIELD(name, kind, how, max, of)                                                            \
    {                                                                                              \
#name, XDR_##kind, XDR_##how, max, of                                                      \
    }

#define INT(name) FIELD (name, INT, ONE, 0, NULL)
#define UINT(name) FIELD (name, UINT, ONE, 0, NULL)
#define CHAR(name) FIELD (name, CHAR, ONE, 0, NULL)
#define UCHAR(name) FIELD (name, UCHAR, ONE, 0, NULL)
#define USHORT(name) FIELD (name, USHORT, ONE, 0, NULL)
#define HYPER(name) FIELD (name, HYPER, ONE, 0, NULL)
#define UHYPER(name) FIELD (name, UHYPER, ONE, 0, NULL)
#define STR(name) FIELD (name, STR, ONE, XDR_MAX_STRING, NULL)
#define OPT_STR(name) FIELD (name, STR, OPTIONAL, XDR_MAX_STRING, NULL)
#define UUID(name) FIELD (name, UUID, ONE, 16, NULL)
#define DATA(name, max) FIELD (name, DATA, ONE, max, NULL)
#define CHARS(name, max) FIELD (name, CHARS, ONE, max, NULL)
#define CHARS_FIXED(name, size) FIELD (name, CHARS_FIXED, ONE, size, NULL)
#define STRUCT(name, type) FIELD (name, STRUCT, ONE, 0, xdr_##type)
#define OPT(name, type) FIELD (name, STRUCT, OPTIONAL, 0, xdr_##type)
#define LIST(name, max, type) FIELD (name, STRUCT, MANY, max, xdr_##type)
#define STRS(name, max) FIELD (name, STR, MANY, max, NULL)
#define INTS(name, max) FIELD (name, INT, MANY, max, NULL)
#define UINTS(name, max) FIELD (name, UINT, MANY, max, NULL)
#define UHYPERS(name, max) FIELD (name, UHYPER, MANY, max, NULL)
#define PARAM(name) FIELD (name, PARAM, ONE, 0, NULL)
