#   install.cmake: what "cmake --install" puts where. Included by the top CMakeLists.txt.
set (TROUPE_SYSTEMD_DIR lib/systemd CACHE STRING "Folder of systemd's units, below the prefix")
set (completion ${CMAKE_BINARY_DIR}/troupe.bash)
set (completion_dir ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)

install (TARGETS trouped troupe_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install (TARGETS troupe-launch troupe-lease troupe-nft troupe-pci troupe-container RUNTIME DESTINATION libexec/troupe)
install (TARGETS troupe LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

#   Relative to its own place, so that it is right wherever it is installed.
file (RELATIVE_PATH troupe_up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file (packaging/libtroupe.pc.in libtroupe.pc @ONLY)
install (FILES ${CMAKE_BINARY_DIR}/libtroupe.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

#   The units name the daemon's path, and the prefix may be given as late as to "cmake --install".
foreach (unit IN ITEMS trouped trouped-user)
    install (CODE "set (troupe_bin \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
        configure_file (\"${PROJECT_SOURCE_DIR}/packaging/systemd/${unit}.service.in\"
            \"${CMAKE_BINARY_DIR}/${unit}.service\" @ONLY)")
endforeach ()
install (FILES ${CMAKE_BINARY_DIR}/trouped.service DESTINATION ${TROUPE_SYSTEMD_DIR}/system)
install (FILES ${CMAKE_BINARY_DIR}/trouped-user.service DESTINATION ${TROUPE_SYSTEMD_DIR}/user
    RENAME trouped.service)

#   From the table of commands, so written by the command itself.
add_custom_command (OUTPUT ${completion} COMMAND troupe_command completion bash > ${completion}
    DEPENDS troupe_command VERBATIM)
add_custom_target (completion ALL DEPENDS ${completion})
install (FILES ${completion} DESTINATION ${completion_dir} RENAME troupe)

install (FILES packaging/man/troupe.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install (FILES packaging/man/trouped.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install (FILES README.md ARCHITECTURE.md LICENSE docs/protocol.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
install (FILES examples/container.xml examples/guest.xml examples/test-guest.xml
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
