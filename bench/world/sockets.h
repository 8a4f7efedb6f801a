#pragma once
// The few socket calls the watch needs.

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// A file descriptor that closes itself.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// Listens on a free port of all interfaces, or of loopback only. Throws EnvironmentError.
Socket listen_anywhere(bool loopback_only, uint16_t& port);

// This host's IPv4 addresses, loopback left out.
std::vector<std::string> own_addresses();

// Connects within `seconds`; a closed socket when nobody answers there.
Socket connect_to(const std::string& address, uint16_t port, double seconds);

}  // namespace bench
