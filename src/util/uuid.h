//  uuid.h: uuids as text, "8-4-4-4-12" in lower case, which is how they are compared and addressed.

#ifndef TROUPE_UUID_H
#define TROUPE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37

//  Accepts what libvirt accepts: 32 hexadecimal digits, with or without dashes and white space
//  around. False if TEXT is none, or is the nil uuid or all ones.
bool uuid_normalize (const char *text, char uuid[UUID_TEXT_SIZE]);

//  The 16 bytes that a uuid is, and back from the text that the functions here make; false if TEXT
//  is none.
void uuid_to_text (const uint8_t bytes[16], char uuid[UUID_TEXT_SIZE]);
bool uuid_to_bytes (const char *text, uint8_t bytes[16]);

//  A version 4 uuid from 16 random bytes, which the caller got from the runtime.
void uuid_from_random (const uint8_t random[16], char uuid[UUID_TEXT_SIZE]);

#endif
