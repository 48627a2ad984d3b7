#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "protocol/envelope.h"

namespace sim::cluster {

// One direction of a connection: bytes arrive in order.
struct Flow {
  Instant last_arrival{};
  // What waits in the sender's socket because it could not be sent or was lost on the way: tickets, at the
  // end perhaps kEndOfStream. TCP sends all of it again when its time has come, unless it is held.
  std::vector<std::uint32_t> unsent{};
  std::int32_t retransmissions = 0;
  std::optional<FaultId> held_by{};
};
inline constexpr std::uint32_t kEndOfStream = ~std::uint32_t{0};
inline constexpr std::uint32_t kNoTicket = ~std::uint32_t{0};

// One TCP connection, as the host sees both of its ends. An end knows only what has reached it: the client's
// may be closed while the server still reads what was sent before, or knows of nothing at all because its
// peer lost power.
//
// A server reads one request at a time: while one is under way the connection is muted and what arrives, the
// end of the stream included, waits in the socket (SocketServer's mute). Every opening makes a new
// connection, told apart from others that had its place before by its generation.
struct Connection {
  enum class State : std::uint8_t { closed, opening, open };

  Channel channel;
  std::uint32_t generation = 0;
  std::uint32_t older = kNoConnection;  // of the same channel, of which an end is left
  Flow to_server;
  Flow to_client;
  // At the client
  State state = State::closed;
  std::int32_t syn_retransmissions = 0;
  Instant syn_sent{};
  Instant answer_taken{};  // when the last answer was taken by its thread, if that waits for cores
  Duration round_trip{};   // as it was measured when it opened; 0: it took several SYNs
  // At the server
  bool accepted = false;
  bool muted = false;
  bool end_of_stream = false;  // it follows what is in the socket
  std::int32_t network_thread = 0;
  Instant throttled_until{};           // a client over its quota: it stays muted after the answer
  CorrelationId under_way = 0;         // the request it is muted for, as the server knows it ...
  CorrelationId asked = 0;             // ... and as its client does
  std::deque<std::uint32_t> socket{};  // tickets of requests that have arrived and wait
  // Requests that will be in the socket once they arrive.
  std::int32_t requests_on_the_way = 0;

  static constexpr std::uint32_t kNoConnection = ~std::uint32_t{0};
};

// The last connection a process has opened to each server and lane, if an end of it is left. A handful:
// looked through in order.
class ConnectionTable {
 public:
  std::uint32_t find(ProcessId server, Lane lane) const {
    const std::uint64_t wanted = key(server, lane);
    for (const Entry& entry : entries_) {
      if (entry.key == wanted) return entry.connection;
    }
    return Connection::kNoConnection;
  }
  // The place of the channel's entry, made if it is not there.
  std::uint32_t& at(ProcessId server, Lane lane) {
    const std::uint64_t wanted = key(server, lane);
    for (Entry& entry : entries_) {
      if (entry.key == wanted) return entry.connection;
    }
    entries_.push_back({wanted, Connection::kNoConnection});
    return entries_.back().connection;
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
