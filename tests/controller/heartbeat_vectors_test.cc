// Brokers' lives as the controller sees them, against the answers of Kafka's own classes (tests/vectors).
#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "controller/broker_heartbeats.h"
#include "controller/heartbeat_tracker.h"
#include "vectors/vector_table.h"

namespace sim::controller {
namespace heartbeat_vectors_test {

using vectors::VectorRow;

constexpr BrokerEpoch kSameEpoch{1};  // as in the tables, whatever is registered anew

// Plays the events of a row as ClusterControlManager and ReplicationControlManager call the two classes.
class Story {
 public:
  explicit Story(Duration session_timeout) : tracker_(session_timeout) {}

  void play(const std::string& event) {
    const std::vector<std::string> parts = vectors::split(event.substr(1), ':');
    const NodeId broker{static_cast<std::int32_t>(vectors::to_number(parts.at(0)))};
    switch (event.at(0)) {
      case 'T': now_ += from_millis(broker.value()); return;
      case 'N':
        heartbeats_.remove(broker);
        heartbeats_.replayed(broker, true);
        known_.insert(broker);
        break;
      case 'F':
        heartbeats_.fence(broker);
        heartbeats_.replayed(broker, true);
        break;
      case 'A': heartbeats_.replayed(broker, parts.at(1) == "1"); return;
      case 'H': heartbeat(broker, parts); break;
      default: FAIL("an event of another kind: " << event);
    }
    tell_sessions();
  }

  std::string answers() const { return vectors::joined(answers_) + "," + vectors::joined(sessions_); }

 private:
  void heartbeat(NodeId broker, const std::vector<std::string>& parts) {
    const auto number = [&](std::size_t i) { return vectors::to_number(parts.at(i)); };
    tracker_.contacted({broker, kSameEpoch}, now_);
    BrokerHeartbeatRequest request;
    request.broker = broker;
    request.want_fence = number(1) == 1;
    request.want_shut_down = number(2) == 1;
    request.current_metadata_offset = number(3);
    const BrokerState next = heartbeats_.next_state(request, number(4), number(5) == 1);
    const bool fenced = next == BrokerState::fenced || next == BrokerState::shutdown_now;
    heartbeats_.touch(broker, fenced, request.current_metadata_offset);
    if (next == BrokerState::controlled_shutdown) heartbeats_.enter_controlled_shutdown(broker, number(6));
    answers_.push_back(name_of_state(next));
  }
  static std::string name_of_state(BrokerState state) {
    switch (state) {
      case BrokerState::fenced: return "fenced";
      case BrokerState::unfenced: return "unfenced";
      case BrokerState::controlled_shutdown: return "controlled_shutdown";
      case BrokerState::shutdown_now: return "shutdown_now";
    }
    return "";
  }
  void tell_sessions() {
    std::string digits;
    for (const NodeId broker : known_)
      digits += tracker_.has_valid_session({broker, kSameEpoch}, now_) ? '1' : '0';
    sessions_.push_back(digits);
  }

  BrokerHeartbeats heartbeats_;
  HeartbeatTracker tracker_;
  std::set<NodeId> known_;
  LocalTime now_{};
  std::vector<std::string> answers_, sessions_;
};

TEST_CASE("BrokerHeartbeatManager and BrokerHeartbeatTracker answer as Kafka's do") {
  const auto kafkas = [](const VectorRow& row) {
    return row.text("kafka_answers") + "," + row.text("kafka_sessions");
  };
  vectors::check_vectors("heartbeats", kafkas, [](const VectorRow& row) {
    Story story(from_millis(row.number("session_timeout_ms")));
    for (const std::string& event : row.list("events")) story.play(event);
    return story.answers();
  });
}

}  // namespace heartbeat_vectors_test
}  // namespace sim::controller
