//  placeholder
#include "actors/actor.h"
extern const actor_class_t console_class;
