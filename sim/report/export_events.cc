#include "report/export_events.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <string_view>

namespace sim::report {
namespace {

// The time of a line, without parsing all of it; nullopt if it does not begin as our lines do.
std::optional<std::int64_t> time_of(const std::string& line) {
  constexpr std::string_view kStart = "{\"t\":";
  if (line.compare(0, kStart.size(), kStart) != 0) return std::nullopt;
  std::int64_t at = 0;
  const auto result = std::from_chars(line.data() + kStart.size(), line.data() + line.size(), at);
  return result.ec == std::errc() ? std::optional(at) : std::nullopt;
}

}  // namespace

// Requests (and their responses) that change something in the cluster; what merely flows is left out. How a
// vote is answered, its fact tells better than its response.
bool is_control_message(const std::string& name) {
  static const std::set<std::string> apis{"Vote",
                                          "AddRaftVoter",
                                          "RemoveRaftVoter",
                                          "UpdateRaftVoter",
                                          "BeginQuorumEpoch",
                                          "EndQuorumEpoch",
                                          "AlterPartition",
                                          "BrokerRegistration",
                                          "JoinGroup",
                                          "SyncGroup",
                                          "ConsumerGroupHeartbeat",
                                          "LeaveGroup",
                                          "CreateTopics",
                                          "ControlledShutdown",
                                          "FindCoordinator",
                                          "InitProducerId",
                                          "AllocateProducerIds",
                                          "FetchSnapshot"};
  if (name == "VoteResponse") return false;
  for (const char* suffix : {"Request", "Response"}) {
    const std::size_t end = name.rfind(suffix);
    if (end != std::string::npos && end + std::string(suffix).size() == name.size() &&
        apis.count(name.substr(0, end)) > 0)
      return true;
  }
  return false;
}

bool is_told_event(const std::string& ev) {
  static const std::set<std::string> told{
      "BecameLeader",       "IsrChanged",        "LogTruncated",
      "TopicCreated",       "GroupStateChanged", "RebalanceBegan",
      "MemberDeparted",     "PartitionsRevoked", "AssignmentReceived",
      "PositionReset",      "RecordFailed",      "ProcessStarted",
      "ProcessStopped",     "MetadataTruncated", "MetadataSnapshotFetched",
      "QuorumVotersChanged"};
  return told.count(ev) > 0;
}

std::string text_of_field(const EventJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : " ") + text_of_field(item);
    return text;
  }
  return value.dump();
}

// "BecameLeader orders-0 leader_epoch 3": the fields that are particular to the event.
std::string words_of_event(const EventJson& event) {
  std::string text = event.value("ev", "?");
  for (const auto& [key, value] : event.items()) {
    if (key == "t" || key == "seq" || key == "node" || key == "ev" || key == "cause") continue;
    text += key == "tp" || key == "topic" || key == "group" || key == "error" || key == "state"
                ? " " + text_of_field(value)
                : " " + key + " " + text_of_field(value);
  }
  std::replace(text.begin(), text.end(), ';', ',');
  std::replace(text.begin(), text.end(), '#', ' ');
  return text;
}

std::optional<Problem> for_each_event(const std::filesystem::path& run,
                                      const std::optional<std::pair<Duration, Duration>>& window,
                                      const std::function<void(const EventJson&)>& use) {
  const std::filesystem::path file = run / "events.jsonl";
  Problem problem;
  problem.file = file.string();
  std::ifstream in(file);
  if (!in) {
    problem.message = "does not exist: this run kept no trace";
    problem.hint = "run it with --trace control";
    return problem;
  }
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto at = time_of(line);
    if (at && window && (*at < nanos(window->first) || *at >= nanos(window->second))) continue;
    const auto event = at ? EventJson::parse(line, nullptr, false) : EventJson();
    if (!event.is_object() || !event.contains("node")) {
      problem.line = number;
      problem.message = "is not an event as kraftsim writes them";
      return problem;
    }
    use(event);
  }
  return std::nullopt;
}

}  // namespace sim::report
