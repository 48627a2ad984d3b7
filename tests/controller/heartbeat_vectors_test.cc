// What BrokerHeartbeatManager and BrokerHeartbeatTracker of Kafka 4.1.2 answered to random histories of brokers
// (tests/vectors/heartbeats.csv). Events are parted by blanks:
//
//   N1               broker 1 registered, fenced
//   T79              79 ms pass
//   F1               fenced, its record replayed
//   H1:f:s:m:r:l:e   heartbeat: wants fence, wants shutdown, its metadata offset, the offset of its registration,
//                    leads something, the offset at which a controlled shutdown would begin
//   A1:0             the record of the new state (1 = fenced) was replayed
//
// Kafka's answers: the next state after each heartbeat; after each event but T and A a digit for each known
// broker, in the order of their ids: has a valid session.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "controller/broker_heartbeats.h"
#include "controller/heartbeat_tracker.h"

namespace sim::controller {
namespace {

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

const char* name_of(BrokerState state) {
  switch (state) {
    case BrokerState::fenced: return "fenced";
    case BrokerState::unfenced: return "unfenced";
    case BrokerState::controlled_shutdown: return "controlled_shutdown";
    case BrokerState::shutdown_now: return "shutdown_now";
  }
  return "";
}

// One history of brokers, each in one registration.
class BrokerHistory {
 public:
  explicit BrokerHistory(std::int64_t session_timeout_ms) : tracker_(from_millis(session_timeout_ms)) {}

  void play(const std::string& event) {
    const std::vector<std::string> fields = parts_of(event.substr(1), ':');
    const std::int64_t number = std::stoll(fields.at(0));
    const NodeId broker{static_cast<std::int32_t>(number)};
    switch (event.front()) {
      case 'T': now_ += from_millis(number); return;
      case 'N':
        known_.insert(broker);
        heartbeats_.replayed(broker, true);
        break;
      case 'F':
        heartbeats_.fence(broker);
        heartbeats_.replayed(broker, true);
        break;
      case 'A': heartbeats_.replayed(broker, fields.at(1) == "1"); return;
      case 'H': heartbeat(broker, fields); break;
      default: FAIL("no such event: " << event);
    }
    std::string valid;
    for (const NodeId one : known_) valid += tracker_.has_valid_session({one, kEpoch}, now_) ? '1' : '0';
    sessions.push_back(valid);
  }

  std::vector<std::string> states;
  std::vector<std::string> sessions;

 private:
  static constexpr BrokerEpoch kEpoch{1};

  void heartbeat(NodeId broker, const std::vector<std::string>& fields) {
    BrokerHeartbeatRequest request;
    request.broker = broker;
    request.broker_epoch = kEpoch;
    request.want_fence = fields.at(1) == "1";
    request.want_shut_down = fields.at(2) == "1";
    request.current_metadata_offset = std::stoll(fields.at(3));
    tracker_.contacted({broker, kEpoch}, now_);
    const BrokerState next = heartbeats_.next_state(request, std::stoll(fields.at(4)), fields.at(5) == "1");
    const bool fenced = next == BrokerState::fenced || next == BrokerState::shutdown_now;
    heartbeats_.touch(broker, fenced, request.current_metadata_offset);
    if (next == BrokerState::controlled_shutdown) {
      heartbeats_.enter_controlled_shutdown(broker, std::stoll(fields.at(6)));
    }
    states.emplace_back(name_of(next));
  }

  BrokerHeartbeats heartbeats_;
  HeartbeatTracker tracker_;
  std::set<NodeId> known_;
  LocalTime now_{};
};

TEST_CASE("states and sessions of brokers are Kafka's on random histories") {
  std::ifstream table("tests/vectors/heartbeats.csv");
  REQUIRE(table.good());
  std::string line;
  int histories = 0;
  int differ = 0;
  while (std::getline(table, line)) {
    if (line.empty() || line.front() == '#' || line.rfind("session_timeout_ms", 0) == 0) continue;
    const std::vector<std::string> columns = parts_of(line, ',');
    BrokerHistory history(std::stoll(columns.at(0)));
    for (const std::string& event : parts_of(columns.at(1), ' ')) history.play(event);
    ++histories;
    const bool same = history.states == parts_of(columns.size() > 2 ? columns[2] : "", ' ') &&
                      history.sessions == parts_of(columns.size() > 3 ? columns[3] : "", ' ');
    if (same) continue;
    if (++differ <= 3) MESSAGE("differs: " << line);
  }
  CHECK(histories >= 300);
  CHECK(differ == 0);
}

}  // namespace
}  // namespace sim::controller
