# The verbs of this build: one per concept.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
include(BenchModule)

add_library(bench_options INTERFACE)
# restrict: false alarms of g++ 12 on std::string's operator+. missing-field-initializers: designated initialisers
# leave members at their declared defaults on purpose.
set(bench_warnings -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
list(JOIN bench_warnings "," bench_host_warnings)
target_compile_options(bench_options INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${bench_warnings};-Wno-restrict>"
                                               $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
                                               $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${bench_host_warnings}>
                                               $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
                                               $<$<COMPILE_LANGUAGE:CUDA>:-lineinfo>)
if(BENCH_SANITIZE)
  # With sanitizers g++ 12 takes the C++ library's own <regex> for uninitialised.
  target_compile_options(bench_options INTERFACE -Wno-maybe-uninitialized)
  target_compile_options(bench_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                 -fno-omit-frame-pointer)
  target_link_options(bench_options INTERFACE -fsanitize=address,undefined)
endif()

# bench_library(NAME SOURCES a.cpp … LIBS x …): a static library of one layer.
function(bench_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;PRIVATE_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/bench>)
  target_link_libraries(${name} PUBLIC ${ARG_LIBS} PRIVATE ${ARG_PRIVATE_LIBS} fmt::fmt
                                       $<BUILD_INTERFACE:bench_options>)
endfunction()

# bench_variants(DEVICE SUFFIX op/name …): the files of the ops' variants on a device, and one that calls their register
# functions, as BENCH_VARIANT_SOURCES. A variant without kernels of its own may be a .cpp on any device.
function(bench_variants device suffix)
  set(sources)
  foreach(variant ${ARGN})
    set(source ${variant}_${device}.${suffix})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
      set(source ${variant}_${device}.cpp)
    endif()
    list(APPEND sources ${source})
    string(REPLACE "/" "_" name ${variant})
    string(APPEND BENCH_VARIANT_DECLARATIONS "void register_${name}(VariantList&);\n")
    string(APPEND BENCH_VARIANT_CALLS "  ${device}::register_${name}(list);\n")
  endforeach()
  set(BENCH_VARIANT_DEVICE ${device})
  set(made ${CMAKE_CURRENT_BINARY_DIR}/variants_${device}.cpp)
  configure_file(${CMAKE_SOURCE_DIR}/scripts/cmake/variants.cpp.in ${made} @ONLY)
  set(BENCH_VARIANT_SOURCES ${sources} ${made} PARENT_SCOPE)
endfunction()

# bench_module(NAME OUTPUT file-name DIR dir SOURCES … LIBS …): a library opened at run time. Nothing of the
# static libraries inside it is exported, and nothing may stay unresolved.
function(bench_module name)
  cmake_parse_arguments(ARG "" "OUTPUT;DIR;DESTINATION" "SOURCES;LIBS" ${ARGN})
  add_library(${name} MODULE ${ARG_SOURCES})
  bench_shape_module(${name} ${ARG_OUTPUT})
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${ARG_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} fmt::fmt bench_options)
  install(TARGETS ${name} LIBRARY DESTINATION ${ARG_DESTINATION})
endfunction()

# bench_plugin(ID DEVICE cpu|cuda SOURCES … LIBS …): the flavour <id>.<device>.so of a plugin; without DEVICE the CPU's.
function(bench_plugin id)
  cmake_parse_arguments(ARG "" "DEVICE" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_DEVICE)
    set(ARG_DEVICE cpu)
  endif()
  set(name plugin_${id}_${ARG_DEVICE})
  bench_module(${name} OUTPUT ${id}.${ARG_DEVICE} DIR ${BENCH_MODULE_DIR}/plugins
               DESTINATION ${CMAKE_INSTALL_LIBDIR}/bench/plugins
               SOURCES ${ARG_SOURCES} LIBS bench_sdk ${ARG_LIBS})
  target_compile_definitions(${name} PRIVATE BENCH_PLUGIN_DEVICE="${ARG_DEVICE}")
endfunction()

# bench_data(FILES … TO sub-folder): data files beside the program, in both trees.
function(bench_data)
  cmake_parse_arguments(ARG "" "TO" "FILES" ${ARGN})
  foreach(file ${ARG_FILES})
    cmake_path(GET file FILENAME leaf)
    configure_file(${file} ${BENCH_DATA_DIR}/${ARG_TO}/${leaf} COPYONLY)
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/bench/${ARG_TO})
  endforeach()
endfunction()
