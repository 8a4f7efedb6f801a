# CUDA: found or not, and with which targets. Sets BENCH_HAS_CUDA. A machine without a GPU builds it as well.

set(BENCH_CUDA AUTO CACHE STRING "Build the CUDA device, kernels and plugins: AUTO (where nvcc is), ON or OFF")
set_property(CACHE BENCH_CUDA PROPERTY STRINGS AUTO ON OFF)
set(BENCH_HAS_CUDA OFF)

if(NOT BENCH_CUDA STREQUAL OFF AND NOT BENCH_SANITIZE)
  find_program(BENCH_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  if(BENCH_NVCC AND BENCH_CUDA STREQUAL AUTO)
    # An older toolkit, or one that does not take this C++ compiler, is as good as none.
    set(probe ${CMAKE_BINARY_DIR}/CMakeFiles/bench_cuda_probe.cu)
    file(WRITE ${probe} "#include <version>\n__global__ void kernel() {}\nint main() { kernel<<<1, 1>>>(); }\n")
    execute_process(COMMAND ${BENCH_NVCC} -std=c++20 -arch=sm_90 -ccbin ${CMAKE_CXX_COMPILER} -c ${probe} -o ${probe}.o
                    RESULT_VARIABLE probe_failed OUTPUT_QUIET ERROR_QUIET)
    if(probe_failed)
      message(STATUS "${BENCH_NVCC} does not compile C++20 for sm_90 with ${CMAKE_CXX_COMPILER}: bench will run on CPUs "
                     "only; -DBENCH_CUDA=ON shows its errors")
      set(BENCH_NVCC BENCH_NVCC-NOTFOUND)
    endif()
  endif()
  if(BENCH_NVCC)
    # Ampere and Hopper as machine code; newer cards compile the PTX when they load it.
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90-virtual)
    endif()
    set(CMAKE_CUDA_COMPILER ${BENCH_NVCC} CACHE FILEPATH "CUDA compiler")
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    # CMake 3.25.1 (Debian 12) does not know that nvcc takes it since 12.0.
    if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    endif()
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    set(BENCH_HAS_CUDA ON)
  elseif(BENCH_CUDA STREQUAL ON)
    message(FATAL_ERROR "BENCH_CUDA=ON, but there is no nvcc: install the CUDA Toolkit, set CUDA_HOME, or give "
                        "-DBENCH_CUDA=OFF")
  else()
    message(STATUS "nvcc was not found: bench will run on CPUs only")
  endif()
endif()
