#include "bench/world/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bench/base/status.h"

namespace bench {

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

Socket::~Socket() { close(); }

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Socket listen_anywhere(bool loopback_only, uint16_t& port) {
  Socket s(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(loopback_only ? INADDR_LOOPBACK : INADDR_ANY);
  socklen_t length = sizeof address;
  if (!s.open() || bind(s.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(s.fd(), 4096) != 0 ||
      getsockname(s.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw EnvironmentError(
        std::string("rank 0 cannot listen for the other ranks' signs of life: ") +
        std::strerror(errno));
  port = ntohs(address.sin_port);
  return s;
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET) continue;
    const in_addr address = reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr;
    if ((ntohl(address.s_addr) >> 24) == 127) continue;
    char text[INET_ADDRSTRLEN] = {};
    if (inet_ntop(AF_INET, &address, text, sizeof text) != nullptr) found.emplace_back(text);
  }
  freeifaddrs(list);
  return found;
}

Socket connect_to(const std::string& address, uint16_t port, double seconds) {
  Socket s(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (!s.open() || inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return {};
  if (connect(s.fd(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return s;
  if (errno != EINPROGRESS) return {};
  pollfd ready{.fd = s.fd(), .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t length = sizeof error;
  if (poll(&ready, 1, static_cast<int>(seconds * 1000)) != 1) return {};
  if (getsockopt(s.fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return {};
  return s;
}

}  // namespace bench
