//  support_tsan.c: what ThreadSanitizer is told. It does not see into libzmq, whose queues have no
//  locks, so each buffer that libzmq's own threads fill or free would be a false report. Calls that
//  libzmq makes (memcpy, free, recv) are therefore not looked at. Everything that our code does is:
//  what hands a frame's bytes over is annotated (msg/frame.h).

#if defined(__SANITIZE_THREAD__)

const char *__tsan_default_suppressions (void);

const char *__tsan_default_suppressions (void)
{
    return "called_from_lib:libzmq.so\n";
}

#else
typedef int support_tsan_is_empty;
#endif
