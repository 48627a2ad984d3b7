#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "protocol/envelope.h"

namespace sim::cluster {

// One TCP connection, as the host sees both of its ends.
//
// Bytes arrive in order in each direction. A server reads one request at a time: while one is under way the
// connection is muted and what arrives waits in the socket (SocketServer's mute). Opening it again makes it
// a new one, told apart by its generation; what was under way on the old one is lost.
struct Connection {
  enum class State : std::uint8_t { closed, opening, open };

  Channel channel;
  State state = State::closed;
  std::uint32_t generation = 0;
  Instant last_arrival_at_server{};
  Instant last_arrival_at_client{};
  // At the server
  bool accepted = false;
  std::int32_t network_thread = 0;
  bool muted = false;
  CorrelationId under_way = 0;         // the request it is muted for
  std::deque<std::uint32_t> socket{};  // tickets of requests that have arrived and wait
};

// The connections a process has opened, found by server and lane. A handful: looked through in order.
class ConnectionTable {
 public:
  std::optional<std::uint32_t> find(ProcessId server, Lane lane) const {
    const std::uint64_t wanted = key(server, lane);
    for (const Entry& entry : entries_) {
      if (entry.key == wanted) return entry.connection;
    }
    return std::nullopt;
  }
  void add(ProcessId server, Lane lane, std::uint32_t connection) {
    entries_.push_back({key(server, lane), connection});
  }
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Entry& entry : entries_) visit(entry.connection);
  }

 private:
  struct Entry {
    std::uint64_t key;
    std::uint32_t connection;
  };
  static std::uint64_t key(ProcessId server, Lane lane) {
    return std::uint64_t{static_cast<std::uint32_t>(server.value())} << 8 | static_cast<std::uint8_t>(lane);
  }
  std::vector<Entry> entries_;
};

}  // namespace sim::cluster
