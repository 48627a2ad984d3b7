// The control plane in a window of time as a mermaid sequence diagram, from events.jsonl.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/human.h"
#include "report/export.h"

namespace sim::report {
namespace {

constexpr std::size_t kMostSteps = 400;

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
                                          "LeaveGroup",
                                          "ConsumerGroupHeartbeat",
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

std::string text_of(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : " ") + text_of(item);
    return text;
  }
  return value.dump();
}

// "BecameLeader orders-0 leader_epoch 3": the fields that are particular to the event.
std::string words(const nlohmann::ordered_json& event) {
  std::string text = event.value("ev", "?");
  for (const auto& [key, value] : event.items()) {
    if (key == "t" || key == "seq" || key == "node" || key == "ev" || key == "cause") continue;
    text += key == "tp" || key == "topic" || key == "group" || key == "error" || key == "state"
                ? " " + text_of(value)
                : " " + key + " " + text_of(value);
  }
  std::replace(text.begin(), text.end(), ';', ',');
  std::replace(text.begin(), text.end(), '#', ' ');
  return text;
}

// Node ids are what the quorum and the metadata know: dedicated controllers are 3001 and up.
std::string server(std::int64_t node_id) {
  constexpr std::int64_t kFirstController = 3001;
  if (node_id >= kFirstController) return "controller-" + std::to_string(node_id - kFirstController + 1);
  return "broker-" + std::to_string(node_id);
}

std::int64_t whole(const nlohmann::ordered_json& event, const char* key) {
  return event.contains(key) && event[key].is_number_integer() ? event[key].get<std::int64_t>() : -1;
}
bool flag(const nlohmann::ordered_json& event, const char* key) {
  return event.contains(key) && event[key].is_boolean() && event[key].get<bool>();
}
std::string in_epoch(const nlohmann::ordered_json& event) {
  return " in epoch " + std::to_string(whole(event, "epoch"));
}

std::string role_words(const nlohmann::ordered_json& event) {
  const std::string role = event.value("role", "?");
  const std::int64_t leader = whole(event, "leader");
  return (role == "Follower" && leader >= 0 ? "follows " + server(leader) : role) + in_epoch(event);
}

std::string leader_words(const nlohmann::ordered_json& event) {
  const std::int64_t leader = whole(event, "leader");
  return event.value("tp", "?") + ": " + (leader < 0 ? "no leader" : "leader " + server(leader)) + ", ISR " +
         text_of(event.value("isr", nlohmann::ordered_json::array()));
}

