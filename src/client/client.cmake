#   The client library: what troupe.h declares is visible, and nothing else. The command line is
#   linked with the same objects, so it runs without the library's file.
file (GLOB client_sources CONFIGURE_DEPENDS client/*.c)
add_library (troupe_client STATIC ${client_sources})
target_link_libraries (troupe_client PUBLIC troupe_msg PkgConfig::libczmq)

add_library (troupe SHARED ${client_sources})
target_link_libraries (troupe PRIVATE troupe_msg PkgConfig::libczmq)
set_target_properties (troupe PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
    C_VISIBILITY_PRESET hidden PUBLIC_HEADER ${PROJECT_SOURCE_DIR}/include/troupe.h)
target_link_options (troupe PRIVATE -Wl,--exclude-libs,ALL -Wl,--as-needed)
