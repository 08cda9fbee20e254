//  auto.h: release at the end of the scope, instead of ladders of goto.
//
//      autofree char *text = NULL;         //  free () at the end of the scope
//      autoclose int fd = -1;              //  close () unless it is negative
//      auto (xml_t) doc = xml_parse (...); //  an xml_t *, xml_destroy (&doc) at the end
//
//  To hand such a value to somebody else: return take (&doc), which leaves NULL behind.

#ifndef TROUPE_AUTO_H
#define TROUPE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

static inline void auto_free (void *pointer)
{
    free (*(void **) pointer);
}

static inline void auto_close (int *fd)
{
    if (*fd >= 0)
        close (*fd);
}

#define autofree __attribute__ ((cleanup (auto_free)))
#define autoclose __attribute__ ((cleanup (auto_close)))

//  Declares a pointer to TYPE that its destructor releases; TYPE's header says DEFINE_AUTO.
#define auto(type) __attribute__ ((cleanup (type##_auto))) type *
#define DEFINE_AUTO(type, destroy)                                                                 \
    static inline void type##_auto (type **self_p)                                                 \
    {                                                                                              \
        destroy (self_p);                                                                          \
    }

//  The pointer's value, which now belongs to the caller; NULL stays behind.
#define take(pointer_p)                                                                            \
    __extension__({                                                                                \
        __typeof__ (*(pointer_p)) taken_ = *(pointer_p);                                           \
        *(pointer_p) = NULL;                                                                       \
        taken_;                                                                                    \
    })

#endif