class WindowDiagram {
 public:
  void add(const nlohmann::ordered_json& event) {
    const std::string ev = event.value("ev", "");
    const std::string at = fixed(event["t"].get<std::int64_t>() / 1'000, 6) + " s ";
    if (ev == "MessageSent") {
      const std::string message = event.value("msg", "");
      if (!is_control_message(message)) return;
      const std::string arrow = message.find("Response") == std::string::npos ? "->>" : "-->>";
      step(id(event.value("from", "?")) + arrow + id(event.value("to", "?")) + ": " + at + message);
    } else if (ev == "FaultStruck") {
      fault(at, event);
    } else if (event["node"].is_string()) {
      add(at, ev, event["node"].get<std::string>(), event);
    }
  }

  std::string draw(Duration from, Duration to) const {
    std::string text = "sequenceDiagram\n    title What changed between " + human_duration(nanos(from)) +
                       " and " + human_duration(nanos(to)) + "\n";
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      text += "    participant n" + std::to_string(i) + " as " + nodes_[i] + "\n";
    for (const Step& step : steps_) {
      text +=
          "    " + step.line + (step.alike > 0 ? " and " + std::to_string(step.alike) + " alike" : "") + "\n";
    }
    if (left_out_ > 0) {
      text += "    Note over n0: and " + std::to_string(left_out_) +
              " more, choose a smaller window to see them\n";
    }
    if (nodes_.empty()) text += "    participant nobody as nothing changed\n";
    return text;
  }

 private:
  void add(const std::string& at, const std::string& ev, const std::string& node,
           const nlohmann::ordered_json& event) {
    if (ev == "QuorumVoteAnswered") {
      const char* what = flag(event, "pre_vote") ? "would vote" : "vote";
      step(id(node) + "-->>" + id(server(whole(event, "candidate"))) + ": " + at + what + in_epoch(event) +
           ": " + (flag(event, "granted") ? "yes" : "no"));
    } else if (ev == "QuorumRoleChanged") {
      const std::string role = event.value("role", "");
      const bool only_observes =
          node.rfind("broker-", 0) == 0 && (role == "Follower" || role == "Unattached");
      if (!only_observes) note(at, id(node), ev, role_words(event));
    } else if (ev == "ControllerChanged") {
      note(at, id(node), ev,
           (flag(event, "active") ? "active controller" : "no longer active") + in_epoch(event));
    } else if (ev == "BrokerStateChanged") {
      const char* state = flag(event, "fenced")                   ? " fenced"
                          : flag(event, "in_controlled_shutdown") ? " may shut down"
                                                                  : " unfenced";
      note(at, id(node), ev + state, server(whole(event, "broker")) + state);
    } else if (ev == "PartitionChanged") {
      note(at, id(node), ev, leader_words(event));
    } else if (is_told(ev)) {
      note(at, id(node), ev, words(event));
    }
  }

  // Over all it touched, as far as mermaid can: from the first to the last of them.
  void fault(const std::string& at, const nlohmann::ordered_json& event) {
    std::vector<std::string> touched;
    for (const auto& process : event.value("touched", nlohmann::ordered_json::array())) {
      touched.push_back(id(text_of(process)));
    }
    if (touched.empty()) return;
    std::string over = touched.front();
    if (touched.size() > 1) over += "," + touched.back();
    step("Note over " + over + ": " + at + "fault " + event.value("fault", "?"));
  }

  static bool is_told(const std::string& ev) {
    static const std::set<std::string> told{
        "BecameLeader",       "IsrChanged",        "LogTruncated",
        "TopicCreated",       "GroupStateChanged", "RebalanceBegan",
        "MemberDeparted",     "PartitionsRevoked", "AssignmentReceived",
        "PositionReset",      "RecordFailed",      "ProcessStarted",
        "ProcessStopped",     "MetadataTruncated", "MetadataSnapshotFetched",
        "QuorumVotersChanged"};
    return told.count(ev) > 0;
  }

  struct Step {
    std::string line;
    std::size_t alike = 0;
  };

  void step(std::string line) {
    if (steps_.size() < kMostSteps) {
      steps_.push_back(Step{std::move(line)});
    } else {
      ++left_out_;
    }
  }

  // What happens to many partitions of one node at one instant is one note.
  void note(const std::string& at, const std::string& node, const std::string& ev, const std::string& text) {
    if (at != notes_at_) notes_.clear();
    notes_at_ = at;
    const auto [known, is_new] = notes_.try_emplace(node + ev, steps_.size());
    if (is_new) return step("Note over " + node + ": " + at + text);
    if (known->second < steps_.size()) ++steps_[known->second].alike;
  }

  std::string id(const std::string& node) {
    const auto found = std::find(nodes_.begin(), nodes_.end(), node);
    const auto index = static_cast<std::size_t>(found - nodes_.begin());
    if (found == nodes_.end()) nodes_.push_back(node);
    return "n" + std::to_string(index);
  }

  std::vector<std::string> nodes_;
  std::vector<Step> steps_;
  std::size_t left_out_ = 0;
  std::string notes_at_;
  std::map<std::string, std::size_t> notes_;  // of that instant, by node and event: which step
};

// The time of a line, without parsing all of it; nullopt if it does not begin as our lines do.
std::optional<std::int64_t> time_of(const std::string& line) {
  constexpr std::string_view kStart = "{\"t\":";
  if (line.compare(0, kStart.size(), kStart) != 0) return std::nullopt;
  std::int64_t at = 0;
  const auto result = std::from_chars(line.data() + kStart.size(), line.data() + line.size(), at);
  return result.ec == std::errc() ? std::optional(at) : std::nullopt;
}

}  // namespace

Result<std::string> mermaid_of_window(const std::filesystem::path& run, Duration from, Duration to) {
  const std::filesystem::path file = run / "events.jsonl";
  Problem problem;
  problem.file = file.string();
  std::ifstream in(file);
  if (!in) {
    problem.message = "does not exist: this run kept no trace";
    problem.hint = "run it with --trace control";
    return problem;
  }
  WindowDiagram diagram;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto at = time_of(line);
    if (at && (*at < nanos(from) || *at >= nanos(to))) continue;
    const auto event = at ? nlohmann::ordered_json::parse(line, nullptr, false) : nlohmann::ordered_json();
    if (!event.is_object() || !event.contains("node")) {
      problem.line = number;
      problem.message = "is not an event as kraftsim writes them";
      return problem;
    }
    diagram.add(event);
  }
  return diagram.draw(from, to);
}

}  // namespace sim::report
