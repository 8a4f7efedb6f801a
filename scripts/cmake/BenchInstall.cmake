# What a plugin outside of the tree needs, as the package `bench`. The program, its modules and its data are installed
# by their own folders.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/bench)

# The SDK and what it stands on; the headers keep their paths from the root of the tree.
foreach(layer abi base device comm sdk)
  set_target_properties(bench_${layer} PROPERTIES EXPORT_NAME ${layer})
  install(TARGETS bench_${layer} EXPORT benchTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/bench)
endforeach()
foreach(folder bench/abi bench/base bench/device bench/sdk parallel/comm)
  cmake_path(GET folder PARENT_PATH above)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bench/${above} FILES_MATCHING PATTERN "*.h")
endforeach()

install(EXPORT benchTargets NAMESPACE bench:: DESTINATION ${package_dir})
configure_package_config_file(scripts/cmake/benchConfig.cmake.in ${CMAKE_BINARY_DIR}/benchConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/benchConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/benchConfig.cmake ${CMAKE_BINARY_DIR}/benchConfigVersion.cmake
              scripts/cmake/BenchModule.cmake scripts/cmake/BenchPlugin.cmake scripts/cmake/exports.map
        DESTINATION ${package_dir})
