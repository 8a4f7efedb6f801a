# NCCL by its header and library: NCCL::nccl, and BENCH_HAS_NCCL.

set(BENCH_NCCL AUTO CACHE STRING "Build the communicator of NCCL: AUTO (where it is), ON or OFF")
set_property(CACHE BENCH_NCCL PROPERTY STRINGS AUTO ON OFF)
set(BENCH_HAS_NCCL OFF)

if(BENCH_HAS_CUDA AND NOT BENCH_NCCL STREQUAL OFF)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ENV NCCL_HOME ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES include)
  # Python packages bring no libnccl.so.
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ENV NCCL_HOME ${CUDAToolkit_LIBRARY_DIR} PATH_SUFFIXES lib lib64)
  if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
    add_library(NCCL::nccl UNKNOWN IMPORTED)
    set_target_properties(NCCL::nccl PROPERTIES IMPORTED_LOCATION ${NCCL_LIBRARY}
                                                INTERFACE_INCLUDE_DIRECTORIES "${NCCL_INCLUDE_DIR};${CUDAToolkit_INCLUDE_DIRS}")
    set(BENCH_HAS_NCCL ON)
  endif()
endif()

if(NOT BENCH_HAS_NCCL)
  if(BENCH_NCCL STREQUAL ON)
    message(FATAL_ERROR "BENCH_NCCL=ON, but CUDA, nccl.h or libnccl is not there: install them, set NCCL_HOME, or give "
                        "-DBENCH_NCCL=OFF")
  elseif(BENCH_HAS_CUDA)
    message(STATUS "NCCL was not found: ranks on GPUs will communicate through host memory")
  endif()
endif()
